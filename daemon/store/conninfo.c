#include "store/conninfo.h"
#include "base/log.h"
#include "base/strbuf.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>

static void add(struct strbuf *b, const char *key, struct str value)
{
    strbuf_addf(b, "%s%s='", b->len > 0 ? " " : "", key);
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] == '\'' || value.p[i] == '\\')
            strbuf_addc(b, '\\');
        strbuf_addc(b, value.p[i]);
    }
    strbuf_addc(b, '\'');
}

enum result secret_read(struct str path, struct arena *a, struct str *ret)
{
    FILE *f = fopen(arena_cstr(a, path), "re");
    char buf[256];
    size_t n;

    if (f == NULL) {
        log_error("secret", F_STR("file", path), F_C("error", strerror(errno)));
        return RES_INVALID;
    }
    n = fread(buf, 1, sizeof(buf), f);
    fclose(f);
    *ret = arena_str(a, str_trim(str_of(buf, n)));
    explicit_bzero(buf, sizeof(buf));
    return RES_OK;
}

static enum result outside(const struct config *config, const char *kind, struct arena *a, struct strbuf *b)
{
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse(arena_cstr(a, config->database_url), &error);
    struct str secret = STR_NULL, file = config->database_password_file;

    if (options == NULL) {
        log_error("db-url", F_C("error", error));
        PQfreemem(error);
        return RES_INVALID;
    }
    for (PQconninfoOption *o = options; o->keyword != NULL; o++) {
        bool role = strcmp(o->keyword, "user") == 0 || strcmp(o->keyword, "password") == 0;

        /* of one that is given twice, libpq takes the last */
        if (o->val != NULL && !(kind != NULL && role))
            add(b, o->keyword, str_c(o->val));
    }
    PQconninfoFree(options);
    if (kind != NULL) {
        file = arena_printf(a, "%.*s/secrets/correio_%s", STR_ARG(config->home), kind);
        add(b, "user", arena_printf(a, "correio_%s", kind));
    }
    if (file.p == NULL)
        return RES_OK;
    if (secret_read(file, a, &secret) != RES_OK)
        return RES_INVALID;
    add(b, "password", secret);
    return RES_OK;
}

enum result conninfo_for(const struct config *config, const char *kind, struct arena *a, char **ret_conninfo)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 8192 };
    enum result r = RES_OK;

    if (config->database_url.p != NULL) {
        r = outside(config, kind, a, &b);
    } else {
        add(&b, "host", arena_printf(a, "%.*s/run", STR_ARG(config->home)));
        add(&b, "dbname", STR("correio"));
        add(&b, "user", arena_printf(a, "correio_%s", kind != NULL ? kind : "owner"));
    }
    if (r == RES_OK)
        *ret_conninfo = arena_cstr(a, strbuf_str(&b));
    return r;
}
