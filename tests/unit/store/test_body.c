/* How messages are cut into frames. */
#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "store/body.h"

static const struct {
    const char *name;
    uint64_t size, header_size;
    unsigned frames;
} shapes[] = {
    { "empty", 0, 0, 1 },
    { "small", 100, 10, 1 },
    { "largest single", BODY_SINGLE_MAX, 10, 1 },
    { "smallest of two", BODY_SINGLE_MAX + 1, 10, 2 },
    { "one full frame", BODY_FRAME_MAX + 10, 10, 2 },
    { "one byte more", BODY_FRAME_MAX + 11, 10, 3 },
    { "all header", 20000, 20000, 1 },
    { "all header, large", 1000000, 1000000, 4 },
    { "header over a frame", 600000, 300000, 3 },
    { "no header", 20000, 0, 2 },
};

/* The frames lie end to end, every byte is found in its frame, and all comes back. */
static void test_shapes(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct body_shape shape = body_shape_of(shapes[i].size, shapes[i].header_size);
        char *text = arena_alloc(&a, shapes[i].size + 1), *back = arena_alloc(&a, shapes[i].size + 1);
        struct str *frames = NULL;
        size_t n = 0;
        uint64_t at = 0;

        if (shape.frames != shapes[i].frames)
            fail_msg("%s: %u frames", shapes[i].name, shape.frames);
        for (uint64_t k = 0; k < shapes[i].size; k++)
            text[k] = (char)(k * 7 + k / 251);
        body_frames(&a, str_of(text, shapes[i].size), shapes[i].header_size, &frames, &n);
        assert_int_equal(n, shape.frames);
        for (unsigned f = 0; f < n; f++) {
            uint64_t from, len;
            unsigned first, last;

            body_frame_range(&shape, f, &from, &len);
            assert_int_equal(from, at);
            at += len;
            if (len > 0) {
                body_frames_of(&shape, from, len, &first, &last);
                assert_true(first == f && last == f);
            }
            assert_int_equal(body_unpack(frames[f], back + from, len), RES_OK);
            assert_int_equal(body_unpack(frames[f], back + from, len + 1), RES_INVALID);
        }
        assert_int_equal(at, shapes[i].size);
        assert_memory_equal(text, back, shapes[i].size);
    }
}

static void test_ranges(void **state UNUSED)
{
    struct body_shape shape = body_shape_of(BODY_FRAME_MAX * 3 + 100, 100);
    unsigned first, last;

    body_frames_of(&shape, 0, shape.size, &first, &last);
    assert_true(first == 0 && last == 3);
    body_frames_of(&shape, 99, 2, &first, &last);
    assert_true(first == 0 && last == 1);
    body_frames_of(&shape, 100 + BODY_FRAME_MAX - 1, 1, &first, &last);
    assert_true(first == 1 && last == 1);
    body_frames_of(&shape, 100 + BODY_FRAME_MAX, BODY_FRAME_MAX + 1, &first, &last);
    assert_true(first == 2 && last == 3);
    body_frames_of(&shape, shape.size, 0, &first, &last);
    assert_true(first == 3 && last == 3);
}

static void test_damage(void **state UNUSED)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str frame = body_pack(&a, STR("hello hello hello hello hello"));
    char out[29];

    assert_int_equal(body_unpack(frame, out, sizeof(out)), RES_OK);
    for (size_t cut = 0; cut < frame.len; cut++)
        assert_int_equal(body_unpack(str_of(frame.p, cut), out, sizeof(out)), RES_INVALID);
    assert_int_equal(body_unpack(STR("not a frame at all, really"), out, sizeof(out)), RES_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shapes), cmocka_unit_test(test_ranges),
                                        cmocka_unit_test(test_damage) };

    return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
