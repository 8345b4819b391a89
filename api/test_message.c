/* /accounts/{address}/test-message: a message of the server's own through the door that programs of this machine use, so that it
 * goes the way that all mail does: admission, filters, the accepting transaction, the trace. */
#include "api/accounts.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/record.h"
#include "base/encode.h"
#include "config/settings.h"
#include "mail/server_letter.h"
#include "relay/client.h"

#include <sys/un.h>

#define CONNECT_MS 2000
#define TESTS_A_MINUTE 10

struct letter {
    struct str bytes;
    bool given; /* to the client */
};

static struct str write_letter(const struct account *to, struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct str host = settings_get()->hostname, language = to->language.len > 0 ? to->language : settings_get()->language;
    bool pt_br = str_istarts(language, STR("pt"));
    const struct server_letter letter = {
        .pt_br = pt_br, .hostname = host, .to = to->address, .now_us = wall_us(),
        .message_id = arena_printf(a, "%.*s@%.*s", STR_ARG(random_id(a)), STR_ARG(host)),
        .subject = pt_br ? STR("Mensagem de teste") : STR("Test message"),
        .text = arena_printf(a, pt_br ? "Esta mensagem de %.*s foi enviada pelo painel, para ver se o correio chega.\n\nEla chegou.\n"
                                      : "This message from %.*s was sent from the dashboard, to see whether mail arrives.\n\nIt did.\n",
                             STR_ARG(host)),
    };
    size_t return_path_len;

    server_letter_build(&letter, &b, &return_path_len);
    return arena_str(a, str_from(strbuf_str(&b), return_path_len));
}

static enum result next_piece(void *arg, struct str *ret)
{
    struct letter *letter = arg;

    *ret = letter->given ? STR("") : letter->bytes;
    letter->given = true;
    return RES_OK;
}

/* The first socket of [listen] local, which is absolute or below the home.  NULL: nobody listens, or not in time. */
static struct stream *connect_local(const struct config *config, struct arena *a)
{
    struct str rest = config->listen[LISTEN_LOCAL], path = STR("");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stream *stream = NULL;
    int error;

    (void)str_split(&rest, ',', &path);
    path = str_trim(path);
    if (path.len == 0 || str_eq(path, STR("off")))
        return NULL;
    if (path.p[0] != '/')
        path = arena_printf(a, "%.*s/%.*s", STR_ARG(config->home), STR_ARG(path));
    if (path.len >= sizeof(address.sun_path))
        return NULL;
    memcpy(address.sun_path, path.p, path.len);
    if (stream_connect((const struct sockaddr *)&address, sizeof(address), NULL, deadline_in(CONNECT_MS), &stream, &error) != RES_OK)
        return NULL;
    return stream;
}

/* One transaction with our own server: *ret says how it ended, texts in the request's arena. */
static void send_letter(struct request *r, const struct account *to, struct verdict *ret)
{
    CLEANUP(dialogue_release) struct dialogue dialogue = { 0 };
    struct arena *a = &r->arena;
    struct letter letter = { .bytes = write_letter(to, a) };
    struct client_recipient recipient = { .address = to->address };
    const struct client_message m = { .reverse_path = STR(""), .envid = STR_NULL, .size = (int64_t)letter.bytes.len,
                                      .smtputf8 = !str_is_ascii(to->address), .eightbit = !str_is_ascii(to->address),
                                      .next = next_piece, .arg = &letter };
    struct stream *stream = connect_local(r->service->config, a);
    struct client client;

    if (stream == NULL) {
        *ret = (struct verdict){ .kind = VERDICT_LATER, .text = STR("nobody answers at the local socket") };
        return;
    }
    dialogue_begin(&dialogue, mono_ms());
    client_init(&client, stream, arena_str(a, settings_get()->hostname), &dialogue);
    if (client_greet(&client, a, ret) == RES_OK) {
        client_send(&client, &m, &recipient, 1, a);
        *ret = recipient.verdict;
    }
    client_quit(&client);
    client_release(&client);
}

/* "Ok: queued as q7f3k9" names the trace. */
static struct str trace_of(const struct verdict *v)
{
    static const struct str before = STR("queued as ");
    size_t at = v->kind == VERDICT_SENT ? str_find(v->text, before) : SIZE_MAX;

    return at == SIZE_MAX ? STR_NULL : str_from(v->text, at + before.len);
}

/* Each leaves a message in a mailbox, so they are rationed: TESTS_A_MINUTE in all. */
static bool may_test(struct request *r)
{
    static int64_t times[TESTS_A_MINUTE];
    static size_t next;

    if (times[next] != 0 && times[next] > loop_now() - 60 * 1000) {
        problem(r, PROBLEM_RATE_LIMITED, NULL);
        return false;
    }
    times[next] = loop_now();
    next = (next + 1) % TESTS_A_MINUTE;
    return true;
}

void accounts_test_message_post(struct request *r)
{
    struct verdict verdict = { .kind = VERDICT_SENT, .code = 250, .text = STR("dry run") };
    struct json_object *body, *answer;
    struct account account;
    struct str trace;
    enum result result;

    if (!account_take(r, &account) || (body = body_object(r, true)) == NULL)
        return;
    fields_check(r, body, STR(""), NULL, 0, NULL);
    if (errors_of_body(r) || (!r->dry_run && !may_test(r)))
        return;
    result = audit_write(r->service->db, record(r, "account.test-message", account.address, NULL, NULL));
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    if (!r->dry_run)
        send_letter(r, &account, &verdict);
    trace = trace_of(&verdict);
    answer = js_object();
    js_set(answer, "to", js_str(account.address));
    js_set(answer, "accepted", js_bool(verdict.kind == VERDICT_SENT));
    js_set(answer, "trace", trace.p != NULL ? js_str(trace) : NULL);
    js_set(answer, "code", verdict.code > 0 ? js_int(verdict.code) : NULL);
    js_set(answer, "text", js_str(verdict.text));
    reply_json(r, 200, answer);
}
