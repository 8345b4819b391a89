/* mail/subject.h - the base subject, by which subjects are sorted and threaded (RFC 5256, 2.1).  Internal to mail/. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

/* `subject` is decoded, one line.  The result may be empty; case as in the subject. */
struct str subject_base(struct arena *a, struct str subject);
