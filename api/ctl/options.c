#include "api/ctl/call.h"

#include <string.h>

const char *option(const struct call *c, const char *name)
{
    for (size_t i = 0; i < c->n_options; i++) {
        if (strcmp(c->options[i].name, name) == 0)
            return c->options[i].value != NULL ? c->options[i].value : "";
    }
    return NULL;
}

bool option_known(const char *list, struct str name, bool *ret_value)
{
    struct str rest = str_c(list), one;

    while (str_split(&rest, ' ', &one)) {
        size_t eq = str_chr(one, '=');

        if (str_eq(str_sub(one, 0, eq), name)) {
            *ret_value = eq != SIZE_MAX;
            return true;
        }
    }
    return false;
}

bool option_take(struct call *c, const char *list, int argc, char **argv, int *i)
{
    struct str text = str_c(argv[*i] + 2);
    size_t eq = str_chr(text, '=');
    struct str name = str_sub(text, 0, eq);
    struct option_given *o = &c->options[c->n_options];
    bool has_value;

    if (!option_known(global_options, name, &has_value) && !option_known(list, name, &has_value)) {
        say(t("%s is not an option here; --help lists them"), argv[*i]);
        return false;
    }
    if (c->n_options == MAX_OPTIONS) {
        say("%s", t("there are too many options"));
        return false;
    }
    o->name = arena_cstr(&c->arena, name);
    if (has_value && eq == SIZE_MAX) {
        if (*i + 1 >= argc) {
            say(t("%s wants a value"), argv[*i]);
            return false;
        }
        o->value = argv[++*i];
    } else if (has_value) {
        o->value = argv[*i] + 2 + eq + 1;
    } else if (eq != SIZE_MAX) {
        say(t("--%s takes no value"), o->name);
        return false;
    }
    c->n_options++;
    return true;
}
