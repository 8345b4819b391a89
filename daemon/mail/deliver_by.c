/* mail/deliver_by.c - the BY parameter. */
#include "mail/deliver_by.h"

#define MAX_DIGITS 9

enum result deliver_by_parse(struct str value, int64_t now_us, struct deliver_by *ret)
{
    size_t at = str_chr(value, ';');
    struct str time = str_sub(value, 0, at), mode = at == SIZE_MAX ? STR_NULL : str_from(value, at + 1);
    bool negative = time.len > 0 && time.p[0] == '-';
    struct deliver_by by;
    uint64_t seconds;

    if (negative || (time.len > 0 && time.p[0] == '+'))
        time = str_from(time, 1);
    if (time.len > MAX_DIGITS || !str_u64(time, DELIVER_BY_MAX, &seconds))
        return RES_INVALID;
    if (mode.len == 0 || mode.len > 2 || (mode.len == 2 && ascii_upper(mode.p[1]) != 'T'))
        return RES_INVALID;
    by = (struct deliver_by){ .at_us = now_us + (negative ? -1 : 1) * (int64_t)seconds * 1000000, .trace = mode.len == 2 };
    by.give_back = ascii_upper(mode.p[0]) == 'R';
    if (!by.give_back && ascii_upper(mode.p[0]) != 'N')
        return RES_INVALID;
    if (by.give_back && (negative || seconds == 0))
        return RES_INVALID;
    *ret = by;
    return RES_OK;
}

int64_t deliver_by_left(const struct deliver_by *by, int64_t now_us)
{
    int64_t left = (by->at_us - now_us) / 1000000;

    return MAX(MIN(left, DELIVER_BY_MAX), -DELIVER_BY_MAX);
}

struct str deliver_by_mode(const struct deliver_by *by)
{
    if (by->at_us == 0)
        return STR_NULL;
    return by->give_back ? (by->trace ? STR("RT") : STR("R")) : by->trace ? STR("NT") : STR("N");
}

struct deliver_by deliver_by_of(int64_t at_us, struct str mode)
{
    return (struct deliver_by){ .at_us = at_us, .give_back = mode.len > 0 && mode.p[0] == 'R', .trace = mode.len == 2 };
}
