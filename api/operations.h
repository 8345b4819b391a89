/* api/operations.h - work that answers with 202: an answer about it, and the coroutine that does it. */
#pragma once
#include "api/request.h"

/* Goes on with whatever any process of any node began, in a coroutine of its own. */
void operations_start(struct service *service);
/* There is a new one. */
void operations_wake(void);
/* No further piece is begun. */
void operations_drain(void);
/* Whose operations the caller may see: who does not see the whole server only his own (STR_NULL: anybody's). */
struct str operation_owner(const struct request *r);
/* Answers with the operation and its Location. */
void operation_answer(struct request *r, int64_t id, int status) SUSPENDS;
