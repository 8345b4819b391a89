#include "api/static.h"
#include "api/gzip.h"
#include "api/listen.h"
#include "api/problem.h"
#include "base/encode.h"
#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES 500
#define MAX_FILE ((size_t)4 << 20)
#define HASH_LEN 12

struct file {
    struct str path; /* "/app/main.js" */
    struct str type, bytes, hash;
    struct str gzip; /* the bytes compressed; STR_NULL: that saves nothing */
};

static struct {
    struct arena arena;
    struct file files[MAX_FILES];
    size_t n;
    struct file index; /* index.html as it is served */
    struct str csp, contract;
} self;

/* ---- reading ---- */

static struct str type_of(struct str path)
{
    static const struct { struct str end, type; } types[] = {
        { STR(".html"), STR("text/html; charset=utf-8") }, { STR(".js"), STR("text/javascript; charset=utf-8") },
        { STR(".mjs"), STR("text/javascript; charset=utf-8") }, { STR(".css"), STR("text/css; charset=utf-8") },
        { STR(".json"), STR("application/json") }, { STR(".svg"), STR("image/svg+xml") },
        { STR(".png"), STR("image/png") }, { STR(".woff2"), STR("font/woff2") },
    };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_ends(path, types[i].end))
            return types[i].type;
    }
    return STR("text/plain; charset=utf-8");
}

static bool read_file(const char *path, struct str *ret)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *p;
    size_t n = 0;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0 || (size_t)st.st_size > MAX_FILE) {
        close(fd);
        return false;
    }
    p = arena_alloc(&self.arena, (size_t)st.st_size + 1);
    while (n < (size_t)st.st_size) {
        ssize_t got = read(fd, p + n, (size_t)st.st_size - n);

        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    *ret = str_of(p, n);
    return n == (size_t)st.st_size;
}

static struct file make_file(struct str path, struct str bytes)
{
    return (struct file){ .path = path,
                          .type = type_of(path),
                          .bytes = bytes,
                          .hash = str_sub(hex_encode(&self.arena, sha256(&self.arena, bytes)), 0, HASH_LEN),
                          .gzip = gzip_bytes(&self.arena, bytes) };
}

static void read_directory(struct str dir, struct str path, unsigned depth)
{
    DIR *d = opendir(arena_printf(&self.arena, "%.*s%.*s", STR_ARG(dir), STR_ARG(path)).p);
    const struct dirent *e;

    if (d == NULL)
        return;
    while ((e = readdir(d)) != NULL) {
        struct str below, bytes;

        if (e->d_name[0] == '.')
            continue;
        below = arena_printf(&self.arena, "%.*s/%s", STR_ARG(path), e->d_name);
        if (!read_file(arena_printf(&self.arena, "%.*s%.*s", STR_ARG(dir), STR_ARG(below)).p, &bytes)) {
            if (depth < 4)
                read_directory(dir, below, depth + 1);
            continue;
        }
        if (self.n == MAX_FILES) {
            log_error("web-too-many-files", F_STR("directory", dir));
            break;
        }
        self.files[self.n++] = make_file(below, bytes);
    }
    closedir(d);
}

static const struct file *find(struct str path)
{
    for (size_t i = 0; i < self.n; i++) {
        if (str_eq(self.files[i].path, path))
            return &self.files[i];
    }
    return NULL;
}

/* ---- index.html ---- */

static struct str with_hash(struct str path)
{
    const struct file *f = find(path);

    return f == NULL ? path : arena_printf(&self.arena, "%.*s?h=%.*s", STR_ARG(path), STR_ARG(f->hash));
}

/* What is written between `open` and `close` behind position *at, which then is behind it. */
static bool between(struct str s, struct str open, struct str close, size_t *at, struct str *ret)
{
    size_t from = str_find(str_from(s, *at), open), to;

    if (from == SIZE_MAX)
        return false;
    from += *at + open.len;
    to = str_find(str_from(s, from), close);
    if (to == SIZE_MAX)
        return false;
    *ret = str_sub(s, from, to);
    *at = from + to + close.len;
    return true;
}

/* The written import map, every path with its hash, and all modules of the page. */
static struct str make_map(struct str written)
{
    struct json_object *imports = js_object(), *out = js_object();
    struct str text, name, path;
    size_t at;

    at = str_find(written, STR("\"imports\""));
    at = at == SIZE_MAX ? written.len : at + 9;
    while (between(written, STR("\""), STR("\""), &at, &name) && between(written, STR("\""), STR("\""), &at, &path))
        js_set(imports, arena_cstr(&self.arena, name), js_str(with_hash(path)));
    for (size_t i = 0; i < self.n; i++) {
        if (str_starts(self.files[i].path, STR("/app/")))
            js_set(imports, arena_cstr(&self.arena, self.files[i].path), js_str(with_hash(self.files[i].path)));
    }
    js_set(out, "imports", imports);
    text = js_text(out, &self.arena);
    js_free(out);
    return text;
}

/* Modules that `f` imports, and theirs: those that the first view needs. */
static void collect_imports(const struct file *f, bool *wanted, unsigned depth)
{
    size_t at = 0;
    struct str path;

    if (f == NULL || wanted[f - self.files] || depth > 40)
        return;
    wanted[f - self.files] = true;
    while (between(f->bytes, STR(" from '"), STR("'"), &at, &path))
        collect_imports(find(path), wanted, depth + 1);
}

static void add_preloads(struct strbuf *out)
{
    bool wanted[MAX_FILES] = { false };

    collect_imports(find(STR("/app/main.js")), wanted, 0);
    for (size_t i = 0; i < self.n; i++) {
        if (wanted[i])
            strbuf_addf(out, "<link rel=\"modulepreload\" href=\"%.*s\">\n", STR_ARG(with_hash(self.files[i].path)));
    }
}

/* Copies html; values of src and href that are files of ours get their hash. */
static void add_hashed(struct strbuf *out, struct str html)
{
    size_t at = 0;

    while (at < html.len) {
        size_t src = str_find(str_from(html, at), STR("src=\"/")), href = str_find(str_from(html, at), STR("href=\"/"));
        size_t from = MIN(src, href), skip = src < href ? 5 : 6, to;

        if (from == SIZE_MAX)
            break;
        from += at + skip;
        to = str_chr(str_from(html, from), '"');
        if (to == SIZE_MAX)
            break;
        strbuf_add(out, str_sub(html, at, from - at));
        strbuf_add(out, with_hash(str_sub(html, from, to)));
        at = from + to;
    }
    strbuf_add(out, str_from(html, at));
}

static void make_index(struct str html)
{
    static const struct str open = STR("<script type=\"importmap\">"), end = STR("</script>");
    struct strbuf out = { .max = MAX_FILE };
    struct str written, map = STR_NULL, digest;
    size_t at = 0;

    if (between(html, open, end, &at, &written)) {
        map = make_map(written);
        add_hashed(&out, str_sub(html, 0, (size_t)(written.p - html.p) - open.len));
        strbuf_add(&out, open);
        strbuf_add(&out, map);
        strbuf_add(&out, end);
        strbuf_addc(&out, '\n');
        add_preloads(&out);
        add_hashed(&out, str_from(html, at));
    } else {
        add_hashed(&out, html);
    }
    self.index = make_file(STR("/index.html"), arena_str(&self.arena, strbuf_str(&out)));
    strbuf_release(&out);
    digest = base64_encode(&self.arena, sha256(&self.arena, map));
    self.csp = arena_printf(&self.arena,
                            "default-src 'none'; script-src 'self' 'sha256-%.*s'; style-src 'self'; img-src 'self' data:; "
                            "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
                            "require-trusted-types-for 'script'; trusted-types 'none'", STR_ARG(digest));
}

void static_load(struct str dir)
{
    const struct file *index;

    read_directory(dir, STR(""), 0);
    index = find(STR("/index.html"));
    if (index != NULL)
        make_index(index->bytes);
    else
        log_error("web-missing", F_STR("directory", dir));
    if (!read_file(arena_printf(&self.arena, "%.*s/../openapi.yaml", STR_ARG(dir)).p, &self.contract) &&
        !read_file(arena_printf(&self.arena, "%.*s/../api/openapi.yaml", STR_ARG(dir)).p, &self.contract))
        self.contract = STR_NULL;
}

struct str static_contract(void)
{
    return self.contract;
}

/* ---- answers ---- */

/* Each form has a tag of its own (RFC 9110, 8.8.3.3). */
static void answer_file(struct request *r, const struct file *f, bool forever)
{
    bool gzip = f->gzip.p != NULL && gzip_accepted(r);
    struct str tag = arena_printf(&r->arena, "\"%.*s%s\"", STR_ARG(f->hash), gzip ? "-gzip" : "");

    reply_header(r, "ETag", tag);
    if (f->gzip.p != NULL)
        reply_header(r, "Vary", STR("Accept-Encoding"));
    reply_header(r, "Cache-Control", forever ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
    if (str_eq(request_header(r, STR("If-None-Match")), tag)) {
        reply_text(r, 304, STR_NULL, STR(""));
        return;
    }
    if (gzip)
        reply_header(r, "Content-Encoding", STR("gzip"));
    reply_text(r, 200, f->type, gzip ? f->gzip : f->bytes);
    r->answer.fixed = true;
}

/* A path under which only files are; what is not there is not a page. */
static bool is_file_path(struct str path)
{
    static const struct str dirs[] = { STR("/app/"), STR("/css/"), STR("/i18n/"), STR("/vendor/") };

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        if (str_starts(path, dirs[i]))
            return true;
    }
    return false;
}

static void redirect_to_tls(struct request *r)
{
    struct str host = request_header(r, STR("Host"));
    size_t colon = str_rchr(host, ':'), bracket = str_rchr(host, ']');
    unsigned port = listen_tls_port();

    if (port == 0 || host.len == 0) {
        problem(r, PROBLEM_TLS_REQUIRED, NULL);
        return;
    }
    if (colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket))
        host = str_sub(host, 0, colon);
    reply_header(r, "Location", arena_printf(&r->arena, "https://%.*s:%u%.*s", STR_ARG(host), port, STR_ARG(r->target)));
    reply_text(r, 308, STR("text/plain; charset=utf-8"), STR("Use https.\n"));
}

void static_answer(struct request *r)
{
    const struct file *f;

    if (!str_eq(r->method, STR("GET")) && !str_eq(r->method, STR("HEAD"))) {
        problem(r, PROBLEM_METHOD_NOT_ALLOWED, NULL);
        reply_header(r, "Allow", STR("GET, HEAD"));
        return;
    }
    if (!r->secure) {
        redirect_to_tls(r);
        return;
    }
    f = str_eq(r->path, STR("/index.html")) ? NULL : find(r->path);
    if (f != NULL) {
        bool forever = r->n_query == 1 && str_eq(r->query[0].name, STR("h")) && str_eq(r->query[0].value, f->hash);

        answer_file(r, f, forever);
    } else if (is_file_path(r->path) || self.index.bytes.p == NULL) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
    } else {
        answer_file(r, &self.index, false);
        reply_header(r, "Content-Security-Policy", self.csp);
    }
}
