/* App passwords: made here, kept as a hash.  94 random bits want no slow hash: a sign-in looks one up, however many there
 * are. */
#include "auth/letters.h"
#include "auth/ops.h"
#include "base/encode.h"
#include "base/strbuf.h"
#include "io/ipc.h"
#include "store/credential.h"

#define GROUPS 4
#define EACH 5

struct str op_app_hash(struct arena *a, struct str password)
{
    struct str letters;

    if (letters_read(a, password, GROUPS * EACH, &letters) != RES_OK)
        return STR_NULL;
    return hex_encode(a, op_sha256(a, letters));
}

static void put(struct strbuf *b, const struct app_password *p)
{
    ipc_put_int(b, p->id);
    ipc_put(b, p->name);
    ipc_put(b, p->protocols);
    ipc_put_int(b, p->created_us);
    ipc_put_int(b, p->used_us);
    ipc_put(b, p->used_protocol);
    ipc_put(b, p->used_ip);
}

enum result op_app_add(struct db *db, struct str in, struct arena *a, struct str *ret)
{
    struct strbuf b = { .max = IPC_MAX_PAYLOAD };
    struct str name, protocols, secret;
    struct app_password made;
    int64_t account_id;
    enum result r;

    if (!ipc_get_int(&in, &account_id) || !ipc_get(&in, &name) || !ipc_get(&in, &protocols))
        return RES_INVALID;
    secret = letters_make(a, GROUPS, EACH);
    r = app_password_add(db, account_id, name, protocols, op_app_hash(a, secret), a, &made);
    if (r != RES_OK)
        return r;
    put(&b, &made);
    ipc_put(&b, secret);
    *ret = op_reply(a, &b);
    return RES_OK;
}

enum result op_app_list(struct db *db, struct str in, struct arena *a, struct str *ret)
{
    struct strbuf b = { .max = IPC_MAX_PAYLOAD };
    struct app_password *v;
    int64_t account_id;
    size_t n;
    enum result r;

    if (!ipc_get_int(&in, &account_id))
        return RES_INVALID;
    r = app_password_list(db, account_id, a, &v, &n);
    if (r != RES_OK)
        return r;
    ipc_put_int(&b, (int64_t)n);
    for (size_t i = 0; i < n; i++)
        put(&b, &v[i]);
    *ret = op_reply(a, &b);
    return RES_OK;
}

enum result op_app_remove(struct db *db, struct str in)
{
    int64_t account_id, id;

    if (!ipc_get_int(&in, &account_id) || !ipc_get_int(&in, &id))
        return RES_INVALID;
    return app_password_remove(db, account_id, id);
}
