/* api/account_file.h - files of accounts, read and written: comma-separated values with a first line that names the columns,
 * or JSON Lines (one object a line).
 *
 * Read, each line becomes a JSON object, the same for both kinds; what its members may be is no business of this module
 * (account_change.h).  A column that is not in the file is absent in the object.  An empty cell is null or empty, where an
 * account can have none; in the columns role, state, forward_keep and password it is absent.  Several addresses in one cell
 * stand behind each other with blanks. */
#pragma once
#include "api/csv.h"
#include "api/json.h"
#include "store/account.h"

enum account_format { ACCOUNT_CSV, ACCOUNT_JSONL };

struct account_file {
    enum account_format format;
    struct csv csv;
    size_t columns[CSV_MAX_CELLS], n_columns; /* ACCOUNT_CSV: which they are */
    struct str rest;                          /* ACCOUNT_JSONL: what is not read yet */
    unsigned line;
};

struct account_line {
    unsigned number;          /* where it begins in the file, from 1 */
    struct json_object *body; /* the caller's; NULL when it is wrong */
    const char *code;         /* RES_INVALID: what is wrong, and the same as a sentence */
    struct str detail;
};

/* The text stays the caller's and must outlive the file and its lines.  RES_INVALID: the first line cannot be used; ret->code. */
enum result account_file_begin(struct account_file *f, enum account_format format, struct str text, struct arena *a,
                               struct account_line *ret) NODISCARD;
/* RES_OK; RES_INVALID: this line is wrong, reading goes on behind it; RES_NOTFOUND: that was all. */
enum result account_file_next(struct account_file *f, struct arena *a, struct account_line *ret) NODISCARD;
/* The column that a member's place ("/quota/limit", "/addresses/3") comes from; STR_NULL: from none, or no such file. */
struct str account_file_column(const struct account_file *f, struct str place);

/* What begins a file, and one account of it with its further addresses (store/account_address.h). */
void account_file_head(struct strbuf *b, enum account_format format);
void account_file_add(struct strbuf *b, enum account_format format, const struct account *account, const struct str *further,
                      size_t n_further, struct arena *a);
