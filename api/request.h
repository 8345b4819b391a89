/* api/request.h - one HTTP request, from its last byte to its answer.
 *
 * A handler runs as a coroutine, top to bottom: it looks at the request, does its work, and answers once by reply_* or
 * problem*().  Everything it allocates lives in the request's arena.  The connection may be gone meanwhile; a handler
 * never sees it. */
#pragma once
#include "api/caller.h"
#include "api/json.h"
#include "auth/service.h"
#include "base/arena.h"
#include "base/strbuf.h"

#include <netinet/in.h>

#define REQUEST_MAX_BODY ((size_t)1 << 20)

/* The way by which a connection came. */
struct door {
    enum { DOOR_PLAIN, DOOR_TLS, DOOR_SOCKET } kind;
    struct sockaddr_storage peer;
    uid_t uid; /* DOOR_SOCKET: who it is */
};

struct header {
    struct str name, value;
};

struct answer {
    int status; /* 0: not answered yet */
    struct str type, body;
    struct header headers[10];
    size_t n_headers;
    bool close;                     /* the connection ends with it */
    bool fixed;                     /* body outlives the request */
    struct event_stream *stream;    /* instead of a body */
    struct body_stream *pieces;     /* instead of a body */
};

struct request {
    struct arena arena;
    struct service *service;
    struct door door;
    struct str id; /* Request-Id */
    struct str method, target; /* as they came */
    struct str path;           /* of the target, still encoded */
    struct header *headers;
    size_t n_headers;
    struct header *query; /* decoded parameters */
    size_t n_query;
    struct strbuf body;
    bool body_too_large;
    bool body_is_large;  /* more than REQUEST_MAX_BODY: few at once may be */
    bool body_must_wait; /* it would be, and there are too many */
    struct sockaddr_storage peer; /* behind a trusted proxy: the client it tells of */
    struct str ip;                /* the same as text; "local" for the socket */
    bool secure;                  /* the client's side is TLS, or needs none: loopback, the socket */
    bool tls;                     /* the client's side is TLS */
    const struct route *route;
    struct str params[3]; /* the route's placeholders, decoded */
    struct caller caller;
    bool dry_run;    /* nothing stays (api/dry_run.h) */
    struct str once; /* its place in the table of idempotency.c; STR_NULL: none */
    struct json_object *errors; /* FieldErrors found so far */
    struct json_object *kept;   /* array of trees that live as long as the request */
    struct answer answer;
    unsigned refs;
    struct exchange *exchange; /* http.c's; NULL when the connection waits no longer */
};

struct request *request_new(struct service *service, struct str method, struct str target);
/* The connection and the coroutine hold one reference each. */
void request_unref(struct request *r);
/* Splits and decodes the target.  False: malformed; it has been answered. */
bool request_parse_target(struct request *r);
/* A segment of the path, decoded.  False: a broken escape, NUL or not UTF-8. */
bool request_decode_segment(struct request *r, struct str segment, struct str *ret);
/* The value of a header field, ignoring case; STR_NULL when there is none.  More than one: the first. */
struct str request_header(const struct request *r, struct str name);
size_t request_count_header(const struct request *r, struct str name);
/* v is released with the request. */
struct json_object *request_keep(struct request *r, struct json_object *v);

/* ---- answers; body and values are taken over or copied into the arena ---- */
void reply_header(struct request *r, const char *name, struct str value);
void reply_json(struct request *r, int status, struct json_object *body);
/* With an ETag, and 304 when the client has that version already. */
void reply_object(struct request *r, int status, struct json_object *body, int64_t version);
void reply_text(struct request *r, int status, struct str type, struct str body);
void reply_empty(struct request *r); /* 204 */
