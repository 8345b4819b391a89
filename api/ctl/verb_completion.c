/* completion: a script for the shell, which asks "completion words" for what the words may go on with. */
#include "api/ctl/complete.h"
#include "api/ctl/verbs.h"

#include <stdio.h>
#include <string.h>

#define MAX_CANDIDATES ((size_t)64 << 10)

static const char bash_script[] =
    "_correioctl() {\n"
    "    local line\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        COMPREPLY+=(\"${line%%$'\\t'*}\")\n"
    "    done < <(correioctl completion words -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
    "}\n"
    "complete -o default -F _correioctl correioctl\n";

static const char zsh_script[] =
    "#compdef correioctl\n"
    "_correioctl() {\n"
    "    local line word\n"
    "    local -a whole open\n"
    "    for line in \"${(@f)$(correioctl completion words -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
    "        word=${line%%$'\\t'*}\n"
    "        if [[ -z $word ]]; then\n"
    "            continue\n"
    "        elif [[ $word == *= ]]; then\n"
    "            open+=(\"${word//:/\\\\:}:${line#*$'\\t'}\")\n"
    "        else\n"
    "            whole+=(\"${word//:/\\\\:}:${line#*$'\\t'}\")\n"
    "        fi\n"
    "    done\n"
    "    if (( $#whole + $#open == 0 )); then\n"
    "        _files\n"
    "        return\n"
    "    fi\n"
    "    (( $#whole )) && _describe correioctl whole\n"
    "    (( $#open )) && _describe correioctl open -S ''\n"
    "}\n"
    "if [[ $funcstack[1] == _correioctl ]]; then\n"
    "    _correioctl \"$@\"\n"
    "else\n"
    "    compdef _correioctl correioctl\n"
    "fi\n";

static const char fish_script[] =
    "function __correioctl_words\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    set -l found (correioctl completion words -- $words[2..-1] 2>/dev/null)\n"
    "    if set -q found[1]\n"
    "        printf '%s\\n' $found\n"
    "    else\n"
    "        __fish_complete_path (commandline -ct)\n"
    "    end\n"
    "end\n"
    "complete -c correioctl -f -a '(__correioctl_words)'\n";

static enum outcome print_words(struct call *c)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = MAX_CANDIDATES };

    complete(c->args + 1, c->n_args - 1, &out);
    printf("%.*s", STR_ARG(strbuf_str(&out)));
    return DONE;
}

enum outcome verb_completion(struct call *c)
{
    static const struct {
        const char *shell, *script;
    } scripts[] = { { "bash", bash_script }, { "zsh", zsh_script }, { "fish", fish_script } };

    if (strcmp(c->args[0], "words") == 0)
        return print_words(c);
    for (size_t i = 0; i < ARRAY_LEN(scripts) && c->n_args == 1; i++) {
        if (strcmp(c->args[0], scripts[i].shell) == 0) {
            fputs(scripts[i].script, stdout);
            return DONE;
        }
    }
    say(t("there is no completion for \"%s\": it is bash, zsh or fish"), c->args[0]);
    return USAGE;
}
