/* The bytes of an SMTP session as the parsers meet them: lines, commands with their arguments, data up to its end, and
 * chunks of a told length. */
#include "base/macros.h"
#include "base/strbuf.h"
#include "smtp/data.h"
#include "smtp/parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void keep(void *arg, struct str piece)
{
    (void)strbuf_add(arg, piece);
}

static void command(struct str line)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str verb, args;
    struct smtp_path path;
    struct smtp_mail_params mail;
    struct smtp_rcpt_params rcpt;

    if (smtp_parse_command(line, &a, &verb, &args) != RES_OK)
        return;
    (void)smtp_helo_ok(args);
    if (smtp_parse_mail(args, 1000000, &a, &path, &mail) == RES_OK && !path.null && path.domain.len == 0)
        abort(); /* a reverse-path without domain */
    if (smtp_parse_rcpt(args, true, &a, &path, &rcpt) == RES_OK && (path.null || path.text.len == 0))
        abort();
}

/* The chunk behind a BDAT line; what stands behind that.  Where a chunk is cut does not matter. */
static struct str chunk(struct str args, struct str rest)
{
    struct smtp_data whole = { 0 }, halves = { 0 };
    struct str piece;
    uint64_t size;
    bool last;

    if (smtp_parse_bdat(args, &size, &last) != RES_OK)
        return rest;
    if (size > INT64_MAX)
        abort();
    piece = str_sub(rest, 0, (size_t)MIN(size, (uint64_t)rest.len));
    smtp_data_scan(&whole, piece, last);
    smtp_data_scan(&halves, str_sub(piece, 0, piece.len / 2), false);
    smtp_data_scan(&halves, str_from(piece, piece.len / 2), last);
    if (whole.bare != halves.bare || whole.eight_bit != halves.eight_bit || whole.state != halves.state)
        abort();
    return str_from(rest, piece.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct str rest = str_of((const char *)bytes, n);
    struct smtp_data d = { 0 };
    struct strbuf out = { .max = 1 << 20 };
    size_t lf;

    while ((lf = str_chr(rest, '\n')) != SIZE_MAX) {
        struct str line = str_sub(rest, 0, lf);

        rest = str_from(rest, lf + 1);
        command(str_ends(line, STR("\r")) ? str_sub(line, 0, line.len - 1) : line);
        if (str_istarts(line, STR("BDAT ")))
            rest = chunk(str_trim(str_from(line, 5)), rest);
        if (str_istarts(line, STR("DATA"))) {
            size_t half = rest.len / 2;

            d = (struct smtp_data){ 0 };
            strbuf_reset(&out);
            half = smtp_data_feed(&d, str_sub(rest, 0, half), keep, &out);
            half += d.state == DATA_END ? 0 : smtp_data_feed(&d, str_from(rest, half), keep, &out);
            if (out.len > half)
                abort(); /* data never grows */
            rest = str_from(rest, half);
        }
    }
    strbuf_release(&out);
    return 0;
}
