/* bench_sieve [ROUNDS]: microseconds to compile the script of 20 rules of tests/bench/sieve, and to run it on a message of
 * 4 KiB; medians of batches.  Built by `cmake --preset release -DCORREIO_TESTS=ON && ninja -C build/release bench_sieve`. */
#include "base/encode.h"
#include "base/strbuf.h"
#include "sieve/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCHES 21

static void write_script(struct strbuf *s)
{
    (void)strbuf_adds(s, "require [\"fileinto\", \"imap4flags\"];\n");
    for (int i = 0; i < 8; i++)
        (void)strbuf_addf(s, "if allof (header :contains \"subject\" \"project %d\", address :domain :is \"from\" \"firm%d.test\") "
                             "{ fileinto \"P%d\"; stop; }\n", i, i, i);
    for (int i = 0; i < 6; i++)
        (void)strbuf_addf(s, "if header :matches [\"to\", \"cc\"] \"*list%d@*\" { fileinto \"L%d\"; stop; }\n", i, i);
    for (int i = 0; i < 4; i++)
        (void)strbuf_addf(s, "if anyof (exists \"X-Loop-%d\", size :over %dM) { discard; stop; }\n", i, i + 5);
    (void)strbuf_adds(s, "if not exists \"X-Never-There\" { addflag \"$Seen-By-Filter\"; }\nif true { fileinto \"Archive\"; }\n");
}

static void write_message(struct strbuf *s)
{
    (void)strbuf_adds(s, "Return-Path: <joe@far.test>\r\nReceived: from far.test by our.test; Sat, 28 Nov 2026 00:00:00 +0000\r\n"
                         "From: Joe <joe@far.test>\r\nTo: Ann <ann@our.test>\r\nSubject: a subject of some length\r\n"
                         "Message-ID: <1@far.test>\r\nDate: Sat, 28 Nov 2026 00:00:00 +0000\r\n\r\n");
    while (s->len < 4096)
        (void)strbuf_adds(s, "Some words of a body that nobody reads, but that has to be there.\r\n");
}

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    CLEANUP(strbuf_release) struct strbuf script = { 0 };
    CLEANUP(strbuf_release) struct strbuf message = { 0 };
    int rounds = argc > 1 ? atoi(argv[1]) : 1000;
    double compile[BATCHES], run[BATCHES];

    write_script(&script);
    write_message(&message);
    for (int b = 0; b < BATCHES; b++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct sieve_script *compiled = NULL;
        struct sieve_error error;
        const struct sieve_env env = { .message = strbuf_str(&message), .from = STR("joe@far.test"), .to = STR("ann@our.test"),
                                       .now_us = wall_us(), .spam_percent = -1 };
        double start = now_us();

        for (int i = 0; i < rounds; i++) {
            arena_reset(&a);
            if (sieve_compile(strbuf_str(&script), NULL, &a, &compiled, &error) != RES_OK)
                return 1;
        }
        compile[b] = (now_us() - start) / rounds;
        start = now_us();
        for (int i = 0; i < rounds; i++) {
            CLEANUP(arena_releasep) struct arena scratch = { 0 };
            const struct sieve_script *scripts[] = { compiled };
            struct sieve_result result;

            if (sieve_run(scripts, 1, &env, NULL, &scratch, &result) != RES_OK || result.nactions != 1)
                return 1;
        }
        run[b] = (now_us() - start) / rounds;
    }
    qsort(compile, BATCHES, sizeof(double), by_value);
    qsort(run, BATCHES, sizeof(double), by_value);
    printf("compile %.1f us, run %.1f us (goal: 100 together)\n", compile[BATCHES / 2], run[BATCHES / 2]);
    return 0;
}
