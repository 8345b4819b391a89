#include "base/result.h"

const char *result_name(enum result r)
{
    switch (r) {
    case RES_OK:
        return "ok";
    case RES_NOTFOUND:
        return "notfound";
    case RES_EXISTS:
        return "exists";
    case RES_INVALID:
        return "invalid";
    case RES_LIMIT:
        return "limit";
    case RES_DENIED:
        return "denied";
    case RES_CONFLICT:
        return "conflict";
    case RES_TEMPFAIL:
        return "tempfail";
    case RES_CLOSED:
        return "closed";
    case RES_TIMEOUT:
        return "timeout";
    case RES_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}
