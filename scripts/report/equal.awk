# Rows of a table of facts, HTML, from lines "KEY VALUE WHERE", separated by tabs; where WHERE is less than n, only some
# runs have the key at all.
#
#   awk -F'\t' -v n=12 -f csv.awk -f html.awk -f equal.awk

{
    print "<tr><th scope=\"row\"><code>" html($1) "</code></th><td>" html($2) \
        ($3 != "" && $3 + 0 < n ? " <small>(where it applies)</small>" : "") "</td></tr>"
}
