/* GETQUOTA, GETQUOTAROOT (RFC 9208).
 *
 * The account is one quota root, "".  With the setting quota.apart Junk and Trash have another one, "Trash". */
#include "config/settings.h"
#include "imap/session.h"
#include "store/quota.h"

static const struct str root_apart = STR("Trash");

/* In units of 1024 octets (RFC 9208, 5.1), upwards. */
static int64_t units(int64_t bytes)
{
    return bytes / 1024 + (bytes % 1024 > 0);
}

static void write_quota(struct imap_session *s, struct str root, const struct quota_use *use)
{
    struct str storage = STR(""), messages = STR("");

    if (use->limit_bytes >= 0)
        storage = arena_printf(&s->arena, "STORAGE %lld %lld", (long long)units(use->bytes), (long long)units(use->limit_bytes));
    if (use->limit_messages >= 0)
        messages = arena_printf(&s->arena, "%sMESSAGE %lld %lld", storage.len > 0 ? " " : "", (long long)use->messages,
                                (long long)use->limit_messages);
    stream_printf(s->stream, "* QUOTA %.*s (%.*s%.*s)\r\n", STR_ARG(quoted_string(&s->arena, root)), STR_ARG(storage),
                  STR_ARG(messages));
}

enum next cmd_getquota(struct imap_session *s, struct imap_command *cmd)
{
    bool apart = settings_get()->quota_apart && str_eq(cmd->quota_root, root_apart);
    struct quota_use all, other;
    enum result r;

    if (cmd->quota_root.len > 0 && !apart)
        return imap_no(s, "[NONEXISTENT] No such quota root");
    r = quota_of(s->db, s->who.token, s->who.account_id, &all, &other);
    if (r != RES_OK)
        return imap_no_result(s, r);
    write_quota(s, cmd->quota_root, apart ? &other : &all);
    return imap_ok(s, "GETQUOTA completed");
}

/* The mailbox need not exist. */
enum next cmd_getquotaroot(struct imap_session *s, struct imap_command *cmd)
{
    bool apart = settings_get()->quota_apart;
    struct quota_use all, other;
    struct mailbox box = { 0 };
    struct str name, root;
    enum result r;

    if (mailbox_name_check(&s->arena, cmd->mailbox, &name) != RES_OK)
        return imap_no(s, "[CANNOT] That is no name for a mailbox");
    r = mailbox_find(s->db, &s->who, name, &s->arena, &box);
    if (r == RES_OK || r == RES_NOTFOUND)
        r = quota_of(s->db, s->who.token, s->who.account_id, &all, &other);
    if (r != RES_OK)
        return imap_no_result(s, r);
    apart = apart && (box.special_use == SPECIAL_JUNK || box.special_use == SPECIAL_TRASH);
    root = apart ? root_apart : STR("");
    stream_printf(s->stream, "* QUOTAROOT %.*s %.*s\r\n", STR_ARG(wire_mailbox(&s->arena, name)),
                  STR_ARG(quoted_string(&s->arena, root)));
    write_quota(s, root, apart ? &other : &all);
    return imap_ok(s, "GETQUOTAROOT completed");
}
