/* The deliveries into a directory of the test's own. */
#include "tests/support/cmocka.h"

#include "agent/deliver.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

struct fixture {
    struct arena arena;
    struct str dir;
    struct request request;
    struct delivering d;
};

static int message_of(const char *text)
{
    FILE *f = tmpfile();
    int fd = dup(fileno(f));

    assert_true(fwrite(text, 1, strlen(text), f) == strlen(text));
    fclose(f);
    return fd;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char name[] = "/tmp/agent-test-XXXXXX";

    f->dir = arena_str(&f->arena, str_c(mkdtemp(name)));
    f->request = (struct request){ .sender = STR("x@elsewhere.test"), .recipient = STR("alice@x.test"), .host = STR("h/o:st"),
                                   .user = STR("alice"), .size = 7, .extension = STR("lists"), .local = STR("alice"),
                                   .domain = STR("x.test"), .flags = STR("") };
    f->d = (struct delivering){ .request = &f->request, .a = &f->arena, .output = -1, .home = f->dir.p, .shell = "/bin/sh",
                                .message = message_of("Subject: a\n\nFrom b\n>From c\nFromage") };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[256];

    snprintf(command, sizeof(command), "rm -rf '%s'", f->dir.p);
    assert_int_equal(system(command), 0);
    close(f->d.message);
    arena_reset(&f->arena);
    free(f);
    return 0;
}

static struct str below(struct fixture *f, const char *name)
{
    return arena_printf(&f->arena, "%s/%s", f->dir.p, name);
}

static struct str content(struct fixture *f, const char *path)
{
    char *bytes = arena_alloc(&f->arena, 65536);
    FILE *file = fopen(path, "r");
    size_t n;

    assert_non_null(file);
    n = fread(bytes, 1, 65536, file);
    fclose(file);
    return str_of(bytes, n);
}

/* The only file of a directory; NULL: it is empty. */
static const char *only(struct fixture *f, const char *directory)
{
    DIR *dir = opendir(directory);
    const char *found = NULL;
    struct dirent *e;

    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        assert_null(found);
        found = arena_printf(&f->arena, "%s/%s", directory, e->d_name).p;
    }
    closedir(dir);
    return found;
}

static void test_folder(void **state)
{
    static const struct {
        const char *folder, *want;
    } cases[] = {
        { "Lists/C", ".Lists.C" }, { "INBOX", NULL }, { "inbox", NULL }, { "INBOX/A", ".A" }, { "INBOX/", NULL }, { "", NULL }, { "a.b", ".a_b" },
        { "a//b", NULL }, { "/a", NULL }, { "a/", ".a" }, { "../..", ".__.__" }, { "..", ".__" }, { "a\nb", NULL }, { "a\xff", NULL },
        { "Gr\xc3\xbc\xc3\x9f" "e", ".Gr&APwA3w-e" }, { "a&b", ".a&-b" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got = maildir_folder(&f->arena, str_c(cases[i].folder));

        if (cases[i].want == NULL ? got.p != NULL : !str_eq(got, str_c(cases[i].want)))
            fail_msg("%s became %.*s", cases[i].folder, STR_ARG(got));
    }
}

static void test_maildir(void **state)
{
    struct fixture *f = *state;
    const char *name;
    struct stat st;

    assert_int_equal(maildir_deliver(&f->d, below(f, "box/")).kind, ANSWER_DONE);
    name = only(f, below(f, "box/new").p);
    assert_non_null(name);
    assert_non_null(strstr(name, "\\057o\\072st,S=7"));
    assert_true(str_eq(content(f, name), STR("Subject: a\n\nFrom b\n>From c\nFromage")));
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_null(only(f, below(f, "box/tmp").p));
    f->request.folder = STR("A/B");
    f->request.flags = STR("FS");
    assert_int_equal(maildir_deliver(&f->d, below(f, "box")).kind, ANSWER_DONE);
    name = only(f, below(f, "box/.A.B/cur").p);
    assert_true(str_ends(str_c(name), STR(":2,FS")));
    assert_int_equal(maildir_deliver(&f->d, below(f, "not/there")).kind, ANSWER_LATER);
}

static void test_mbox(void **state)
{
    struct fixture *f = *state;
    struct str path = below(f, "mbox"), first, both;

    assert_int_equal(mbox_deliver(&f->d, path).kind, ANSWER_DONE);
    first = content(f, path.p);
    assert_true(str_starts(first, STR("From x@elsewhere.test ")));
    assert_true(str_ends(first, STR("\nSubject: a\n\n>From b\n>>From c\nFromage\n\n")));
    f->request.sender = STR("");
    assert_int_equal(mbox_deliver(&f->d, path).kind, ANSWER_DONE);
    both = content(f, path.p);
    assert_true(str_starts(both, first) && str_starts(str_from(both, first.len), STR("From MAILER-DAEMON ")));
    assert_int_not_equal(access(below(f, "mbox.lock").p, F_OK), 0);
}

/* What somebody left who died while writing: the next message is one of its own. */
static void test_mbox_half(void **state)
{
    static const struct {
        const char *left, *between;
    } cases[] = { { "", "" }, { "\n", "" }, { "x", "\n\n" }, { "x\n", "\n" }, { "x\n\n", "" }, { "From a\n\nhalf", "\n\n" }, { "From a\nb: c\n", "\n" } };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str path = below(f, "half");
        FILE *out = fopen(path.p, "w");

        assert_non_null(out);
        fputs(cases[i].left, out);
        fclose(out);
        assert_int_equal(mbox_deliver(&f->d, path).kind, ANSWER_DONE);
        if (!str_starts(content(f, path.p), arena_printf(&f->arena, "%s%sFrom x@elsewhere.test ", cases[i].left, cases[i].between)))
            fail_msg("case %zu", i);
    }
}

static void test_mbox_refused(void **state)
{
    struct fixture *f = *state;
    struct rlimit old, small = { 40, RLIM_INFINITY };
    struct str path = below(f, "mbox"), before;
    struct answer answer;

    assert_int_equal(mbox_deliver(&f->d, path).kind, ANSWER_DONE);
    before = content(f, path.p);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){ before.len + 40, old.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    answer = mbox_deliver(&f->d, path);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(answer.kind, ANSWER_LATER);
    assert_true(str_eq(answer.status, STR("4.2.2")));
    assert_true(str_eq(content(f, path.p), before));
    assert_int_equal(symlink("mbox", below(f, "link").p), 0);
    assert_int_equal(mbox_deliver(&f->d, below(f, "link")).kind, ANSWER_LATER);
    assert_int_equal(link(path.p, below(f, "second").p), 0);
    assert_int_equal(mbox_deliver(&f->d, path).kind, ANSWER_LATER);
    assert_int_equal(mkdir(below(f, "dir").p, 0700), 0);
    assert_int_equal(mbox_deliver(&f->d, below(f, "dir")).kind, ANSWER_LATER);
}

static void test_from_line(void **state)
{
    struct fixture *f = *state;

    assert_true(str_eq(mbox_from_line(&f->arena, STR("\"a b\"@x.test"), 1700000000),
                       STR("From \"a_b\"@x.test Tue Nov 14 22:13:20 2023\n")));
    assert_true(str_eq(mbox_from_line(&f->arena, STR(""), 0), STR("From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n")));
}

static void test_pipe(void **state)
{
    struct fixture *f = *state;
    const struct str words[] = { STR("/bin/sh"), STR("-c"), STR("cat > out; echo \"$1 $2 $SENDER\" >> out; echo said; exit $3"),
                                 STR("x"), STR("$EXTENSION"), STR("a$USER"), STR("69") };
    struct answer answer;

    assert_int_equal(chdir(f->dir.p), 0);
    answer = pipe_deliver(&f->d, words, ARRAY_LEN(words));
    assert_int_equal(answer.kind, ANSWER_NEVER);
    assert_true(str_eq(answer.text, STR("said")));
    assert_true(str_ends(content(f, "out"), STR("Fromagelists a$USER x@elsewhere.test\n")));
    assert_int_equal(chdir("/"), 0);
    answer = pipe_deliver(&f->d, &STR("/nonexistent/x"), 1);
    if (!str_starts(answer.text, STR("could not run /nonexistent/x: ")))
        fail_msg("%.*s", STR_ARG(answer.text));
    assert_int_equal(answer.kind, ANSWER_LATER);
}

static void test_status(void **state)
{
    static const struct {
        int status, kind;
        const char *code;
    } cases[] = {
        { 0, ANSWER_DONE, "" },                      { EX_TEMPFAIL << 8, ANSWER_LATER, "4.3.0" },
        { EX_NOUSER << 8, ANSWER_NEVER, "5.1.1" },   { EX_NOPERM << 8, ANSWER_NEVER, "5.7.1" },
        { EX_DATAERR << 8, ANSWER_NEVER, "5.6.0" },  { 1 << 8, ANSWER_NEVER, "5.3.0" },
        { 127 << 8, ANSWER_NEVER, "5.3.0" },         { SIGKILL, ANSWER_LATER, "4.3.0" },
        { SIGSEGV | 0x80, ANSWER_LATER, "4.3.0" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer answer = pipe_judge(&f->arena, cases[i].status, STR("/p"), STR_NULL);

        assert_int_equal(answer.kind, cases[i].kind);
        assert_true(str_eq(answer.status, str_c(cases[i].code)));
        assert_true(answer.kind == ANSWER_DONE || str_find(answer.text, STR("/p")) != SIZE_MAX);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(test_folder), TEST(test_maildir), TEST(test_mbox), TEST(test_mbox_half), TEST(test_mbox_refused),
                                        TEST(test_from_line), TEST(test_pipe), TEST(test_status) };

    return cmocka_run_group_tests_name("agent_deliver", tests, NULL, NULL);
}
