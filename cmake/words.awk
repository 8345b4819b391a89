# A line of web/i18n/*.json, `  "greylisted.do": "...",`, as an entry of a table in C: a JSON string without \u is a C string.
/^  "[a-z0-9.-]+": ".*",?$/ {
    key = $1
    sub(/:$/, "", key)
    sub(/^ *"[a-z0-9.-]+": /, "")
    sub(/,$/, "")
    printf "{ STR(%s), STR(%s) },\n", key, $0
}
