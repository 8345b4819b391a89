/* api/problem.h - refusals as application/problem+json (RFC 9457): one table of kinds, and the errors of a request. */
#pragma once
#include "api/request.h"
#include "base/macros.h"

enum problem_kind {
    PROBLEM_MALFORMED, PROBLEM_INVALID_PARAMETER, PROBLEM_INVALID_CURSOR, PROBLEM_VALIDATION, PROBLEM_UNAUTHENTICATED,
    PROBLEM_WRONG_CREDENTIALS, PROBLEM_WRONG_CODE, PROBLEM_REAUTHENTICATION_REQUIRED, PROBLEM_INSUFFICIENT_SCOPE,
    PROBLEM_PASSWORD_REQUIRED, PROBLEM_CSRF, PROBLEM_NOT_FOUND,
    PROBLEM_METHOD_NOT_ALLOWED, PROBLEM_NOT_ACCEPTABLE, PROBLEM_UNSUPPORTED_MEDIA_TYPE, PROBLEM_TOO_LARGE, PROBLEM_EXISTS,
    PROBLEM_NOT_EMPTY, PROBLEM_BUSY, PROBLEM_READ_ONLY, PROBLEM_LAST_ADMIN, PROBLEM_SELECTION_CHANGED, PROBLEM_UNDO_EXPIRED,
    PROBLEM_LINK_USED,
    PROBLEM_STALE, PROBLEM_PRECONDITION_REQUIRED, PROBLEM_IDEMPOTENCY_MISMATCH, PROBLEM_IDEMPOTENCY_RUNNING, PROBLEM_RATE_LIMITED, PROBLEM_TLS_REQUIRED,
    PROBLEM_DATABASE_UNAVAILABLE, PROBLEM_INTERNAL, PROBLEMS
};
const char *problem_name(enum problem_kind kind);
int problem_status(enum problem_kind kind);

/* Answers with the kind; detail (a format, may be NULL) is one English sentence. */
void problem(struct request *r, enum problem_kind kind, const char *detail, ...) PRINTF_LIKE(3, 4);
/* The same with a further member. */
void problem_with(struct request *r, enum problem_kind kind, const char *member, struct json_object *value);
/* not-empty, with how many stand in the way. */
void problem_not_empty(struct request *r, int64_t accounts, int64_t aliases);
/* The body of a problem, for the moments when there is no request any more. */
struct str problem_body(struct arena *a, enum problem_kind kind, struct str request_id);
/* A result of store/ that has no meaning of its own here. */
void problem_of_result(struct request *r, enum result result);

/* Notes an error and goes on, so that one answer holds all of them.  place: a JSON Pointer ("/name") of the body, or
 * the name of a parameter of query or path. */
void error_at(struct request *r, struct str place, const char *code, const char *detail, ...) PRINTF_LIKE(4, 5);
/* The same for a text of several lines, with the place in it: both count from 1. */
void error_in_text(struct request *r, struct str place, const char *code, unsigned line, unsigned column, struct str detail);
/* True when there were errors; then they have been answered: 400 invalid-parameter or 422 validation. */
bool errors_of_query(struct request *r);
bool errors_of_body(struct request *r);
