/* spamtest and virustest (RFC 5235). */
#include "sieve/runtime.h"

/* What was not tested is "0", and its count is 0 (RFC 5235, 2.2). */
static bool match_score(struct sieve_run *r, const struct sieve_node *n, int score, bool tested, bool *ret)
{
    struct sieve_matcher m;

    matcher_begin(&m, r, n, n->args[0]);
    if (tested || n->match.type != MATCH_COUNT)
        matcher_value(&m, arena_printf(&r->scratch, "%d", tested ? score : 0));
    return matcher_end(&m, ret);
}

static bool test_spamtest(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    if (node_tag(n, SLOT_PERCENT) != NULL)
        return match_score(r, n, r->env->spam_percent, r->env->spam_percent >= 0 && r->env->spam_score > 0, ret);
    return match_score(r, n, r->env->spam_score, r->env->spam_score > 0, ret);
}

static bool test_virustest(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    return match_score(r, n, r->env->virus_score, r->env->virus_score > 0, ret);
}

static const struct sieve_tag tags[] = {
    { "percent", SLOT_PERCENT, EXT_SPAMTESTPLUS, 0, 0 },
    { 0 },
};

const struct sieve_spec sieve_spam_specs[] = {
    { .name = "spamtest",
      .ext = EXT_SPAMTEST,
      .or_ext = EXT_SPAMTESTPLUS,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "S",
      .tags = { tags },
      .test = test_spamtest },
    { .name = "virustest",
      .ext = EXT_VIRUSTEST,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "S",
      .test = test_virustest },
    { 0 },
};
