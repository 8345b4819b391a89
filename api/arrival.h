/* api/arrival.h - what is to be seen of a request by its header fields alone. */
#pragma once
#include "api/request.h"

/* RFC 9112, 3.2 and 6.3: false when two readers may understand it in two ways: refuse it, and the connection with it. */
bool arrival_framing_ok(const struct request *r, const char *version);
/* Who is at the other end, and whether the way there is protected; a trusted proxy tells of its client. */
void arrival_take_peer(struct request *r, const struct network_list *proxies);
/* Whether the client takes one of the forms that the API has (RFC 9110, 12.5.1). */
bool arrival_acceptable(const struct request *r);
