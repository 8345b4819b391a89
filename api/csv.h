/* api/csv.h - comma-separated values (RFC 4180), read record by record and written cell by cell.
 *
 * Read: CR LF, LF or CR ends a record, also inside quotes; a byte order mark is left out, as are empty lines.  The separator is
 * the comma; when the first line has none, the semicolon or the tab that it has (spreadsheets of some languages write those).
 * A record that is wrong costs itself alone: reading goes on behind it.
 *
 * A spreadsheet takes a cell that begins with = + - @, tab or CR for a formula.  Such a cell is written with ' before it, as is
 * one whose own ' would be taken for that mark; reading takes the mark away.  So every text comes back as it was. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "base/strbuf.h"

#define CSV_MAX_CELLS 64
#define CSV_MAX_RECORD ((size_t)256 << 10) /* bytes, as they are in the text */

struct csv {
    struct str text;
    size_t at;
    unsigned line; /* of what comes next, from 1 */
    char separator;
};

struct csv_record {
    struct str cells[CSV_MAX_CELLS]; /* of the text, or in the arena */
    size_t n;
    unsigned line;   /* where it begins */
    const char *why; /* RES_INVALID: what is wrong, a sentence; `line` is then where that is */
};

/* The text stays the caller's and must outlive the records. */
void csv_begin(struct csv *c, struct str text);
/* RES_OK; RES_NOTFOUND: that was all; RES_INVALID: ret->why. */
enum result csv_next(struct csv *c, struct arena *a, struct csv_record *ret) NODISCARD;

/* Adds a cell, behind a comma when it is not the first; csv_end ends the record. */
void csv_add(struct strbuf *b, struct str cell, bool first);
void csv_end(struct strbuf *b);
