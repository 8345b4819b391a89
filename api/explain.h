/* api/explain.h - reasons and replies as the API tells them. */
#pragma once
#include "api/json.h"

/* An Explanation for an id of mail/advice.h; null for STR_NULL.  destination may be STR_NULL. */
struct json_object *explanation_json(struct arena *a, struct str reason, struct str destination);
/* A Reply from "421 4.3.2 shutting down" (store/queue.h); null when it does not begin with a code. */
struct json_object *reply_line_json(struct str line);
/* The id of advice for the first reply of a mail server ("550 5.1.1 no such user") in a text; STR_NULL: there is none. */
struct str explain_reply_id(struct arena *a, struct str text);
