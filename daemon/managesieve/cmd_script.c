/* Scripts: the commands of RFC 5804, 2.5 to 2.12, over store/script.h. */
#include "base/encode.h"
#include "base/log.h"
#include "filter/compile.h"
#include "managesieve/session.h"

static enum next bad_name(struct managesieve *s)
{
    return ms_no(s, NULL, "A script's name has 1 to 512 bytes of UTF-8 and no control characters");
}

/* What the audit log says of a change: as the API's (api/filters.c).  after: JSON. */
static const struct audit *note(struct managesieve *s, const char *action, struct str name, struct str after)
{
    CLEANUP(strbuf_release) struct strbuf actor = { 0 };
    struct audit *audit = arena_new(&s->arena, struct audit);
    struct str *object = arena_new(&s->arena, struct str);

    (void)strbuf_adds(&actor, "{\"kind\": \"session\", \"name\": ");
    json_add_string(&actor, s->address);
    (void)strbuf_addf(&actor, ", \"via\": \"managesieve\", \"ip\": \"%.*s\"}", STR_ARG(stream_peer_ip(s->stream)));
    *object = arena_printf(&s->arena, "%.*s/personal/%.*s", STR_ARG(s->address), STR_ARG(name));
    *audit = (struct audit){ .actor = arena_str(&s->arena, strbuf_str(&actor)), .action = str_c(action), .objects = object,
                             .n_objects = 1, .after = after };
    return audit;
}

/* Answers a change, and notes it: what filters somebody's mail should be found in the log. */
static enum next changed(struct managesieve *s, const char *what, struct str name, enum result r)
{
    if (r != RES_OK)
        return ms_no_result(s, r);
    log_info("managesieve-script", F_STR("session", s->id), F_STR("account", s->address), F_C("did", what),
             F_STR("script", name));
    return ms_ok(s, "Done");
}

static enum next too_large(struct managesieve *s)
{
    return ms_no(s, "QUOTA/MAXSIZE", "A script may have at most %zu bytes", SCRIPT_MAX_BYTES);
}

/* May this text be stored?  If not, *ret_next is how the session goes on after the answer. */
static bool acceptable(struct managesieve *s, struct str text, enum next *ret_next)
{
    struct sieve_script *script;
    struct sieve_error error;

    if (text.len > SCRIPT_MAX_BYTES)
        *ret_next = too_large(s);
    else if (filter_compile(text, &s->arena, &script, &error) != RES_OK)
        *ret_next = ms_no(s, NULL, "line %u, column %u: %.*s", error.line, error.column, STR_ARG(error.text));
    else
        return true;
    return false;
}

enum next ms_checkscript(struct managesieve *s, const struct managesieve_command *cmd)
{
    enum next next;

    return acceptable(s, cmd->args[0].string, &next) ? ms_ok(s, "The script is valid") : next;
}

enum next ms_putscript(struct managesieve *s, const struct managesieve_command *cmd)
{
    struct str name = cmd->args[0].string, text = cmd->args[1].string;
    enum next next;

    if (!sieve_is_script_name(name))
        return bad_name(s);
    if (text.len == 0)
        return ms_no(s, NULL, "The script is empty");
    if (!acceptable(s, text, &next))
        return next;
    return changed(s, "put", name, script_put(s->service->db, &s->owner, name, text, -1,
                                              note(s, "filter.put", name, arena_printf(&s->arena, "{\"size\": %zu}", text.len))));
}

/* Is there room for one more, or is it there already? */
static enum result have_room(struct managesieve *s, struct str name)
{
    struct script *v;
    size_t n;
    enum result r = script_list(s->service->db, &s->owner, &s->arena, &v, &n);

    for (size_t i = 0; r == RES_OK && i < n; i++) {
        if (str_eq(v[i].name, name))
            return RES_OK;
    }
    return r == RES_OK && n >= SCRIPT_MAX_COUNT ? RES_LIMIT : r;
}

enum next ms_havespace(struct managesieve *s, const struct managesieve_command *cmd)
{
    enum result r;

    if (!sieve_is_script_name(cmd->args[0].string))
        return bad_name(s);
    if (cmd->args[1].number > SCRIPT_MAX_BYTES)
        return too_large(s);
    r = have_room(s, cmd->args[0].string);
    return r == RES_OK ? ms_ok(s, "There is room for it") : ms_no_result(s, r);
}

enum next ms_listscripts(struct managesieve *s, const struct managesieve_command *cmd UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct script *v;
    size_t n;
    enum result r = script_list(s->service->db, &s->owner, &s->arena, &v, &n);

    if (r != RES_OK)
        return ms_no_result(s, r);
    for (size_t i = 0; i < n; i++) {
        managesieve_add_string(&b, v[i].name);
        (void)strbuf_add(&b, v[i].active ? STR(" ACTIVE\r\n") : STR("\r\n"));
    }
    stream_write(s->stream, strbuf_str(&b));
    return ms_ok(s, "These are all");
}

enum next ms_setactive(struct managesieve *s, const struct managesieve_command *cmd)
{
    static const struct script_change activate = { .sets_active = true, .active = true };
    struct str name = cmd->args[0].string;

    if (name.len == 0)
        return changed(s, "deactivate", name, script_deactivate(s->service->db, &s->owner, note(s, "filter.change", name, STR("{\"active\": false}"))));
    if (!sieve_is_script_name(name))
        return bad_name(s);
    return changed(s, "activate", name, script_change(s->service->db, &s->owner, name, &activate, -1,
                                                      note(s, "filter.change", name, STR("{\"active\": true}"))));
}

enum next ms_getscript(struct managesieve *s, const struct managesieve_command *cmd)
{
    struct script script;
    enum result r;

    if (!sieve_is_script_name(cmd->args[0].string))
        return bad_name(s);
    r = script_get(s->service->db, &s->owner, cmd->args[0].string, &s->arena, &script);
    if (r != RES_OK)
        return ms_no_result(s, r);
    stream_printf(s->stream, "{%zu}\r\n", script.content.len);
    stream_write(s->stream, script.content);
    stream_puts(s->stream, "\r\n");
    return ms_ok(s, "This is the script");
}

enum next ms_deletescript(struct managesieve *s, const struct managesieve_command *cmd)
{
    struct str name = cmd->args[0].string;

    if (!sieve_is_script_name(name))
        return bad_name(s);
    return changed(s, "delete", name, script_delete(s->service->db, &s->owner, name, -1, false, note(s, "filter.delete", name, STR_NULL)));
}

enum next ms_renamescript(struct managesieve *s, const struct managesieve_command *cmd)
{
    struct str from = cmd->args[0].string, to = cmd->args[1].string;
    const struct script_change rename = { .name = to };
    CLEANUP(strbuf_release) struct strbuf after = { 0 };

    if (!sieve_is_script_name(from) || !sieve_is_script_name(to))
        return bad_name(s);
    if (str_eq(from, to))
        return ms_no_result(s, RES_EXISTS);
    (void)strbuf_adds(&after, "{\"name\": ");
    json_add_string(&after, to);
    (void)strbuf_addc(&after, '}');
    return changed(s, "rename", to, script_change(s->service->db, &s->owner, from, &rename, -1,
                                                  note(s, "filter.change", from, strbuf_str(&after))));
}
