/* api/filter_trial.h - what filters would do with a message, as the API tells it. */
#pragma once
#include "api/request.h"
#include "filter/trial.h"

/* A FilterTrial, the caller's.  RES_TEMPFAIL. */
enum result filter_trial_json(struct request *r, const struct filter_trial_result *t, struct json_object **ret) SUSPENDS NODISCARD;
/* As SMTP would have brought it: every line ends with CR LF.  At most twice REQUEST_MAX_BODY. */
struct str with_crlf(struct arena *a, struct str text);
