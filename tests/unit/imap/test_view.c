/* The session's view: numbers, sets, changes. */
#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "imap/view.h"

static struct view *make(const uint32_t *uids, size_t n)
{
    struct view *view = view_new();

    view->first_recent = INT64_MAX;
    for (size_t i = 0; i < n; i++) {
        const struct message_state m = { .uid = uids[i], .flags = 0, .modseq = (int64_t)i + 1 };

        assert_int_equal(view_put(view, &m, false), RES_OK);
    }
    view->told = view->n;
    return view;
}

static const struct {
    const char *name;
    bool uid;
    struct imap_range ranges[3];
    size_t n;
    enum result result;
    const char *spans; /* of the messages 10 20 30 40 50 */
} sets[] = {
    { "one", false, { { 2, 2 } }, 1, RES_OK, "1-1 " },
    { "backwards", false, { { 4, 2 } }, 1, RES_OK, "1-3 " },
    { "star", false, { { 0, 0 } }, 1, RES_OK, "4-4 " },
    { "to star", false, { { 2, 0 } }, 1, RES_OK, "1-4 " },
    { "behind the end to star", false, { { 9, 0 } }, 1, RES_OK, "4-4 " },
    { "overlap and order", false, { { 4, 5 }, { 1, 2 }, { 2, 4 } }, 3, RES_OK, "0-4 " },
    { "gap", false, { { 5, 5 }, { 1, 1 } }, 2, RES_OK, "0-0 4-4 " },
    { "no such number", false, { { 6, 6 } }, 1, RES_INVALID, "" },
    { "no such end", false, { { 1, 6 } }, 1, RES_INVALID, "" },
    { "uid", true, { { 20, 20 } }, 1, RES_OK, "1-1 " },
    { "uids that are not there", true, { { 21, 29 }, { 99, 99 } }, 2, RES_OK, "" },
    { "uid range", true, { { 15, 45 } }, 1, RES_OK, "1-3 " },
    { "uid star", true, { { 0, 0 } }, 1, RES_OK, "4-4 " },
    { "uid behind the end to star", true, { { 900, 0 } }, 1, RES_OK, "4-4 " },
    { "largest uid", true, { { 1, UINT32_MAX } }, 1, RES_OK, "0-4 " },
};

static void test_sets(void **state UNUSED)
{
    static const uint32_t uids[] = { 10, 20, 30, 40, 50 };
    struct view *view = make(uids, ARRAY_LEN(uids));

    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct imap_range ranges[3];
        struct imap_set set = { ranges, sets[i].n };
        struct view_spans spans = { 0 };
        struct str text = STR("");

        memcpy(ranges, sets[i].ranges, sizeof(ranges));
        assert_int_equal(view_resolve(view, &a, &set, sets[i].uid, &spans), sets[i].result);
        for (size_t k = 0; k < spans.n; k++)
            text = arena_printf(&a, "%.*s%zu-%zu ", STR_ARG(text), spans.v[k].first, spans.v[k].last);
        if (!str_eq(text, str_c(sets[i].spans)))
            fail_msg("%s: %.*s", sets[i].name, STR_ARG(text));
    }
    view_free(view);
}

static void test_empty(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct imap_range all = { 1, 0 }, one = { 1, 1 };
    struct imap_set set = { &all, 1 };
    struct view *view = make(NULL, 0);
    struct view_spans spans = { 0 };

    assert_int_equal(view_resolve(view, &a, &set, true, &spans), RES_OK);
    assert_int_equal(spans.n, 0);
    assert_int_equal(view_resolve(view, &a, &set, false, &spans), RES_OK);
    assert_int_equal(spans.n, 0);
    set.v = &one;
    assert_int_equal(view_resolve(view, &a, &set, false, &spans), RES_INVALID);
    view_free(view);
}

static void test_gone_keeps_its_number(void **state UNUSED)
{
    static const uint32_t uids[] = { 1, 2, 3, 4 };
    struct view *view = make(uids, ARRAY_LEN(uids));

    view_mark_gone(view, 2);
    view_mark_gone(view, 2);
    view_mark_gone(view, 99);
    assert_int_equal(view->ngone, 1);
    assert_int_equal(view_find(view, 3), 2);
    view_drop_gone(view);
    assert_int_equal(view->n, 3);
    assert_int_equal(view->told, 3);
    assert_int_equal(view_find(view, 3), 1);
    assert_int_equal(view_find(view, 2), SIZE_MAX);
    view_free(view);
}

static void test_new_ones_are_not_counted_as_told(void **state UNUSED)
{
    static const uint32_t uids[] = { 1, 2 };
    struct view *view = make(uids, ARRAY_LEN(uids));
    const struct message_state m = { .uid = 3, .modseq = 9 };

    view_set_recent(view, 3);
    assert_int_equal(view->nrecent, 0);
    assert_int_equal(view_put(view, &m, true), RES_OK);
    assert_int_equal(view->nrecent, 1);
    view_mark_gone(view, 1);
    view_drop_gone(view);
    assert_int_equal(view->told, 1);
    assert_int_equal(view->n, 2);
    view_free(view);
}

static void test_changes(void **state UNUSED)
{
    static const uint32_t uids[] = { 1, 2 };
    static const int64_t kw[] = { 3, 7 };
    struct view *view = make(uids, ARRAY_LEN(uids));
    struct message_state m = { .uid = 2, .flags = FLAG_SEEN, .modseq = 5, .keywords = kw, .nkeywords = 2 };
    size_t n = 0;

    assert_int_equal(view_put(view, &m, true), RES_OK);
    assert_int_equal(view->nchanged, 1);
    assert_int_equal(view->max_keyword, 7);
    assert_memory_equal(view_keywords(view, &view->v[1], &n), kw, sizeof(kw));
    assert_int_equal(n, 2);
    view_told_flags(view, 1);
    assert_int_equal(view->nchanged, 0);
    m.modseq = 6;
    assert_int_equal(view_put(view, &m, true), RES_OK); /* nothing that one could see */
    assert_int_equal(view->nchanged, 0);
    assert_int_equal(view->v[1].modseq, 6);
    m.nkeywords = 1;
    assert_int_equal(view_put(view, &m, true), RES_OK);
    assert_int_equal(view->nchanged, 1);
    view_mark_gone(view, 2);
    assert_int_equal(view->nchanged, 0);
    m.uid = 1;
    m.flags = FLAG_DRAFT;
    assert_int_equal(view_put(view, &m, false), RES_OK);
    assert_int_equal(view->nchanged, 0);
    view_free(view);
}

/* Thousands of different keyword sets, each found again. */
static void test_keyword_sets(void **state UNUSED)
{
    struct view *view = make(NULL, 0);

    for (uint32_t i = 1; i <= 5000; i++) {
        int64_t kw[2] = { i % 1000 + 1, i % 1000 + 2000 };
        const struct message_state m = { .uid = i, .keywords = kw, .nkeywords = 2 };

        assert_int_equal(view_put(view, &m, false), RES_OK);
    }
    assert_int_equal(view->nsets, 1001);
    for (uint32_t i = 0; i < 5000; i++) {
        size_t n = 0;

        assert_int_equal(view_keywords(view, &view->v[i], &n)[0], (i + 1) % 1000 + 1);
        assert_int_equal(n, 2);
    }
    view_free(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_gone_keeps_its_number),
        cmocka_unit_test(test_new_ones_are_not_counted_as_told),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_keyword_sets),
    };

    return cmocka_run_group_tests_name("imap_view", tests, NULL, NULL);
}
