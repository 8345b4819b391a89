#include "store/trace_write.h"
#include "store/queue_internal.h"

/* $1-$13 the messages, $14-$26 their recipients, who carry time, id and session of their message. */
static const struct db_stmt write_stmt = { "trace_write",
    "WITH t AS (INSERT INTO trace (id, at, direction, outcome, sender, account_id, subject, message_id, size, client, session,"
    "   listener, tls) SELECT id, to_timestamp(at / 1e6), direction, outcome, sender, nullif(account, 0), nullif(subject, ''),"
    "   nullif(message_id, ''), nullif(size, -1), nullif(client, '')::inet, session, listener, nullif(tls, '')"
    "  FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::bigint[],"
    "   $10::text[], $11::text[], $12::text[], $13::text[])"
    "   AS u (id, at, direction, outcome, sender, account, subject, message_id, size, client, session, listener, tls)),"
    " r AS MATERIALIZED (SELECT id, to_timestamp(at / 1e6) AS at, n, session, recipient, account, outcome, code, enhanced, reply,"
    "   reason, mailbox, rule FROM unnest($14::bigint[], $15::bigint[], $16::int[], $17::text[], $18::text[], $19::bigint[], $20::int[], $21::int[],"
    "   $22::text[], $23::text[], $24::text[], $25::text[], $26::text[])"
    "   AS u (id, at, n, session, recipient, account, outcome, code, enhanced, reply, reason, mailbox, rule)),"
    " tr AS (INSERT INTO trace_recipient (at, trace_id, n, recipient, account_id, domain, outcome)"
    "   SELECT at, id, n, recipient, nullif(account, 0), lower(substring(recipient from '[^@]*$')), outcome FROM r)"
    " INSERT INTO trace_event (at, trace_id, n, happened_at, kind, session, result, reason, code, enhanced, reply,"
    "   mailbox, rule)"
    "   SELECT at, id, n, at, 1, session, CASE outcome WHEN 1 THEN 1 ELSE 3 END, nullif(reason, ''), code, nullif(enhanced, ''),"
    "   reply, nullif(mailbox, ''), nullif(rule, '') FROM r" };

#define MESSAGE_TEXTS 6
#define RECIPIENT_TEXTS 7
#define PARAMS 26

struct columns {
    int64_t *ids, *times, *accounts, *sizes, *r_ids, *r_times, *r_accounts;
    int32_t *directions, *outcomes, *r_numbers, *r_outcomes, *r_codes;
    struct str *senders, *texts[MESSAGE_TEXTS], *r_texts[RECIPIENT_TEXTS];
};

static void fill_message(struct columns *c, size_t i, const struct trace_note *m)
{
    const struct str texts[] = { m->subject, m->message_id, m->client, m->session, m->listener, m->tls };

    c->ids[i] = m->id;
    c->times[i] = m->at_us;
    c->directions[i] = (int32_t)m->direction;
    c->outcomes[i] = (int32_t)m->recipients[0].outcome;
    c->senders[i] = m->sender;
    c->accounts[i] = m->account_id;
    c->sizes[i] = m->size;
    for (size_t k = 0; k < ARRAY_LEN(texts); k++)
        c->texts[k][i] = texts[k];
}

static void fill_recipient(struct columns *c, size_t i, const struct trace_note *m, size_t n)
{
    const struct trace_note_recipient *r = &m->recipients[n];
    const struct str texts[] = { m->session, r->address, r->enhanced, r->reply, r->reason, r->mailbox, r->rule };

    c->r_ids[i] = m->id;
    c->r_times[i] = m->at_us;
    c->r_numbers[i] = (int32_t)n;
    c->r_accounts[i] = r->account_id;
    c->r_outcomes[i] = (int32_t)r->outcome;
    c->r_codes[i] = (int32_t)r->code;
    for (size_t k = 0; k < ARRAY_LEN(texts); k++)
        c->r_texts[k][i] = texts[k];
}

enum result trace_write(struct db *db, const struct trace_note *v, size_t n)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct columns c;
    size_t all = 0, at = 0;
    enum result r;

    for (size_t i = 0; i < n; i++)
        all += v[i].n_recipients;
    c = (struct columns){
        .ids = arena_array(&a, int64_t, n), .times = arena_array(&a, int64_t, n), .accounts = arena_array(&a, int64_t, n),
        .sizes = arena_array(&a, int64_t, n), .directions = arena_array(&a, int32_t, n), .outcomes = arena_array(&a, int32_t, n),
        .senders = arena_array(&a, struct str, n), .r_ids = arena_array(&a, int64_t, all), .r_times = arena_array(&a, int64_t, all),
        .r_accounts = arena_array(&a, int64_t, all), .r_numbers = arena_array(&a, int32_t, all),
        .r_outcomes = arena_array(&a, int32_t, all), .r_codes = arena_array(&a, int32_t, all) };
    for (size_t k = 0; k < ARRAY_LEN(c.texts); k++)
        c.texts[k] = arena_array(&a, struct str, n);
    for (size_t k = 0; k < ARRAY_LEN(c.r_texts); k++)
        c.r_texts[k] = arena_array(&a, struct str, all);
    for (size_t i = 0; i < n; i++) {
        fill_message(&c, i, &v[i]);
        for (size_t k = 0; k < v[i].n_recipients; k++)
            fill_recipient(&c, at++, &v[i], k);
    }
    const struct db_param params[PARAMS] = {
        db_int8_array(&a, c.ids, n), db_int8_array(&a, c.times, n), db_int4_array(&a, c.directions, n),
        db_int4_array(&a, c.outcomes, n), db_text_array(&a, c.senders, n), db_int8_array(&a, c.accounts, n),
        db_text_array(&a, c.texts[0], n), db_text_array(&a, c.texts[1], n), db_int8_array(&a, c.sizes, n),
        db_text_array(&a, c.texts[2], n), db_text_array(&a, c.texts[3], n), db_text_array(&a, c.texts[4], n),
        db_text_array(&a, c.texts[5], n), db_int8_array(&a, c.r_ids, all), db_int8_array(&a, c.r_times, all),
        db_int4_array(&a, c.r_numbers, all), db_text_array(&a, c.r_texts[0], all), db_text_array(&a, c.r_texts[1], all),
        db_int8_array(&a, c.r_accounts, all), db_int4_array(&a, c.r_outcomes, all), db_int4_array(&a, c.r_codes, all),
        db_text_array(&a, c.r_texts[2], all), db_text_array(&a, c.r_texts[3], all), db_text_array(&a, c.r_texts[4], all),
        db_text_array(&a, c.r_texts[5], all), db_text_array(&a, c.r_texts[6], all),
    };

    struct db_call call = { .stmt = &write_stmt, .params = params, .n = ARRAY_LEN(params) };
    const struct db_notice notice = { "traced", queue_changed(&a, c.ids, n) };

    r = tx_begin(db, STR_NULL, &tx);
    if (r == RES_OK)
        r = tx_batch_commit(&tx, &call, 1, &notice, 1, NULL);
    db_rows_free(&call.rows);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}
