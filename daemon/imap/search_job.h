/* imap/search_job.h - one SEARCH under way.
 *
 * Keys are decided in the order of their cost: what the view knows, columns of `message`, ENVELOPE, headers, text.
 * Before each step the program is evaluated with what is known; only messages whose answer is still open go on. */
#pragma once
#include "imap/session.h"

#define SEARCH_COSTLY_MAX 128 /* keys of a program that the view does not decide */

enum search_step { STEP_ROW, STEP_ENVELOPE, STEP_HEADER, STEP_TEXT, SEARCH_STEPS };

struct search_key_state {
    struct imap_search_key *key;
    enum search_step step;
    struct str needle;   /* casefolded */
    bool known;          /* `bits` says which messages match: a bit a message of the view */
    unsigned char *bits;
};
struct search_job {
    struct imap_session *s;
    struct imap_search_key *root;
    struct search_key_state *costly; /* by imap_search_key.index */
    size_t ncostly;
    bool has_step[SEARCH_STEPS];
    bool by_id; /* EMAILID or THREADID is asked for */
};

enum truth { TRUTH_NO, TRUTH_YES, TRUTH_OPEN };
enum truth search_truth(const struct search_job *job, const struct imap_search_key *key, size_t index);

/* Resolves sets and keywords against the view, prepares the costly keys.  RES_INVALID: a sequence number that no
 * message has; RES_LIMIT: too many costly keys. */
enum result search_prepare_keys(struct search_job *job, struct imap_search_key *root, size_t ncostly)
    SUSPENDS NODISCARD;

/* Decides all keys of the step for the messages with these view indexes, ascending. */
enum result search_run_step(struct search_job *job, enum search_step step, const size_t *open, size_t n)
    SUSPENDS NODISCARD;

/* search_match.c: does the text hold the casefolded needle?  Raw header text is decoded first. */
bool search_match_raw(struct arena *a, struct str raw, struct str needle);
struct stored_envelope;
bool search_match_envelope(struct arena *a, const struct search_key_state *k, const struct stored_envelope *e);
bool search_match_header(struct arena *a, const struct search_key_state *k, struct str header);
