/* mail/envelope.h - the fields of a header that ENVELOPE shows (RFC 3501, 7.4.2).  Internal to mail/. */
#pragma once
#include "mail/address.h"
#include "mail/imap_write.h"

enum envelope_list { ENVELOPE_FROM, ENVELOPE_SENDER, ENVELOPE_REPLY_TO, ENVELOPE_TO, ENVELOPE_CC, ENVELOPE_BCC };
#define ENVELOPE_LISTS 6

struct envelope_value {
    struct str value;
    struct envelope_value *next;
};

/* Raw values, views of the header, STR_NULL when absent.  Address fields that are there twice count as one list. */
struct envelope {
    struct str date, subject, in_reply_to, message_id, references;
    struct envelope_value *lists[ENVELOPE_LISTS];
};

void envelope_read(struct arena *a, struct str header, struct envelope *ret);
/* Writes "(date subject from ...)".  What is needed on the way lives in `scratch`. */
void envelope_write(struct imap_writer *w, const struct envelope *e, struct arena *scratch);
/* The first address of a list; false: there is none. */
bool envelope_first(struct arena *a, const struct envelope *e, enum envelope_list list, struct mail_address *ret);
