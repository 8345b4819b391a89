/* Two-step sign-in: codes by the clock, and recovery codes. */
#include "auth/activity.h"
#include "auth/letters.h"
#include "auth/ops.h"
#include "auth/throttle.h"
#include "auth/totp.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "io/ipc.h"
#include "store/totp.h"

#define RECOVERY_GROUPS 3
#define RECOVERY_EACH 4

static struct str recovery_hash(struct arena *a, struct str letters)
{
    return hex_encode(a, op_sha256(a, letters));
}

static enum result check_digits(struct db *db, int64_t account_id, struct str code, struct arena *a)
{
    struct str hex, key;
    int64_t step;
    enum result r = totp_key(db, account_id, false, a, &hex);

    if (r == RES_NOTFOUND || (r == RES_OK && hex_decode(a, hex, &key) != RES_OK))
        return RES_DENIED;
    if (r != RES_OK)
        return r;
    return totp_match(key, code, wall_us() / 1000000, &step) ? totp_use_step(db, account_id, step) : RES_DENIED;
}

enum result op_totp_check(struct db *db, int64_t account_id, struct str code, struct arena *a)
{
    /* Of the account alone: whoever knows its password must not guess faster from more networks. */
    struct str who = arena_printf(a, "code of %lld", (long long)account_id), letters;
    enum result r;

    if (throttle_wait_ms(who, STR(""), mono_ms()) > 0)
        return RES_LIMIT;
    if (letters_read(a, code, RECOVERY_GROUPS * RECOVERY_EACH, &letters) == RES_OK)
        r = totp_use_recovery(db, account_id, recovery_hash(a, letters));
    else
        r = check_digits(db, account_id, str_trim(code), a);
    if (r == RES_DENIED)
        throttle_failed(who, STR(""), mono_ms());
    else if (r == RES_OK)
        throttle_succeeded(who, STR(""));
    log_info("sign-in-code", F_INT("account", account_id), F_C("result", result_name(r)));
    return r;
}

enum result op_code_sign_in(struct db *db, struct str in, struct arena *a, struct str *ret)
{
    struct strbuf b = { .max = IPC_MAX_PAYLOAD };
    struct credential_account account;
    struct str ip, hash, code, cookie = op_random(a), csrf = op_random(a);
    bool must_set_password;
    enum result r;

    if (!ipc_get(&in, &ip) || !ipc_get(&in, &hash) || !ipc_get(&in, &code))
        return RES_INVALID;
    r = totp_try(db, hash, a, &account);
    if (r != RES_OK)
        return r;
    r = op_totp_check(db, account.id, code, a);
    if (r == RES_OK || r == RES_DENIED)
        activity_note(account.id, r == RES_OK ? ACTIVITY_OK : ACTIVITY_WRONG_CODE, STR("http"), ip);
    if (r == RES_OK)
        r = totp_pass(db, hash, op_sha256(a, cookie), csrf, &must_set_password);
    if (r != RES_OK)
        return r;
    ipc_put(&b, cookie);
    ipc_put(&b, csrf);
    ipc_put_int(&b, account.id);
    ipc_put_int(&b, must_set_password);
    ipc_put_int(&b, false);
    *ret = op_reply(a, &b);
    return RES_OK;
}

enum result op_totp_state(struct db *db, struct str in, struct arena *a, struct str *ret)
{
    struct strbuf b = { .max = 256 };
    struct totp_state state;
    int64_t account_id;
    enum result r;

    if (!ipc_get_int(&in, &account_id))
        return RES_INVALID;
    r = totp_state(db, account_id, &state);
    if (r != RES_OK)
        return r;
    ipc_put_int(&b, state.since_us);
    ipc_put_int(&b, state.recovery_left);
    *ret = op_reply(a, &b);
    return RES_OK;
}

enum result op_totp_begin(struct db *db, struct str in, struct arena *a, struct str *ret)
{
    struct strbuf b = { .max = 256 };
    char *bytes = arena_alloc(a, TOTP_KEY_BYTES);
    struct str key;
    int64_t account_id;
    enum result r;

    if (!ipc_get_int(&in, &account_id))
        return RES_INVALID;
    random_bytes(bytes, TOTP_KEY_BYTES);
    key = str_of(bytes, TOTP_KEY_BYTES);
    r = totp_begin(db, account_id, hex_encode(a, key));
    if (r != RES_OK)
        return r;
    ipc_put(&b, base32_encode(a, key));
    *ret = op_reply(a, &b);
    return RES_OK;
}

enum result op_totp_confirm(struct db *db, struct str in, struct arena *a, struct str *ret)
{
    struct strbuf b = { .max = 1024 };
    struct str hex, key, code, hashes[TOTP_RECOVERY_CODES];
    int64_t account_id, step;
    enum result r;

    if (!ipc_get_int(&in, &account_id) || !ipc_get(&in, &code))
        return RES_INVALID;
    r = totp_key(db, account_id, true, a, &hex);
    if (r == RES_OK && (hex_decode(a, hex, &key) != RES_OK || !totp_match(key, str_trim(code), wall_us() / 1000000, &step)))
        r = RES_DENIED;
    if (r != RES_OK)
        return r;
    for (size_t i = 0; i < TOTP_RECOVERY_CODES; i++) {
        struct str text = letters_make(a, RECOVERY_GROUPS, RECOVERY_EACH), letters;

        ipc_put(&b, text);
        if (letters_read(a, text, RECOVERY_GROUPS * RECOVERY_EACH, &letters) == RES_OK)
            hashes[i] = recovery_hash(a, letters);
    }
    *ret = op_reply(a, &b);
    return totp_confirm(db, account_id, hex, step, hashes);
}

enum result op_totp_remove(struct db *db, struct str in)
{
    int64_t account_id;

    return ipc_get_int(&in, &account_id) ? totp_remove(db, account_id) : RES_INVALID;
}
