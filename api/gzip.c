#include "api/gzip.h"

#include <stdlib.h>
#include <zlib.h>

#define GZIP_FORM (MAX_WBITS + 16)

struct str gzip_bytes(struct arena *a, struct str bytes)
{
    z_stream z = { 0 };
    size_t max;
    char *out;

    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_FORM, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    max = deflateBound(&z, bytes.len);
    out = arena_alloc(a, max);
    z.next_in = (Bytef *)(uintptr_t)bytes.p;
    z.avail_in = (uInt)bytes.len;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)max;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort(); /* deflateBound promised the room */
    max = z.total_out;
    deflateEnd(&z);
    return max < bytes.len ? str_of(out, max) : STR_NULL;
}

/* The weight of "gzip;q=0.5" is asked only whether it is nought. */
static bool refused(struct str parameters)
{
    size_t q = str_ifind(parameters, STR("q="));

    if (q == SIZE_MAX)
        return false;
    for (q += 2; q < parameters.len; q++) {
        if (parameters.p[q] != '0' && parameters.p[q] != '.')
            return false;
    }
    return true;
}

bool gzip_accepted(const struct request *r)
{
    struct str rest = request_header(r, STR("Accept-Encoding")), one, coding;

    while (str_split(&rest, ',', &one)) {
        if (str_split(&one, ';', &coding) && str_ieq(str_trim(coding), STR("gzip")))
            return !refused(str_trim(one));
    }
    return false;
}
