/* filter/trial.h - runs filters on a message and tells each step.  Nothing is stored, sent or remembered. */
#pragma once
#include "filter/filter.h"

#define FILTER_TRIAL_STEPS  1000 /* events that are kept */
#define FILTER_TRIAL_DETAIL 400  /* bytes of one's detail */

struct filter_trial {
    const struct filter_message *message;
    const struct filter_recipient *to;
    struct str text; /* this script alone; STR_NULL: see name */
    struct str name; /* the person's script of this name alone; STR_NULL: all that run on delivery */
};

struct filter_trial_script {
    enum script_place place;
    struct str name; /* STR_NULL: the text */
    bool broken;     /* it does not compile, and was left out: */
    struct sieve_error error;
};

struct filter_trial_result {
    struct filter_trial_script *scripts;
    size_t n_scripts;
    struct sieve_trace *steps; /* here and in the result `script` is an index of scripts */
    size_t n_steps;
    bool cut; /* there were more */
    struct sieve_result result;
    struct filter_trial_run *run; /* its own */
};

/* All of *ret lives in the arena, is a view of what is given, or lies in the scripts, which are held until
 * filter_trial_release.  RES_NOTFOUND: no script of that name, or no account.  RES_INVALID: the text does not compile;
 * only `scripts` is set.  RES_TEMPFAIL. */
enum result filter_try(struct db *db, const struct filter_trial *trial, struct arena *a, struct filter_trial_result *ret)
    SUSPENDS NODISCARD;
/* Where an action of the result would store: the mailbox's name; *ret_made: it would be made first. */
enum result filter_trial_place(const struct filter_trial_result *r, const struct sieve_target *target, struct arena *a,
                               struct str *ret_name, bool *ret_made) SUSPENDS NODISCARD;
/* To be called after every filter_try, whatever came of it. */
void filter_trial_release(struct filter_trial_result *r);
