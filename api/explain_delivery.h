/* api/explain_delivery.h - the steps of an explanation: what each decided, why, and the setting it came from. */
#pragma once
#include "api/request.h"
#include "deliver/admission.h"

struct explanation {
    struct request *r;
    struct json_object *steps, *recipients;
    struct admission q;
    struct admission_path to;
    struct str headers, ip; /* headers STR_NULL: not given */
    uint64_t size;
    struct admission_refusal refusal; /* code 0: the client is told 250 */
    size_t reached, lost;             /* final recipients that get it, and that do not */
};

enum judged { JUDGED_OK, JUDGED_INFO, JUDGED_WAITS, JUDGED_REFUSED, JUDGED_UNKNOWN };

/* A value for {name} in the words of a step. */
struct step_arg {
    const char *name;
    struct str value;
};
/* Adds a step.  key: of web/i18n/explain.*.json.  setting: the page where it is set; STR_NULL: none.  Gives the step, for
 * further members. */
struct json_object *explain_step(struct explanation *e, const char *step, struct str whom, enum judged verdict, const char *key,
                                 const struct step_arg *args, size_t n, struct str setting);
/* A final recipient and what becomes of the message there. */
void explain_recipient(struct explanation *e, struct str address, const char *kind, const char *outcome, struct str mailbox);

/* A domain elsewhere: route, TLS and times of retries (api/explain_route.c). */
enum result explain_route(struct explanation *e, struct str address, struct str domain, bool probe) SUSPENDS NODISCARD;
