#include "config/config.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/strbuf.h"
#include "config/settings.h"

#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONFIG_FILE "/etc/correio/correio.conf"

extern char **environ;

const char *listener_name(enum listener l)
{
    static const char *const names[LISTENERS] = { "smtp",  "submission", "smtps", "lmtp", "local", "pop3", "pop3s",
                                                  "imap",  "imaps",      "sieve", "http", "https" };

    return names[l];
}

enum key_kind { KEY_TEXT, KEY_COUNT, KEY_COUNT_OR_NONE, KEY_PATH, KEY_SIZE };

/* Every key: where its value goes, and what the manual says of it. */
static const struct key {
    const char *section, *name;
    enum key_kind kind;
    size_t offset;
    const char *fallback, *help;
} keys[] = {
#define AT(member) offsetof(struct config, member)
#define LISTEN_AT(l) AT(listen) + (l) * sizeof(struct str)
    { "listen", "smtp", KEY_TEXT, LISTEN_AT(LISTEN_SMTP), "127.0.0.1:2525", "Mail from other servers." },
    { "listen", "submission", KEY_TEXT, LISTEN_AT(LISTEN_SUBMISSION), "127.0.0.1:2587", "Mail from people, STARTTLS." },
    { "listen", "smtps", KEY_TEXT, LISTEN_AT(LISTEN_SMTPS), "127.0.0.1:2465", "Mail from people, TLS." },
    { "listen", "lmtp", KEY_TEXT, LISTEN_AT(LISTEN_LMTP), "off", "LMTP, by TCP or by the path of a Unix socket." },
    { "listen", "local", KEY_TEXT, LISTEN_AT(LISTEN_LOCAL), "run/local.sock", "Unix socket of correio-sendmail, below CORREIO_HOME or absolute." },
    { "listen", "pop3", KEY_TEXT, LISTEN_AT(LISTEN_POP3), "127.0.0.1:2110", "POP3, STLS." },
    { "listen", "pop3s", KEY_TEXT, LISTEN_AT(LISTEN_POP3S), "127.0.0.1:2995", "POP3, TLS." },
    { "listen", "imap", KEY_TEXT, LISTEN_AT(LISTEN_IMAP), "127.0.0.1:2143", "IMAP, STARTTLS." },
    { "listen", "imaps", KEY_TEXT, LISTEN_AT(LISTEN_IMAPS), "127.0.0.1:2993", "IMAP, TLS." },
    { "listen", "sieve", KEY_TEXT, LISTEN_AT(LISTEN_SIEVE), "127.0.0.1:2190", "ManageSieve, STARTTLS." },
    { "listen", "http", KEY_TEXT, LISTEN_AT(LISTEN_HTTP), "127.0.0.1:8080", "Dashboard and REST API, plain: for this machine or behind a proxy." },
    { "listen", "https", KEY_TEXT, LISTEN_AT(LISTEN_HTTPS), "off", "Dashboard and REST API, TLS." },
    { "database", "url", KEY_TEXT, AT(database_url), NULL, "The owner's URL of an outside PostgreSQL; without it a private cluster is made and run." },
    { "database", "password_file", KEY_PATH, AT(database_password_file), NULL, "File with the owner's password for that URL; root alone need read it." },
    { "database", "memory", KEY_SIZE, AT(postgres_memory), NULL, "Buffers of the private cluster; a quarter of the machine's memory." },
    { "dns", "port", KEY_COUNT, AT(dns_port), "53", "Port of the name servers that a check of a domain asks." },
    { "dns", "servers", KEY_TEXT, AT(dns_servers), NULL, "Name servers, address:port, several by comma; the system's." },
    { "tls", "certificate", KEY_PATH, AT(certificate), NULL, "PEM file of the certificate and its chain; self-signed." },
    { "tls", "key", KEY_PATH, AT(key), NULL, "PEM file of its key; root alone need read it." },
    { "paths", "web", KEY_PATH, AT(web), NULL, "The dashboard's files; where the program was installed." },
    { "paths", "sql", KEY_PATH, AT(sql), NULL, "The migrations; where the program was installed." },
    { "paths", "libexec", KEY_PATH, AT(libexec), NULL, "The workers' program; where the program was installed." },
    { "server", "node", KEY_TEXT, AT(node), NULL, "Name of this machine among several, and of the server until server.hostname is set; the host's name." },
    { "admin", "link", KEY_TEXT, AT(admin_link), "off", "log: while there is no administrator, each start writes a one-time sign-in link to the log; or off." },
    { "admin", "address", KEY_TEXT, AT(admin_address), NULL, "Address of the first administrator, made at a start that finds none; its domain, too." },
    { "admin", "password_file", KEY_PATH, AT(admin_password_file), NULL, "File with that administrator's first password." },
    { "smtp", "processes", KEY_COUNT, AT(smtp_processes), "1", "Processes that take mail." },
    { "access", "processes", KEY_COUNT, AT(access_processes), "1", "Processes that serve IMAP and POP3." },
    { "relay", "processes", KEY_COUNT, AT(relay_processes), "1", "Processes that send the queue." },
    { "mda", "processes", KEY_COUNT_OR_NONE, AT(mda_processes), "1", "Processes that deliver into files and to programs; 0: none." },
    { "relay", "port", KEY_COUNT, AT(relay_port), "25", "Port of other servers." },
    { "log", "format", KEY_TEXT, AT(log_format), "logfmt", "logfmt or json." },
    { "log", "level", KEY_TEXT, AT(log_level), "info", "debug, info, warn or error." },
    { "api", "trusted_proxies", KEY_TEXT, AT(trusted_proxies), NULL, "Networks of proxies whose X-Forwarded fields count." },
};

size_t config_keys(size_t i, struct config_key *ret)
{
    if (i < ARRAY_LEN(keys))
        *ret = (struct config_key){ keys[i].section, keys[i].name, keys[i].fallback, keys[i].help };
    return ARRAY_LEN(keys);
}

struct loading {
    struct arena *a;
    struct config *config;
    struct strbuf errors;
    const char *file;
    FILE *stream;
    int line; /* Debian's libinih tells its handler no line numbers: we count what it reads */
};

static const struct key *find_key(struct str section, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (str_eq(section, str_c(keys[i].section)) && str_eq(name, str_c(keys[i].name)))
            return &keys[i];
    }
    return NULL;
}

/* False: *ret_why says what is wrong. */
static bool set_key(struct loading *l, const struct key *k, struct str value, const char **ret_why)
{
    char *base = (char *)l->config;
    uint64_t n;

    switch (k->kind) {
    case KEY_COUNT:
    case KEY_COUNT_OR_NONE:
        if (!str_u64(value, 65535, &n) || (n == 0 && k->kind == KEY_COUNT)) {
            *ret_why = k->kind == KEY_COUNT ? "is not a number from 1 to 65535" : "is not a number from 0 to 65535";
            return false;
        }
        *(unsigned *)(void *)(base + k->offset) = (unsigned)n;
        return true;
    case KEY_PATH:
        if (value.len == 0 || value.p[0] != '/') {
            *ret_why = "is not an absolute path";
            return false;
        }
        break;
    case KEY_SIZE:
        if (!str_size(value, &n)) {
            *ret_why = "is not a size such as 256 MiB";
            return false;
        }
        break;
    case KEY_TEXT:
        if (k->offset == offsetof(struct config, log_format) && !str_eq(value, STR("logfmt")) &&
            !str_eq(value, STR("json"))) {
            *ret_why = "is neither logfmt nor json";
            return false;
        }
        if (k->offset == offsetof(struct config, admin_link) && !str_eq(value, STR("log")) && !str_eq(value, STR("off"))) {
            *ret_why = "is neither log nor off";
            return false;
        }
        break;
    }
    *(struct str *)(void *)(base + k->offset) = arena_str(l->a, value);
    return true;
}

/* "queue" + "expire" -> is there a setting of that name? */
static const struct setting_def *setting_of(struct arena *a, struct str section, struct str name)
{
    return setting_def_find(arena_printf(a, "%.*s.%.*s", STR_ARG(section), STR_ARG(name)));
}

static char *read_line(char *buf, int size, void *user)
{
    struct loading *l = user;

    l->line++;
    return fgets(buf, size, l->stream);
}

static int on_ini(void *user, const char *section, const char *name, const char *value)
{
    struct loading *l = user;
    const struct key *k = find_key(str_c(section), str_c(name));
    const struct setting_def *def = setting_of(l->a, str_c(section), str_c(name));
    const char *why = "is not a key of this program";
    struct str canonical, error;

    if (k != NULL && set_key(l, k, str_c(value), &why))
        return 1;
    if (k == NULL && def != NULL) {
        if (setting_check(str_c(def->key), str_c(value), l->a, &canonical, &error) == RES_OK)
            return 1;
        why = arena_cstr(l->a, error);
    }
    strbuf_addf(&l->errors, "%s:%d: [%s] %s: %s\n", l->file, l->line, section, name, why);
    return 1;
}

static void read_file(struct loading *l)
{
    int bad;

    l->stream = fopen(l->file, "re");
    if (l->stream == NULL) {
        strbuf_addf(&l->errors, "%s: could not be read: %s\n", l->file, strerror(errno));
        return;
    }
    bad = ini_parse_stream(read_line, l, on_ini, l);
    if (bad > 0)
        strbuf_addf(&l->errors, "%s:%d: is neither [section] nor key = value\n", l->file, bad);
    fclose(l->stream);
}

static struct str env_name(struct arena *a, const char *section, const char *name)
{
    struct str s = arena_printf(a, "CORREIO_%s_%s", section, name);

    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_upper(s.p[i]);

        ((char *)(uintptr_t)s.p)[i] = c == '-' || c == '.' ? '_' : c;
    }
    return s;
}

static const char *env_get(struct arena *a, const char *section, const char *name)
{
    return getenv(env_name(a, section, name).p);
}

/* A key of the environment that nobody knows is most often a spelling mistake.  CORREIO_HOME and a few more have no
 * section. */
static bool known_env(struct arena *a, struct str name)
{
    static const char *const others[] = { "CORREIO_HOME", "CORREIO_CONFIG", "CORREIO_FAULT", "CORREIO_URL",
                                          "CORREIO_TOKEN_FILE", "CORREIO_KIND", "CORREIO_NUMBER", "CORREIO_PORTS" };

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (str_eq(name, str_c(others[i])))
            return true;
    }
    if (str_starts(name, STR("CORREIO_FD_")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (str_eq(name, env_name(a, keys[i].section, keys[i].name)))
            return true;
    }
    for (size_t i = 0; i < setting_defs_count; i++) {
        struct str rest = str_c(setting_defs[i].key), section;

        str_split(&rest, '.', &section);
        if (str_eq(name, env_name(a, arena_cstr(a, section), rest.p)))
            return true;
    }
    return false;
}

static void check_environment(struct loading *l)
{
    for (char **e = environ; *e != NULL; e++) {
        struct str rest = str_c(*e), name;

        if (str_split(&rest, '=', &name) && str_starts(name, STR("CORREIO_")) && !known_env(l->a, name))
            strbuf_addf(&l->errors, "environment: %.*s: is not a key of this program\n", STR_ARG(name));
    }
}

static void load_environment(struct loading *l)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *value = env_get(l->a, keys[i].section, keys[i].name), *why;

        if (value != NULL && !set_key(l, &keys[i], str_c(value), &why))
            strbuf_addf(&l->errors, "environment: %s: %s\n", env_name(l->a, keys[i].section, keys[i].name).p, why);
    }
}

/* Where `cmake --install` has put this program: PREFIX of PREFIX/sbin/NAME or PREFIX/libexec/correio/NAME; else home. */
static struct str installed_prefix(const struct config *c, struct arena *a)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
    struct str dir = str_of(path, n > 0 ? (size_t)n : 0);

    dir = str_sub(dir, 0, str_rchr(dir, '/'));
    if (str_ends(dir, STR("/sbin")))
        return arena_str(a, str_sub(dir, 0, dir.len - 5));
    if (str_ends(dir, STR("/libexec/correio")))
        return arena_str(a, str_sub(dir, 0, dir.len - 16));
    return c->home;
}

static void default_paths(struct config *c, struct arena *a)
{
    struct str prefix = installed_prefix(c, a);
    char host[256] = "localhost";

    if (c->web.p == NULL)
        c->web = arena_printf(a, "%.*s/share/correio/web", STR_ARG(prefix));
    if (c->sql.p == NULL)
        c->sql = arena_printf(a, "%.*s/share/correio/sql", STR_ARG(prefix));
    if (c->libexec.p == NULL)
        c->libexec = arena_printf(a, "%.*s/libexec/correio", STR_ARG(prefix));
    if (c->node.p == NULL) {
        gethostname(host, sizeof(host) - 1);
        c->node = arena_str(a, str_c(host));
    }
}

/* NULL: none. */
static const char *default_file(const struct config *c, struct arena *a)
{
    const char *own = arena_printf(a, "%.*s/correio.conf", STR_ARG(c->home)).p;

    if (access(own, F_OK) == 0)
        return own;
    return getenv("CORREIO_HOME") == NULL && access(CONFIG_FILE, F_OK) == 0 ? CONFIG_FILE : NULL;
}

enum result config_load(struct arena *a, struct config *ret_config, struct str *ret_errors)
{
    struct config config = { 0 };
    struct loading l = { .a = a, .config = &config, .errors = { .max = 65536 } };
    const char *home = getenv("CORREIO_HOME"), *file = getenv("CORREIO_CONFIG");
    enum result r;

    config.home = arena_str(a, str_c(home != NULL ? home : "/var/lib/correio"));
    config.admin = home != NULL ? arena_printf(a, "%s/admin", home) : STR("/run/correio");
    if (config.home.len == 0 || config.home.p[0] != '/')
        strbuf_addf(&l.errors, "environment: CORREIO_HOME: is not an absolute path\n");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *why;

        if (keys[i].fallback != NULL)
            (void)set_key(&l, &keys[i], str_c(keys[i].fallback), &why);
    }
    l.file = file != NULL ? file : default_file(&config, a);
    if (l.file != NULL) {
        config.file = str_c(l.file);
        read_file(&l);
    }
    load_environment(&l);
    check_environment(&l);
    default_paths(&config, a);
    r = l.errors.len == 0 ? RES_OK : RES_INVALID;
    *ret_errors = arena_str(a, strbuf_str(&l.errors));
    *ret_config = config;
    strbuf_release(&l.errors);
    return r;
}

struct wanted {
    struct str section, name;
    struct arena *a;
    struct str value;
};

static int on_wanted(void *user, const char *section, const char *name, const char *value)
{
    struct wanted *w = user;

    if (str_eq(w->section, str_c(section)) && str_eq(w->name, str_c(name)))
        w->value = arena_str(w->a, str_c(value));
    return 1;
}

enum result config_fixed_setting(const struct config *config, struct str key, struct arena *a, struct str *ret_value,
                                 struct str *ret_source)
{
    struct wanted w = { .name = key, .a = a };
    const char *value;

    if (!str_split(&w.name, '.', &w.section) || w.name.p == NULL)
        return RES_NOTFOUND;
    value = env_get(a, arena_cstr(a, w.section), arena_cstr(a, w.name));
    if (value != NULL) {
        *ret_value = str_c(value);
        *ret_source = STR("environment");
        return RES_OK;
    }
    if (config->file.p != NULL)
        (void)ini_parse(arena_cstr(a, config->file), on_wanted, &w);
    if (w.value.p == NULL)
        return RES_NOTFOUND;
    *ret_value = w.value;
    *ret_source = STR("file");
    return RES_OK;
}
