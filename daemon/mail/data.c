/* mail/data.c - the lines of DATA. */
#include "mail/data.h"

static size_t line_end(struct str s)
{
    size_t n = 0;

    while (n < s.len && s.p[n] != '\r' && s.p[n] != '\n')
        n++;
    return n;
}

static void end_line(struct data_writer *w)
{
    w->out(w->arg, STR("\r\n"));
    w->in_line = w->cr = false;
}

void data_write(struct data_writer *w, struct str piece)
{
    while (piece.len > 0) {
        size_t n;

        if (w->cr) {
            if (piece.p[0] == '\n')
                piece = str_from(piece, 1);
            end_line(w);
            continue;
        }
        if (!w->in_line && piece.p[0] == '.')
            w->out(w->arg, STR("."));
        n = line_end(piece);
        if (n > 0) {
            w->in_line = true;
            w->out(w->arg, str_sub(piece, 0, n));
            piece = str_from(piece, n);
        }
        if (piece.len == 0)
            break;
        if (piece.p[0] == '\r')
            w->cr = true;
        else
            end_line(w);
        piece = str_from(piece, 1);
    }
}

void data_end(struct data_writer *w)
{
    if (w->in_line || w->cr)
        end_line(w);
    w->out(w->arg, STR(".\r\n"));
}
