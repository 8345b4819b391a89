#include "words.h"
#include "api/names.h"
#include "auth/password.h"
#include "base/log.h"
#include "io/coroutine.h"
#include "store/bootstrap.h"
#include "store/conninfo.h"
#include "store/migrate.h"

#include <stdio.h>

/* What the coroutine of such a word works with; the connection lasts as long as the process. */
static struct doing {
    const struct config *config;
    struct arena *a;
    struct db *db;
    int status;
} doing;

/* Runs fn in a coroutine with one connection of the owner's; the exit status that it leaves. */
static int with_owner(const struct config *config, struct arena *a, const char *name, void (*fn)(void *))
{
    char *conninfo;

    if (conninfo_for(config, NULL, a, &conninfo) != RES_OK)
        return 1;
    doing = (struct doing){ .config = config, .a = a, .db = db_new(conninfo, 1), .status = 1 };
    if (coroutine_spawn(name, fn, &doing) == NULL)
        return 1;
    loop_run();
    return doing.status;
}

static int run_migrate(const struct config *config, struct arena *a)
{
    char *conninfo;

    if (conninfo_for(config, NULL, a, &conninfo) != RES_OK)
        return 1;
    return migrate(config, conninfo, config->database_url.p != NULL) == RES_OK ? 0 : 1;
}

/* ---- links ---- */

/* HTTP_URL as the running server has written it down; STR_NULL: it does not run. */
static struct str running_url(const struct config *config, struct arena *a)
{
    FILE *f = fopen(arena_printf(a, "%.*s/run/endpoints", STR_ARG(config->home)).p, "re");
    struct str found = STR_NULL;
    char line[512];

    while (f != NULL && found.p == NULL && fgets(line, sizeof(line), f) != NULL) {
        struct str value = str_trim(str_c(line)), key;

        if (str_split(&value, '=', &key) && str_eq(key, STR("HTTP_URL")))
            found = arena_str(a, value);
    }
    if (f != NULL)
        fclose(f);
    return found;
}

/* As it is configured; a listener for every address is reached by the node's name. */
static struct str configured_url(const struct config *config, struct arena *a)
{
    bool tls = str_eq(config->listen[LISTEN_HTTP], STR("off"));
    struct str addresses = config->listen[tls ? LISTEN_HTTPS : LISTEN_HTTP], first = STR(""), host = config->node;
    size_t colon;

    (void)str_split(&addresses, ',', &first);
    first = str_trim(first);
    colon = str_rchr(first, ':');
    if (colon != SIZE_MAX && colon > 0 && !str_starts(first, STR("*")) && !str_starts(first, STR("[::]")) &&
        !str_starts(first, STR("0.0.0.0")))
        host = str_sub(first, 0, colon);
    return arena_printf(a, "%s://%.*s:%.*s", tls ? "https" : "http", STR_ARG(host),
                        STR_ARG(colon == SIZE_MAX ? first : str_from(first, colon + 1)));
}

/* The secret is behind "#": a browser sends it to no server before the person has clicked. */
static struct str link_of(struct arena *a, struct str url, struct str secret)
{
    return arena_printf(a, "%.*s/sign-in#link=%.*s", STR_ARG(url), STR_ARG(secret));
}

static void admin_link_run(void *arg)
{
    struct doing *d = arg;
    struct str secret, address, url = running_url(d->config, d->a);
    enum result r = bootstrap_admin_link(d->db, d->a, &secret, &address);

    if (r == RES_OK) {
        printf("%.*s\n", STR_ARG(link_of(d->a, url.p != NULL ? url : configured_url(d->config, d->a), secret)));
        d->status = 0;
    } else {
        fprintf(stderr, "correiod admin-link: %s\n",
                r == RES_CONFLICT ? "admin@localhost is no administrator, and there is no other one" : "the database does not answer");
    }
    loop_stop();
}

static int run_admin_link(const struct config *config, struct arena *a)
{
    return with_owner(config, a, "admin-link", admin_link_run);
}

/* ---- the first administrator, without hands ---- */

static enum result make_first_admin(struct doing *d)
{
    struct str address, password, verifier;

    if (name_address(d->config->admin_address, d->a, &address) != RES_OK) {
        log_error("first-admin", F_STR("address", d->config->admin_address), F_C("error", "is no address"));
        return RES_INVALID;
    }
    if (d->config->admin_password_file.p == NULL ||
        secret_read(d->config->admin_password_file, d->a, &password) != RES_OK || password.len == 0) {
        log_error("first-admin", F_STR("address", address), F_C("error", "admin.password_file names no file with a password"));
        return RES_INVALID;
    }
    password_init();
    if (password_hash(password, d->a, &verifier) != RES_OK)
        return RES_TEMPFAIL;
    return bootstrap_admin(d->db, d->a, address, verifier);
}

static enum result log_first_link(struct doing *d)
{
    struct str secret, address;
    enum result r = bootstrap_admin_link(d->db, d->a, &secret, &address);

    if (r == RES_OK)
        log_info("first-admin", F_STR("address", address), F_INT("minutes", ADMIN_LINK_SECONDS / 60),
                 F_STR("link", link_of(d->a, configured_url(d->config, d->a), secret)));
    return r;
}

static void first_admin_run(void *arg)
{
    struct doing *d = arg;
    enum result r = bootstrap_wanted(d->db);

    if (r == RES_OK && d->config->admin_address.p != NULL) {
        r = make_first_admin(d);
        if (r == RES_OK)
            log_info("first-admin", F_STR("address", d->config->admin_address), F_C("made", "yes"));
    } else if (r == RES_OK) {
        r = log_first_link(d);
    }
    if (r != RES_OK && r != RES_EXISTS)
        log_error("first-admin", F_C("result", result_name(r)));
    d->status = r == RES_OK || r == RES_EXISTS ? 0 : 1;
    loop_stop();
}

static int run_first_admin(const struct config *config, struct arena *a)
{
    return with_owner(config, a, "first-admin", first_admin_run);
}

word_run *words_find(const char *name)
{
    static const struct {
        const char *name;
        word_run *run;
    } words[] = { { "migrate", run_migrate }, { "admin-link", run_admin_link }, { "first-admin", run_first_admin } };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(name, words[i].name) == 0)
            return words[i].run;
    }
    return NULL;
}
