#include "auth/password.h"
#include "base/encode.h"
#include "base/log.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <unistd.h>

#define PREFIX "$y$"
#define COST 7
#define MAX_WAITING 64
#define MEMORY_SLOTS 4096
#define MEMORY_MS 60000

struct remembered {
    unsigned char mac[32];
    int64_t until;
};

static struct {
    unsigned char secret[32];
    struct remembered memory[MEMORY_SLOTS];
    unsigned running, waiting, at_once;
    struct waitlist line;
    char dummy[CRYPT_GENSALT_OUTPUT_SIZE]; /* a salt without a hash: takes the time of one, and no password has it */
} state;

void password_init(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    random_bytes(state.secret, sizeof(state.secret));
    state.at_once = cores < 1 ? 1 : (unsigned)cores;
    if (crypt_gensalt_rn(PREFIX, COST, NULL, 0, state.dummy, sizeof(state.dummy)) == NULL)
        abort();
}

/* ---- the memory of successes ---- */

static void mac_of(struct str password, struct str verifier, unsigned char mac[32])
{
    unsigned char digest[64];
    unsigned n = 32;

    /* HMAC(secret, SHA-256(password) + verifier): lengths cannot be shifted against each other. */
    EVP_Digest(password.p, password.len, digest, NULL, EVP_sha256(), NULL);
    EVP_Digest(verifier.p, verifier.len, digest + 32, NULL, EVP_sha256(), NULL);
    HMAC(EVP_sha256(), state.secret, sizeof(state.secret), digest, sizeof(digest), mac, &n);
}

static struct remembered *slot_of(const unsigned char mac[32])
{
    return &state.memory[(mac[0] | (unsigned)mac[1] << 8) % MEMORY_SLOTS];
}

static bool remembered(const unsigned char mac[32])
{
    const struct remembered *m = slot_of(mac);

    return m->until > loop_now() &&
           bytes_equal_secret(str_of((const char *)m->mac, 32), str_of((const char *)mac, 32));
}

static void remember(const unsigned char mac[32])
{
    struct remembered *m = slot_of(mac);

    memcpy(m->mac, mac, 32);
    m->until = deadline_in(MEMORY_MS);
}

/* ---- hashing on the pool ---- */

struct job {
    char *password;
    const char *setting;
    char output[CRYPT_OUTPUT_SIZE];
    bool ok;
};

static void hash_job(void *arg)
{
    struct job *j = arg;
    struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB: not on a coroutine's stack */
    const char *out;

    if (data == NULL)
        return;
    out = crypt_rn(j->password, j->setting, data, sizeof(*data));
    if (out != NULL && out[0] != '*') {
        memcpy(j->output, data->output, sizeof(j->output));
        j->ok = true;
    }
    explicit_bzero(data, sizeof(*data));
    free(data);
}

static enum result run(struct job *j)
{
    if (state.running >= state.at_once) {
        enum result r;

        if (state.waiting >= MAX_WAITING)
            return RES_LIMIT;
        state.waiting++;
        r = waitlist_wait(&state.line, NO_DEADLINE, false); /* the place is handed over */
        state.waiting--;
        if (r != RES_OK)
            return r;
    } else {
        state.running++;
    }
    coroutine_work(hash_job, j);
    if (state.waiting > 0 && state.line.first != NULL)
        waitlist_wake_one(&state.line);
    else
        state.running--;
    explicit_bzero(j->password, strlen(j->password));
    return RES_OK;
}

/* crypt works on C strings: a password with NUL would be cut there, so it never matches. */
static bool usable(struct str password)
{
    return password.len > 0 && password.len <= 512 && str_chr(password, '\0') == SIZE_MAX;
}

enum result password_verify(struct str password, struct str verifier, struct arena *a)
{
    unsigned char mac[32];
    struct job j = { .password = arena_cstr(a, password), .setting = arena_cstr(a, verifier) };
    enum result r;

    if (!usable(password))
        return RES_DENIED;
    mac_of(password, verifier, mac);
    if (remembered(mac))
        return RES_OK;
    r = run(&j);
    if (r != RES_OK)
        return r;
    if (!j.ok || !bytes_equal_secret(str_c(j.output), verifier))
        return RES_DENIED;
    remember(mac);
    return RES_OK;
}

void password_verify_dummy(struct str password, struct arena *a)
{
    (void)!password_verify(usable(password) ? password : STR("x"), str_c(state.dummy), a);
}

bool password_is_outdated(struct str verifier)
{
    return !str_starts(verifier, STR(PREFIX)) || !str_starts(verifier, str_sub(str_c(state.dummy), 0, 6));
}

enum result password_hash(struct str password, struct arena *a, struct str *ret_verifier)
{
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    struct job j = { .password = arena_cstr(a, password), .setting = salt };
    enum result r;

    if (!usable(password))
        return RES_INVALID;
    if (crypt_gensalt_rn(PREFIX, COST, NULL, 0, salt, sizeof(salt)) == NULL)
        return RES_TEMPFAIL;
    r = run(&j);
    if (r != RES_OK)
        return r;
    if (!j.ok)
        return RES_TEMPFAIL;
    *ret_verifier = arena_str(a, str_c(j.output));
    return RES_OK;
}
