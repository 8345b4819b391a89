/* Any bytes as a header field's value: decoding, parameters, encoding and back, the fields of a header. */
#include <assert.h>

#include "mail/charset.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fields laid end to end are the header. */
static void check_fields(struct str header)
{
    struct str rest = header;
    struct header_field f;
    size_t n = 0;

    while (header_next(&rest, &f)) {
        assert(f.raw.len > 0 && f.raw.p == header.p + n);
        n += f.raw.len;
    }
    assert(n <= header_size(header));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str names[] = { { "a", 1 }, { "Subject", 7 } };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf with = { 0 }, without = { 0 };
    struct str value = str_of((const char *)data, size), word, decoded, encoded;
    struct header_param *params;
    size_t n;

    decoded = header_decode(&a, value);
    assert(str_is_utf8(decoded));
    assert(str_chr(decoded, '\n') == SIZE_MAX && str_chr(decoded, '\r') == SIZE_MAX);
    encoded = header_encode(&a, STR("Subject"), decoded);
    assert(str_is_ascii(encoded));
    assert(str_eq(header_decode(&a, encoded), str_trim(decoded)));
    encoded = header_encode_phrase(&a, decoded);
    assert(str_is_ascii(encoded));
    header_params(&a, value, &word, &params, &n);
    assert(n <= HEADER_MAX_PARAMS);
    assert(str_is_utf8(header_param(&a, params, n, STR("filename"))));
    assert(str_is_utf8(header_param(&a, params, n, STR("charset"))));
    check_fields(value);
    assert(header_subset(value, names, 2, false, &with) == RES_OK);
    assert(header_subset(value, names, 2, true, &without) == RES_OK);
    assert(with.len + without.len <= header_size(value) + 2);
    if (size > 2)
        assert(str_is_utf8(charset_to_utf8(&a, str_from(value, 2), header_param(&a, params, n, STR("charset")))));
    return 0;
}
