/* agent/become.h - taking a user's identity for good, and the limits under which his deliveries run. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

#define BECOME_MIN_UID 1000

struct user {
    uid_t uid;
    gid_t gid;
    const char *name, *home, *shell;
};
/* Looks the user up.  false: *ret_why says why nothing is delivered as him: not there, root, a uid below
 * BECOME_MIN_UID, or not the caller when that one cannot change its user. */
bool become_find(struct str name, struct arena *a, struct user *ret, const char **ret_why);
/* Groups, gid, uid, no capability, no new privileges, no network, umask 077, his home as directory.  false: errno; then
 * nothing may be done. */
bool become(const struct user *user);
/* Only his uid, to end what runs as him. */
bool become_to_kill(const struct user *user);
/* For a program that is about to be run: CPU time, memory; file_max: bytes of a file, 0: as they are. */
bool become_limited(uint64_t file_max);
