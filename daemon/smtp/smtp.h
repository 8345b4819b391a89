/* smtp/smtp.h - the SMTP server: port 25, submission 587 and 465, and LMTP. */
#pragma once
#include "auth/service.h"

/* A session (RFC 5321; on an LMTP listener RFC 2033) from the greeting to its end. */
service_session smtp_session;
