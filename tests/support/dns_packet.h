/* Builds DNS answers byte by byte. */
#pragma once
#include "base/strbuf.h"

#include <arpa/nameser.h>

static inline void put16(struct strbuf *b, unsigned v)
{
    (void)strbuf_addc(b, (char)(v >> 8));
    (void)strbuf_addc(b, (char)v);
}

static inline void put32(struct strbuf *b, unsigned v)
{
    put16(b, v >> 16);
    put16(b, v & 0xffff);
}

/* "a.example" as labels; "" is the root. */
static inline void put_name(struct strbuf *b, const char *name)
{
    struct str rest = str_c(name), label;

    while (str_split(&rest, '.', &label)) {
        (void)strbuf_addc(b, (char)label.len);
        (void)strbuf_add(b, label);
    }
    (void)strbuf_addc(b, '\0');
}

static inline void put_header(struct strbuf *b, unsigned id, unsigned rcode, unsigned answers, unsigned authority)
{
    put16(b, id);
    put16(b, 0x8180 | rcode);
    put16(b, 1);
    put16(b, answers);
    put16(b, authority);
    put16(b, 0);
}

static inline void put_question(struct strbuf *b, const char *name, unsigned type)
{
    put_name(b, name);
    put16(b, type);
    put16(b, ns_c_in);
}

static inline void put_record(struct strbuf *b, const char *of, unsigned type, unsigned ttl, struct str data)
{
    put_name(b, of);
    put16(b, type);
    put16(b, ns_c_in);
    put32(b, ttl);
    put16(b, (unsigned)data.len);
    (void)strbuf_add(b, data);
}

static inline void put_named(struct strbuf *b, const char *of, unsigned type, unsigned ttl, int preference, const char *name)
{
    struct strbuf data = { 0 };

    if (preference >= 0)
        put16(&data, (unsigned)preference);
    put_name(&data, name);
    put_record(b, of, type, ttl, strbuf_str(&data));
    strbuf_release(&data);
}

static inline void put_soa(struct strbuf *b, const char *of, unsigned ttl, unsigned minimum)
{
    struct strbuf data = { 0 };

    put_name(&data, "ns");
    put_name(&data, "root");
    for (int i = 0; i < 4; i++)
        put32(&data, 1);
    put32(&data, minimum);
    put_record(b, of, ns_t_soa, ttl, strbuf_str(&data));
    strbuf_release(&data);
}
