/* relay/tell.h - letters to people about their sign-in: auth says what is to be told (store/owner_letter.h). */
#pragma once
#include "db/db.h"

/* Puts what is due into the queue, for the account's own address.  Database trouble is left for the next time. */
void tell_owners(struct db *db, bool (*stop)(void *arg), void *arg) SUSPENDS;
