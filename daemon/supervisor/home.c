#include "supervisor/home.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define LONGEST_SOCKET "/run/.s.PGSQL.5432.lock"

static const char *path_in(struct str dir, const char *name)
{
    static char paths[8][4096];
    static unsigned turn;
    char *p = paths[turn++ % 8];

    snprintf(p, sizeof(paths[0]), "%.*s/%s", STR_ARG(dir), name);
    return p;
}

const char *home_path(const struct config *config, const char *name)
{
    return path_in(config->home, name);
}

const char *home_admin_socket(const struct config *config)
{
    return path_in(config->admin, "api.sock");
}

bool home_user(const char *kind, uid_t *ret_uid, gid_t *ret_gid)
{
    char name[64];
    const struct passwd *pw;

    if (geteuid() != 0) {
        *ret_uid = geteuid();
        *ret_gid = getegid();
        return true;
    }
    snprintf(name, sizeof(name), "correio-%s", kind);
    pw = getpwnam(name);
    if (pw == NULL) {
        fprintf(stderr, "correiod: there is no system user \"%s\"\n", name);
        return false;
    }
    *ret_uid = pw->pw_uid;
    *ret_gid = pw->pw_gid;
    return true;
}

/* The mda's children take a user's identity: these two capabilities outlive the change of user and the exec. */
static bool keep_setuid(void)
{
    static const unsigned kept[] = { CAP_SETUID, CAP_SETGID };
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    data[0].permitted = data[0].effective = data[0].inheritable = 1u << CAP_SETUID | 1u << CAP_SETGID;
    if (syscall(SYS_capset, &header, data) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0) != 0)
            return false;
    }
    return true;
}

bool home_become(const char *kind)
{
    bool is_mda = strcmp(kind, "mda") == 0;
    uid_t uid;
    gid_t gid;

    if (geteuid() == 0) {
        if (!home_user(kind, &uid, &gid) || (is_mda && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0))
            return false;
        if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0 ||
            (is_mda && !keep_setuid())) {
            fprintf(stderr, "correiod: could not become correio-%s: %s\n", kind, strerror(errno));
            return false;
        }
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

void home_group(const char *name)
{
    const struct group *gr = name != NULL && geteuid() == 0 ? getgrnam(name) : NULL;

    (void)!setegid(gr != NULL ? gr->gr_gid : getgid());
}

/* Owner and mode are set only where they differ: a container may have neither CAP_CHOWN nor CAP_FOWNER. */
static bool make(const char *path, mode_t mode, const char *kind, const char *group)
{
    uid_t uid = geteuid();
    gid_t gid;
    struct stat st;
    bool made;

    home_group(group);
    gid = getegid();
    made = mkdir(path, mode) == 0;
    home_group(NULL);
    if ((!made && errno != EEXIST) || stat(path, &st) != 0) {
        fprintf(stderr, "correiod: could not make \"%s\": %s\n", path, strerror(errno));
        return false;
    }
    if (kind != NULL && !home_user(kind, &uid, &gid))
        return false;
    if ((geteuid() == 0 && (st.st_uid != uid || st.st_gid != gid) && chown(path, uid, gid) != 0) ||
        ((st.st_mode & 07777) != mode && chmod(path, mode) != 0)) {
        fprintf(stderr, "correiod: \"%s\" must belong to %u:%u with mode %04o: %s\n", path, uid, gid, mode, strerror(errno));
        return false;
    }
    return true;
}

bool home_fits(const struct config *config)
{
    static const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof(LONGEST_SOCKET);

    if (config->home.len > most)
        fprintf(stderr, "correiod: CORREIO_HOME is too long for the sockets in it: at most %zu bytes\n", most);
    return config->home.len <= most;
}

bool home_prepare(const struct config *config)
{
    char home[4096];

    if (!home_fits(config))
        return false;
    snprintf(home, sizeof(home), "%.*s", STR_ARG(config->home));
    /* run: the embedded PostgreSQL makes its socket there; the others reach theirs. */
    return make(home, 0755, NULL, NULL) &&
           make(home_path(config, "run"), 0755, config->database_url.p == NULL ? "db" : NULL, NULL) &&
           make(path_in(config->admin, ""), 0750, NULL, "correio-admin") &&
           make(home_path(config, "tmp"), 01777, NULL, NULL) && make(home_path(config, "tls"), 0755, "auth", NULL);
}
