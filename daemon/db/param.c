/* Parameters and results in PostgreSQL's binary form: integers are big-endian, times count microseconds from 2000. */
#include "db/db.h"
#include "base/macros.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <libpq-fe.h>

#define EPOCH_2000_US INT64_C(946684800000000)

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25, OID_INET = 869,
       OID_BYTEA_ARRAY = 1001, OID_INT4_ARRAY = 1007, OID_TEXT_ARRAY = 1009, OID_INT8_ARRAY = 1016, OID_TIMESTAMPTZ = 1184,
       OID_TIMESTAMPTZ_ARRAY = 1185, OID_JSONB = 3802 };

struct db_param db_int8(int64_t v)
{
    struct db_param p = { .oid = OID_INT8, .len = 8 };
    uint64_t be = htobe64((uint64_t)v);

    memcpy(p.own, &be, 8);
    return p;
}

struct db_param db_int4(int32_t v)
{
    struct db_param p = { .oid = OID_INT4, .len = 4 };
    uint32_t be = htobe32((uint32_t)v);

    memcpy(p.own, &be, 4);
    return p;
}

struct db_param db_int2(int16_t v)
{
    struct db_param p = { .oid = OID_INT2, .len = 2 };
    uint16_t be = htobe16((uint16_t)v);

    memcpy(p.own, &be, 2);
    return p;
}

struct db_param db_bool(bool v)
{
    return (struct db_param){ .oid = OID_BOOL, .len = 1, .own = { v ? 1 : 0 } };
}

static struct db_param bytes(uint32_t oid, struct str s)
{
    if (s.p == NULL)
        return (struct db_param){ .oid = oid, .len = -1 };
    assert(s.len < INT32_MAX);
    return (struct db_param){ .oid = oid, .len = (int)s.len, .p = s.p };
}

struct db_param db_text(struct str s)
{
    return bytes(OID_TEXT, s);
}

struct db_param db_bytea(struct str s)
{
    return bytes(OID_BYTEA, s);
}

struct db_param db_json(struct str s)
{
    return bytes(OID_JSONB, s);
}

struct db_param db_time(int64_t us)
{
    struct db_param p = db_int8(us == DB_NO_TIME ? 0 : us - EPOCH_2000_US);

    p.oid = OID_TIMESTAMPTZ;
    if (us == DB_NO_TIME)
        p.len = -1;
    return p;
}

struct db_param db_int8_null(void)
{
    return (struct db_param){ .oid = OID_INT8, .len = -1 };
}

struct db_param db_int4_null(void)
{
    return (struct db_param){ .oid = OID_INT4, .len = -1 };
}

struct db_param db_inet(struct str ip)
{
    struct in_addr v4;
    struct in6_addr v6;
    char text[INET6_ADDRSTRLEN];

    if (ip.p == NULL || ip.len >= sizeof(text))
        return (struct db_param){ .oid = OID_INET, .len = -1 };
    memcpy(text, ip.p, ip.len);
    text[ip.len] = '\0';
    if (inet_pton(AF_INET, text, &v4) != 1 && inet_pton(AF_INET6, text, &v6) != 1)
        return (struct db_param){ .oid = OID_INET, .len = -1 };
    return bytes(OID_INET, ip); /* sent as text */
}

/* ---- arrays: dimensions, has-null, element type, length, lower bound, then the elements with their lengths ---- */

static char *put32(char *at, uint32_t v)
{
    v = htobe32(v);
    memcpy(at, &v, 4);
    return at + 4;
}

static char *array_header(struct arena *a, uint32_t element, size_t n, size_t bytes_of_elements, char **ret_start)
{
    char *p = arena_alloc(a, 20 + bytes_of_elements);

    *ret_start = p;
    p = put32(p, n > 0 ? 1 : 0);
    p = put32(p, 0);
    p = put32(p, element);
    if (n > 0) {
        p = put32(p, (uint32_t)n);
        p = put32(p, 1);
    }
    return p;
}

/* What each is more than `base`. */
static struct db_param array_of_64(struct arena *a, uint32_t element, uint32_t oid, const int64_t *v, int64_t base, size_t n)
{
    char *start, *p = array_header(a, element, n, n * 12, &start);

    for (size_t i = 0; i < n; i++) {
        uint64_t be = htobe64((uint64_t)(v[i] - base));

        p = put32(p, 8);
        memcpy(p, &be, 8);
        p += 8;
    }
    return bytes(oid, str_of(start, (size_t)(p - start)));
}

struct db_param db_int8_array(struct arena *a, const int64_t *v, size_t n)
{
    return array_of_64(a, OID_INT8, OID_INT8_ARRAY, v, 0, n);
}

struct db_param db_time_array(struct arena *a, const int64_t *us, size_t n)
{
    return array_of_64(a, OID_TIMESTAMPTZ, OID_TIMESTAMPTZ_ARRAY, us, EPOCH_2000_US, n);
}

struct db_param db_int4_array(struct arena *a, const int32_t *v, size_t n)
{
    char *start, *p = array_header(a, OID_INT4, n, n * 8, &start);

    for (size_t i = 0; i < n; i++) {
        p = put32(p, 4);
        p = put32(p, (uint32_t)v[i]);
    }
    return bytes(OID_INT4_ARRAY, str_of(start, (size_t)(p - start)));
}

static struct db_param str_array(struct arena *a, uint32_t element, uint32_t oid, const struct str *v, size_t n)
{
    size_t total = n * 4;
    char *start, *p;

    for (size_t i = 0; i < n; i++)
        total += v[i].len;
    p = array_header(a, element, n, total, &start);
    for (size_t i = 0; i < n; i++) {
        p = put32(p, (uint32_t)v[i].len);
        if (v[i].len > 0)
            memcpy(p, v[i].p, v[i].len);
        p += v[i].len;
    }
    return bytes(oid, str_of(start, (size_t)(p - start)));
}

struct db_param db_text_array(struct arena *a, const struct str *v, size_t n)
{
    return str_array(a, OID_TEXT, OID_TEXT_ARRAY, v, n);
}

struct db_param db_bytea_array(struct arena *a, const struct str *v, size_t n)
{
    return str_array(a, OID_BYTEA, OID_BYTEA_ARRAY, v, n);
}

/* ---- results ---- */

void db_rows_free(struct db_rows *rows)
{
    PQclear(rows->res);
    rows->res = NULL;
}

size_t db_count(const struct db_rows *rows)
{
    return rows->res == NULL ? 0 : (size_t)PQntuples(rows->res);
}

int64_t db_affected(const struct db_rows *rows)
{
    uint64_t n = 0;

    (void)str_u64(str_c(PQcmdTuples(rows->res)), INT64_MAX, &n);
    return (int64_t)n;
}

bool db_is_null(const struct db_rows *rows, size_t row, int column)
{
    return PQgetisnull(rows->res, (int)row, column) != 0;
}

static int64_t integer(const char *p, int len)
{
    uint64_t v8;
    uint32_t v4;
    uint16_t v2;

    switch (len) {
    case 8:
        memcpy(&v8, p, 8);
        return (int64_t)be64toh(v8);
    case 4:
        memcpy(&v4, p, 4);
        return (int32_t)be32toh(v4);
    case 2:
        memcpy(&v2, p, 2);
        return (int16_t)be16toh(v2);
    case 1:
        return p[0];
    default:
        assert(false && "not an integer column");
        return 0;
    }
}

int64_t db_get_int(const struct db_rows *rows, size_t row, int column)
{
    if (db_is_null(rows, row, column))
        return 0;
    assert(PQftype(rows->res, column) != 1700); /* numeric: cast it in the statement */
    return integer(PQgetvalue(rows->res, (int)row, column), PQgetlength(rows->res, (int)row, column));
}

struct str db_get_str(const struct db_rows *rows, size_t row, int column)
{
    struct str s;

    if (db_is_null(rows, row, column))
        return STR_NULL;
    s = str_of(PQgetvalue(rows->res, (int)row, column), (size_t)PQgetlength(rows->res, (int)row, column));
    return PQftype(rows->res, column) == OID_JSONB ? str_from(s, 1) : s; /* a version byte goes before jsonb */
}

int64_t db_get_time(const struct db_rows *rows, size_t row, int column)
{
    int64_t v;

    if (db_is_null(rows, row, column))
        return DB_NO_TIME;
    v = integer(PQgetvalue(rows->res, (int)row, column), 8);
    if (v == INT64_MAX || v == INT64_MIN) /* 'infinity' */
        return v == INT64_MAX ? INT64_MAX : DB_NO_TIME;
    return v + EPOCH_2000_US;
}

struct str db_get_inet(const struct db_rows *rows, size_t row, int column, struct arena *a)
{
    struct str s = db_get_str(rows, row, column);
    char text[INET6_ADDRSTRLEN];

    if (s.len != 8 && s.len != 20) /* family, bits, is-cidr, length, address */
        return STR_NULL;
    if (inet_ntop(s.len == 8 ? AF_INET : AF_INET6, s.p + 4, text, sizeof(text)) == NULL)
        return STR_NULL;
    return arena_str(a, str_c(text));
}

static bool take32(struct str *s, uint32_t *ret)
{
    if (s->len < 4)
        return false;
    memcpy(ret, s->p, 4);
    *ret = be32toh(*ret);
    *s = str_from(*s, 4);
    return true;
}

static size_t array_elements(const struct db_rows *rows, size_t row, int column, struct str *ret_rest)
{
    struct str s = db_get_str(rows, row, column);
    uint32_t dims, nulls, oid, n, lower;

    if (!take32(&s, &dims) || dims != 1 || !take32(&s, &nulls) || !take32(&s, &oid) || !take32(&s, &n) ||
        !take32(&s, &lower))
        return 0;
    *ret_rest = s;
    return n;
}

size_t db_get_str_array(const struct db_rows *rows, size_t row, int column, struct arena *a, struct str **ret_v)
{
    struct str rest = STR_NULL;
    size_t n = array_elements(rows, row, column, &rest), got = 0;
    struct str *v = arena_array(a, struct str, n + 1);

    for (size_t i = 0; i < n; i++) {
        uint32_t len;

        if (!take32(&rest, &len) || len == UINT32_MAX || len > rest.len)
            continue;
        v[got++] = arena_str(a, str_of(rest.p, len));
        rest = str_from(rest, len);
    }
    *ret_v = v;
    return got;
}

size_t db_get_int_array(const struct db_rows *rows, size_t row, int column, struct arena *a, int64_t **ret_v)
{
    struct str rest = STR_NULL;
    size_t n = array_elements(rows, row, column, &rest), got = 0;
    int64_t *v = arena_array(a, int64_t, n + 1);

    for (size_t i = 0; i < n; i++) {
        uint32_t len;

        if (!take32(&rest, &len) || len == UINT32_MAX || len > rest.len)
            continue;
        v[got++] = integer(rest.p, (int)len);
        rest = str_from(rest, len);
    }
    *ret_v = v;
    return got;
}
