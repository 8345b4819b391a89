#include "relay/warn.h"

#include "base/encode.h"
#include "base/log.h"
#include "config/settings.h"
#include "mail/quota_warning.h"
#include "store/quota.h"

#define AT_ONCE 100
#define MESSAGE_MAX 8192

/* Is it the number of messages that is nearest to its limit? */
static bool by_messages(const struct quota_use *u)
{
    if (u->limit_bytes < 0 || u->limit_messages < 0)
        return u->limit_bytes < 0;
    return (double)u->messages * (double)u->limit_bytes > (double)u->bytes * (double)u->limit_messages;
}

/* Into the INBOX, in the transaction that notes that it was told.  RES_LIMIT: another relay was faster. */
static enum result tell(struct deliver *deliver, const struct quota_due *due, struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf text = { .max = MESSAGE_MAX };
    const struct settings *s = settings_get();
    struct str language = due->language.len > 0 ? due->language : s->language;
    bool messages = by_messages(&due->use);
    const struct quota_warning warning = {
        .pt_br = str_istarts(language, STR("pt")), .hostname = arena_str(a, s->hostname), .to = due->address,
        .message_id = arena_printf(a, "%.*s@%.*s", STR_ARG(random_id(a)), STR_ARG(s->hostname)), .now_us = wall_us(),
        .messages = messages, .used = messages ? due->use.messages : due->use.bytes,
        .limit = messages ? due->use.limit_messages : due->use.limit_bytes };
    struct accept_target target = { .account_id = due->account_id, .mailbox_id = due->inbox_id, .recipient = due->address,
                                    .warning = due->level };
    struct accept_message m = { .targets = &target, .n_targets = 1 };
    enum result r;

    quota_warning_build(&warning, &text, &m.return_path_len);
    if (text.overflow)
        return RES_INVALID;
    m.message = strbuf_str(&text);
    r = deliver_id(deliver, &m.id);
    return r == RES_OK ? deliver_submit(deliver, &m) : r;
}

static void work_off(struct db *db, struct deliver *deliver, const struct quota_due *due)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    enum result r = due->level > due->warned ? tell(deliver, due, &a) : RES_OK;

    if (r == RES_OK && due->level > due->warned)
        log_info("quota-warned", F_INT("account", due->account_id), F_STR("to", due->address), F_INT("percent", due->level));
    if (r == RES_OK || r == RES_LIMIT)
        r = quota_due_settle(db, due->account_id);
    if (r != RES_OK)
        log_warn("quota-warning", F_INT("account", due->account_id), F_C("result", result_name(r)));
}

void warn_full_mailboxes(struct db *db, struct deliver *deliver, bool (*stop)(void *arg), void *arg)
{
    int64_t after = 0;
    size_t n = AT_ONCE;

    while (n == AT_ONCE) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct quota_due *v;

        if (quota_due_list(db, after, AT_ONCE, &a, &v, &n) != RES_OK)
            return;
        for (size_t i = 0; i < n; i++) {
            if (stop(arg))
                return;
            work_off(db, deliver, &v[i]);
            after = v[i].account_id;
        }
    }
}
