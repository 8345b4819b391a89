#include "relay/tell.h"

#include "base/encode.h"
#include "base/log.h"
#include "config/settings.h"
#include "mail/owner_letter.h"
#include "queue/notice.h"
#include "store/owner_letter.h"

#define AT_ONCE 100
#define MESSAGE_MAX 8192

static enum result tell(struct db *db, const struct owner_letter_due *due, struct arena *a, int64_t *ret_id)
{
    CLEANUP(strbuf_release) struct strbuf text = { .max = MESSAGE_MAX };
    const struct settings *s = settings_get();
    struct str language = due->language.len > 0 ? due->language : s->language;
    const struct owner_letter letter = {
        .kind = due->kind, .pt_br = str_istarts(language, STR("pt")), .hostname = arena_str(a, s->hostname), .to = due->address,
        .message_id = arena_printf(a, "%.*s@%.*s", STR_ARG(random_id(a)), STR_ARG(s->hostname)), .now_us = wall_us(),
        .at_us = due->at_us, .name = due->name, .protocol = due->protocol, .ip = due->ip, .is_last = due->is_last };
    const struct queue_new_recipient to = { .recipient = due->address, .notify = QUEUE_NOTIFY_NEVER, .destination = QUEUE_LOCAL,
                                            .lane = QUEUE_NORMAL, .account_id = due->account_id };
    struct queue_new *q;
    size_t return_path_len;
    enum result r;

    owner_letter_build(&letter, &text, &return_path_len);
    if (text.overflow)
        return RES_INVALID;
    q = notice_queued(str_from(strbuf_str(&text), return_path_len), letter.message_id, !str_is_ascii(due->address), &to, a);
    r = queue_ids(db, 1, ret_id);
    q->id = *ret_id;
    return r == RES_OK ? owner_letter_send(db, due->id, q) : r;
}

void tell_owners(struct db *db, bool (*stop)(void *arg), void *arg)
{
    size_t n = AT_ONCE;

    while (n == AT_ONCE) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct owner_letter_due *v;

        if (owner_letter_list(db, AT_ONCE, &a, &v, &n) != RES_OK)
            return;
        for (size_t i = 0; i < n; i++) {
            int64_t id = 0;
            enum result r;

            if (stop(arg))
                return;
            r = tell(db, &v[i], &a, &id);
            if (r == RES_OK)
                log_info("owner-told", F_INT("account", v[i].account_id), F_INT("kind", v[i].kind), F_QUEUE_ID("queue", id));
            if (r != RES_OK && r != RES_CONFLICT) { /* that is another relay, which was faster */
                log_warn("owner-not-told", F_INT("account", v[i].account_id), F_C("result", result_name(r)));
                return;
            }
        }
    }
}
