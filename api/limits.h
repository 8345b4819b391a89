/* api/limits.h - limits of sending as members of accounts and domains. */
#pragma once
#include "api/fields.h"
#include "store/sent.h"

#define LIMITS_MEMBERS 2
extern const struct field limits_members[LIMITS_MEMBERS];

/* null: as said above; 0: no limit. */
struct json_object *limits_json(const struct sent_limits *limits);
/* Takes the members of the object `limits` of a body over. */
void limits_take(const struct json_object *body, struct sent_limits *limits);
/* A limited caller sets limits only below what stands above them.  Notes errors. */
void limits_check(struct request *r, const struct sent_limits *old, const struct sent_limits *new, const struct sent_limits *above);
