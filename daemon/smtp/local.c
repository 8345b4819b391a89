/* The local socket: programs of this machine hand mail in by correio-sendmail. */
#include "base/log.h"
#include "mail/address.h"
#include "smtp/session.h"
#include "store/delivery.h"
#include "store/routing.h"

#include <pwd.h>
#include <sys/socket.h>

#define PASSWD_BYTES 16384

bool smtp_is_local(const struct smtp_session *s)
{
    return s->listener == LISTEN_LOCAL;
}

struct passwd_job {
    uid_t uid;
    char name[64];
};

/* On a thread: it may ask a directory in the network. */
static void find_name(void *arg)
{
    struct passwd_job *job = arg;
    struct passwd pw, *found = NULL;
    char bytes[PASSWD_BYTES];

    if (getpwuid_r(job->uid, &pw, bytes, sizeof(bytes), &found) == 0 && found != NULL &&
        strlen(pw.pw_name) < sizeof(job->name))
        strcpy(job->name, pw.pw_name);
}

enum result smtp_local_identify(struct smtp_session *s)
{
    struct passwd_job *job = arena_new(&s->arena, struct passwd_job);
    struct unix_account account;
    struct ucred peer;
    socklen_t len = sizeof(peer);
    enum result r;

    if (getsockopt(stream_fd(s->stream), SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return RES_DENIED;
    job->uid = peer.uid;
    coroutine_work(find_name, job);
    s->unix_user = str_c(job->name);
    if (!unix_name_ok(s->unix_user)) {
        log_warn("smtp-local-unknown", F_STR("session", s->id), F_INT("uid", peer.uid));
        return RES_DENIED;
    }
    s->trusted = peer.uid == 0 || name_list_contains(&settings_get()->trusted_users, s->unix_user);
    r = unix_account_find(s->service->db, s->unix_user, &s->arena, &account);
    if (r == RES_OK)
        s->identity =
            (struct auth_identity){ .account_id = account.id, .address = account.address, .frozen = account.frozen };
    log_info("smtp-local", F_STR("session", s->id), F_INT("uid", peer.uid), F_STR("user", s->unix_user),
             F_STR("account", s->identity.address));
    return r == RES_NOTFOUND ? RES_OK : r;
}

static bool is_host(struct str domain)
{
    return str_ieq(domain, settings_get()->hostname);
}

struct str smtp_local_address(const struct smtp_session *s, struct arena *a)
{
    return s->identity.account_id != 0
               ? s->identity.address
               : arena_printf(a, "%.*s@%.*s", STR_ARG(s->unix_user), STR_ARG(settings_get()->hostname));
}

static void set_path(struct smtp_session *s, struct smtp_path *path, struct str address)
{
    struct str local, domain;

    if (address_parse_mailbox(address, true, &s->tx.arena, &local, &domain) == RES_OK)
        *path = (struct smtp_path){ .local = local, .domain = domain, .text = arena_str(&s->tx.arena, address) };
}

bool smtp_local_sender(struct cmd *c, struct smtp_path *from, enum next *ret_next)
{
    struct smtp_session *s = c->s;

    if (from->null)
        return true;
    if (is_host(from->domain) && str_eq(from->local, s->unix_user)) {
        if (s->identity.account_id != 0)
            set_path(s, from, s->identity.address);
        return true;
    }
    if (s->trusted || s->identity.account_id != 0) /* an account's sender is checked like that of others */
        return true;
    *ret_next = smtp_reply(s, 553, "5.7.1", "<%.*s> is not the address of the user %.*s", STR_ARG(from->text),
                           STR_ARG(s->unix_user));
    return false;
}

void smtp_local_recipient(struct cmd *c, struct smtp_path *to)
{
    struct smtp_session *s = c->s;
    struct unix_account account;
    struct route_facts facts;

    if (!is_host(to->domain) || routing_find(s->service->db, to->local, to->domain, c->arena, &facts) != RES_OK ||
        facts.kind != FACT_REMOTE)
        return;
    if (unix_account_find(s->service->db, to->local, c->arena, &account) == RES_OK)
        set_path(s, to, account.address);
    else if (str_ieq(to->local, STR("root")) || str_ieq(to->local, STR("postmaster")))
        *to = (struct smtp_path){ .local = STR("postmaster"), .domain = STR(""), .text = STR("postmaster") };
}
