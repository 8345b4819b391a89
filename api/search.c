/* /search: everything that has a name, for one field. */
#include "api/handlers.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/queue.h"
#include "store/alias.h"
#include "store/domain.h"
#include "store/trace.h"

#define HITS_MOST 8 /* of a kind */
#define WORDS_MOST 50

enum kind { KIND_ACCOUNT, KIND_DOMAIN, KIND_ALIAS, KIND_MESSAGE, KINDS };
static const char *const kind_names[KINDS] = { "account", "domain", "alias", "message" };

struct search {
    struct request *r;
    struct str text; /* as it was given */
    size_t limit;
    struct json_object *hits;
};

static void hit(struct search *s, enum kind kind, struct str id, struct str title)
{
    struct json_object *o = js_object();

    js_set(o, "kind", js_str(str_c(kind_names[kind])));
    js_set(o, "id", js_str(id));
    js_set(o, "title", js_str(title));
    js_push(s->hits, o);
}

static enum result find_accounts(struct search *s)
{
    const struct account_filter filter = { .text = arena_lower(&s->r->arena, s->text), .visible = s->r->caller.visible };
    struct account *v;
    size_t n;
    bool more;
    enum result result = account_list(s->r->service->db, &filter, false, STR_NULL, s->limit, &s->r->arena, &v, &n, &more);

    for (size_t i = 0; result == RES_OK && i < n; i++)
        hit(s, KIND_ACCOUNT, v[i].address, v[i].name);
    return result;
}

static enum result find_domains(struct search *s)
{
    const struct domain_filter filter = { .text = arena_lower(&s->r->arena, s->text), .visible = s->r->caller.visible };
    struct domain *v;
    size_t n;
    bool more;
    enum result result = domain_list(s->r->service->db, &filter, false, STR_NULL, s->limit, &s->r->arena, &v, &n, &more);

    for (size_t i = 0; result == RES_OK && i < n; i++)
        hit(s, KIND_DOMAIN, v[i].name, STR(""));
    return result;
}

static enum result find_aliases(struct search *s)
{
    const struct alias_filter filter = { .text = arena_lower(&s->r->arena, s->text), .visible = s->r->caller.visible };
    struct alias *v;
    size_t n;
    bool more;
    enum result result = alias_list(s->r->service->db, &filter, false, STR_NULL, s->limit, &s->r->arena, &v, &n, &more);

    for (size_t i = 0; result == RES_OK && i < n; i++)
        hit(s, KIND_ALIAS, v[i].address, v[i].n_members > 0 ? v[i].members[0] : STR(""));
    return result;
}

/* ---- messages: by the ids in the text, which may be a bounce or a line of a log ---- */

static bool is_known(const struct search *s, struct str id)
{
    for (size_t i = 0; i < js_len(s->hits); i++) {
        if (str_eq(js_get_str(js_get(js_at(s->hits, i), "id", NULL)), id))
            return true;
    }
    return false;
}

static enum result find_by(struct search *s, const struct trace_filter *filter)
{
    struct trace_row *v;
    size_t n;
    struct trace_place next;
    enum result result = trace_list(s->r->service->db, filter, TRACE_END, s->limit, &s->r->arena, &v, &n, &next);

    for (size_t i = 0; result == RES_OK && i < n && js_len(s->hits) < HITS_MOST * KINDS; i++) {
        struct str id = queue_id_text(&s->r->arena, v[i].id);

        if (!is_known(s, id))
            hit(s, KIND_MESSAGE, id, v[i].subject.p != NULL ? v[i].subject : v[i].sender);
    }
    return result;
}

/* A word of the text: a queue id, or what may be a Message-ID, in angle brackets or not; others are none. */
static enum result find_word(struct search *s, struct str word)
{
    struct trace_filter filter = { .domains = queue_visible(s->r), .since = DB_NO_TIME, .until = DB_NO_TIME };

    if (str_chr(word, '@') != SIZE_MAX) {
        filter.message_id = word;
        return find_by(s, &filter);
    }
    filter.text = word;
    return queue_id(word, &filter.text_id) ? find_by(s, &filter) : RES_OK;
}

static bool ends_word(char c)
{
    return c == ' ' || c == ',' || c == ';' || c == '(' || c == ')' || c == '"' || c == ':' || c == '=';
}

static enum result find_messages(struct search *s)
{
    enum result result = RES_OK;
    size_t from = 0, words = 0;

    for (size_t i = 0; result == RES_OK && i <= s->text.len && words < WORDS_MOST; i++) {
        if (i < s->text.len && !ends_word(s->text.p[i]))
            continue;
        if (i > from) {
            result = find_word(s, str_sub(s->text, from, i - from));
            words++;
        }
        from = i + 1;
    }
    return result;
}

void search_get(struct request *r)
{
    static const char *const singles[] = { "q", "limit" };
    static const char *const repeated[] = { "kind" };
    static const struct {
        enum scope scope;
        enum result (*find)(struct search *s);
    } kinds[KINDS] = { [KIND_ACCOUNT] = { SCOPE_ACCOUNTS_READ, find_accounts }, [KIND_DOMAIN] = { SCOPE_DOMAINS_READ, find_domains },
                       [KIND_ALIAS] = { SCOPE_ALIASES_READ, find_aliases }, [KIND_MESSAGE] = { SCOPE_TRACE_READ, find_messages } };
    struct search s = { .r = r, .hits = request_keep(r, js_array()) };
    enum result result = RES_OK;
    struct json_object *answer;
    unsigned asked;

    query_begin(r, singles, ARRAY_LEN(singles), repeated, ARRAY_LEN(repeated));
    s.text = query_text(r, "q", 1, 1000);
    s.limit = (size_t)query_int(r, "limit", 1, HITS_MOST, HITS_MOST);
    asked = query_words(r, "kind", kind_names, KINDS);
    if (s.text.p == NULL && r->errors == NULL)
        error_at(r, STR("q"), "required", "It says what to look for.");
    if (errors_of_query(r))
        return;
    for (unsigned k = 0; k < KINDS && result == RES_OK; k++) {
        if ((asked == 0 || (asked >> k & 1) != 0) && caller_has(&r->caller, kinds[k].scope))
            result = kinds[k].find(&s);
    }
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    answer = js_object();
    js_set(answer, "data", js_share(s.hits));
    reply_json(r, 200, answer);
}
