# A line of web/i18n/advice.*.json, `  "greylisted.do": "...",`, as an entry of the table in advice.c: a JSON string without
# \u is a C string.
FNR == 1 { language = FILENAME ~ /pt-BR/ ? "DSN_PT_BR" : "DSN_EN" }
/^  "[a-z0-9-]+\.(text|do)": ".*",?$/ {
    key = $1
    sub(/:$/, "", key)
    sub(/^ *"[a-z0-9.-]+": /, "")
    sub(/,$/, "")
    printf "{ %s, STR(%s), STR(%s) },\n", language, key, $0
}
