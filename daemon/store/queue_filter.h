/* store/queue_filter.h - struct queue_filter as SQL: shared by queue_list.c, queue_act.c. */
#pragma once
#include "store/queue_admin.h"

/* enum queue_state of a recipient r. */
#define QUEUE_STATE_SQL                                                                                                \
    "CASE WHEN r.state IN (2, 4) THEN 4 WHEN r.state <> 0 THEN 3"                                                      \
    " WHEN r.lease_by IS NOT NULL AND r.due_at > now() THEN 0"                                                         \
    " WHEN r.attempts > 0 THEN 1 ELSE 2 END"
/* Its reason: a word of route/reason.h. */
#define QUEUE_REASON_SQL                                                                                               \
    "CASE r.state WHEN 1 THEN 'held' WHEN 2 THEN 'removed-by-admin' WHEN 4 THEN 'bounced-by-admin'"                    \
    " ELSE CASE WHEN r.lease_by IS NOT NULL AND r.due_at > now() THEN 'sending'"                                       \
    " WHEN r.attempts = 0 THEN 'not-tried' ELSE coalesce(r.reason, 'temporary') END END"

#define QUEUE_DOMAIN_SQL(address) "lower(substring(" address " from '[^@]*$'))"
/* May the message m be seen by who sees these domains (text[]; NULL: all)? */
#define QUEUE_VISIBLE_SQL(domains)                                                                                     \
    "(" domains "::text[] IS NULL OR " QUEUE_DOMAIN_SQL("m.reverse_path") " = ANY (" domains ") OR EXISTS (SELECT FROM" \
    "  queue_recipient r WHERE r.queue_id = m.id AND " QUEUE_DOMAIN_SQL("r.recipient") " = ANY (" domains ")))"
/* "joe@" and "@example.net" of an address: as the indexes of senders and recipients have them. */
#define QUEUE_LOCAL_AT_SQL(address) "substring(lower(" address ") from '^.*@')"
#define QUEUE_AT_DOMAIN_SQL(address) "substring(lower(" address ") from '@[^@]*$')"

/* Is an address one of the whole ones, or are its "joe@" or its "@example.net"?  Three lists, for the planner to know how rare each
 * is: each form has its index. */
#define QUEUE_ADDRESS_SQL(address, whole, local, domain)                                                               \
    "(lower(" address ") = ANY (" whole ") OR " QUEUE_LOCAL_AT_SQL(address) " = ANY (" local ")"                       \
    " OR " QUEUE_AT_DOMAIN_SQL(address) " = ANY (" domain "))"

/* What the states $2 say of r.state by itself: folded, it lets the partial indexes be used. */
#define QUEUE_STATES_WANT                                                                                              \
    "($2 = 0 OR $2 & 24 <> 0 OR r.state = 0) AND ($2 = 0 OR $2 & 23 <> 0 OR r.state = 1)"                              \
    " AND ($2 = 0 OR $2 & 15 <> 0 OR r.state IN (2, 4)) AND ($2 = 0 OR $2 & 30 <> 0"                                         \
    "  OR (r.state = 0 AND r.due_at > now() AND r.due_at <= now() + interval '60 seconds'))"

/* A destination is found by an index of each state: there is none over all. */
#define QUEUE_AT_DESTINATION                                                                                           \
    "((r.state = 0 AND r.destination = ANY ($7)) OR (r.state = 1 AND r.destination = ANY ($7))"                        \
    " OR (r.state IN (2, 4) AND r.destination = ANY ($7)))"

/* Does the recipient r match?  An absent part folds away when the statement is planned. */
#define QUEUE_MATCH_RECIPIENT                                                                                          \
    "($2 = 0 OR (1 << (" QUEUE_STATE_SQL ")) & $2 <> 0) AND " QUEUE_STATES_WANT " AND ($6::text[] IS NULL OR " QUEUE_ADDRESS_SQL("r.recipient", "$6", "$19", "$20") ")" \
    " AND ($7::text[] IS NULL OR " QUEUE_AT_DESTINATION ") AND ($8::text[] IS NULL OR " QUEUE_REASON_SQL " = ANY ($8))"

/* Does the message m match by what it is itself? */
#define QUEUE_MATCH_MESSAGE                                                                                            \
    "($1::bigint[] IS NULL OR m.id = ANY ($1)) AND ($3::text[] IS NULL OR " QUEUE_ADDRESS_SQL("m.reverse_path", "$3", "$17", "$18") ")" \
    " AND ($4::text[] IS NULL OR " QUEUE_AT_DOMAIN_SQL("m.reverse_path") " = ANY ($4))"                                 \
    " AND ($5::text[] IS NULL OR m.account_id IN (SELECT id FROM account WHERE lower(address) = ANY ($5)))"             \
    " AND ($9 = 0 OR m.received_at <= now() - make_interval(secs => $9::bigint))"                                      \
    " AND ($13::text[] IS NULL OR " QUEUE_AT_DOMAIN_SQL("m.reverse_path") " = ANY ($13) OR EXISTS (SELECT FROM"         \
    "  queue_recipient t WHERE t.queue_id = m.id AND " QUEUE_AT_DOMAIN_SQL("t.recipient") " = ANY ($13)))"

/* Both, for the message m. */
#define QUEUE_MATCH                                                                                                    \
    QUEUE_MATCH_MESSAGE " AND m.id IN (SELECT r.queue_id FROM queue_recipient r WHERE " QUEUE_MATCH_RECIPIENT ")"

/* Only with a text: under an OR the planner would look at every message.  `of_messages` and `of_recipients` may end each kind of
 * hit after a page, which its index gives in order. */
#define QUEUE_TEXT_SENDER(form, of_messages)                                                                           \
    " UNION ALL (SELECT s.id FROM queue_message s WHERE " form of_messages ")"
#define QUEUE_TEXT_RECIPIENT(form, of_recipients)                                                                      \
    " UNION ALL (SELECT DISTINCT t.queue_id FROM queue_recipient t WHERE " form of_recipients ")"
#define QUEUE_MATCH_TEXT(of_messages, of_recipients)                                                                   \
    " AND m.id IN (SELECT $12::bigint UNION ALL SELECT s.id FROM queue_message s WHERE s.message_id IN ($11, '<' || $11 || '>')" \
    " UNION ALL (SELECT s.id FROM queue_message s WHERE lower(s.subject) LIKE $10" of_messages ")"                      \
    QUEUE_TEXT_SENDER("lower(s.reverse_path) = $14", of_messages)                                                      \
    QUEUE_TEXT_SENDER(QUEUE_LOCAL_AT_SQL("s.reverse_path") " = $15", of_messages)                                      \
    QUEUE_TEXT_SENDER(QUEUE_AT_DOMAIN_SQL("s.reverse_path") " = $16", of_messages)                                     \
    QUEUE_TEXT_RECIPIENT("lower(t.recipient) = $14", of_recipients)                                                    \
    QUEUE_TEXT_RECIPIENT(QUEUE_LOCAL_AT_SQL("t.recipient") " = $15", of_recipients)                                    \
    QUEUE_TEXT_RECIPIENT(QUEUE_AT_DOMAIN_SQL("t.recipient") " = $16", of_recipients) ")"

#define QUEUE_FILTER_PARAMS 20
/* $1 to $20. */
void queue_filter_params(const struct queue_filter *f, struct arena *a, struct db_param *params);
/* Nothing but the text takes hits away. */
bool queue_filter_is_text(const struct queue_filter *f);

/* A text as what it may be of an address: all of it, "joe@", "@example.net", in lower case.  STR_NULL: it is no such thing. */
struct queue_words {
    struct str address, local, domain;
};
struct queue_words queue_filter_words(struct str text, struct arena *a);
/* A Message-ID without its angle brackets, if it has them. */
struct str queue_filter_message_id(struct str id);

/* Of a list of addresses the whole ones, "joe@" and "@example.net", each a text[] in lower case; NULL, all of them, when it is empty. */
struct queue_forms {
    struct db_param whole, local, domain;
};
struct queue_forms queue_filter_forms(struct str_list addresses, struct arena *a);
/* Domains as "@example.net", a text[]; NULL when the list is empty. */
struct db_param queue_filter_at_domains(struct str_list domains, struct arena *a);
/* A text[] in lower case; NULL when the list is empty. */
struct db_param queue_filter_list(struct str_list list, struct arena *a);
/* '%part%' in lower case, escaped for LIKE; STR_NULL stays so. */
struct str queue_filter_pattern(struct str part, struct arena *a);
