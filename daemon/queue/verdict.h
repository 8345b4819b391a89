/* queue/verdict.h - how an attempt ended for one recipient. */
#pragma once
#include "route/reason.h"

enum verdict_kind { VERDICT_LATER, VERDICT_NEVER, VERDICT_SENT, VERDICT_DELIVERED };

struct verdict {
    enum verdict_kind kind;
    enum attempt_phase phase; /* where it ended */
    struct str reason;        /* a word of route/reason.h; STR_NULL when sent */
    int code;                 /* 0: there was no reply */
    struct str enhanced;      /* STR_NULL: none */
    struct str text;          /* the reply's, or our own words; one line or more */
    bool remote;              /* code, enhanced and text are the remote server's */
};
