/* supervisor/home.h - the directories under CORREIO_HOME and who owns them. */
#pragma once
#include "config/config.h"

#include <sys/types.h>

/* False, and why on standard error: the paths of its sockets would be too long. */
bool home_fits(const struct config *config);
/* Makes what is missing.  False: what is wrong is on standard error. */
bool home_prepare(const struct config *config);
/* The path home/name as a C string, valid until the 8th next call. */
const char *home_path(const struct config *config, const char *name);
/* Likewise: where correioctl finds the server. */
const char *home_admin_socket(const struct config *config);
/* As root: what is made from here on belongs to that group, without CAP_CHOWN; NULL, or a group that is not there: to our
 * own. */
void home_group(const char *name);
/* The user of a kind of process ("auth", "db"): as root the system user correio-KIND, else the caller.  False: there is
 * no such user. */
bool home_user(const char *kind, uid_t *ret_uid, gid_t *ret_gid);
/* Gives up root for that kind's user, for good, and sets no_new_privs.  For a child before its exec. */
bool home_become(const char *kind);
