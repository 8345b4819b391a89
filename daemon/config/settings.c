#include "config/settings.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/strbuf.h"

const struct setting_def setting_defs[] = {
    { "server.hostname", "", "string", "Name of this server in greetings, Received fields and bounces; empty: the system's host name.", false },
    { "server.language", "en", "choice", "Language of bounces where neither account nor domain has one: en or pt-BR.", false },
    { "server.first_steps", "true", "boolean", "Whether Overview lists the first steps that are left.", false },
    { "smtp.max_message_size", "50 MiB", "size", "Largest message that is accepted.", false },
    { "smtp.max_recipients", "1000", "integer", "Most recipients of one message.", false },
    { "smtp.max_messages", "0", "integer", "Most messages of one session; 0: any number.", false },
    { "smtp.max_recipient_domains", "0", "integer", "Most different domains of recipients in one session; 0: any number.", false },
    { "smtp.max_transaction_size", "256 MiB", "size", "Most that one message may take in all its recipients' mailboxes together.", false },
    { "smtp.relay_networks", "", "networks", "Networks whose clients may send to any domain through port 25 without signing in.", false },
    { "smtp.auth_on_25", "false", "boolean", "Whether clients may sign in on port 25, under TLS.", false },
    { "smtp.sender_check", "header", "choice", "What of a signed-in client must be an address of its account: header (envelope and From), envelope, or off.", false },
    { "smtp.trusted_users", "", "string", "Unix users whose programs may name any sender to the local socket (sendmail -f), as root may.", false },
    { "auth.cleartext", "loopback", "cleartext", "Where a password may come without TLS: never, loopback or always, and networks behind it.", false },
    { "auth.app_passwords_with_totp", "true", "boolean", "Whether programs of an account with two-step sign-in need an app password.", false },
    { "queue.retry_schedule", "1m 5m 15m 30m 1h 2h 4h", "duration-list", "Delay after each failed attempt; the last one repeats.", false },
    { "queue.expire", "5d", "duration", "How long a message waits before it is returned to its sender.", false },
    { "queue.delay_notice", "4h", "duration", "After how long the sender is told, once, that a message is late; 0s: never.", false },
    { "quota.full_reply", "452", "choice", "What mail for a full mailbox is answered: 452 (the sender's server tries again) or 552 (it is returned).", false },
    { "quota.grace", "0", "size", "How far one last message may take a mailbox over its quota.", false },
    { "quota.apart", "false", "boolean", "Whether Junk and Trash are counted apart from the rest of a mailbox, against the same quota.", false },
    { "trace.keep", "30d", "duration", "How long the trace of a message is kept, in whole days.", false },
    { "trace.keep_refused", "7d", "duration", "How long the trace of a refusal is kept, in whole days.", false },
    { "accounts.keep_deleted", "7d", "duration", "How long a deleted account or domain can be restored; then its mail goes.", false },
    { "accounts.notify_owner", "true", "boolean", "Whether a letter tells people of a new password or app password, of two-step sign-in switched off and of sign-ins from a new network.", false },
    { "accounts.recipients_per_hour", "0", "integer", "Recipients that an account may send to in an hour; 0: no limit.", false },
    { "accounts.recipients_per_day", "0", "integer", "Recipients that an account may send to in a day; 0: no limit.", false },
    { "relay.routes", "", "routes", "Smart hosts: domain=[host]:port,tls=must,user=u,password-file=/path; * is every other domain.", false },
    { "mda.users", "", "string", "Unix users as whom mail may be delivered into files and to programs; never root.", false },
    { "mda.programs", "", "string", "Programs that aliases and filters may name: name=user:/path arguments; name2=...", false },
    { "mda.time_limit", "5m", "duration", "How long one delivery into a file or to a program may take.", false },
    { "mda.forward_files", "false", "boolean", "Whether the .forward file of a mailbox's Unix user is followed.", false },
};
const size_t setting_defs_count = ARRAY_LEN(setting_defs);

const struct setting_def *setting_def_find(struct str key)
{
    for (size_t i = 0; i < setting_defs_count; i++) {
        if (str_eq(key, str_c(setting_defs[i].key)))
            return &setting_defs[i];
    }
    return NULL;
}

/* ---- one value ---- */

static struct str print_duration(struct arena *a, uint64_t s)
{
    static const struct { uint64_t seconds; const char *unit; } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" } };

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (s > 0 && s % units[i].seconds == 0)
            return arena_printf(a, "%llu%s", (unsigned long long)(s / units[i].seconds), units[i].unit);
    }
    return arena_printf(a, "%llus", (unsigned long long)s);
}

static struct str print_size(struct arena *a, uint64_t bytes)
{
    static const char *const units[] = { "", " KiB", " MiB", " GiB", " TiB" };
    size_t i = 0;

    while (bytes > 0 && bytes % 1024 == 0 && i + 1 < ARRAY_LEN(units)) {
        bytes /= 1024;
        i++;
    }
    return arena_printf(a, "%llu%s", (unsigned long long)bytes, units[i]);
}

static bool hostname_ok(struct str s)
{
    if (s.len == 0 || s.len > 253)
        return s.len == 0;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '.')
            return false;
    }
    return s.p[0] != '.' && s.p[0] != '-' && s.p[s.len - 1] != '.' && str_find(s, STR("..")) == SIZE_MAX;
}

static enum result check_durations(struct str value, struct arena *a, struct settings *s, struct str *ret_value,
                                   struct str *ret_error)
{
    struct strbuf out = { .max = 4096 };
    struct str word;
    uint64_t seconds;

    s->retries = 0;
    while (str_word(&value, &word)) {
        if (!str_duration(word, &seconds) || seconds < 1 || seconds > 30 * 86400) {
            *ret_error = arena_printf(a, "\"%.*s\" is not a duration from 1s to 30d.", STR_ARG(str_sub(word, 0, 40)));
            goto bad;
        }
        if (s->retries == SETTINGS_MAX_RETRIES) {
            *ret_error = arena_printf(a, "There are more than %d durations.", SETTINGS_MAX_RETRIES);
            goto bad;
        }
        s->retry_s[s->retries++] = (int64_t)seconds;
        if (out.len > 0)
            strbuf_addc(&out, ' ');
        strbuf_add(&out, print_duration(a, seconds));
    }
    if (s->retries == 0) {
        *ret_error = STR("At least one duration is needed.");
        goto bad;
    }
    *ret_value = arena_str(a, strbuf_str(&out));
    strbuf_release(&out);
    return RES_OK;
bad:
    strbuf_release(&out);
    return RES_INVALID;
}

static enum result take_duration(struct str value, uint64_t least, uint64_t most, struct arena *a, int64_t *ret,
                                 struct str *ret_value, struct str *ret_error)
{
    uint64_t seconds;

    if (!str_duration(value, &seconds) || seconds < least || seconds > most) {
        *ret_error = arena_printf(a, "This is not a duration from %.*s to %.*s.", STR_ARG(print_duration(a, least)),
                                  STR_ARG(print_duration(a, most)));
        return RES_INVALID;
    }
    *ret = (int64_t)seconds;
    *ret_value = print_duration(a, seconds);
    return RES_OK;
}

static enum result take_count(struct str value, uint64_t most, int64_t *ret, struct str *ret_error)
{
    uint64_t n;

    *ret_error = STR("This is not a number, or too large.");
    if (!str_u64(value, most, &n))
        return RES_INVALID;
    *ret = (int64_t)n;
    return RES_OK;
}

static enum result take_size(struct str value, uint64_t least, uint64_t most, struct arena *a, int64_t *ret,
                             struct str *ret_value, struct str *ret_error)
{
    uint64_t bytes;

    if (!str_size(value, &bytes) || bytes < least || bytes > most) {
        *ret_error = arena_printf(a, "This is not a size from %.*s to %.*s.", STR_ARG(print_size(a, least)),
                                  STR_ARG(print_size(a, most)));
        return RES_INVALID;
    }
    *ret = (int64_t)bytes;
    *ret_value = print_size(a, bytes);
    return RES_OK;
}

static enum result take_boolean(struct str value, bool *ret, struct str *ret_value, struct str *ret_error)
{
    *ret = str_eq(value, STR("true")) || str_eq(value, STR("on"));
    if (!*ret && !str_eq(value, STR("false")) && !str_eq(value, STR("off"))) {
        *ret_error = STR("This is neither true nor false.");
        return RES_INVALID;
    }
    *ret_value = *ret ? STR("true") : STR("false");
    return RES_OK;
}

static enum result take_networks(struct str value, struct arena *a, struct network_list *ret, struct str *ret_error)
{
    struct str bad;

    if (network_list_parse(value, a, ret, &bad) == RES_OK)
        return RES_OK;
    *ret_error = arena_printf(a, "\"%.*s\" is not a network such as 192.0.2.0/24.", STR_ARG(str_sub(bad, 0, 60)));
    return RES_INVALID;
}

static enum result take_cleartext(struct str value, struct arena *a, struct settings *s, struct str *ret_error)
{
    struct str rest = value, word;

    if (!str_word(&rest, &word))
        word = STR("");
    if (str_eq(word, STR("never")))
        s->cleartext = CLEARTEXT_NEVER;
    else if (str_eq(word, STR("loopback")))
        s->cleartext = CLEARTEXT_LOOPBACK;
    else if (str_eq(word, STR("always")))
        s->cleartext = CLEARTEXT_ALWAYS;
    else {
        *ret_error = STR("The first word is never, loopback or always.");
        return RES_INVALID;
    }
    return take_networks(rest, a, &s->cleartext_networks, ret_error);
}

static enum result take_sender_check(struct str value, struct settings *s, struct str *ret_error)
{
    *ret_error = STR("This is not header, envelope or off.");
    s->sender_check = str_eq(value, STR("header"))     ? SENDER_HEADER
                      : str_eq(value, STR("envelope")) ? SENDER_ENVELOPE
                                                       : SENDER_ANY;
    return s->sender_check != SENDER_ANY || str_eq(value, STR("off")) ? RES_OK : RES_INVALID;
}

static enum result take_limit(struct str value, int64_t *ret, struct str *ret_error)
{
    uint64_t n;

    *ret_error = STR("This is not a number from 0 to 1000000.");
    if (!str_u64(value, 1000000, &n))
        return RES_INVALID;
    *ret = (int64_t)n;
    return RES_OK;
}

static enum result take_full_reply(struct str value, struct settings *s, struct str *ret_error)
{
    *ret_error = STR("This is neither 452 nor 552.");
    s->quota_full_final = str_eq(value, STR("552"));
    return s->quota_full_final || str_eq(value, STR("452")) ? RES_OK : RES_INVALID;
}

/* Puts the value of `key` into *s, in canonical form into *ret_value (which holds the trimmed text beforehand). */
static enum result take(struct str key, struct arena *a, struct settings *s, struct str *ret_value, struct str *ret_error)
{
    struct str value = *ret_value;
    uint64_t n;

    if (str_eq(key, STR("server.hostname"))) {
        *ret_error = STR("This is not a host name.");
        s->hostname = value;
        return hostname_ok(value) ? RES_OK : RES_INVALID;
    }
    if (str_eq(key, STR("server.language"))) {
        *ret_error = STR("The language is en or pt-BR.");
        s->language = value;
        return str_eq(value, STR("en")) || str_eq(value, STR("pt-BR")) ? RES_OK : RES_INVALID;
    }
    if (str_eq(key, STR("server.first_steps")))
        return take_boolean(value, &s->first_steps, ret_value, ret_error);
    if (str_eq(key, STR("smtp.max_message_size")))
        return take_size(value, 65536, INT64_C(1) << 30, a, &s->max_message_size, ret_value, ret_error);
    if (str_eq(key, STR("smtp.max_transaction_size")))
        return take_size(value, 65536, INT64_C(1) << 36, a, &s->max_transaction_size, ret_value, ret_error);
    if (str_eq(key, STR("smtp.max_recipients"))) {
        *ret_error = STR("This is not a number from 100 to 10000."); /* RFC 5321, 4.5.3.1.8: at least 100 */
        if (!str_u64(value, 10000, &n) || n < 100)
            return RES_INVALID;
        s->max_recipients = (int64_t)n;
        return RES_OK;
    }
    if (str_eq(key, STR("smtp.max_messages")))
        return take_count(value, 1000000, &s->max_messages, ret_error);
    if (str_eq(key, STR("smtp.max_recipient_domains")))
        return take_count(value, 10000, &s->max_recipient_domains, ret_error);
    if (str_eq(key, STR("smtp.relay_networks")))
        return take_networks(value, a, &s->relay_networks, ret_error);
    if (str_eq(key, STR("smtp.auth_on_25")))
        return take_boolean(value, &s->auth_on_25, ret_value, ret_error);
    if (str_eq(key, STR("smtp.sender_check")))
        return take_sender_check(value, s, ret_error);
    if (str_eq(key, STR("auth.cleartext")))
        return take_cleartext(value, a, s, ret_error);
    if (str_eq(key, STR("auth.app_passwords_with_totp")))
        return take_boolean(value, &s->app_passwords_with_totp, ret_value, ret_error);
    if (str_eq(key, STR("queue.retry_schedule")))
        return check_durations(value, a, s, ret_value, ret_error);
    if (str_eq(key, STR("queue.expire")))
        return take_duration(value, 60, 60 * 86400, a, &s->expire_s, ret_value, ret_error);
    if (str_eq(key, STR("queue.delay_notice")))
        return take_duration(value, 0, 30 * 86400, a, &s->delay_notice_s, ret_value, ret_error);
    if (str_eq(key, STR("quota.full_reply")))
        return take_full_reply(value, s, ret_error);
    if (str_eq(key, STR("quota.grace")))
        return take_size(value, 0, INT64_C(1) << 30, a, &s->quota_grace, ret_value, ret_error);
    if (str_eq(key, STR("quota.apart")))
        return take_boolean(value, &s->quota_apart, ret_value, ret_error);
    if (str_eq(key, STR("trace.keep")))
        return take_duration(value, 86400, 400 * 86400, a, &s->trace_keep_s, ret_value, ret_error);
    if (str_eq(key, STR("trace.keep_refused")))
        return take_duration(value, 86400, 400 * 86400, a, &s->trace_keep_refused_s, ret_value, ret_error);
    if (str_eq(key, STR("accounts.keep_deleted")))
        return take_duration(value, 0, 365 * 86400, a, &s->keep_deleted_s, ret_value, ret_error);
    if (str_eq(key, STR("accounts.notify_owner")))
        return take_boolean(value, &s->notify_owner, ret_value, ret_error);
    if (str_eq(key, STR("accounts.recipients_per_hour")))
        return take_limit(value, &s->recipients_per_hour, ret_error);
    if (str_eq(key, STR("accounts.recipients_per_day")))
        return take_limit(value, &s->recipients_per_day, ret_error);
    if (str_eq(key, STR("relay.routes")))
        return relay_route_list_parse(value, a, &s->relay_routes, ret_error);
    if (str_eq(key, STR("smtp.trusted_users")))
        return unix_users_parse(value, a, &s->trusted_users, ret_error);
    if (str_eq(key, STR("mda.users")))
        return unix_users_parse(value, a, &s->unix_users, ret_error);
    if (str_eq(key, STR("mda.programs")))
        return programs_parse(value, a, &s->programs, ret_error);
    if (str_eq(key, STR("mda.time_limit")))
        return take_duration(value, 1, 3600, a, &s->mda_time_s, ret_value, ret_error);
    if (str_eq(key, STR("mda.forward_files")))
        return take_boolean(value, &s->forward_files, ret_value, ret_error);
    return RES_NOTFOUND;
}

enum result setting_check(struct str key, struct str value, struct arena *a, struct str *ret_value, struct str *ret_error)
{
    struct settings scratch = { 0 };
    struct str canonical = arena_str(a, str_trim(value));
    enum result r;

    if (value.len > 65536 || !str_is_utf8(value)) {
        *ret_error = STR("The value is too long or not UTF-8 text.");
        return setting_def_find(key) != NULL ? RES_INVALID : RES_NOTFOUND;
    }
    for (size_t i = 0; i < canonical.len; i++) {
        if ((unsigned char)canonical.p[i] < ' ') {
            *ret_error = STR("The value holds a control character.");
            return setting_def_find(key) != NULL ? RES_INVALID : RES_NOTFOUND;
        }
    }
    r = take(key, a, &scratch, &canonical, ret_error);

    if (r == RES_OK)
        *ret_value = canonical;
    return r;
}

void settings_build(struct arena *a, const struct str *keys, const struct str *values, size_t n, struct settings *ret)
{
    struct settings s = { 0 };
    struct str value, error;

    for (size_t i = 0; i < setting_defs_count; i++) {
        value = str_c(setting_defs[i].default_value);
        (void)!take(str_c(setting_defs[i].key), a, &s, &value, &error);
    }
    for (size_t i = 0; i < n; i++) {
        enum result r = setting_check(keys[i], values[i], a, &value, &error);

        if (r == RES_OK)
            (void)!take(keys[i], a, &s, &value, &error);
        else
            log_error("setting-refused", F_STR("key", keys[i]), F_STR("why", r == RES_NOTFOUND ? STR("unknown") : error));
    }
    *ret = s;
}

/* ---- the current ones ---- */

static struct settings *current;
static struct arena current_arena;

const struct settings *settings_get(void)
{
    if (current == NULL) {
        struct settings *s = arena_new(&current_arena, struct settings);

        settings_build(&current_arena, NULL, NULL, 0, s);
        current = s;
    }
    return current;
}

void settings_install(struct settings *s, struct arena *a)
{
    arena_reset(&current_arena);
    current_arena = *a;
    *a = (struct arena){ 0 };
    current = s;
}

bool settings_cleartext_allowed(const struct settings *s, const struct sockaddr *peer)
{
    if (s->cleartext == CLEARTEXT_ALWAYS || (s->cleartext == CLEARTEXT_LOOPBACK && network_is_loopback(peer)))
        return true;
    return network_list_contains(&s->cleartext_networks, peer);
}
