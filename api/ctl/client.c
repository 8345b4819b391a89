#include "api/ctl/client.h"
#include "base/encode.h"
#include "base/strbuf.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ANSWER ((size_t)64 << 20)
#define CALL_S 60L
#define PAGE_MAX ((uint64_t)200) /* rows that the API gives at once */

struct client {
    CURL *curl;
    const struct client_options *options;
    char *token;
    char error[CURL_ERROR_SIZE];
};

/* ---- where the server is ---- */

/* API_SOCKET of $CORREIO_HOME/run/endpoints, else the first path that is there. */
static const char *find_socket(void)
{
    static char path[4096];
    const char *home = getenv("CORREIO_HOME");

    if (home != NULL) {
        (void)snprintf(path, sizeof(path), "%s/admin/api.sock", home);
        return path;
    }
    if (access("/var/lib/correio-dev/admin/api.sock", F_OK) == 0)
        return "/var/lib/correio-dev/admin/api.sock";
    return "/run/correio/api.sock";
}

static char *read_token(const char *file)
{
    FILE *f = fopen(file, "re");
    char line[512];
    struct str s;

    if (f == NULL || fgets(line, sizeof(line), f) == NULL) {
        say(t("could not read the token file %s: %s"), file, f == NULL ? strerror(errno) : t("it is empty"));
        if (f != NULL)
            fclose(f);
        return NULL;
    }
    fclose(f);
    s = str_trim(str_c(line));
    return strndup(s.p, s.len);
}

struct client *client_new(const struct client_options *o)
{
    struct client *c = calloc(1, sizeof(*c));

    if (c == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || (c->curl = curl_easy_init()) == NULL)
        abort();
    c->options = o;
    if (o->url != NULL && strncmp(o->url, "https://", 8) != 0 && strncmp(o->url, "http://", 7) != 0) {
        say(t("%s is not an http or https URL"), o->url);
        client_free(c);
        return NULL;
    }
    if (o->url != NULL && o->token_file != NULL && (c->token = read_token(o->token_file)) == NULL) {
        client_free(c);
        return NULL;
    }
    return c;
}

void client_free(struct client *c)
{
    if (c == NULL)
        return;
    curl_easy_cleanup(c->curl);
    if (c->token != NULL)
        explicit_bzero(c->token, strlen(c->token));
    free(c->token);
    free(c);
}

/* ---- a request ---- */

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
    return strbuf_add(arg, str_of(bytes, size * n)) == RES_OK ? size * n : 0;
}

/* type NULL: there is no body. */
static struct curl_slist *headers_for(struct call *call, const char *method, const char *type, const char *version)
{
    const struct client *c = call->client;
    struct curl_slist *list = NULL;
    char line[700];

    (void)snprintf(line, sizeof(line), "Content-Type:%s%s", type != NULL ? " " : "", type != NULL ? type : "");
    list = curl_slist_append(list, line);
    if (strcmp(method, "POST") == 0) { /* so that libcurl may send it again when a connection broke */
        (void)snprintf(line, sizeof(line), "Idempotency-Key: %s%s", random_id(&call->arena).p, random_id(&call->arena).p);
        list = curl_slist_append(list, line);
    }
    if (strcmp(version, "new") == 0) {
        list = curl_slist_append(list, "If-None-Match: *");
    } else if (version[0] != '\0') {
        (void)snprintf(line, sizeof(line), "If-Match: %s", version);
        list = curl_slist_append(list, line);
    }
    if (c->token != NULL) {
        (void)snprintf(line, sizeof(line), "Authorization: Bearer %s", c->token);
        list = curl_slist_append(list, line);
        explicit_bzero(line, sizeof(line));
    }
    return list;
}

static void set_up(CURL *curl, struct client *c, struct call *call, const char *method, const char *path, struct str body,
                   struct strbuf *answer)
{
    const struct client_options *o = c->options;
    bool socket = o->url == NULL;
    size_t end = socket ? 0 : strlen(o->url);

    while (end > 0 && o->url[end - 1] == '/')
        end--;
    if (strcmp(method, "GET") != 0 && option(call, "dry-run") != NULL)
        path = arena_printf(&call->arena, "%s%sdry_run=true", path, strchr(path, '?') != NULL ? "&" : "?").p;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, arena_printf(&call->arena, "%.*s%s", socket ? 16 : (int)end,
                                                        socket ? "http://localhost" : o->url, path).p);
    if (socket)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, o->socket != NULL ? o->socket : find_socket());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, CALL_S);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (o->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, o->ca_file);
    if (o->insecure) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (body.p != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.p);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    }
}

static enum outcome outcome_of(long status)
{
    switch (status) {
    case 404:
    case 410:
        return NOT_FOUND;
    case 409:
    case 412:
    case 428:
        return CONFLICT;
    case 401:
    case 403:
        return DENIED;
    case 400:
    case 413:
    case 415:
    case 422:
        return INVALID;
    case 429:
    case 502:
    case 503:
    case 504:
        return UNREACHABLE;
    default:
        return status >= 200 && status < 300 ? DONE : FAILED;
    }
}

/* text: STR_NULL: there is no body; else it is wiped.  *ret_status: 0: no answer came. */
static enum outcome exchange(struct call *call, const char *method, const char *path, const char *type, struct str text,
                             const char *version, long *ret_status, struct strbuf *answer)
{
    struct client *c = call->client;
    struct curl_slist *headers = headers_for(call, method, text.p != NULL ? type : NULL, version);
    CURLcode code;

    headers = curl_slist_append(headers, "Accept: application/json, application/problem+json");
    *ret_status = 0;
    set_up(c->curl, c, call, method, path, text, answer);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    code = curl_easy_perform(c->curl);
    curl_slist_free_all(headers);
    if (text.p != NULL)
        explicit_bzero((char *)(uintptr_t)text.p, text.len); /* passwords go this way */
    if (code != CURLE_OK)
        return UNREACHABLE;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, ret_status);
    return outcome_of(*ret_status);
}

/* NULL: it is none. */
static struct json_object *json_of(struct call *call, const struct strbuf *answer)
{
    struct json_object *json = NULL;
    struct str error;

    return answer->len > 0 && js_parse(strbuf_str(answer), &call->arena, &json, &error) == RES_OK ? json : NULL;
}

enum outcome client_try(struct call *call, const char *method, const char *path, struct json_object *body,
                        const char *version, long *ret_status, struct json_object **ret)
{
    CLEANUP(strbuf_release) struct strbuf answer = { .max = MAX_ANSWER };
    struct str text = body != NULL ? js_text(body, &call->arena) : STR_NULL;
    const char *type = strcmp(method, "PATCH") == 0 ? "application/merge-patch+json" : "application/json";
    enum outcome out;

    js_free(body);
    out = exchange(call, method, path, type, text, version, ret_status, &answer);
    *ret = json_of(call, &answer);
    return out;
}

enum outcome client_upload(struct call *call, const char *path, const char *type, struct str text, struct json_object **ret)
{
    CLEANUP(strbuf_release) struct strbuf answer = { .max = MAX_ANSWER };
    long status;
    enum outcome out = exchange(call, "POST", path, type, text, "", &status, &answer);

    *ret = json_of(call, &answer);
    if (out == DONE)
        return DONE;
    out = client_say_problem(call, status, *ret);
    js_free(*ret);
    *ret = NULL;
    return out;
}

enum outcome client_download(struct call *call, const char *path, struct json_object *body, struct str *ret)
{
    CLEANUP(strbuf_release) struct strbuf answer = { .max = MAX_ANSWER };
    struct json_object *problem;
    long status;
    enum outcome out = exchange(call, "POST", path, "application/json", js_text(body, &call->arena), "", &status, &answer);

    js_free(body);
    if (out == DONE) {
        *ret = arena_str(&call->arena, strbuf_str(&answer));
        return DONE;
    }
    problem = json_of(call, &answer);
    out = client_say_problem(call, status, problem);
    js_free(problem);
    return out;
}

void client_say_error(struct call *call, const struct json_object *e)
{
    struct str where = js_get_str(js_get(e, "pointer", NULL)), what = js_get_str(js_get(e, "detail", NULL));
    struct str cell = js_get_str(js_get(e, "cell", NULL));
    long long line = (long long)js_get_int(js_get(e, "line", NULL));

    if (where.p == NULL)
        where = js_get_str(js_get(e, "parameter", NULL));
    if (js_get(e, "column", NULL) != NULL) {
        what = arena_printf(&call->arena, t("line %lld, column %lld: %.*s"), line, (long long)js_get_int(js_get(e, "column", NULL)),
                            STR_ARG(what));
    } else if (js_get(e, "line", NULL) != NULL) {
        struct str number = arena_printf(&call->arena, t("line %lld"), line);

        where = cell.p != NULL ? cell : where;
        where = arena_printf(&call->arena, "%.*s%s%.*s", STR_ARG(number), where.len > 0 ? ", " : "", STR_ARG(where));
    }
    say("  %.*s: %.*s", STR_ARG(harmless(&call->arena, where)), STR_ARG(harmless(&call->arena, what)));
}

/* ---- an answer that is not kept ---- */

struct flow {
    CURL *curl; /* of its own: the taker may ask for more */
    client_taker *take;
    void *arg;
    struct strbuf refusal; /* the body of an answer that is none of 200 */
};

static size_t take_flow(char *bytes, size_t size, size_t n, void *arg)
{
    struct flow *flow = arg;
    long status = 0;

    curl_easy_getinfo(flow->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return take(bytes, size, n, &flow->refusal);
    return flow->take(str_of(bytes, size * n), flow->arg) ? size * n : 0;
}

enum outcome client_flow(struct call *call, const char *path, const char *accept, bool endless, client_taker *taker, void *arg)
{
    struct client *c = call->client;
    CURL *curl = curl_easy_init();
    struct flow flow = { .curl = curl, .take = taker, .arg = arg, .refusal = { .max = 65536 } };
    struct curl_slist *headers = headers_for(call, "GET", NULL, "");
    struct json_object *problem;
    enum outcome out = DONE;
    long status = 0;
    CURLcode code;

    if (curl == NULL)
        abort();
    headers = curl_slist_append(headers, arena_printf(&call->arena, "Accept: %s, application/problem+json", accept).p);
    set_up(curl, c, call, "GET", path, STR_NULL, NULL);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_flow);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &flow);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 0L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CALL_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L); /* an endless one says something every 15 s */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, CALL_S);
    code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 0 && status != 200) {
        problem = json_of(call, &flow.refusal);
        out = client_say_problem(call, status, problem);
        js_free(problem);
    } else if (code != CURLE_OK && !(endless && status == 200)) {
        out = client_say_problem(call, 0, NULL);
    }
    strbuf_release(&flow.refusal);
    curl_easy_cleanup(curl);
    return out;
}

enum outcome client_say_problem(struct call *call, long status, struct json_object *problem)
{
    struct json_object *errors = js_get(problem, "errors", NULL);
    struct str title = js_get_str(js_get(problem, "title", NULL)), detail = js_get_str(js_get(problem, "detail", NULL));

    if (status == 0) {
        const struct client_options *o = call->client->options;

        say(t("the server at %s cannot be reached: %s"), o->url != NULL ? o->url : o->socket != NULL ? o->socket : find_socket(),
            call->client->error);
        return UNREACHABLE;
    }
    if (js_kind_of(errors) == JS_ARRAY && status == 422) /* the title counts them; the list below shows them */
        title = STR("The request has wrong values");
    if (title.p == NULL)
        say(t("the server answered %ld"), status);
    else
        say("%s%s%.*s", t(arena_cstr(&call->arena, title)), detail.len > 0 ? ": " : "", STR_ARG(detail));
    for (size_t i = 0; js_kind_of(errors) == JS_ARRAY && i < js_len(errors); i++)
        client_say_error(call, js_at(errors, i));
    return outcome_of(status);
}

enum outcome client_call(struct call *call, const char *method, const char *path, struct json_object *body,
                         const char *version, struct json_object **ret)
{
    struct json_object *answer;
    long status;
    enum outcome out = client_try(call, method, path, body, version, &status, &answer);

    if (out != DONE) {
        out = client_say_problem(call, status, answer);
        js_free(answer);
        return out;
    }
    if (ret != NULL)
        *ret = answer;
    else
        js_free(answer);
    return DONE;
}

enum outcome client_create(struct call *call, const char *path, struct json_object *body, struct json_object **ret)
{
    *ret = NULL;
    return client_call(call, "PUT", path, body, "new", ret);
}

enum outcome client_follow(struct call *c, struct json_object **answer)
{
    const char *path = arena_printf(&c->arena, "/api/v1/operations/%.*s", STR_ARG(js_get_str(js_get(*answer, "id", NULL)))).p;
    enum outcome out = DONE;

    while (out == DONE && str_eq(js_get_str(js_get(*answer, "state", NULL)), STR("running"))) {
        say(t("%lld of %lld done; to stop it: correioctl operation cancel %.*s"), (long long)js_get_int(js_get(*answer, "done", NULL)),
            (long long)js_get_int(js_get(*answer, "total", NULL)), STR_ARG(js_get_str(js_get(*answer, "id", NULL))));
        sleep(1);
        js_free(*answer);
        *answer = NULL;
        out = client_call(c, "GET", path, NULL, "", answer);
    }
    return out;
}

const char *query_of(struct call *call, const char *const *names, size_t n)
{
    const char *query = "";

    for (size_t i = 0; i < call->n_options; i++) {
        for (size_t k = 0; k < n; k++) {
            char name[40];

            if (strcmp(call->options[i].name, names[k]) != 0)
                continue;
            (void)snprintf(name, sizeof(name), "%s", names[k]);
            for (char *p = name; *p != '\0'; p++)
                *p = *p == '-' ? '_' : *p;
            query = arena_printf(&call->arena, "%s%s%s=%s", query, query[0] == '\0' ? "?" : "&", name,
                                 escape(call, call->options[i].value)).p;
        }
    }
    return query;
}

/* The path with one parameter more. */
static const char *with_parameter(struct call *call, const char *path, const char *name, const char *value)
{
    return arena_printf(&call->arena, "%s%c%s=%s", path, strchr(path, '?') == NULL ? '?' : '&', name, escape(call, value)).p;
}

enum outcome client_list(struct call *call, const char *path, const char *query, const struct column *columns, size_t n,
                         const char *id)
{
    const char *next = "";
    uint64_t left = UINT64_MAX;
    bool first = true;

    if (option(call, "limit") != NULL && (!str_u64(str_c(option(call, "limit")), INT64_MAX, &left) || left == 0)) {
        say(t("\"%s\" is not a number of 1 or more"), option(call, "limit"));
        return USAGE;
    }
    do {
        struct json_object *page = NULL;
        struct str cursor;
        const char *whole = arena_printf(&call->arena, "%s%s", path, query).p;
        enum outcome out;

        if (left != UINT64_MAX)
            whole = with_parameter(call, whole, "limit", arena_printf(&call->arena, "%d", (int)MIN(left, PAGE_MAX)).p);
        if (next[0] != '\0')
            whole = with_parameter(call, whole, "cursor", next);
        out = client_call(call, "GET", whole, NULL, "", &page);
        if (out != DONE)
            return out;
        print_rows(call, js_get(page, "data", NULL), columns, n, id, first);
        if (left != UINT64_MAX)
            left -= MIN(left, js_len(js_get(page, "data", NULL)));
        first = false;
        cursor = js_get_str(js_get(page, "next", NULL));
        next = cursor.p == NULL ? "" : arena_cstr(&call->arena, cursor);
        js_free(page);
    } while (next[0] != '\0' && left > 0);
    return DONE;
}

const char *escape(struct call *call, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 65536 };

    for (const char *p = text; *p != '\0'; p++) {
        if (ascii_alnum(*p) || strchr("-._~@", *p) != NULL)
            strbuf_addc(&b, *p);
        else
            strbuf_addf(&b, "%%%02X", (unsigned)(unsigned char)*p);
    }
    return arena_cstr(&call->arena, strbuf_str(&b));
}

bool take_quota(struct call *c, struct json_object *body)
{
    const char *size = option(c, "quota"), *messages = option(c, "quota-messages");
    struct json_object *o;
    uint64_t n;

    if (size == NULL && messages == NULL)
        return true;
    o = js_object();
    js_set(body, "quota", o);
    if (size != NULL && strcmp(size, "none") != 0 && (!str_size(str_c(size), &n) || n > INT64_MAX)) {
        say(t("\"%s\" is not a size such as 5GB, and not none"), size);
        return false;
    }
    if (size != NULL)
        js_set(o, "limit", strcmp(size, "none") == 0 ? NULL : js_int((int64_t)n));
    if (messages != NULL && strcmp(messages, "none") != 0 && !str_u64(str_c(messages), INT64_MAX, &n)) {
        say(t("\"%s\" is not a number, and not none"), messages);
        return false;
    }
    if (messages != NULL)
        js_set(o, "message_limit", strcmp(messages, "none") == 0 ? NULL : js_int((int64_t)n));
    return true;
}

bool take_limits(struct call *c, struct json_object *body)
{
    static const char *const names[][2] = { { "recipients-per-hour", "recipients_per_hour" },
                                            { "recipients-per-day", "recipients_per_day" } };
    struct json_object *o = NULL;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = option(c, names[i][0]);
        bool none = value != NULL && strcmp(value, "none") == 0;
        uint64_t n = 0;

        if (value == NULL)
            continue;
        if (!none && !str_u64(str_c(value), INT64_MAX, &n)) {
            say(t("\"%s\" is not a number, and not none"), value);
            return false;
        }
        if (o == NULL) {
            o = js_object();
            js_set(body, "limits", o);
        }
        js_set(o, names[i][1], none ? NULL : js_int((int64_t)n));
    }
    return true;
}

struct json_object *list_of(const char *text)
{
    struct json_object *list = js_array();
    struct str rest = str_c(text), one;

    while (str_split(&rest, ',', &one)) {
        if (str_trim(one).len > 0)
            js_push(list, js_str(str_trim(one)));
    }
    return list;
}
