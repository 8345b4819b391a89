/* PATCH /queue/messages/{id}; times and routes of bodies */
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/queue.h"
#include "api/record.h"
#include "base/encode.h"
#include "route/relay_route.h"

#define MAX_AHEAD_US (INT64_C(30) * 86400 * 1000000)
#define MAX_AGE_US (INT64_C(60) * 86400 * 1000000)

bool queue_take_time(struct request *r, struct str place, struct str text, int64_t *ret_us)
{
    int64_t now = wall_us(), us;
    uint64_t seconds;

    if (str_starts(text, STR("+")) && str_duration(str_from(text, 1), &seconds) && seconds <= MAX_AHEAD_US / 1000000)
        us = now + (int64_t)seconds * 1000000;
    else if (time_parse(text, &us) != RES_OK) {
        error_at(r, place, "syntax", "It is neither a time such as 2026-11-23T13:50:02Z nor one from now such as +2h.");
        return false;
    }
    if (us < now - 1000000 || us > now + MAX_AHEAD_US) {
        error_at(r, place, us < now ? "minimum" : "maximum", "It is not between now and 30 days from now.");
        return false;
    }
    *ret_us = us;
    return true;
}

bool queue_take_route(struct request *r, struct str place, struct str text, struct str *ret)
{
    struct relay_route route;
    struct str error = STR_NULL;

    *ret = STR_NULL;
    if (text.p == NULL)
        return true;
    if (str_chr(text, ',') != SIZE_MAX)
        error = STR("there is only host and port; options belong to a domain's route");
    else if (relay_route_parse_target(text, &r->arena, &route, &error) == RES_OK) {
        *ret = relay_route_destination(&r->arena, &route, r->service->config->relay_port);
        return true;
    }
    error_at(r, place, "syntax", "%.*s.", STR_ARG(error));
    return false;
}

bool queue_may_route(struct request *r)
{
    if (r->caller.visible.limited)
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "Only who administers the whole server sends mail another way.");
    return !r->caller.visible.limited;
}

static const struct field members[] = {
    { .name = "next_attempt_at", .type = FIELD_STRING, .min = 1, .max = 40 },
    { .name = "expires_at", .type = FIELD_STRING, .min = 1, .max = 40 },
    { .name = "priority", .type = FIELD_INT, .min = -1, .max = 1 },
    { .name = "route", .type = FIELD_STRING, .nullable = true, .min = 1, .max = 300 },
    { .name = "id", .type = FIELD_KEPT },          { .name = "message_id", .type = FIELD_KEPT },
    { .name = "subject", .type = FIELD_KEPT },     { .name = "size", .type = FIELD_KEPT },
    { .name = "sender", .type = FIELD_KEPT },      { .name = "account", .type = FIELD_KEPT },
    { .name = "origin", .type = FIELD_KEPT },      { .name = "accepted_at", .type = FIELD_KEPT },
    { .name = "state", .type = FIELD_KEPT },       { .name = "hold", .type = FIELD_KEPT },
    { .name = "recipients", .type = FIELD_KEPT },  { .name = "version", .type = FIELD_KEPT },
};

/* A member that says what is so already changes nothing. */
static bool differs(struct json_object *body, struct json_object *present, const char *name)
{
    return field_there(body, name) && !js_equal(js_get(body, name, NULL), js_get(present, name, NULL));
}

static void take_change(struct request *r, struct json_object *body, struct json_object *present, const struct queue_message *m,
                        struct queue_change *c)
{
    c->next = differs(body, present, "next_attempt_at") &&
              queue_take_time(r, STR("/next_attempt_at"), field_str(body, "next_attempt_at", STR("")), &c->next_attempt_at);
    c->expires = differs(body, present, "expires_at") &&
                 queue_take_time(r, STR("/expires_at"), field_str(body, "expires_at", STR("")), &c->expires_at);
    if (c->expires && c->expires_at > m->accepted_at + MAX_AGE_US)
        error_at(r, STR("/expires_at"), "maximum", "It is more than 60 days after the message came.");
    c->priority = differs(body, present, "priority");
    c->new_priority = (int)field_int(body, "priority", 0, 0);
    c->route = differs(body, present, "route") && queue_take_route(r, STR("/route"), field_str(body, "route", STR_NULL), &c->new_route);
}

void queue_message_patch(struct request *r)
{
    struct queue_change change = { 0 };
    struct queue_message *m = NULL;
    struct json_object *body, *present;
    int64_t id, version;
    enum result result;

    if (!match_version(r, false, &version) || (body = body_object(r, false)) == NULL)
        return;
    result = queue_id(r->params[0], &id) ? queue_get(r->service->db, id, queue_visible(r), &r->arena, &m) : RES_NOTFOUND;
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    present = request_keep(r, queue_message_json(&r->arena, m));
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), present);
    if (r->errors == NULL)
        take_change(r, body, present, m, &change);
    if (errors_of_body(r) || (change.route && !queue_may_route(r)))
        return;
    if (version != VERSION_ANY && version != m->version)
        result = RES_CONFLICT;
    else if (change.next || change.expires || change.priority || change.route)
        result = queue_change(r->service->db, id, version == VERSION_ANY ? 0 : version, queue_visible(r), &change, r->caller.actor,
                              record(r, "queue.change", queue_id_text(&r->arena, id), NULL, js_share(body)));
    if (result == RES_OK)
        result = queue_get(r->service->db, id, queue_visible(r), &r->arena, &m);
    if (result == RES_OK)
        reply_object(r, 200, queue_message_json(&r->arena, m), m->version);
    else if (result == RES_CONFLICT)
        problem_with(r, PROBLEM_STALE, "current", js_share(present));
    else if (result == RES_DENIED)
        problem(r, PROBLEM_BUSY, NULL);
    else
        problem_of_result(r, result);
}
