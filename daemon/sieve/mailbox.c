/* Questions about mailboxes and annotations (RFC 5490; RFC 8579, 4; RFC 9042, 4). */
#include "sieve/runtime.h"

/* The answer of a callback to a question about one name. */
static bool answer(struct sieve_run *r, const struct sieve_node *n, enum result got, bool *ret)
{
    *ret = *ret && got == RES_OK;
    return run_callback(r, got, RES_NOTFOUND) && run_question(r, n);
}

static bool test_mailboxexists(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    const struct sieve_ops *ops = r->env->ops;
    struct str *names = run_list(r, n->args[0]);

    *ret = true;
    for (size_t i = 0; i < n->args[0]->n && *ret; i++) {
        enum result got = RES_NOTFOUND;

        if (ops != NULL && ops->mailbox_exists != NULL)
            got = ops->mailbox_exists(r->env->data, names[i], ret);
        if (!answer(r, n, got, ret))
            return false;
    }
    return true;
}

static bool test_mailboxidexists(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    const struct sieve_ops *ops = r->env->ops;
    struct str *ids = run_list(r, n->args[0]);

    *ret = true;
    for (size_t i = 0; i < n->args[0]->n && *ret; i++) {
        enum result got = RES_NOTFOUND;

        if (ops != NULL && ops->mailbox_id_exists != NULL)
            got = ops->mailbox_id_exists(r->env->data, ids[i], ret);
        if (!answer(r, n, got, ret))
            return false;
    }
    return true;
}

static bool test_specialuse(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    const struct sieve_ops *ops = r->env->ops;
    struct str mailbox = run_arg(r, n->args[0]), *uses = run_list(r, n->args[1]);

    *ret = true;
    for (size_t i = 0; i < n->args[1]->n && *ret; i++) {
        enum result got = RES_NOTFOUND;

        if (ops != NULL && ops->special_use_exists != NULL)
            got = ops->special_use_exists(r->env->data, mailbox, uses[i], ret);
        if (!answer(r, n, got, ret))
            return false;
    }
    return true;
}

/* One annotation; *ret STR_NULL: there is none. */
static bool ask(struct sieve_run *r, const struct sieve_node *n, struct str mailbox, struct str name, struct str *ret)
{
    const struct sieve_ops *ops = r->env->ops;
    enum result got = RES_NOTFOUND;

    *ret = STR_NULL;
    if (!run_question(r, n))
        return false;
    if (ops != NULL && ops->metadata != NULL)
        got = ops->metadata(r->env->data, mailbox, name, &r->scratch, ret);
    if (got != RES_OK)
        *ret = STR_NULL;
    return run_callback(r, got, RES_NOTFOUND);
}

static bool match_annotation(struct sieve_run *r, const struct sieve_node *n, struct str mailbox, struct str name,
                             const struct sieve_arg *keys, bool *ret)
{
    struct sieve_matcher m;
    struct str value;

    if (!ask(r, n, mailbox, name, &value))
        return false;
    matcher_begin(&m, r, n, keys);
    if (value.p != NULL)
        matcher_value(&m, value);
    return matcher_end(&m, ret);
}

static bool test_metadata(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    return match_annotation(r, n, run_arg(r, n->args[0]), run_arg(r, n->args[1]), n->args[2], ret);
}

static bool test_servermetadata(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    return match_annotation(r, n, STR_NULL, run_arg(r, n->args[0]), n->args[1], ret);
}

static bool all_annotations(struct sieve_run *r, const struct sieve_node *n, struct str mailbox,
                            const struct sieve_arg *names, bool *ret)
{
    struct str *list = run_list(r, names), value;

    *ret = true;
    for (size_t i = 0; i < names->n && *ret; i++) {
        if (!ask(r, n, mailbox, list[i], &value))
            return false;
        *ret = value.p != NULL;
    }
    return true;
}

static bool test_metadataexists(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    return all_annotations(r, n, run_arg(r, n->args[0]), n->args[1], ret);
}

static bool test_servermetadataexists(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    return all_annotations(r, n, STR_NULL, n->args[0], ret);
}

const struct sieve_spec sieve_mailbox_specs[] = {
    { .name = "mailboxexists", .ext = EXT_MAILBOX, .flags = SPEC_TEST, .args = "L", .test = test_mailboxexists },
    { .name = "mailboxidexists", .ext = EXT_MAILBOXID, .flags = SPEC_TEST, .args = "L", .test = test_mailboxidexists },
    { .name = "specialuse_exists", .ext = EXT_SPECIAL_USE, .flags = SPEC_TEST, .args = "sL", .test = test_specialuse },
    { .name = "metadata",
      .ext = EXT_MBOXMETADATA,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "SSL",
      .test = test_metadata },
    { .name = "metadataexists",
      .ext = EXT_MBOXMETADATA,
      .flags = SPEC_TEST,
      .args = "SL",
      .test = test_metadataexists },
    { .name = "servermetadata",
      .ext = EXT_SERVERMETADATA,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "SL",
      .test = test_servermetadata },
    { .name = "servermetadataexists",
      .ext = EXT_SERVERMETADATA,
      .flags = SPEC_TEST,
      .args = "L",
      .test = test_servermetadataexists },
    { 0 },
};
