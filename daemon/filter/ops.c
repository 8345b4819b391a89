#include "filter/ops.h"
#include "base/encode.h"
#include "config/settings.h"
#include "store/filter.h"

#define LIST_PREFIX STR("alias:")

static enum result read_mailboxes(struct filter_view *v)
{
    const struct principal who = { .account_id = v->account_id };
    enum result r;

    if (v->have_mailboxes)
        return RES_OK;
    r = mailbox_list(v->db, &who, v->arena, &v->mailboxes, &v->n_mailboxes);
    v->have_mailboxes = r == RES_OK;
    return r;
}

static const struct { struct str name; enum special_use use; } uses[] = {
    { { "\\Archive", 8 }, SPECIAL_ARCHIVE }, { { "\\Drafts", 7 }, SPECIAL_DRAFTS }, { { "\\Junk", 5 }, SPECIAL_JUNK },
    { { "\\Sent", 5 }, SPECIAL_SENT },       { { "\\Trash", 6 }, SPECIAL_TRASH },   { { "\\All", 4 }, SPECIAL_ALL },
    { { "\\Flagged", 8 }, SPECIAL_FLAGGED },
};

static enum special_use use_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
        if (str_ieq(uses[i].name, name))
            return uses[i].use;
    }
    return SPECIAL_NONE;
}

/* ---- looking ---- */

static const struct mailbox *by_name(const struct filter_view *v, struct str name)
{
    struct str stored;

    if (mailbox_name_check(v->arena, name, &stored) != RES_OK)
        return NULL;
    for (size_t i = 0; i < v->n_mailboxes; i++) {
        if (str_eq(v->mailboxes[i].name, stored))
            return &v->mailboxes[i];
    }
    return NULL;
}

static const struct mailbox *by_use(const struct filter_view *v, enum special_use use)
{
    for (size_t i = 0; use != SPECIAL_NONE && i < v->n_mailboxes; i++) {
        if (v->mailboxes[i].special_use == use)
            return &v->mailboxes[i];
    }
    return NULL;
}

static const struct mailbox *by_id(const struct filter_view *v, struct str text)
{
    int64_t id;

    if (!id_decode('m', text, &id))
        return NULL;
    for (size_t i = 0; i < v->n_mailboxes; i++) {
        if (v->mailboxes[i].id == id)
            return &v->mailboxes[i];
    }
    return NULL;
}

enum result filter_find_mailbox(struct filter_view *v, const struct sieve_target *t, struct mailbox *ret)
{
    const struct mailbox *found = NULL;
    enum result r = read_mailboxes(v);

    if (r != RES_OK)
        return r;
    if (t->mailbox_id.p != NULL)
        found = by_id(v, t->mailbox_id);
    if (found == NULL && t->special_use.p != NULL)
        found = by_use(v, use_of(t->special_use));
    if (found == NULL && t->mailbox.p != NULL)
        found = by_name(v, t->mailbox);
    if (found == NULL)
        return RES_NOTFOUND;
    *ret = *found;
    return RES_OK;
}

enum result filter_make_mailbox(struct filter_view *v, const struct sieve_target *t, struct mailbox *ret)
{
    const struct principal who = { .account_id = v->account_id };
    enum special_use use = t->special_use.p != NULL ? use_of(t->special_use) : SPECIAL_NONE;
    struct str name;
    int64_t id;
    enum result r;

    if (mailbox_name_check(v->arena, t->mailbox, &name) != RES_OK)
        return RES_INVALID;
    r = mailbox_create(v->db, &who, name, use, &id);
    v->have_mailboxes = false;
    if (r == RES_OK)
        r = mailbox_subscribe(v->db, &who, name); /* RFC 5490, 3.2: as a client that makes one would */
    if (r == RES_OK || r == RES_EXISTS)
        return filter_find_mailbox(v, t, ret);
    return r;
}

/* ---- sieve_ops ---- */

static enum result mailbox_exists(void *data, struct str name, bool *ret)
{
    struct filter_view *v = data;
    enum result r = read_mailboxes(v);

    if (r == RES_OK)
        *ret = by_name(v, name) != NULL;
    return r;
}

static enum result special_use_exists(void *data, struct str name, struct str use, bool *ret)
{
    struct filter_view *v = data;
    enum result r = read_mailboxes(v);
    const struct mailbox *box;

    if (r != RES_OK)
        return r;
    box = name.p != NULL ? by_name(v, name) : by_use(v, use_of(use));
    *ret = box != NULL && box->special_use != SPECIAL_NONE && box->special_use == use_of(use);
    return RES_OK;
}

static enum result mailbox_id_exists(void *data, struct str id, bool *ret)
{
    struct filter_view *v = data;
    enum result r = read_mailboxes(v);

    if (r == RES_OK)
        *ret = by_id(v, id) != NULL;
    return r;
}

static enum result metadata(void *data, struct str name, struct str entry, struct arena *a, struct str *ret_value)
{
    struct filter_view *v = data;
    const struct mailbox *box;
    enum result r;

    if (name.p == NULL)
        return filter_annotation(v->db, v->account_id, 0, entry, a, ret_value);
    r = read_mailboxes(v);
    if (r != RES_OK)
        return r;
    box = by_name(v, name);
    return box == NULL ? RES_NOTFOUND : filter_annotation(v->db, v->account_id, box->id, entry, a, ret_value);
}

static enum result seen(void *data, struct str key, bool *ret)
{
    struct filter_view *v = data;

    return mark_seen(v->db, v->account_id, MARK_DUPLICATE, key, ret);
}

static enum result include(void *data, bool global, struct str name, const struct sieve_script **ret)
{
    struct filter_view *v = data;
    struct script_ref ref;
    struct filter_script *s;
    enum result r = script_find(v->db, v->account_id, global, name, v->arena, &ref);

    if (r != RES_OK)
        return r;
    if (v->n_includes == FILTER_MAX_INCLUDES)
        return RES_INVALID;
    s = &v->includes[v->n_includes];
    r = filter_acquire(v->db, &ref, s);
    if (r != RES_OK)
        return r;
    v->n_includes++;
    *ret = s->script;
    return s->script != NULL ? RES_OK : RES_INVALID;
}

enum result filter_list_members(struct filter_view *v, struct str list, struct str **ret_v, size_t *ret_n)
{
    if (!str_istarts(list, LIST_PREFIX))
        return RES_NOTFOUND;
    return filter_list(v->db, v->account_id, str_from(list, LIST_PREFIX.len), v->arena, ret_v, ret_n);
}

static enum result list_contains(void *data, struct str list, struct str value, bool *ret)
{
    struct str *members;
    size_t n;
    enum result r = filter_list_members(data, list, &members, &n);

    *ret = false;
    for (size_t i = 0; r == RES_OK && i < n; i++)
        *ret = *ret || str_ieq(members[i], value);
    return r;
}

static enum result list_exists(void *data, struct str list, bool *ret)
{
    struct str *members;
    size_t n;
    enum result r = filter_list_members(data, list, &members, &n);

    *ret = r == RES_OK;
    return r == RES_NOTFOUND ? RES_OK : r;
}

static bool program_exists(void *data, struct str name)
{
    (void)data;
    return program_find(&settings_get()->programs, name) != NULL;
}

const struct sieve_ops filter_ops = {
    .mailbox_exists = mailbox_exists,
    .special_use_exists = special_use_exists,
    .mailbox_id_exists = mailbox_id_exists,
    .metadata = metadata,
    .seen = seen,
    .include = include,
    .list_contains = list_contains,
    .list_exists = list_exists,
    .program_exists = program_exists,
};

void filter_view_release(struct filter_view *v)
{
    for (size_t i = 0; i < v->n_includes; i++)
        filter_release(&v->includes[i]);
    v->n_includes = 0;
}
