/* Any bytes as what correio-deliver reads and answers. */
#include <assert.h>

#include "agent/deliver.h"
#include "base/macros.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct str text = str_of((const char *)data, MIN(size, REQUEST_MAX)), folder;
    struct answer answer;
    struct request request;

    if (request_read(text, &a, &request) == RES_OK) {
        request_write(&request, &out);
        assert(request_read(strbuf_str(&out), &a, &request) == RES_OK);
    }
    if (answer_read(text, &a, &answer) == RES_OK) {
        strbuf_reset(&out);
        answer_write(&answer, &out);
        assert(answer.kind == ANSWER_DONE || answer.status.len >= 5);
    }
    folder = maildir_folder(&a, text);
    if (folder.p != NULL)
        assert(folder.p[0] == '.' && str_chr(folder, '/') == SIZE_MAX && str_find(folder, STR("..")) == SIZE_MAX);
    strbuf_reset(&out);
    mbox_quote(text, &out);
    assert(out.len >= text.len && !str_starts(strbuf_str(&out), STR("From ")));
    assert(str_find(strbuf_str(&out), STR("\nFrom ")) == SIZE_MAX);
    return 0;
}
