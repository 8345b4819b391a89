/* agent/become.c - privileges go, and do not come back. */
#include "agent/become.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_CPU_S 120
#define MAX_MEMORY ((rlim_t)1 << 30)
#define MAX_FILE ((rlim_t)4 << 30)

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "name this architecture for seccomp"
#endif

/* Root, or the mda's CAP_SETUID. */
static bool may_change_user(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & (1u << CAP_SETUID)) != 0;
}

bool become_find(struct str name, struct arena *a, struct user *ret, const char **ret_why)
{
    const struct passwd *pw = getpwnam(arena_cstr(a, name));

    if (pw == NULL) {
        *ret_why = "there is no such user";
        return false;
    }
    if (may_change_user() ? pw->pw_uid < BECOME_MIN_UID : pw->pw_uid != geteuid()) {
        *ret_why =
            may_change_user() ? "this user is the system's" : "this server runs as another user and cannot change it";
        return false;
    }
    *ret = (struct user){ .uid = pw->pw_uid, .gid = pw->pw_gid, .name = arena_cstr(a, name),
                          .home = arena_cstr(a, str_c(pw->pw_dir)), .shell = arena_cstr(a, str_c(pw->pw_shell)) };
    return true;
}

static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 && syscall(SYS_capset, &header, data) == 0;
}

/* Sockets of the kernel's and the network's families are refused; a filter that another ABI could pass by refuses it.
 */
static bool forbid_network(void)
{
#define ARGUMENT(n) ((unsigned)offsetof(struct seccomp_data, args[n]))
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
        REFUSE,
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), /* x32 */
        REFUSE,
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1), /* it opens sockets, too */
        REFUSE,
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        REFUSE,
    };
    struct sock_fprog program = { .len = ARRAY_LEN(filter), .filter = filter };

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static bool limit(__rlimit_resource_t what, rlim_t most)
{
    struct rlimit limits;

    if (getrlimit(what, &limits) != 0)
        return false;
    limits.rlim_max = MIN(limits.rlim_max, most);
    limits.rlim_cur = MIN(limits.rlim_cur, limits.rlim_max);
    return setrlimit(what, &limits) == 0;
}

static bool take_ids(const struct user *user)
{
    if (user->uid == geteuid() && !may_change_user())
        return true;
    return initgroups(user->name, user->gid) == 0 && setresgid(user->gid, user->gid, user->gid) == 0 &&
           setresuid(user->uid, user->uid, user->uid) == 0 && drop_capabilities() && setuid(0) != 0 && setgid(0) != 0;
}

bool become(const struct user *user)
{
    if (!take_ids(user) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !forbid_network() || !limit(RLIMIT_CORE, 0) ||
        !limit(RLIMIT_FSIZE, MAX_FILE))
        return false;
    umask(077);
    return chdir(user->home) == 0 || chdir("/") == 0;
}

bool become_to_kill(const struct user *user)
{
    return user->uid == geteuid() || setresuid(user->uid, user->uid, user->uid) == 0;
}

bool become_limited(uint64_t file_max)
{
    return (file_max == 0 || limit(RLIMIT_FSIZE, (rlim_t)file_max)) && limit(RLIMIT_CPU, MAX_CPU_S) && limit(RLIMIT_DATA, MAX_MEMORY);
}
