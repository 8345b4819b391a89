/* /queue/messages/{id}/source: the bytes of a message that waits.
 *
 * The header is part of what the queue shows.  The whole is somebody's letter: it needs a scope of its own, a person who has
 * just proven who he is, a reason, and is written down before the first byte goes out.  Nothing is ever shown as a page. */
#include "api/handlers.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/queue.h"
#include "api/record.h"
#include "api/streams.h"

#define REASON_MAX 200

static enum result next_piece(void *arg, struct str *ret_piece)
{
    return body_next(arg, ret_piece);
}

static void release(void *arg)
{
    body_cursor_release(arg);
}

static void answer(struct request *r, int64_t id, const struct body_source *source, uint64_t end)
{
    struct body_cursor *cursor = arena_new(&r->arena, struct body_cursor);

    *cursor = (struct body_cursor){ .source = *source, .end = end };
    r->answer.pieces = body_stream_new(r, end, next_piece, release, cursor);
    if (r->answer.pieces == NULL) {
        problem(r, PROBLEM_RATE_LIMITED, NULL);
        return;
    }
    r->answer.status = 200;
    r->answer.type = STR("message/rfc822");
    reply_header(r, "Content-Disposition", arena_printf(&r->arena, "attachment; filename=\"%.*s.eml\"", STR_ARG(queue_id_text(&r->arena, id))));
    reply_header(r, "Content-Security-Policy", STR("sandbox; default-src 'none'"));
}

/* May the caller have all of it, and why?  False: answered. */
static bool may_read(struct request *r, struct str reason)
{
    if (!caller_has(&r->caller, SCOPE_MAIL_CONTENT)) {
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "This needs mail:content.");
        return false;
    }
    if (reason.p == NULL)
        error_at(r, STR("reason"), "required", "It is missing: the whole message is read for a reason, which is written down.");
    return !errors_of_query(r) && caller_fresh(r);
}

static enum result write_down(struct request *r, int64_t id, struct str reason)
{
    struct json_object *after = js_object();

    js_set(after, "reason", js_str(reason));
    return audit_write(r->service->db, record(r, "message.read", queue_id_text(&r->arena, id), NULL, after));
}

void queue_source_get(struct request *r)
{
    static const char *const singles[] = { "part", "reason" };
    static const char *const parts[] = { "headers" };
    struct body_source source;
    struct str reason;
    int64_t id;
    bool whole;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    whole = query_word(r, "part", parts, ARRAY_LEN(parts), -1) < 0;
    reason = query_text(r, "reason", 1, REASON_MAX);
    if (errors_of_query(r) || (whole && !may_read(r, reason)))
        return;
    result = queue_id(r->params[0], &id) ? queue_source(r->service->db, id, queue_visible(r), &source) : RES_NOTFOUND;
    if (result == RES_OK && whole)
        result = write_down(r, id, reason);
    if (result == RES_OK)
        answer(r, id, &source, whole ? source.shape.size : source.shape.header_size);
    else
        problem_of_result(r, result);
}
