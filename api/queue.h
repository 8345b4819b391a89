/* api/queue.h - what the resources of the queue share: filters from a query or a body. */
#pragma once
#include "api/request.h"
#include "store/queue_admin.h"

extern const char *const queue_state_names[QUEUE_STATES]; /* in the order of enum queue_state */
extern const char *const queue_filter_lists[7];           /* state, sender, ...; besides them age_min and q */

/* The filter of a query, with what the caller may see. */
void queue_filter_of_query(struct request *r, struct queue_filter *ret);
/* The filter of a body's object at `pointer`; errors are noted. */
void queue_filter_of_body(struct request *r, struct json_object *object, struct str pointer, struct queue_filter *ret);
/* What the caller may see, as store/queue_admin.h wants it: never empty for a limited caller. */
struct str_list queue_visible(struct request *r);
/* A queue id of a path or a body. */
bool queue_id(struct str text, int64_t *ret_id);
struct str queue_id_text(struct arena *a, int64_t id);
extern const char *const queue_action_names[QUEUE_ACTIONS];
/* {"id", "until"}; null for id 0. */
struct json_object *queue_undo_json(int64_t id, int64_t until);
/* A message as the API shows it. */
struct json_object *queue_message_json(struct arena *a, const struct queue_message *m);

/* A time from now to 30 days ahead: RFC 3339 or "+2h".  False: an error is noted at `place`. */
bool queue_take_time(struct request *r, struct str place, struct str text, int64_t *ret_us);
/* "[host]:port" and so on as a destination (route/relay_route.h); STR_NULL stays so.  False: an error is noted. */
bool queue_take_route(struct request *r, struct str place, struct str text, struct str *ret);
/* A destination as the queue has it: a domain, a route, an address literal, what is delivered here.  False: none. */
bool queue_take_destination(struct request *r, struct str text, struct str *ret);
/* Who sees only some domains sends no mail to hosts of his choice.  False: answered (403). */
bool queue_may_route(struct request *r);
