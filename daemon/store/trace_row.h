/* store/trace_row.h - a row of the trace as the list and one trace read it: shared by trace_list.c, trace.c. */
#pragma once
#include "db/db.h"
#include "store/trace_list.h"

/* Of a trace p and the account a that submitted it. */
#define TRACE_ROW_COLUMNS "p.id, p.at, p.size, p.direction, p.outcome, p.sender, p.subject, p.message_id, a.address"
enum trace_row_column { TRACE_R_ID, TRACE_R_AT, TRACE_R_SIZE, TRACE_R_DIRECTION, TRACE_R_OUTCOME, TRACE_R_SENDER, TRACE_R_SUBJECT,
                        TRACE_R_MESSAGE_ID, TRACE_R_ACCOUNT, TRACE_R_COLUMNS };

/* These columns; the recipients are the caller's.  What it holds lives in the arena. */
void trace_row_read(const struct db_rows *rows, size_t i, struct arena *a, struct trace_row *row);
