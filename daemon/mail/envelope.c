#include "mail/envelope.h"
#include "mail/header.h"

#define ADDRESS_COST ((size_t)16)   /* of the budget, for each address beside its text */
#define RESERVE      ((size_t)8192) /* of the budget, left by the addresses for what comes after them */

static const struct {
    const char *name;
    enum envelope_list list;
} list_names[] = {
    { "From", ENVELOPE_FROM }, { "Sender", ENVELOPE_SENDER }, { "Reply-To", ENVELOPE_REPLY_TO },
    { "To", ENVELOPE_TO },     { "Cc", ENVELOPE_CC },         { "Bcc", ENVELOPE_BCC },
};

/* The place in *e for a field of that name, if it is one of those that count once. */
static struct str *single(struct envelope *e, struct str name)
{
    switch (name.len) {
    case 4:
        return str_ieq(name, STR("Date")) ? &e->date : NULL;
    case 7:
        return str_ieq(name, STR("Subject")) ? &e->subject : NULL;
    case 10:
        return str_ieq(name, STR("Message-ID"))   ? &e->message_id
               : str_ieq(name, STR("References")) ? &e->references
                                                  : NULL;
    case 11:
        return str_ieq(name, STR("In-Reply-To")) ? &e->in_reply_to : NULL;
    default:
        return NULL;
    }
}

void envelope_read(struct arena *a, struct str header, struct envelope *ret)
{
    struct envelope_value **tails[ENVELOPE_LISTS];
    struct header_field f;

    *ret = (struct envelope){ 0 };
    for (size_t i = 0; i < ENVELOPE_LISTS; i++)
        tails[i] = &ret->lists[i];
    for (size_t n = 0; n < HEADER_MAX_FIELDS && header_next(&header, &f); n++) {
        struct str *one = single(ret, f.name);

        if (one != NULL && one->p == NULL)
            *one = str_trim(f.value);
        if (one != NULL || f.name.len > 8)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(list_names); i++) {
            if (str_ieq(f.name, str_c(list_names[i].name))) {
                struct envelope_value *v = arena_new(a, struct envelope_value);

                v->value = f.value;
                *tails[list_names[i].list] = v;
                tails[list_names[i].list] = &v->next;
            }
        }
    }
}

static void put_address(struct imap_writer *w, const struct mail_address *address)
{
    switch (address->kind) {
    case ADDRESS_GROUP:
        strbuf_adds(&w->out, "(NIL NIL ");
        imap_put_string(w, address->name);
        strbuf_adds(&w->out, " NIL)");
        return;
    case ADDRESS_GROUP_END:
        strbuf_adds(&w->out, "(NIL NIL NIL NIL)");
        return;
    case ADDRESS_MAILBOX:
        break;
    }
    strbuf_addc(&w->out, '(');
    imap_put_nstring(w, address->name);
    strbuf_addc(&w->out, ' ');
    imap_put_nstring(w, address->route);
    strbuf_addc(&w->out, ' ');
    imap_put_string(w, address->local);
    strbuf_addc(&w->out, ' ');
    imap_put_string(w, address->domain); /* NIL would mean a group */
    strbuf_addc(&w->out, ')');
}

/* False: the list is empty, and nothing was written. */
static bool put_list(struct imap_writer *w, const struct envelope_value *values, struct arena *scratch)
{
    struct mail_address one;
    bool any = false;

    for (; values != NULL; values = values->next) {
        struct address_reader r;

        address_reader_init(&r, scratch, values->value);
        while (w->budget >= ADDRESS_COST + RESERVE && address_next(&r, &one)) {
            w->budget -= ADDRESS_COST;
            strbuf_add(&w->out, any ? STR("") : STR("("));
            any = true;
            put_address(w, &one);
        }
    }
    if (any)
        strbuf_addc(&w->out, ')');
    return any;
}

void envelope_write(struct imap_writer *w, const struct envelope *e, struct arena *scratch)
{
    strbuf_addc(&w->out, '(');
    imap_put_nstring(w, e->date);
    strbuf_addc(&w->out, ' ');
    imap_put_nstring(w, e->subject);
    for (int i = 0; i < ENVELOPE_LISTS; i++) {
        strbuf_addc(&w->out, ' ');
        if (put_list(w, e->lists[i], scratch))
            continue;
        /* Without Sender or Reply-To these are From (RFC 3501, 7.4.2). */
        if ((i == ENVELOPE_SENDER || i == ENVELOPE_REPLY_TO) && put_list(w, e->lists[ENVELOPE_FROM], scratch))
            continue;
        strbuf_adds(&w->out, "NIL");
    }
    strbuf_addc(&w->out, ' ');
    imap_put_nstring(w, e->in_reply_to);
    strbuf_addc(&w->out, ' ');
    imap_put_nstring(w, e->message_id);
    strbuf_addc(&w->out, ')');
}

bool envelope_first(struct arena *a, const struct envelope *e, enum envelope_list list, struct mail_address *ret)
{
    struct address_reader r;

    for (const struct envelope_value *v = e->lists[list]; v != NULL; v = v->next) {
        address_reader_init(&r, a, v->value);
        if (address_next(&r, ret))
            return true;
    }
    return false;
}
