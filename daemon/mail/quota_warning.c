#include "mail/quota_warning.h"
#include "base/arena.h"
#include "base/macros.h"
#include "mail/server_letter.h"

/* In decimal units, as mail programs and the page show it: "4.5 GB". */
static struct str print_size(struct arena *a, int64_t bytes, bool comma)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
    int64_t tenths = bytes * 10;
    size_t unit = 0;

    while (tenths >= 10000 && unit + 1 < ARRAY_LEN(units)) {
        tenths = (tenths + 500) / 1000;
        unit++;
    }
    if (tenths % 10 == 0)
        return arena_printf(a, "%lld %s", (long long)(tenths / 10), units[unit]);
    return arena_printf(a, "%lld%c%lld %s", (long long)(tenths / 10), comma ? ',' : '.', (long long)(tenths % 10), units[unit]);
}

static struct str how_much(const struct quota_warning *w, struct arena *a)
{
    if (w->messages)
        return arena_printf(a, w->pt_br ? "%lld de %lld mensagens" : "%lld of %lld messages", (long long)w->used,
                            (long long)w->limit);
    return arena_printf(a, w->pt_br ? "%.*s de %.*s" : "%.*s of %.*s", STR_ARG(print_size(a, w->used, w->pt_br)),
                        STR_ARG(print_size(a, w->limit, w->pt_br)));
}

static struct str text(const struct quota_warning *w, struct arena *a, bool full, int64_t percent)
{
    struct str used = how_much(w, a), state;

    if (w->pt_br) {
        state = full ? STR("cheia") : arena_printf(a, "%lld %% cheia", (long long)percent);
        return arena_printf(a, "A caixa de correio %.*s está %.*s: %.*s.\n\n%s\n"
                               "Por favor, apague o que não for mais necessário e esvazie a lixeira.\n",
                            STR_ARG(w->to), STR_ARG(state), STR_ARG(used),
                            full ? "Mensagens novas são recusadas até que haja espaço."
                                 : "Quando ela estiver cheia, mensagens novas serão recusadas.");
    }
    state = full ? STR("full") : arena_printf(a, "%lld %% full", (long long)percent);
    return arena_printf(a, "The mailbox %.*s is %.*s: %.*s.\n\n%s\n"
                           "Please delete what you no longer need, and empty the trash.\n",
                        STR_ARG(w->to), STR_ARG(state), STR_ARG(used),
                        full ? "New mail is refused until there is room." : "When it is full, new mail will be refused.");
}

void quota_warning_build(const struct quota_warning *w, struct strbuf *out, size_t *ret_return_path_len)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    bool full = w->used >= w->limit;
    int64_t percent = w->limit > 0 ? MIN((int64_t)((double)w->used * 100 / (double)w->limit), 99) : 100;
    struct str subject = w->pt_br ? full ? STR("Sua caixa de correio está cheia") : STR("Sua caixa de correio está quase cheia")
                         : full   ? STR("Your mailbox is full")
                                  : STR("Your mailbox is nearly full");
    const struct server_letter letter = { .pt_br = w->pt_br, .hostname = w->hostname, .to = w->to, .message_id = w->message_id,
                                          .now_us = w->now_us, .subject = subject, .text = text(w, &a, full, percent) };

    server_letter_build(&letter, out, ret_return_path_len);
}
