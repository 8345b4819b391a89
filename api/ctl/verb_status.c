/* status, and doctor: what can be checked from here, each with its fix. */
#include "api/ctl/client.h"
#include "api/ctl/verbs.h"
#include "base/macros.h"
#include "base/strbuf.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECT_MS 3000

enum outcome verb_status(struct call *c)
{
    static const struct column columns[] = {
        { "Verdict", "verdict", COLUMN_TEXT },     { "Host", "hostname", COLUMN_TEXT },        { "Version", "version", COLUMN_TEXT },
        { "Waiting", "queue.waiting", COLUMN_NUMBER }, { "Held", "queue.held", COLUMN_NUMBER },  { "Sending", "queue.sending", COLUMN_NUMBER },
        { "Oldest", "queue.oldest_accepted_at", COLUMN_TIME }, { "Database", "database.state", COLUMN_TEXT },
        { "Certificate until", "certificate.not_after", COLUMN_TIME },
    };
    static const struct column problems[] = {
        { "Problem", "id", COLUMN_TEXT }, { "Since", "since", COLUMN_TIME }, { "Where", "destination", COLUMN_TEXT },
        { "Waiting", "waiting", COLUMN_NUMBER }, { "Why", "explanation", COLUMN_REASON },
    };
    struct json_object *answer = NULL, *list;
    enum outcome out = client_call(c, "GET", "/api/v1/status", NULL, "", &answer);

    if (out != DONE)
        return out;
    print_object(c, answer, columns, ARRAY_LEN(columns), "verdict");
    list = js_get(answer, "problems", NULL);
    if (!c->json && !c->quiet && js_len(list) > 0) {
        printf("\n");
        print_rows(c, list, problems, ARRAY_LEN(problems), "id", true);
    }
    out = js_len(list) > 0 ? PROBLEMS_FOUND : DONE;
    js_free(answer);
    return out;
}

enum outcome verb_ready(struct call *c)
{
    static const struct column columns[] = { { "State", "status", COLUMN_TEXT } };
    static const struct column checks[] = { { "Check", "name", COLUMN_TEXT }, { "Right", "ok", COLUMN_TEXT }, { "Detail", "detail", COLUMN_TEXT } };
    struct json_object *answer = NULL;
    long status;
    enum outcome out = client_try(c, "GET", "/readyz", NULL, "", &status, &answer);

    if (status != 200 && status != 503) {
        out = client_say_problem(c, status, answer);
    } else {
        print_object(c, answer, columns, ARRAY_LEN(columns), "status");
        if (!c->json && !c->quiet)
            print_rows(c, js_get(answer, "checks", NULL), checks, ARRAY_LEN(checks), "name", true);
    }
    js_free(answer);
    return out;
}

/* ---- doctor ---- */

struct checks {
    struct call *c;
    struct json_object *rows;
    bool bad;
};

/* fix: what to do about it. */
static void check(struct checks *k, const char *name, bool ok, struct str detail, const char *fix)
{
    struct json_object *row = js_object();

    js_set(row, "check", js_str(str_c(name)));
    js_set(row, "ok", js_bool(ok));
    js_set(row, "detail", js_str(detail));
    js_set(row, "fix", ok || fix == NULL ? NULL : js_str(str_c(fix)));
    js_push(k->rows, row);
    k->bad = k->bad || !ok;
}

static enum outcome check_server(struct checks *k)
{
    struct json_object *answer = NULL, *checks;
    long status;
    enum outcome out = client_try(k->c, "GET", "/readyz", NULL, "", &status, &answer);

    if (status == 0) {
        out = client_say_problem(k->c, status, answer);
        js_free(answer);
        return out;
    }
    checks = js_get(answer, "checks", NULL);
    for (size_t i = 0; js_kind_of(checks) == JS_ARRAY && i < js_len(checks); i++) {
        struct json_object *one = js_at(checks, i);
        struct str name = js_get_str(js_get(one, "name", NULL)), detail = js_get_str(js_get(one, "detail", NULL));

        check(k, arena_cstr(&k->c->arena, name), js_get_bool(js_get(one, "ok", NULL)), arena_str(&k->c->arena, detail),
              str_eq(name, STR("durable")) ? t("set it in postgresql.conf and restart PostgreSQL") : t("start PostgreSQL; see its log"));
    }
    if (js_kind_of(checks) != JS_ARRAY)
        check(k, "ready", status == 200, STR_NULL, t("start PostgreSQL; see its log"));
    js_free(answer);
    return DONE;
}

static void check_status(struct checks *k)
{
    struct json_object *answer = NULL, *problems;
    long status;

    if (client_try(k->c, "GET", "/api/v1/status", NULL, "", &status, &answer) != DONE) {
        js_free(answer);
        return; /* the token may not ask, or the database is away, which was told */
    }
    problems = js_get(answer, "problems", NULL);
    for (size_t i = 0; i < js_len(problems); i++) {
        struct json_object *p = js_at(problems, i);
        struct str detail = js_get_str(at_path(p, "explanation.text"));

        check(k, arena_cstr(&k->c->arena, js_get_str(js_get(p, "id", NULL))), false, arena_str(&k->c->arena, detail), NULL);
    }
    {
        struct str host = js_get_str(js_get(answer, "hostname", NULL));
        bool full = str_chr(host, '.') != SIZE_MAX;
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
        int rc = full ? getaddrinfo(arena_cstr(&k->c->arena, host), NULL, &hints, &found) : EAI_NONAME;

        check(k, "hostname", full, arena_str(&k->c->arena, host), t("correioctl config set server.hostname mail.example.org"));
        if (full)
            check(k, "dns", rc == 0, rc == 0 ? STR_NULL : str_c(gai_strerror(rc)), t("give the host name an A or AAAA record"));
        if (found != NULL)
            freeaddrinfo(found);
    }
    js_free(answer);
}

/* Does something accept connections on this port of this machine? */
static bool port_answers(int port)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM }, *a = NULL;
    char service[8];
    int fd = -1, error = 0;
    socklen_t len = sizeof(error);
    bool ok = false;

    (void)snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo("127.0.0.1", service, &hints, &a) == 0)
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        int rc = connect(fd, a->ai_addr, a->ai_addrlen);

        ok = rc == 0 || (errno == EINPROGRESS && poll(&p, 1, CONNECT_MS) == 1 &&
                         getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0);
        close(fd);
    }
    if (a != NULL)
        freeaddrinfo(a);
    return ok;
}

/* The ports of $CORREIO_HOME/run/endpoints. */
static void check_ports(struct checks *k)
{
    const char *home = getenv("CORREIO_HOME") != NULL                       ? getenv("CORREIO_HOME")
                       : access("/var/lib/correio-dev/run", F_OK) == 0 ? "/var/lib/correio-dev"
                                                                       : "/var/lib/correio";
    FILE *f = fopen(arena_printf(&k->c->arena, "%s/run/endpoints", home).p, "re");
    char line[4096];

    if (f == NULL)
        return; /* another machine's server */
    while (fgets(line, sizeof(line), f) != NULL) {
        struct str rest = str_trim(str_c(line)), name;
        uint64_t port;

        if (!str_split(&rest, '=', &name) || !str_ends(name, STR("_PORT")) || !str_u64(rest, 65535, &port))
            continue;
        check(k, arena_cstr(&k->c->arena, arena_lower(&k->c->arena, str_sub(name, 0, name.len - 5))), port_answers((int)port),
              arena_str(&k->c->arena, rest), t("see the log of the process that serves it"));
    }
    fclose(f);
}

/* ---- counters ---- */

static const char *drift(struct call *c, struct json_object *wrong)
{
    struct strbuf b = { .max = 1024 };
    struct str out;

    for (size_t i = 0; i < js_len(wrong); i++) {
        struct json_object *w = js_at(wrong, i);
        struct str mailbox = js_get_str(js_get(w, "mailbox", NULL)), counter = js_get_str(js_get(w, "counter", NULL));

        (void)strbuf_addf(&b, "%s%.*s%s%.*s %lld/%lld", i > 0 ? ", " : "", STR_ARG(mailbox), mailbox.len > 0 ? " " : "",
                          STR_ARG(counter), (long long)js_get_int(js_get(w, "was", NULL)),
                          (long long)js_get_int(js_get(w, "counted", NULL)));
    }
    out = arena_printf(&c->arena, "%.*s", STR_ARG(strbuf_str(&b)));
    strbuf_release(&b);
    return out.p;
}

/* One account; false: it could not be counted. */
static bool check_account(struct checks *k, struct str address, bool repair, size_t *wrong)
{
    const char *name = arena_cstr(&k->c->arena, address);
    const char *path = arena_printf(&k->c->arena, "/api/v1/accounts/%s/recount", escape(k->c, name)).p;
    struct json_object *body = js_object(), *answer = NULL, *list;
    long status;
    bool ok;

    if (repair)
        js_set(body, "repair", js_bool(true));
    ok = client_try(k->c, "POST", path, body, "", &status, &answer) == DONE;
    list = ok ? js_get(answer, "wrong", NULL) : NULL;
    if (list != NULL && js_len(list) > 0) {
        (*wrong)++;
        check(k, name, repair, str_c(drift(k->c, list)), "correioctl doctor --repair");
    }
    js_free(answer);
    return ok || status == 404; /* gone meanwhile */
}

/* What quotas and mailboxes count, of all accounts that may be seen. */
static void check_counters(struct checks *k)
{
    const char *path = "/api/v1/accounts?limit=200";
    bool repair = option(k->c, "repair") != NULL;
    size_t n = 0, wrong = 0;

    while (path != NULL) {
        struct json_object *page = NULL, *data;
        struct str next;
        long status;

        if (client_try(k->c, "GET", path, NULL, "", &status, &page) != DONE) {
            js_free(page);
            return; /* as check_status */
        }
        data = js_get(page, "data", NULL);
        for (size_t i = 0; i < js_len(data); i++, n++) {
            if (!check_account(k, js_get_str(js_get(js_at(data, i), "address", NULL)), repair, &wrong)) {
                js_free(page);
                return;
            }
        }
        next = js_get_str(js_get(page, "next", NULL));
        path = next.len > 0 ? arena_printf(&k->c->arena, "/api/v1/accounts?limit=200&cursor=%s",
                                           escape(k->c, arena_cstr(&k->c->arena, next))).p : NULL;
        js_free(page);
    }
    if (wrong == 0)
        check(k, "counters", true, arena_printf(&k->c->arena, "%zu", n), NULL);
}

enum outcome verb_doctor(struct call *c)
{
    static const struct column columns[] = {
        { "Check", "check", COLUMN_TEXT }, { "Right", "ok", COLUMN_TEXT }, { "Detail", "detail", COLUMN_TEXT }, { "Fix", "fix", COLUMN_TEXT },
    };
    struct checks k = { .c = c, .rows = js_array() };
    enum outcome out = check_server(&k);

    if (out == DONE) {
        check_status(&k);
        check_counters(&k);
        if (option(c, "url") == NULL)
            check_ports(&k);
        print_rows(c, k.rows, columns, ARRAY_LEN(columns), "check", true);
        out = k.bad ? PROBLEMS_FOUND : DONE;
    }
    js_free(k.rows);
    return out;
}
