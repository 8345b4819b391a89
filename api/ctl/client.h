/* api/ctl/client.h - HTTP to the API: over the administrator's socket, or by URL with a token. */
#pragma once
#include "api/ctl/call.h"

struct client_options {
    const char *socket, *url, *token_file, *ca_file;
    bool insecure;
};
/* NULL: it cannot work; said. */
struct client *client_new(const struct client_options *o);
void client_free(struct client *c);

/* Sends a request.  body may be NULL and is released; version: for If-Match ("\"12\""), "" none, "new" to create only.  DONE: *ret (may be NULL) is the
 * answer's JSON, NULL when it has none; else what was wrong has been said. */
enum outcome client_call(struct call *c, const char *method, const char *path, struct json_object *body, const char *version,
                         struct json_object **ret);
/* The same without saying what was wrong: *ret_status is the HTTP status, 0 when there was no answer; *ret the answer. */
enum outcome client_try(struct call *c, const char *method, const char *path, struct json_object *body, const char *version,
                        long *ret_status, struct json_object **ret);
/* POSTs a file, which is wiped; else as client_call. */
enum outcome client_upload(struct call *c, const char *path, const char *type, struct str text, struct json_object **ret);
/* POSTs body, which is released; the answer as it is. */
enum outcome client_download(struct call *c, const char *path, struct json_object *body, struct str *ret);
/* Waits for an operation and says how far it is; *answer is it, and what became of it. */
enum outcome client_follow(struct call *c, struct json_object **answer);
/* One error of a problem, as a line. */
void client_say_error(struct call *c, const struct json_object *error);
/* Takes the next bytes of an answer.  False: enough. */
typedef bool client_taker(struct str bytes, void *arg);
/* GETs what is not kept in memory; the taker may make calls.  endless: it is an answer without an end, which a broken
 * connection ends well. */
enum outcome client_flow(struct call *c, const char *path, const char *accept, bool endless, client_taker *taker, void *arg);
/* Says what a problem is. */
enum outcome client_say_problem(struct call *c, long status, struct json_object *problem);

/* GETs the pages of a list, all of them or up to --limit rows, and prints them; query begins with "?" or is "". */
enum outcome client_list(struct call *c, const char *path, const char *query, const struct column *columns, size_t n,
                         const char *id);
/* PUT that only creates: what is there already is a conflict.  *ret is NULL unless DONE. */
enum outcome client_create(struct call *c, const char *path, struct json_object *body, struct json_object **ret);
/* "?name=value&..." of the options that were given; "" when there are none.  "_" stands for the "-" of an option. */
const char *query_of(struct call *c, const char *const *names, size_t n);
/* Puts an option's size ("5GB", "none") into body as quota.limit, and its number ("none") of messages as
 * quota.message_limit.  False: a value is wrong; said. */
bool take_quota(struct call *c, struct json_object *body);
/* The same for --recipients-per-hour and --recipients-per-day: a number, 0: no limit, none: as said above it. */
bool take_limits(struct call *c, struct json_object *body);
/* "a@b,c@d" as an array; empty: an empty one. */
struct json_object *list_of(const char *text);
/* Text as one segment of a path or a value of a query, in the call's arena. */
const char *escape(struct call *c, const char *text);
