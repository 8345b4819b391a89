/* imap/imap.h - the IMAP server: IMAP4rev1 (RFC 3501) and the extensions that CAPABILITY names. */
#pragma once
#include "auth/service.h"

/* Once a process, before the first session: listens for news of mailboxes, watches over the storage's durability. */
void imap_init(struct service *service);
/* One connection, from greeting to logout. */
service_session imap_session;
