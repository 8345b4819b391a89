/* The strict scan, and that json-c agrees with what it lets through. */
#include "api/json.h"
#include "api/json_scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str text = str_of((const char *)data, size), error;
    CLEANUP(js_freep) struct json_object *v = NULL;
    const char *why;
    size_t at = 0;

    if (!json_scan(text, &at, &why)) {
        if (at > size || why == NULL)
            abort();
        return 0;
    }
    if (js_parse(text, &a, &v, &error) != RES_OK) /* json-c must not refuse RFC 8259 */
        abort();
    (void)js_text(v, &a);
    return 0;
}
