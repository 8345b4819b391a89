/* The machine: all states that the text up to here may be in, each once, in the order of their weight.  */
#include "sieve/regex_internal.h"

#include <unicase.h>
#include <unistr.h>

#define NO_POSITION SIZE_MAX

struct thread {
    uint32_t pc;
    size_t *saves; /* [0] is where it began */
};

struct threads {
    struct thread *list;
    size_t n;
};

struct machine {
    const struct sieve_regex *re;
    struct str s;
    size_t nsaves;
    size_t *marks; /* by instruction: 1 + the position for which it was added last */
    struct threads now, then;
    size_t *pool_now, *pool_then; /* saves of the threads, nsaves each */
    uint32_t *stack;              /* of add(), instructions still to be followed */
    uint64_t steps;
};

uint32_t regex_take_char(struct str s, size_t *at, bool octets)
{
    unsigned char b = (unsigned char)s.p[*at];
    ucs4_t c;
    int n;

    if (octets || b < 0x80) {
        (*at)++;
        return b;
    }
    n = u8_mbtoucr(&c, (const uint8_t *)s.p + *at, s.len - *at);
    if (n <= 0) {
        (*at)++;
        return 0x110000 + b;
    }
    *at += (size_t)n;
    return c;
}

uint32_t regex_fold(uint32_t c, enum sieve_comparator comparator)
{
    if (comparator == COMPARATOR_OCTET)
        return c;
    if (c < 0x80)
        return (unsigned char)ascii_lower((char)c);
    return comparator == COMPARATOR_UNICODE && c < 0x110000 ? uc_tolower(c) : c;
}

static bool in_ranges(const struct regex_class *class, uint32_t c)
{
    for (const struct regex_range *r = class->ranges; r != NULL; r = r->next) {
        if (c >= r->from && c <= r->to)
            return true;
    }
    return false;
}

static bool in_class(const struct regex_class *class, uint32_t c, enum sieve_comparator comparator)
{
    bool in = in_ranges(class, c);

    if (!in && comparator != COMPARATOR_OCTET && c < 0x80)
        in = in_ranges(class, (unsigned char)ascii_lower((char)c)) ||
             in_ranges(class, (unsigned char)ascii_upper((char)c));
    else if (!in && comparator == COMPARATOR_UNICODE && c < 0x110000)
        in = in_ranges(class, uc_tolower(c)) || in_ranges(class, uc_toupper(c));
    return in != class->negated;
}

/* Follows jumps from `pc` at position `at` and adds what then waits for a character; `saves` is changed on the way.
 * Depth first, the weightier branch first, without recursion: a branch that is left for later takes its saves along. */
static void add(struct machine *m, struct threads *to, size_t *pool, uint32_t pc, size_t at, const size_t *saves)
{
    size_t depth = 0, nsaves = m->nsaves;
    size_t own[SIEVE_MATCH_VALUES * 2];

    memcpy(own, saves, nsaves * sizeof(*own));
    m->stack[depth++] = pc;
    while (depth > 0) {
        const struct regex_inst *i;

        pc = m->stack[--depth];
        if (pc >= m->re->n) { /* an undo entry: two words, the save's number and its old value's index */
            uint32_t slot = pc - m->re->n;

            own[slot] = m->stack[--depth] == UINT32_MAX ? NO_POSITION : m->stack[depth];
            continue;
        }
        if (m->marks[pc] == at + 1)
            continue;
        m->marks[pc] = at + 1;
        m->steps++;
        i = &m->re->program[pc];
        switch (i->op) {
        case REGEX_JUMP:
            m->stack[depth++] = i->x;
            break;
        case REGEX_SPLIT:
            m->stack[depth++] = i->y;
            m->stack[depth++] = i->x;
            break;
        case REGEX_SAVE:
            if (i->x < nsaves) {
                m->stack[depth++] = own[i->x] == NO_POSITION ? UINT32_MAX : (uint32_t)own[i->x];
                m->stack[depth++] = m->re->n + i->x;
                own[i->x] = at;
            }
            m->stack[depth++] = pc + 1;
            break;
        case REGEX_BEGIN:
            if (at == 0)
                m->stack[depth++] = pc + 1;
            break;
        case REGEX_END:
            if (at == m->s.len)
                m->stack[depth++] = pc + 1;
            break;
        default:
            to->list[to->n].pc = pc;
            to->list[to->n].saves = pool + to->n * nsaves;
            memcpy(to->list[to->n].saves, own, nsaves * sizeof(*own));
            to->n++;
            break;
        }
    }
}

static bool takes(const struct machine *m, const struct regex_inst *i, uint32_t c)
{
    switch (i->op) {
    case REGEX_CHAR:
        return regex_fold(c, m->re->comparator) == i->x;
    case REGEX_ANY:
        return true;
    case REGEX_CLASS:
        return in_class(i->class, c, m->re->comparator);
    default:
        return false;
    }
}

/* Leftmost, then longest; of equals the first, which has more weight. */
static bool better(const size_t *best, const size_t *saves, size_t end)
{
    return best[0] == NO_POSITION || saves[0] < best[0] || (saves[0] == best[0] && end > best[1]);
}

/* All threads over the character c that ends at `next`; at the end of the text c is UINT32_MAX. */
static void step(struct machine *m, size_t at, size_t next, uint32_t c, size_t *best)
{
    m->then.n = 0;
    for (size_t t = 0; t < m->now.n; t++) {
        const struct thread *thread = &m->now.list[t];
        const struct regex_inst *i = &m->re->program[thread->pc];

        if (best[0] != NO_POSITION && thread->saves[0] > best[0])
            continue;
        if (i->op == REGEX_MATCH) {
            if (better(best, thread->saves, at)) {
                memcpy(best, thread->saves, m->nsaves * sizeof(*best));
                best[1] = at;
            }
        } else if (c != UINT32_MAX && takes(m, i, c)) {
            add(m, &m->then, m->pool_then, thread->pc + 1, next, thread->saves);
        }
    }
    m->steps += m->now.n + 1;
}

static void swap(struct machine *m)
{
    struct threads list = m->now;
    size_t *pool = m->pool_now;

    m->now = m->then;
    m->then = list;
    m->pool_now = m->pool_then;
    m->pool_then = pool;
}

static struct machine new_machine(const struct sieve_regex *re, struct str s, size_t ngroups, struct arena *a)
{
    struct machine m = { .re = re, .s = s, .nsaves = MAX(ngroups * 2, (size_t)2) };

    m.marks = arena_array(a, size_t, re->n);
    m.now.list = arena_array(a, struct thread, re->n);
    m.then.list = arena_array(a, struct thread, re->n);
    m.pool_now = arena_array(a, size_t, re->n * m.nsaves);
    m.pool_then = arena_array(a, size_t, re->n * m.nsaves);
    m.stack = arena_array(a, uint32_t, (size_t)re->n * 3 + 8);
    return m;
}

bool regex_match(const struct sieve_regex *re, struct str s, struct sieve_budget *budget, struct str *ret_groups,
                 size_t ngroups)
{
    CLEANUP(arena_releasep) struct arena own = { 0 };
    struct machine m = new_machine(re, str_sub(s, 0, UINT32_MAX - 1), ngroups, &own);
    size_t best[SIEVE_MATCH_VALUES * 2], start[SIEVE_MATCH_VALUES * 2], at = 0;

    for (size_t i = 0; i < ARRAY_LEN(best); i++)
        best[i] = start[i] = NO_POSITION;
    for (;;) {
        size_t next = at;
        uint32_t c = UINT32_MAX;

        if (best[0] == NO_POSITION) { /* a match may begin here; earlier ones go first */
            start[0] = at;
            add(&m, &m.now, m.pool_now, 0, at, start);
        }
        if (m.now.n == 0 && best[0] != NO_POSITION)
            break;
        if (at < m.s.len)
            c = regex_take_char(m.s, &next, re->comparator == COMPARATOR_OCTET);
        m.steps = 0;
        step(&m, at, next, c, best);
        if (!budget_take(budget, m.steps))
            return false;
        if (at >= m.s.len)
            break;
        at = next;
        swap(&m);
    }
    if (best[0] == NO_POSITION)
        return false;
    for (size_t i = 0; i < ngroups; i++) {
        bool set = best[2 * i] != NO_POSITION && best[2 * i + 1] != NO_POSITION && best[2 * i] <= best[2 * i + 1];

        ret_groups[i] = set ? str_sub(s, best[2 * i], best[2 * i + 1] - best[2 * i]) : STR("");
    }
    return true;
}
