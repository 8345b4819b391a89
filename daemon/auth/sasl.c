#include "auth/sasl.h"
#include "base/encode.h"

enum result sasl_plain(struct arena *a, struct str response, struct str *ret_user, struct str *ret_password)
{
    struct str message, authzid, user;
    size_t first, second;
    enum result r = base64_decode(a, response, &message);

    if (r != RES_OK)
        return r;
    first = str_chr(message, '\0');
    if (first == SIZE_MAX)
        return RES_INVALID;
    second = str_chr(str_from(message, first + 1), '\0');
    if (second == SIZE_MAX)
        return RES_INVALID;
    authzid = str_sub(message, 0, first);
    user = str_sub(message, first + 1, second);
    if (user.len == 0 || str_chr(str_from(message, first + second + 2), '\0') != SIZE_MAX)
        return RES_INVALID;
    if (authzid.len > 0 && !str_ieq(authzid, user))
        return RES_DENIED;
    *ret_user = user;
    *ret_password = str_from(message, first + second + 2);
    return RES_OK;
}
