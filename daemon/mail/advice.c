/* mail/advice.c - replies as advice. */
#include "mail/advice.h"
#include "base/macros.h"

#include <stdlib.h>

#define MAX_TEXT ((size_t)1000) /* of a reply that is looked at */

struct str attempt_phase_name(enum attempt_phase phase)
{
    static const struct str names[PHASES] = {
        [PHASE_DNS] = STR("dns"),   [PHASE_CONNECT] = STR("connect"), [PHASE_TLS] = STR("tls"),
        [PHASE_GREETING] = STR("greeting"), [PHASE_EHLO] = STR("ehlo"), [PHASE_AUTH] = STR("auth"),
        [PHASE_MAIL] = STR("mail"), [PHASE_RCPT] = STR("rcpt"),       [PHASE_DATA] = STR("data"),
        [PHASE_BODY] = STR("body"),
    };

    return names[phase];
}

struct str advice_actor_name(enum advice_actor actor)
{
    static const struct str names[] = { [ADVICE_NOBODY] = STR("nobody"), [ADVICE_YOU] = STR("you"),
                                        [ADVICE_RECIPIENT] = STR("recipient"), [ADVICE_REMOTE_ADMIN] = STR("remote_admin"),
                                        [ADVICE_ADMIN] = STR("admin") };

    return names[actor];
}

/* In order of id. */
static const struct advice advices[] = {
    { "account-frozen", ADVICE_ADMIN, true },
    { "attachment-blocked", ADVICE_YOU, true },
    { "auth-app-password", ADVICE_ADMIN, true },
    { "auth-disabled", ADVICE_ADMIN, true },
    { "auth-failed", ADVICE_ADMIN, true },
    { "auth-required", ADVICE_ADMIN, true },
    { "bad-address", ADVICE_YOU, true },
    { "bare-line-end", ADVICE_YOU, true },
    { "blocklist-barracuda", ADVICE_ADMIN, true },
    { "blocklist-microsoft", ADVICE_ADMIN, true },
    { "blocklist-other", ADVICE_ADMIN, true },
    { "blocklist-proofpoint", ADVICE_ADMIN, true },
    { "blocklist-spamcop", ADVICE_ADMIN, true },
    { "blocklist-spamhaus", ADVICE_ADMIN, true },
    { "bounced-by-admin", ADVICE_YOU, true },
    { "bounces-refused", ADVICE_REMOTE_ADMIN, true },
    { "complaints", ADVICE_ADMIN, false },
    { "connection-lost", ADVICE_REMOTE_ADMIN, false },
    { "connection-refused", ADVICE_REMOTE_ADMIN, true },
    { "connection-timeout", ADVICE_REMOTE_ADMIN, false },
    { "country-blocked", ADVICE_REMOTE_ADMIN, true },
    { "dkim-failed", ADVICE_ADMIN, true },
    { "dmarc-failed", ADVICE_ADMIN, true },
    { "dns-failed", ADVICE_REMOTE_ADMIN, false },
    { "dns-no-such-domain", ADVICE_YOU, true },
    { "domain-disabled", ADVICE_ADMIN, true },
    { "dynamic-address", ADVICE_ADMIN, true },
    { "expired", ADVICE_NOBODY, true },
    { "forged-return", ADVICE_NOBODY, true },
    { "greylisted", ADVICE_NOBODY, true },
    { "header-malformed", ADVICE_YOU, true },
    { "held", ADVICE_YOU, true },
    { "helo-rejected", ADVICE_ADMIN, true },
    { "host-refused", ADVICE_REMOTE_ADMIN, false },
    { "ip-blocked", ADVICE_ADMIN, false },
    { "line-too-long", ADVICE_YOU, true },
    { "link-blocked", ADVICE_YOU, true },
    { "list-closed", ADVICE_YOU, true },
    { "list-expansion", ADVICE_REMOTE_ADMIN, true },
    { "loop", ADVICE_REMOTE_ADMIN, true },
    { "mailbox-busy", ADVICE_NOBODY, true },
    { "mailbox-full", ADVICE_RECIPIENT, true },
    { "no-route", ADVICE_ADMIN, false },
    { "not-authenticated", ADVICE_ADMIN, true },
    { "not-supported", ADVICE_YOU, true },
    { "not-tried", ADVICE_NOBODY, true },
    { "null-mx", ADVICE_RECIPIENT, true },
    { "permanent", ADVICE_YOU, false },
    { "policy", ADVICE_YOU, false },
    { "protocol-error", ADVICE_ADMIN, false },
    { "ptr-missing", ADVICE_ADMIN, true },
    { "rate-of-sender", ADVICE_YOU, true },
    { "recipient-disabled", ADVICE_RECIPIENT, true },
    { "recipient-domain", ADVICE_REMOTE_ADMIN, false },
    { "recipient-filter", ADVICE_RECIPIENT, true },
    { "recipient-moved", ADVICE_YOU, true },
    { "recipient-rate", ADVICE_NOBODY, true },
    { "recipient-restricted", ADVICE_RECIPIENT, true },
    { "relaying-denied", ADVICE_REMOTE_ADMIN, true },
    { "remote-config", ADVICE_REMOTE_ADMIN, true },
    { "remote-filter-away", ADVICE_REMOTE_ADMIN, false },
    { "remote-lookup", ADVICE_REMOTE_ADMIN, false },
    { "remote-overloaded", ADVICE_REMOTE_ADMIN, false },
    { "remote-restarting", ADVICE_NOBODY, true },
    { "remote-storage", ADVICE_REMOTE_ADMIN, true },
    { "removed-by-admin", ADVICE_YOU, true },
    { "reputation-domain", ADVICE_ADMIN, true },
    { "reputation-ip", ADVICE_ADMIN, true },
    { "sender-blocked", ADVICE_RECIPIENT, true },
    { "sender-domain", ADVICE_ADMIN, true },
    { "sender-not-yours", ADVICE_YOU, true },
    { "sender-unverified", ADVICE_ADMIN, true },
    { "sending", ADVICE_NOBODY, true },
    { "sending-limit", ADVICE_ADMIN, true },
    { "slow-down", ADVICE_NOBODY, false },
    { "smtputf8-unsupported", ADVICE_YOU, true },
    { "spam-account", ADVICE_ADMIN, true },
    { "spam-content", ADVICE_YOU, true },
    { "spf-failed", ADVICE_ADMIN, true },
    { "temporary", ADVICE_NOBODY, false },
    { "tls-failed", ADVICE_REMOTE_ADMIN, false },
    { "tls-required", ADVICE_ADMIN, true },
    { "too-large", ADVICE_YOU, true },
    { "too-many-connections", ADVICE_NOBODY, true },
    { "too-many-recipients", ADVICE_NOBODY, true },
    { "unknown-recipient", ADVICE_YOU, true },
    { "virus", ADVICE_YOU, true },
};

/* ---- replies ---- */

/* The first rule that fits decides, so what is special comes first.  classes: first digits of codes for which it counts.
 * detail: the enhanced code behind its class, "7.26" of "5.7.26" (RFC 3463, 2), with "*" at its end for any ending; NULL:
 * any or none.  text: parts of the text in lower case, separated by "|", one of which has to be there; "*" in a part stands
 * for anything; NULL: any. */
static const struct rule {
    const char *id, *classes, *detail, *text;
} rules[] = {
    /* signing in */
    { "auth-app-password", "45", NULL, "application-specific password|app password" },
    { "auth-disabled", "45", NULL, "smtpclientauthentication is disabled|basic authentication is disabled" },
    { "auth-required", "5", NULL, "unauthenticated senders not allowed" },
    { "auth-failed", "45", "7.8", NULL },
    { "auth-app-password", "45", "7.9", "less secure|web browser|log in with" },
    { "dmarc-failed", "45", "7.9", "policy|dmarc" },
    { "auth-failed", "45", "7.9", NULL },
    { "auth-required", "5", "7.57", NULL },

    { "tls-required", "45", "7.10", NULL },
    { "tls-required", "45", "7.29", NULL },
    { "slow-down", "4", "7.500", NULL },
    { "slow-down", "4", "7.65*", NULL },

    /* lists of addresses: by their names */
    { "dynamic-address", "5", NULL, "pbl.spamhaus|spamhaus pbl|dynamic ip|dynamic address|dynamically|dialup|dial-up|dynablock|residential" },
    { "link-blocked", "45", NULL, "dbl.spamhaus|surbl|uribl|ivmuri|contains a url|blocked url|url*blacklist|url*blocklist|url*listed|domain*listed in*dbl" },
    { "blocklist-spamhaus", "45", NULL, "spamhaus" },
    { "blocklist-spamcop", "45", NULL, "spamcop" },
    { "blocklist-barracuda", "45", NULL, "barracudacentral|barracuda*reputation|b.barracuda" },
    { "blocklist-proofpoint", "45", NULL, "proofpoint.com|cloudmark|pdr.proofpoint" },
    { "blocklist-microsoft", "5", NULL, "s3140|s3150|part of their network is on our block list|sender.office.com|banned sending ip|sendersupport.olc" },
    { "blocklist-microsoft", "5", "7.511", NULL },
    { "blocklist-other", "45", NULL, "uceprotect|sorbs.net|abuseat|abusix|invaluement|psbl.|nixspam|spamrats|mailspike|trendmicro|s5h.net|"
      "senderscore|sender score|dnsbl|rbl.| rbl |listed in|listed at|listed by|is listed on|black list|block list*http|blocked using|"
      "found in*block list|blocklisted by|blacklisted by" },

    /* who the sender is */
    { "dmarc-failed", "45", NULL, "dmarc" },
    { "spf-failed", "45", "7.23", NULL },
    { "spf-failed", "45", "7.24", NULL },
    { "not-authenticated", "45", "7.26", NULL },
    { "not-authenticated", "45", "7.27", NULL },
    { "dkim-failed", "45", "7.20", NULL },
    { "dkim-failed", "45", "7.21", NULL },
    { "dkim-failed", "45", "7.22", NULL },
    { "dkim-failed", "45", "7.30", NULL },
    { "ptr-missing", "45", "7.25", NULL },
    { "not-authenticated", "45", "7.515", NULL },
    { "not-authenticated", "45", NULL, "unauthenticated sender|sender is unauthenticated|authenticate with either spf or dkim|"
      "not authenticated*spf|pass authentication checks|does not pass authentication" },
    { "ptr-missing", "45", NULL, "ptr record|ptr resource record|reverse dns|reverse-dns|rdns|reverse lookup|reverse hostname|no ptr|missing ptr|"
      "cannot find your hostname|find your reverse|does not resolve to|client host rejected: cannot find|fcrdns|no reverse|"
      "reverse*not match" },
    { "spf-failed", "45", NULL, "spf check|spf fail|spf-fail|spf: fail|spf record|openspf|open-spf|sender policy framework|spf validation|"
      "not allowed to send mail from|not permitted sender|not designated|rejected by spf|spf hard|spf unauth|spf policy|spf*not authorized|failed spf" },
    { "dkim-failed", "45", NULL, "dkim" },
    { "helo-rejected", "45", NULL, "helo command rejected|ehlo command rejected|invalid helo|bad helo|invalid ehlo|helo*not*fqdn|"
      "helo hostname|helo name|ehlo name|helo argument|impersonat" },
    { "reputation-ip", "45", NULL, "reputation of the sending ip|low reputation* ip|poor reputation|ip reputation|bad reputation|"
      "reputation of*your* ip|sbrs|senderbase|connection*reputation" },
    { "reputation-domain", "45", NULL, "reputation of the sending domain|domain reputation|low reputation" },
    { "sender-not-yours", "5", NULL, "not owned by user|sendas denied|sendasdenied|client does not have permissions to send as|not owner of|"
      "sender address rejected: not owned|not logged in|is not an address of yours|you are not allowed to send from" },
    { "sender-not-yours", "5", "7.60", NULL },
    { "recipient-domain", "45", NULL, "domain isn't in my list|isn't in my list of allowed rcpthosts hosts" },

    /* our account at a provider */
    { "sending-limit", "45", "4.5", "limit|quota|exceed" },
    { "sending-limit", "45", NULL, "daily*sending*quota|daily user sending|sending limit|daily limit|hourly limit|daily message quota|"
      "exceeded the maximum allowed emails|outgoing*limit|your message quota|limite de envio|limite diario" },
    { "spam-account", "5", "1.8", "spam|outbound" },
    { "spam-account", "5", "7.501", NULL },
    { "spam-account", "5", "7.502", NULL },
    { "spam-account", "5", "7.503", NULL },
    { "spam-account", "5", "7.705", NULL },
    { "spam-account", "5", "7.708", NULL },
    { "spam-account", "5", NULL, "bad outbound sender|account has been blocked due to spam|outgoing blocked|account*suspended*spam|unusual sending activity" },

    /* the recipient */
    { "bounces-refused", "5", NULL, "null sender|empty sender|bounces are not|does not accept bounces|no bounces|null return path|"
      "invalid bounce|never sent|does not send mail*bounce" },
    { "too-large", "5", NULL, "recipsizelimit" },
    { "list-closed", "5", NULL, "not allowed to post|may not have permission to post|not a member|members only|only members|subscribers only|"
      "restricted to group|group*not*permission|you may not send to|non-member|posting to this list" },
    { "list-expansion", "45", "2.4", NULL },
    { "recipient-restricted", "5", NULL, "resolver.rst|restrictionviolation|requirements for sender|not authorized to send to|only accepts mail from|"
      "internal senders|authenticated senders|not allowed to send to|does not accept mail from|permission to send to|only accept messages from" },
    { "recipient-restricted", "5", "7.133", NULL },
    { "recipient-restricted", "5", "7.134", NULL },
    { "recipient-restricted", "5", "7.124", NULL },
    { "recipient-restricted", "5", "7.17", NULL },
    { "sender-blocked", "5", NULL, "sender denied|sender is blocked|blocked sender|sender blocked|sender*blacklist|blocked by the recipient|"
      "sender address*blocked|sender is on*block|rejected by recipient|recipient*rejected*your message|blocked by recipient|"
      "envelope blocked|blacklisted sender|sender*has been blocked|sender address rejected: blocked|sender*blocklist" },
    { "greylisted", "4", NULL, "greylist|graylist|grey-list|gray-list|greyli|first time sender|first attempt|try again in*seconds|postgrey|"
      "temporarily rejected*new|come back later|unknown*triplet" },
    { "recipient-rate", "45", NULL, "receiving mail at a rate|receiving mail too quickly|recipient*too many messages*received|"
      "recipient*rate limit|recipient has exceeded" },
    { "recipient-rate", "45", "2.121", NULL },
    { "mailbox-full", "45", "2.2", NULL },
    { "mailbox-full", "45", NULL, "over quota|overquota|over-quota|over its quota|mailbox full|mailbox is full|mailbox*full|quota exceed|exceeded*quota|"
      "exceeds*quota|exceeded storage|exceeds allowed|out of storage|storage quota|not enough storage space|mailbox size|mailbox limit|"
      "quota full|insufficient disk space*mailbox|caixa*cheia|caixa postal cheia|quota excedida|inbox is full|is full>|mailbox has exceeded" },
    { "mailbox-busy", "4", NULL, "mailbox busy|mailbox is busy|mailbox locked|mailbox is locked|mailbox in use|mailbox unavailable or busy" },
    { "recipient-moved", "45", "1.6", NULL },
    { "recipient-moved", "5", NULL, "has moved|please try <|new address|no longer*at this address|address has changed|no longer valid*use" },
    { "recipient-disabled", "45", NULL, "account*disabled|account*inactive|account*suspended|account*locked|mailbox*disabled|mailbox*inactive|"
      "mailbox*suspended|user*disabled|user*suspended|user is inactive|recipient*disabled|recipient*suspended|account*expired|account closed|"
      "temporarily disabled|account is not active|conta*desativada|conta*suspensa|conta*bloqueada|mailbox*blocked|account that you tried to reach is inactive|"
      "account that you tried to reach is over|mailbox is frozen|deactivated|not currently accepting" },
    { "recipient-disabled", "5", "2.1", NULL },
    { "too-many-recipients", "45", NULL, "too many recipients|too many rcpt|recipients per" },
    { "too-many-recipients", "45", "5.3", NULL },

    /* the message */
    { "virus", "5", NULL, "virus|malware|infected|trojan|phishing-signature" },
    { "attachment-blocked", "5", NULL, "attachment|blocked because its content presents a potential|file type|.exe|executable content|banned file|"
      "prohibited file|banned name|macro" },
    { "bare-line-end", "45", NULL, "bare lf|bare cr|bare newline|bare <lf>|bare line|stray newline|smtplf|smtp.html" },
    { "line-too-long", "5", NULL, "line too long|line*too long|line length|maximum line|lines longer|line*longer than" },
    { "header-malformed", "5", NULL, "from header|header*missing|missing*header|multiple from|multiple addresses in from|valid messageid|message-id|rfc 5322|"
      "rfc5322|rfc 2822|rfc2822|header*syntax|duplicate header|header field|date header|invalid header|headers are too large|header*malformed|bad header" },
    { "smtputf8-unsupported", "45", "6.7", NULL },
    { "smtputf8-unsupported", "45", NULL, "smtputf8" },
    { "too-large", "5", NULL, "size exceeds|size limit|message size|too large|too big|exceeds maximum|maximum message|exceeds fixed|exceeds size|"
      "larger than|message length|tamanho" },
    { "too-large", "45", "2.3", NULL },
    { "too-large", "45", "3.4", NULL },
    { "loop", "45", "4.6", NULL },
    { "loop", "45", "4.14", NULL },
    { "loop", "45", NULL, "too many hops|mail loop|hop count|loops back|mail loops|loop detected|looping|too many received" },
    { "not-supported", "45", NULL, "unsupported option|parameter not implemented" },
    { "not-supported", "45", "3.3", NULL },
    { "not-supported", "45", "6.1", NULL },
    { "not-supported", "45", "6.3", NULL },
    { "not-supported", "45", "6.9", NULL },
    { "header-malformed", "5", "6.0", NULL },
    { "header-malformed", "5", "6.2", NULL },

    /* how much, and how fast */
    { "remote-storage", "4", NULL, "insufficient system storage|system storage|insufficient storage|disk full|no space left|insufficient disk|out of disk|"
      "low on disk|not enough disk|insufficient system resources" },
    { "remote-overloaded", "4", NULL, "overload|load average|too busy|server busy|server is busy|system resources|system is busy|load too high|resources temporarily|"
      "out of memory|server too busy|queue*full|high load|back pressure|currently busy|insufficient resources" },
    { "complaints", "4", NULL, "tss0|user complaints|unexpected volume" },
    { "complaints", "5", NULL, "ts03|[ts0" },
    { "rate-of-sender", "45", NULL, "you have sent too|sent too many|you are sending too" },
    { "too-many-connections", "45", NULL, "too many connections|too many concurrent|too many simultaneous|concurrent connections|connection limit|"
      "maximum number of connections|too many sessions|simultaneous connections|connections from your|too many smtp sessions|connection rate|"
      "reached maximum number of threads|maximum concurrent" },
    { "slow-down", "4", "7.28", NULL },
    { "slow-down", "4", "7.32", NULL },
    { "slow-down", "4", "4.5", NULL },
    { "slow-down", "45", NULL, "rate limit|ratelimit|rate-limit|throttl|too many messages|too many emails|slow down|too fast|unusual rate|rp-001|rp-002|rp-003|"
      "too much mail|limit exceeded*try|message rate|exceeded*rate|exceeds*rate|sending rate|temporarily deferred*volume|too many errors|"
      "deferred due to|muitas mensagens|delivery rate|too frequently" },

    /* what it is taken for */
    { "ip-blocked", "45", NULL, "your ip*block| ip *block| ip *blacklist| ip address*block|client host*blocked| host*blocked| ip *banned| ip *rejected|"
      " ip *not allowed|your network*block|blocked*your ip|blocked for abuse|banned|connection*refused* ip |mail from ip|"
      " ip *suspicious|your host is| ip *denied|has been blocked by*admin|blocked due to abuse" },
    { "country-blocked", "45", NULL, "country|geoip|geo-ip|geolocation|geograph" },
    { "spam-content", "45", NULL, "spam|unsolicited|junk mail|bulk mail|content rejected|message content|content filter|bayes|content restrictions|"
      "content*unacceptable|blocked by*content|rejected*content|phish" },

    /* the other server's own trouble */
    { "remote-filter-away", "4", NULL, "virus|scanner|scanning|milter|amavis|clamav|content filter|clamd|policy service|filter*unavailable|spamd|rspamd" },
    { "remote-restarting", "4", NULL, "shutting down|server shutdown|being restarted|restarting|maintenance|going down|not accepting network messages" },
    { "sender-unverified", "45", NULL, "sender verify failed|sender verify|sender verification|callout|callback|sender address rejected: unverified|"
      "sender address rejected: undeliverable|could not verify sender|verify your sender" },
    { "sender-domain", "45", NULL, "sender address rejected: domain not found|sender domain|domain of sender|sender's domain|sender address*does not exist|"
      "domain of your address|sender address*mx|mail from domain|from domain must|domain not found|sender's address has no|unroutable sender|"
      "envelope sender*domain|sender address domain|invalid sender domain|bad sender|fake sender" },
    { "sender-domain", "45", "1.8", NULL },
    { "remote-lookup", "4", NULL, "lookup|dns timeout|dns error|dns fail|temporary resolution|resolve|ldap|name server|could not complete*verify|address verification in progress|"
      "unverified address|domain lookup|dns temp|nameserver|cannot verify|backend|database|directory" },
    { "remote-lookup", "4", "4.3", NULL },
    { "remote-config", "45", NULL, "local configuration error|server configuration|configuration error|misconfigur|system incorrectly configured|"
      "server error|internal error*config|tenant*not found" },
    { "remote-config", "45", "3.5", NULL },
    { "remote-storage", "4", "3.1", NULL },
    { "remote-overloaded", "4", "3.2", "busy|resources" },
    { "remote-restarting", "4", "3.2", NULL },

    /* the address */
    { "sender-unverified", "5", NULL, "sender address rejected|sender rejected|sender unknown|unknown sender|no such sender|sender*not exist|return address" },
    { "sender-unverified", "5", "1.7", NULL },
    { "recipient-domain", "45", NULL, "domain not hosted|not a local domain|unrouteable|unroutable|no route to|don't handle mail for|not hosted here|"
      "domain not here|no mail*domain|domain isn't|doesn't handle mail|unknown domain|domain unknown|domain*does not exist|domain*not exist|"
      "domain*not accepted|invalid domain|not responsible for" },
    { "recipient-domain", "45", "1.2", NULL },
    { "unknown-recipient", "5", "1.10", "recipient*not found|recipientnotfound" },
    { "null-mx", "45", "1.10", NULL },
    { "null-mx", "5", NULL, "null mx|nullmx|does not accept mail|accepts no mail|not accept any mail|no mail service" },
    { "relaying-denied", "45", NULL, "relay access denied|relaying denied|relay not permitted|relaying not|unable to relay|relay denied|relaying prohibited|"
      "not permitted to relay|cannot relay|relay not|relaying to|mail relay|denied*relay|relay*denied|no relay|not a relay|relay*prohibited|"
      "open relay|tenantattribution|not relay|authentication is required for relay" },
    { "unknown-recipient", "5", "4.1", "access denied|recipient" },
    { "unknown-recipient", "5", "1.1", NULL },
    { "unknown-recipient", "5", "1.6", NULL },
    { "unknown-recipient", "5", "1.0", "recipient|mailbox|address|user" },
    { "unknown-recipient", "5", "1.4", NULL },
    { "unknown-recipient", "5", "1.351", NULL },
    { "bad-address", "45", "1.3", NULL },
    { "unknown-recipient", "5", NULL, "user unknown|unknown user|no such user|does not exist|doesn't exist|not exist|unknown recipient|no such recipient|"
      "recipient unknown|recipient not found|user not found|no mailbox|mailbox not found|mailbox unavailable|invalid recipient|recipient rejected|"
      "no such mailbox|unknown address|address unknown|account not found|recipient address rejected|no such address|invalid mailbox|no account|"
      "not a valid|no such person|unknown local|user doesn't|adresse inconnue|unbekannt|not our customer|invalid address|mailbox not|address invalid|"
      "usuario desconhecido|usuario inexistente|destinatario|nao existe|inexistente|recipient*invalid|no existe|not found|addressee unknown|"
      "unknown or illegal|user invalid|there is no one|not known|mailbox does|user not known|recipient*unavailable|no longer available|no local mailbox|not listed" },
    { "bad-address", "5", NULL, "bad address|address syntax|malformed address|illegal address|bad recipient address syntax|invalid character|syntax error*address|"
      "mailbox name not allowed|address*syntax|special characters" },

    /* TLS and who we are to them */
    { "tls-required", "45", NULL, "must issue a starttls|starttls first|tls required|tls is required|requires tls|require tls|must use tls|encryption required|"
      "encryption is required|secure connection|use starttls|encrypted session|without tls|starttls is required" },
    { "auth-required", "45", NULL, "authentication required|authentication is required|auth required|must authenticate|please authenticate|not authenticated|"
      "must be authenticated|sign in first|requires authentication|smtp authentication|autenticacao|unauthenticated" },

    /* what is left: by the enhanced code, then by the code */
    { "protocol-error", "45", "5.1", NULL },
    { "protocol-error", "45", "5.2", NULL },
    { "protocol-error", "45", NULL, "bad sequence|command not|unrecognized command|unknown command|not recognized|pipelining|synchronization|out of order|"
      "command unrecognized|command syntax|protocol error|not implemented|error: command" },
    { "ip-blocked", "5", "7.1", "connection|host|server" },
    { "policy", "45", "7.*", NULL },
    { "policy", "45", NULL, "policy|blocked|blacklist|blocklist|not permitted|prohibited|denied|not allowed|rejected for|unacceptable" },
};

/* Is the part, in which "*" stands for anything, somewhere in the text? */
static bool has_part(struct str text, struct str part)
{
    struct str piece;

    while (str_split(&part, '*', &piece)) {
        size_t at = str_find(text, piece);

        if (at == SIZE_MAX)
            return false;
        text = str_from(text, at + piece.len);
    }
    return true;
}

static bool has_any(struct str text, struct str parts)
{
    struct str part;

    while (str_split(&parts, '|', &part)) {
        if (has_part(text, part))
            return true;
    }
    return false;
}

static bool is_detail(struct str detail, struct str want)
{
    if (str_ends(want, STR("*")))
        return str_starts(detail, str_sub(want, 0, want.len - 1));
    return str_eq(detail, want);
}

/* In lower case, a space in front, all that is white as one space: so a rule finds the beginning of a word. */
static struct str plain(struct str text, char *to, size_t size)
{
    size_t n = 0;

    to[n++] = ' ';
    for (size_t i = 0; i < text.len && n < size; i++) {
        char c = text.p[i];

        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            if (to[n - 1] != ' ')
                to[n++] = ' ';
        } else {
            to[n++] = ascii_lower(c);
        }
    }
    return str_of(to, n);
}

struct str advice_of_reply(enum attempt_phase phase, int code, struct str enhanced, struct str text)
{
    struct str detail = str_from(enhanced, 2), words;
    char class = (char)('0' + code / 100), buffer[MAX_TEXT];

    words = plain(text, buffer, sizeof(buffer));
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct rule *r = &rules[i];

        if (strchr(r->classes, class) != NULL && (r->detail == NULL || is_detail(detail, str_c(r->detail))) &&
            (r->text == NULL || has_any(words, str_c(r->text))))
            return str_c(r->id);
    }
    switch (code) {
    case 530:
        return STR("auth-required");
    case 535:
    case 538:
        return STR("auth-failed");
    case 551:
        return STR("recipient-moved");
    case 552:
        return phase == PHASE_RCPT ? STR("mailbox-full") : STR("too-large");
    case 553:
        return STR("bad-address");
    case 555:
    case 504:
        return STR("not-supported");
    case 500:
    case 501:
    case 502:
    case 503:
        return STR("protocol-error");
    case 556:
    case 521:
        return STR("null-mx");
    default:
        break;
    }
    if (phase == PHASE_AUTH)
        return STR("auth-failed");
    if (phase == PHASE_GREETING || phase == PHASE_EHLO)
        return STR("host-refused");
    return class == '5' ? STR("permanent") : STR("temporary");
}

/* ---- words ---- */

static const struct words { /* in the same order in both languages */
    struct str key, text;
} english[] = {
#include "advice_words_en.inc"
}, portuguese[] = {
#include "advice_words_pt-BR.inc"
};
_Static_assert(ARRAY_LEN(english) == ARRAY_LEN(portuguese), "both languages have the same keys");

static int by_id(const void *key, const void *entry)
{
    return str_cmp(*(const struct str *)key, str_c(((const struct advice *)entry)->id));
}

const struct advice *advice_find(struct str id)
{
    return bsearch(&id, advices, ARRAY_LEN(advices), sizeof(advices[0]), by_id);
}

const struct advice *advice_all(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(advices);
    return advices;
}

struct str advice_say(struct arena *a, struct str id, enum advice_words what, enum dsn_language language, struct str destination)
{
    static const struct str somewhere[] = { [DSN_EN] = STR("The other server"), [DSN_PT_BR] = STR("O outro servidor") };
    struct str key = arena_printf(a, "%.*s.%s", STR_ARG(id), what == ADVICE_TEXT ? "text" : "do");
    struct str name = destination.len > 0 ? destination : somewhere[language], place = STR("{destination}"), said = STR("");
    const struct words *catalogue = language == DSN_PT_BR ? portuguese : english;

    for (size_t i = 0; i < ARRAY_LEN(english); i++) {
        struct str rest = catalogue[i].text;
        size_t at;

        if (!str_eq(catalogue[i].key, key))
            continue;
        while ((at = str_find(rest, place)) != SIZE_MAX) {
            said = arena_printf(a, "%.*s%.*s%.*s", STR_ARG(said), STR_ARG(str_sub(rest, 0, at)), STR_ARG(name));
            rest = str_from(rest, at + place.len);
        }
        return arena_printf(a, "%.*s%.*s", STR_ARG(said), STR_ARG(rest));
    }
    return STR_NULL;
}
