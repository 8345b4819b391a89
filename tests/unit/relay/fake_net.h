/* A small internet on loopback, inside the test's process: a name server and mail servers.
 *
 * DNS: NAME.test has the address 127.0.0.1 and, unless NAME is "plain", an MX record for mx.NAME.test; "null.test" has a
 * null MX; "gone.test" does not exist; "lame.test" gives SERVFAIL; "self.test" has us.test as MX.
 *
 * Mail servers take everything but: recipients "later*" (450), "never*" (550 5.1.1), "nobody*": the connection is closed
 * at DATA.  What they took is in net.taken: "from|to|body" of each recipient. */
#pragma once
#include "tests/support/cmocka.h"
#include "tests/support/dns_packet.h"
#include "tests/support/tls_server.h"

#include "base/macros.h"
#include "io/coroutine.h"
#include "io/stream.h"
#include "io/watch.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
    int dns_fd, smtp_fd;
    unsigned dns_port, smtp_port;
    struct coroutine *dns, *smtp;
    struct strbuf taken;
    unsigned connections, messages, recipients, open;
    bool no_pipelining, dsn, deliverby;
    enum { NET_NO_TLS, NET_TLS, NET_BROKEN_TLS } tls; /* broken: 220 to STARTTLS, and then no handshake */
    bool auth; /* AUTH PLAIN of "user", "secret" */
    struct tls_context *tls_context;
} net;

static inline int net_bind(int type, unsigned *ret_port)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(any);
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &len), 0);
    *ret_port = ntohs(any.sin_port);
    return fd;
}

static inline void net_answer(struct strbuf *b, unsigned id, const char *name, unsigned type)
{
    char mx[NS_MAXDNAME + 3];

    (void)snprintf(mx, sizeof(mx), "mx.%s", name);
    if (strcmp(name, "lame.test") == 0) {
        put_header(b, id, ns_r_servfail, 0, 0);
        put_question(b, name, type);
    } else if (strcmp(name, "gone.test") == 0) {
        put_header(b, id, ns_r_nxdomain, 0, 0);
        put_question(b, name, type);
    } else if (type == ns_t_a) {
        put_header(b, id, 0, 1, 0);
        put_question(b, name, type);
        put_record(b, name, type, 60, STR("\x7f\0\0\1"));
    } else if (type == ns_t_mx && strncmp(name, "plain", 5) != 0 && strncmp(name, "mx.", 3) != 0) {
        bool none = strcmp(name, "null.test") == 0;

        put_header(b, id, 0, 1, 0);
        put_question(b, name, type);
        put_named(b, name, type, 60, none ? 0 : 10, none ? "" : strcmp(name, "self.test") == 0 ? "us.test" : mx);
    } else {
        put_header(b, id, 0, 0, 0);
        put_question(b, name, type);
    }
}

static inline void net_run_dns(void *arg)
{
    struct watch *w = watch_new(net.dns_fd);

    (void)arg;
    while (watch_wait(w, WATCH_READ, NO_DEADLINE, true, false) == RES_OK) {
        CLEANUP(strbuf_release) struct strbuf b = { 0 };
        unsigned char in[2048];
        char name[NS_MAXDNAME];
        struct sockaddr_storage from;
        socklen_t from_len = sizeof(from);
        ssize_t n = recvfrom(net.dns_fd, in, sizeof(in), 0, (struct sockaddr *)&from, &from_len);
        ns_msg msg;
        ns_rr rr;

        if (n < 0)
            continue;
        assert_int_equal(ns_initparse(in, (int)n, &msg), 0);
        assert_int_equal(ns_parserr(&msg, ns_s_qd, 0, &rr), 0);
        (void)snprintf(name, sizeof(name), "%s", ns_rr_name(rr));
        net_answer(&b, ns_msg_id(msg), name, ns_rr_type(rr));
        assert_int_equal(sendto(net.dns_fd, b.p, b.len, 0, (struct sockaddr *)&from, from_len), b.len);
    }
    watch_free(w, true);
}

struct net_session {
    struct stream *s;
    struct strbuf from, rcpts; /* rcpts: separated by blanks */
    bool hang_up;
};

static inline void net_rcpt(struct net_session *n, struct str address)
{
    net.recipients++;
    if (str_starts(address, STR("later"))) {
        stream_puts(n->s, "450 4.2.1 Greylisted\r\n");
    } else if (str_starts(address, STR("never"))) {
        stream_puts(n->s, "550 5.1.1 No such user\r\n");
    } else {
        n->hang_up |= str_starts(address, STR("nobody"));
        (void)strbuf_addf(&n->rcpts, "%.*s ", STR_ARG(address));
        stream_puts(n->s, "250 2.1.5 Ok\r\n");
    }
}

static inline bool net_data(struct net_session *n)
{
    CLEANUP(strbuf_release) struct strbuf body = { 0 };
    struct str line, rest = strbuf_str(&n->rcpts), rcpt;

    if (n->hang_up)
        return false;
    if (n->rcpts.len == 0) {
        stream_puts(n->s, "554 5.5.1 No recipients\r\n");
        return true;
    }
    stream_puts(n->s, "354 Go\r\n");
    if (stream_flush(n->s) != RES_OK)
        return false;
    for (;;) {
        if (stream_read_line(n->s, 65536, &line) != RES_OK)
            return false;
        if (str_eq(line, STR(".")))
            break;
        (void)strbuf_addf(&body, "%.*s\n", STR_ARG(str_from(line, str_starts(line, STR(".")))));
    }
    net.messages++;
    while (str_word(&rest, &rcpt))
        (void)strbuf_addf(&net.taken, "%.*s|%.*s|%.*s\n", STR_ARG(strbuf_str(&n->from)), STR_ARG(rcpt), STR_ARG(strbuf_str(&body)));
    stream_puts(n->s, "250 2.0.0 Taken\r\n");
    return true;
}

/* false: the connection ends. */
static inline bool net_command(struct net_session *n, struct str line)
{
    size_t end = str_chr(line, '>');

    if (str_istarts(line, STR("EHLO"))) {
        stream_printf(n->s, "250-far.test\r\n%s%s%s%s%s250 SIZE 100000\r\n", net.no_pipelining ? "" : "250-PIPELINING\r\n",
                      net.dsn ? "250-DSN\r\n" : "", net.deliverby ? "250-DELIVERBY\r\n" : "", net.auth ? "250-AUTH PLAIN\r\n" : "",
                      net.tls != NET_NO_TLS && !stream_is_tls(n->s) ? "250-STARTTLS\r\n" : "");
    } else if (str_ieq(line, STR("STARTTLS"))) {
        stream_puts(n->s, "220 2.0.0 Go\r\n");
        if (stream_flush(n->s) != RES_OK)
            return false;
        return net.tls == NET_TLS && stream_tls_accept(n->s, net.tls_context) == RES_OK;
    } else if (str_istarts(line, STR("AUTH"))) {
        if (str_eq(line, STR("AUTH PLAIN AHVzZXIAc2VjcmV0")))
            stream_puts(n->s, "235 2.7.0 Welcome\r\n");
        else
            stream_puts(n->s, "535 5.7.8 No\r\n");
    } else if (str_istarts(line, STR("MAIL FROM:<"))) {
        strbuf_reset(&n->from);
        strbuf_reset(&n->rcpts);
        (void)strbuf_add(&n->from, str_sub(line, 11, end - 11));
        stream_puts(n->s, "250 2.1.0 Ok\r\n");
    } else if (str_istarts(line, STR("RCPT TO:<"))) {
        net_rcpt(n, str_sub(line, 9, end - 9));
    } else if (str_ieq(line, STR("DATA"))) {
        return net_data(n);
    } else if (str_ieq(line, STR("QUIT"))) {
        stream_puts(n->s, "221 Bye\r\n");
        return false;
    } else {
        stream_puts(n->s, "250 Ok\r\n");
    }
    return true;
}

static inline void net_serve(void *arg)
{
    struct net_session n = { .s = arg };
    struct str line;

    net.connections++;
    net.open++;
    stream_set_interruptible(n.s, true);
    stream_puts(n.s, "220 far.test ready\r\n");
    while ((stream_buffered(n.s) > 0 || stream_flush(n.s) == RES_OK) &&
           stream_read_line(n.s, 4096, &line) == RES_OK && net_command(&n, line)) {
    }
    (void)stream_flush(n.s);
    stream_free(n.s);
    strbuf_release(&n.from);
    strbuf_release(&n.rcpts);
    net.open--;
}

static inline void net_run_smtp(void *arg)
{
    struct watch *w = watch_new(net.smtp_fd);

    (void)arg;
    while (watch_wait(w, WATCH_READ, NO_DEADLINE, true, false) == RES_OK) {
        int fd = accept4(net.smtp_fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            assert_non_null(coroutine_spawn("far", net_serve, stream_new(fd)));
    }
    watch_free(w, true);
}

static inline void net_start(void)
{
    net.dns_fd = net_bind(SOCK_DGRAM, &net.dns_port);
    net.smtp_fd = net_bind(SOCK_STREAM, &net.smtp_port);
    assert_int_equal(listen(net.smtp_fd, 100), 0);
    net.dns = coroutine_spawn("dns-server", net_run_dns, NULL);
    net.tls_context = tls_server_make();
    net.smtp = coroutine_spawn("smtp-server", net_run_smtp, NULL);
}

static inline void net_stop(void)
{
    coroutine_cancel(net.dns);
    coroutine_cancel(net.smtp);
    tls_unref(net.tls_context);
    EVP_PKEY_free(tls_server_key);
    strbuf_release(&net.taken);
}
