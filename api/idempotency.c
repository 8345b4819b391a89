#include "api/idempotency.h"
#include "api/problem.h"
#include "base/encode.h"
#include "base/log.h"
#include "store/idempotency.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define KEY_MAX 255
#define ANSWER_MAX ((size_t)1 << 20)
#define NONCE_LEN 12
#define TAG_LEN 16

/* ---- the seal: AES-256-GCM under a hash of the key; nonce, tag, what is sealed ---- */

static struct str sealing_key(struct request *r)
{
    return sha256(&r->arena, arena_printf(&r->arena, "seal\n%.*s\n%.*s", STR_ARG(r->caller.actor),
                                          STR_ARG(request_header(r, STR("Idempotency-Key")))));
}

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)s.p;
}

static struct str seal(struct request *r, struct str plain)
{
    size_t len = NONCE_LEN + TAG_LEN + plain.len;
    unsigned char *out = arena_alloc(&r->arena, len), *text = out + NONCE_LEN + TAG_LEN;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n;

    random_bytes((char *)out, NONCE_LEN);
    if (c == NULL || EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, bytes_of(sealing_key(r)), out) != 1 ||
        EVP_EncryptUpdate(c, text, &n, bytes_of(plain), (int)plain.len) != 1 || EVP_EncryptFinal_ex(c, text + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN, out + NONCE_LEN) != 1)
        abort();
    EVP_CIPHER_CTX_free(c);
    return str_of((char *)out, len);
}

/* STR_NULL: it was sealed with another key, or is damaged. */
static struct str unseal(struct request *r, struct str sealed)
{
    unsigned char *out, tag[TAG_LEN];
    EVP_CIPHER_CTX *c;
    bool ok;
    int n;

    if (sealed.len < NONCE_LEN + TAG_LEN)
        return STR_NULL;
    out = arena_alloc(&r->arena, sealed.len);
    memcpy(tag, sealed.p + NONCE_LEN, TAG_LEN);
    c = EVP_CIPHER_CTX_new();
    if (c == NULL)
        abort();
    ok = EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, bytes_of(sealing_key(r)), bytes_of(sealed)) == 1 &&
         EVP_DecryptUpdate(c, out, &n, bytes_of(sealed) + NONCE_LEN + TAG_LEN, (int)(sealed.len - NONCE_LEN - TAG_LEN)) == 1 &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 && EVP_DecryptFinal_ex(c, out + n, &n) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok ? str_of((char *)out, sealed.len - NONCE_LEN - TAG_LEN) : STR_NULL;
}

/* ---- an answer as bytes: "status\ntype\n", "name: value\n" for each field, an empty line, the body ---- */

static struct str write_answer(struct request *r)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = ANSWER_MAX };

    (void)strbuf_addf(&out, "%d\n%.*s\n", r->answer.status, STR_ARG(r->answer.type));
    for (size_t i = 0; i < r->answer.n_headers; i++)
        (void)strbuf_addf(&out, "%.*s: %.*s\n", STR_ARG(r->answer.headers[i].name), STR_ARG(r->answer.headers[i].value));
    (void)strbuf_addf(&out, "\n%.*s", STR_ARG(r->answer.body));
    return out.overflow ? STR_NULL : arena_str(&r->arena, strbuf_str(&out));
}

static bool read_answer(struct request *r, struct str text)
{
    struct str line, type;
    uint64_t status;

    if (!str_split(&text, '\n', &line) || !str_u64(line, 599, &status) || !str_split(&text, '\n', &type))
        return false;
    while (str_split(&text, '\n', &line) && line.len > 0) {
        size_t colon = str_chr(line, ':');

        if (colon == SIZE_MAX)
            return false;
        reply_header(r, arena_cstr(&r->arena, str_sub(line, 0, colon)), str_from(line, colon + 2));
    }
    reply_text(r, (int)status, type, text.p != NULL ? text : STR(""));
    reply_header(r, "Idempotent-Replayed", STR("true"));
    return true;
}

/* ---- the request ---- */

static bool key_ok(struct str key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.p[i] <= ' ' || key.p[i] > '~')
            return false;
    }
    return key.len > 0 && key.len <= KEY_MAX;
}

static struct str hash_of_request(struct request *r)
{
    return sha256(&r->arena, arena_printf(&r->arena, "%.*s\n%.*s", STR_ARG(r->target), STR_ARG(strbuf_str(&r->body))));
}

bool idempotency_take(struct request *r)
{
    struct str key = request_header(r, STR("Idempotency-Key")), answer;
    enum result result;

    if (key.p == NULL || !str_eq(r->method, STR("POST")) || r->caller.via == VIA_NOBODY)
        return true;
    if (!key_ok(key) || request_count_header(r, STR("Idempotency-Key")) > 1) {
        problem(r, PROBLEM_MALFORMED, "An Idempotency-Key has 1 to %d visible ASCII characters.", KEY_MAX);
        return false;
    }
    r->once = sha256(&r->arena, arena_printf(&r->arena, "%.*s\n%.*s", STR_ARG(r->caller.actor), STR_ARG(key)));
    result = idempotency_begin(r->service->db, r->once, hash_of_request(r), &r->arena, &answer);
    if (result == RES_OK)
        return true;
    r->once = STR_NULL; /* it is not ours */
    if (result == RES_EXISTS && !read_answer(r, unseal(r, answer)))
        problem(r, PROBLEM_INTERNAL, NULL);
    else if (result == RES_LIMIT)
        problem(r, PROBLEM_IDEMPOTENCY_RUNNING, NULL);
    else if (result == RES_CONFLICT)
        problem(r, PROBLEM_IDEMPOTENCY_MISMATCH, NULL);
    else if (result != RES_EXISTS)
        problem_of_result(r, result);
    return false;
}

/* Only what was done is done once: a refusal may be another one the next time. */
void idempotency_give(struct request *r)
{
    struct str text = r->answer.status < 300 ? write_answer(r) : STR_NULL;

    if (r->once.p != NULL && idempotency_end(r->service->db, r->once, text.p != NULL ? seal(r, text) : STR_NULL) != RES_OK)
        log_warn("idempotency-lost", F_STR("request", r->id));
}
