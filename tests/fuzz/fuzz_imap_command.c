/* The session grammar of IMAP: whole commands with their literals, and what the reader asks of a part of one. */
#include "imap/list_match.h"
#include "imap/parse.h"
#include "imap/stored_envelope.h"
#include "mail/utf7.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What parsed must be usable: every view is touched. */
static size_t touch(struct str s)
{
    size_t sum = 0;

    for (size_t i = 0; i < s.len; i++)
        sum += (unsigned char)s.p[i];
    return sum;
}

static size_t touch_keys(const struct imap_search_key *key)
{
    size_t sum = 0;

    for (; key != NULL; key = key->next)
        sum += touch(key->text) + touch(key->field) + touch_keys(key->child) + key->set.n;
    return sum;
}

static size_t touch_command(const struct imap_command *cmd)
{
    size_t sum = touch(cmd->tag);

    switch (cmd->verb) {
    case IMAP_LOGIN:
        return sum + touch(cmd->login.user) + touch(cmd->login.password);
    case IMAP_SEARCH:
        return sum + touch_keys(cmd->search.root);
    case IMAP_LIST:
    case IMAP_LSUB:
        return sum + list_match(cmd->list.pattern, cmd->list.reference);
    case IMAP_FETCH:
        for (size_t i = 0; i < cmd->fetch.what.n; i++) {
            const struct imap_section *s = &cmd->fetch.what.sections[i];

            sum += touch(s->label) + touch(s->part);
            for (size_t k = 0; k < s->nfields; k++)
                sum += touch(s->fields[k]);
        }
        return sum;
    default:
        return sum;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = { 0 };
    struct str text = str_of((const char *)data, size), tag, utf8;
    struct imap_command cmd;
    struct stored_envelope envelope;
    const char *error = NULL;
    volatile size_t sink = 0;
    uint64_t literal;
    size_t at;
    bool sync;

    if (imap_parse(&a, text, SIZE_MAX, &cmd, &error) == RES_OK)
        sink += touch_command(&cmd);
    else if (error == NULL)
        abort();
    if (imap_parse_literal(text, &literal, &sync, &at)) {
        if (at >= size)
            abort();
        sink += imap_parse_is_append(&a, str_of(text.p, at), &tag);
        sink += imap_parse(&a, text, at, &cmd, &error) == RES_OK;
    }
    if (utf7_decode(&a, text, &utf8) == RES_OK && !str_eq(utf7_encode(&a, utf8), text))
        abort();
    sink += stored_envelope_read(&a, text, &envelope) == RES_OK;
    arena_reset(&a);
    return sink == SIZE_MAX ? -1 : 0;
}
