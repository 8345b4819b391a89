/* mail/bodystructure.h - writes BODYSTRUCTURE of a parsed message (RFC 3501, 7.4.2).  Internal to mail/. */
#pragma once
#include "mail/imap_write.h"
#include "mail/message.h"

/* Writes part and all in it, extension data included.  What is needed on the way lives in `scratch`. */
void bodystructure_write(struct imap_writer *w, struct str message, const struct mail_part *part,
                         struct arena *scratch);
