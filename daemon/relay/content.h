/* relay/content.h - which extensions a message needs of the server, when the server lacks what it was sent with. */
#pragma once
#include "relay/client.h"
#include "store/body.h"
#include "store/queue.h"

/* Sets ret->eightbit, ret->smtputf8 and ret->binary.  The sender's declaration counts; when the server does not offer an
 * extension, the message itself is looked at: one that is ASCII after all goes out plain (RFC 6152, 3; RFC 6531, 3.2).
 * When it cannot be read, the declaration stays.  A binary message stays one: its labels (RFC 2045, 6.2) say so. */
void content_needs(const struct body_source *source, const struct queue_envelope *m, const struct queue_job *jobs, size_t n,
                   const struct ehlo *ehlo, struct client_message *ret) SUSPENDS;
