#include "api/limits.h"
#include "api/problem.h"

#define MOST 1000000

const struct field limits_members[LIMITS_MEMBERS] = {
    { .name = "recipients_per_hour", .type = FIELD_INT, .nullable = true, .max = MOST },
    { .name = "recipients_per_day", .type = FIELD_INT, .nullable = true, .max = MOST },
};

static struct json_object *one_json(int64_t limit)
{
    return limit == 0 ? NULL : js_int(limit == SENT_NO_LIMIT ? 0 : limit);
}

struct json_object *limits_json(const struct sent_limits *limits)
{
    struct json_object *o = js_object();

    js_set(o, limits_members[0].name, one_json(limits->per_hour));
    js_set(o, limits_members[1].name, one_json(limits->per_day));
    return o;
}

static int64_t take_one(const struct json_object *object, const char *name, int64_t otherwise)
{
    int64_t v = field_int(object, name, -1, -2);

    return v == -2 ? otherwise : v == -1 ? 0 : v == 0 ? SENT_NO_LIMIT : v;
}

void limits_take(const struct json_object *body, struct sent_limits *limits)
{
    const struct json_object *o = js_get(body, "limits", NULL);

    limits->per_hour = take_one(o, limits_members[0].name, limits->per_hour);
    limits->per_day = take_one(o, limits_members[1].name, limits->per_day);
}

static void check_one(struct request *r, const char *name, int64_t old, int64_t new, int64_t above)
{
    if (new != old && new != 0 && above > 0 && (new == SENT_NO_LIMIT || new > above))
        error_at(r, arena_printf(&r->arena, "/limits/%s", name), "maximum", "It is more than %lld.", (long long)above);
}

void limits_check(struct request *r, const struct sent_limits *old, const struct sent_limits *new, const struct sent_limits *above)
{
    if (!r->caller.visible.limited)
        return;
    check_one(r, limits_members[0].name, old->per_hour, new->per_hour, above->per_hour);
    check_one(r, limits_members[1].name, old->per_day, new->per_day, above->per_day);
}
