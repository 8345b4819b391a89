/* correio-worker KIND [NUMBER]: one process of Correio.  The supervisor (main.c) starts it with its listening sockets,
 * its user and its environment; the words of words.h run it for a moment.
 *
 * The environment: CORREIO_FD_LISTEN "smtp:5,smtp:6,imap:7", CORREIO_FD_AUTH (auth: its listening socket),
 * CORREIO_FD_CONTROL (auth: certificate files), CORREIO_FD_ADMIN (api: the admin socket), CORREIO_FD_READY (a byte is
 * written when the process serves), CORREIO_FD_COUNTERS (what it counts), CORREIO_FD_ALL_COUNTERS (api: "7,8,9", those of
 * all), CORREIO_PORTS (api: "smtp:25,imap:143", where all processes listen). */
#include "api/api.h"
#include "api/metrics.h"
#include "auth/presence.h"
#include "auth/server.h"
#include "auth/service.h"
#include "base/counters.h"
#include "base/log.h"
#include "deliver/deliver.h"
#include "deliver/srs.h"
#include "imap/imap.h"
#include "io/dns.h"
#include "io/spool.h"
#include "managesieve/managesieve.h"
#include "mda/mda.h"
#include "pop3/pop3.h"
#include "relay/relay.h"
#include "smtp/domain_use.h"
#include "smtp/smtp.h"
#include "store/conninfo.h"
#include "store/durability.h"
#include "store/secret.h"
#include "store/setting.h"
#include "words.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#define DRAIN_MS 30000
#define START_TRIES_MS 250

static struct arena process_arena;
static struct config config;
static struct service service;

/* The heap keeps so much that is free.  Work takes memory by the half megabyte and gives it back, over and over; what goes to the
 * system comes back page by page, each for the price of copying it (docs/adr/0019). */
#define HEAP_KEEP (4 << 20)
#define HEAP_STEP (256 << 10)

/* ---- what every kind does ---- */

static struct db *open_db(const char *kind, unsigned connections)
{
    char *conninfo;

    if (conninfo_for(&config, kind, &process_arena, &conninfo) != RES_OK)
        exit(1);
    return db_new(conninfo, connections);
}

static int env_fd(const char *name)
{
    struct str s = str_c(getenv(name));
    uint64_t fd;

    return s.p != NULL && str_u64(s, 1 << 20, &fd) ? (int)fd : -1;
}

static void say_ready(void)
{
    int fd = env_fd("CORREIO_FD_READY");

    if (fd < 0)
        return;
    if (write(fd, "r", 1) != 1)
        log_warn("ready-not-told", F_C("process", service.name));
    close(fd);
}

/* Calls fn for each "smtp:5" of an environment variable. */
static void each_of(const char *variable, void (*fn)(enum listener l, int number))
{
    struct str rest = str_c(getenv(variable)), one;

    while (str_split(&rest, ',', &one)) {
        struct str name;
        uint64_t number;

        if (!str_split(&one, ':', &name) || !str_u64(one, 1 << 20, &number))
            continue;
        for (int l = 0; l < LISTENERS; l++) {
            if (str_eq(name, str_c(listener_name((enum listener)l))))
                fn((enum listener)l, (int)number);
        }
    }
}

/* Calls fn for each inherited listening socket. */
static void each_listener(void (*fn)(enum listener l, int fd))
{
    each_of("CORREIO_FD_LISTEN", fn);
}

/* ---- signals ---- */

static uv_signal_t on_term, on_int, on_hup;
static bool draining;

static void drain_run(void *arg)
{
    int64_t deadline = deadline_in(DRAIN_MS);

    (void)arg;
    while (service_sessions() + relay_workers() + mda_workers() + api_active() > 0 && loop_now() < deadline)
        coroutine_wait(deadline_in(20), false);
    if (service.deliver != NULL)
        deliver_flush(service.deliver);
    loop_stop();
}

static void begin_drain(uv_signal_t *h, int number)
{
    (void)h;
    if (draining)
        return;
    draining = true;
    log_info("draining", F_INT("signal", number), F_INT("sessions", service_sessions()));
    service_drain();
    relay_stop();
    mda_stop();
    api_drain();
    if (coroutine_spawn("drain", drain_run, NULL) == NULL)
        loop_stop();
}

static void reload_run(void *arg)
{
    struct tls_context *fresh;

    (void)arg;
    if (service.auth != NULL && service.tls != NULL && auth_tls_server(service.auth, &fresh) == RES_OK) {
        tls_unref(service.tls); /* sessions hold their own reference */
        service.tls = fresh;
    }
    if (setting_load(&config, service.db) != RES_OK)
        log_warn("reload", F_C("settings", "not loaded"));
}

static void on_reload(uv_signal_t *h, int number)
{
    (void)h;
    (void)number;
    log_info("reload", F_C("process", service.name));
    (void)coroutine_spawn("reload", reload_run, NULL);
}

static void on_reload_auth(uv_signal_t *h, int number)
{
    (void)h;
    (void)number;
    auth_reload();
}

static void watch_signals(uv_signal_cb reload)
{
    uv_signal_init(loop_get(), &on_term);
    uv_signal_init(loop_get(), &on_int);
    uv_signal_init(loop_get(), &on_hup);
    uv_signal_start(&on_term, begin_drain, SIGTERM);
    uv_signal_start(&on_int, begin_drain, SIGINT);
    uv_signal_start(&on_hup, reload, SIGHUP);
}

/* ---- the kinds ---- */

static void serve_smtp(enum listener l, int fd)
{
    service_listen(&service, fd, l, l == LISTEN_SMTPS, smtp_session);
}

/* Whoever forwards rewrites reverse-paths.  Tries until the key is there. */
static void load_srs_key(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str key;

    while (secret_get(service.db, STR("srs"), &a, &key) != RES_OK)
        coroutine_sleep(START_TRIES_MS);
    srs_set_key(key);
}

static void start_smtp(void)
{
    load_srs_key();
    service.deliver = deliver_new(service.db);
    durability_watch(service.db);
    domain_use_start(service.db);
    presence_init(&service);
    each_listener(serve_smtp);
}

static void serve_access(enum listener l, int fd)
{
    bool pop3 = l == LISTEN_POP3 || l == LISTEN_POP3S;

    service_listen(&service, fd, l, l == LISTEN_POP3S || l == LISTEN_IMAPS,
                   l == LISTEN_SIEVE ? managesieve_session
                   : pop3            ? pop3_session
                                     : imap_session);
}

static void start_access(void)
{
    service.deliver = deliver_new(service.db);
    imap_init(&service);
    pop3_init(&service);
    presence_init(&service);
    each_listener(serve_access);
}

static void start_dns(void)
{
    if (dns_init(config.dns_servers) != RES_OK) {
        log_error("dns", F_STR("servers", config.dns_servers), F_C("error", "not a list of servers"));
        exit(1);
    }
}

static void start_relay(void)
{
    start_dns();
    load_srs_key();
    service.deliver = deliver_new(service.db);
    relay_run(&service);
}

static void start_mda(void)
{
    load_srs_key();
    mda_run(&service);
}

static void read_counters(void)
{
    struct str rest = str_c(getenv("CORREIO_FD_ALL_COUNTERS")), one;
    uint64_t fd;

    while (str_split(&rest, ',', &one)) {
        const struct counters *c = str_u64(one, 1 << 20, &fd) ? counters_map((int)fd) : NULL;

        if (c != NULL)
            metrics_source(c);
    }
}

static void serve_api(enum listener l, int fd)
{
    api_listen(fd, l == LISTEN_HTTPS);
}

static void take_port(enum listener l, int port)
{
    service.ports[l] = port;
}

static void start_api(void)
{
    each_of("CORREIO_PORTS", take_port);
    start_dns();
    read_counters();
    db_plan_once(service.db);
    api_start(&service, env_fd("CORREIO_FD_ADMIN"));
    each_listener(serve_api);
}

static void start_auth(void)
{
    auth_serve(&config, service.db, env_fd("CORREIO_FD_AUTH"), env_fd("CORREIO_FD_CONTROL"));
}

/* `connections`: to PostgreSQL; one more is used for LISTEN.  `tls`: it ends TLS, with auth's certificate. */
static const struct kind {
    const char *name;
    unsigned connections;
    bool tls;
    void (*start)(void);
} kinds[] = {
    { "auth", 2, false, start_auth },
    { "smtp", 3, true, start_smtp },
    { "access", 4, true, start_access },
    { "relay", 4, false, start_relay },
    { "mda", 3, false, start_mda },
    { "api", 4, true, start_api },
};

/* Settings and certificate first: nobody is served by half a process.  Tries until both are there. */
static void start_run(void *arg)
{
    const struct kind *k = arg;

    while (setting_load(&config, service.db) != RES_OK ||
           (k->tls && auth_tls_server(service.auth, &service.tls) != RES_OK))
        coroutine_sleep(START_TRIES_MS);
    setting_follow(&config, service.db);
    k->start();
    say_ready();
    log_info("started", F_INT("pid", getpid()));
}

static int run_kind(const struct kind *k)
{
    struct str socket_path = arena_printf(&process_arena, "%.*s/run/auth.sock", STR_ARG(config.home));
    struct str tmp = arena_printf(&process_arena, "%.*s/tmp", STR_ARG(config.home));

    /* Before: api's own counters stand in both lists. */
    if (env_fd("CORREIO_FD_COUNTERS") >= 0 && !counters_attach(dup(env_fd("CORREIO_FD_COUNTERS"))))
        log_warn("counters", F_C("process", service.name));
    service.config = &config;
    service.db = open_db(k->name, k->connections);
    if (k->tls)
        service.auth = auth_client_new(socket_path.p);
    spool_set_directory(tmp.p);
    watch_signals(k->start == start_auth ? on_reload_auth : on_reload);
    if (coroutine_spawn(k->name, start_run, (void *)(uintptr_t)k) == NULL)
        return 1;
    loop_run();
    return 0;
}

static enum log_level level_of(struct str name)
{
    return str_eq(name, STR("debug"))  ? LOG_DEBUG
           : str_eq(name, STR("warn")) ? LOG_WARN
           : str_eq(name, STR("error")) ? LOG_ERROR
                                        : LOG_INFO;
}

int main(int argc, char **argv)
{
    struct str errors;

    mallopt(M_TRIM_THRESHOLD, HEAP_KEEP);
    mallopt(M_MMAP_THRESHOLD, HEAP_KEEP);
    mallopt(M_TOP_PAD, HEAP_STEP);
    if (argc < 2) {
        fprintf(stderr, "usage: correio-worker KIND [NUMBER] (started by correiod)\n");
        return 2;
    }
    if (config_load(&process_arena, &config, &errors) != RES_OK) {
        fprintf(stderr, "%.*s", STR_ARG(errors));
        return 2;
    }
    service.name = argc > 2 ? arena_printf(&process_arena, "%s-%s", argv[1], argv[2]).p : argv[1];
    log_init(service.name, level_of(config.log_level), str_eq(config.log_format, STR("json")));
    if (words_find(argv[1]) != NULL)
        return words_find(argv[1])(&config, &process_arena);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(argv[1], kinds[i].name) == 0)
            return run_kind(&kinds[i]);
    }
    fprintf(stderr, "correio-worker: \"%s\" is not a kind of process\n", argv[1]);
    return 2;
}
