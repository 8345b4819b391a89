/* Any bytes as a date; what is read can be printed and read again. */
#include <assert.h>

#include "mail/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str text = str_of((const char *)data, size);
    int64_t us, again, day;
    int zone, zone_again;

    if (date_parse(text, &us, &zone) == RES_OK && us > INT64_C(-62135000000000000) &&
        us < INT64_C(253402000000000000)) {
        assert(date_parse(date_print(&a, us, zone), &again, &zone_again) == RES_OK);
        assert(again == us && zone_again == zone);
        assert(date_day(us, zone) == date_day(again, zone));
    }
    if (date_parse_imap_time(text, &us, &zone) == RES_OK)
        assert(date_print_imap_time(&a, us, zone).len == 26);
    if (date_parse_imap(text, &day) == RES_OK) {
        assert(date_parse_imap(date_print_imap(&a, day), &again) == RES_OK || day < -719000 || day > 2932000);
    }
    return 0;
}
