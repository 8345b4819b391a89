/* store/conninfo.h - how each kind of process reaches the database. */
#pragma once
#include "base/arena.h"
#include "base/str.h"
#include "config/config.h"

/* libpq's conninfo for a kind ("smtp"), or for the owner (NULL).  Embedded: the socket under home/run, peer
 * authentication.  Outside: the administrator's URL, with the role's name and the password of home/secrets/ROLE, for the
 * owner that of database.password_file, if there is one.  RES_INVALID: the URL or the secret cannot be read (logged). */
enum result conninfo_for(const struct config *config, const char *kind, struct arena *a, char **ret_conninfo) NODISCARD;

/* The secret that is in a file, without blanks around it.  RES_INVALID: the file cannot be read (logged). */
enum result secret_read(struct str path, struct arena *a, struct str *ret) NODISCARD;
