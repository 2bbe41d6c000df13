# The records of a CSV file, for a program that is given after this one (and after csv.awk): a line whose quotes are
# open goes on in the next one.  may_be_cut=1: the last may be open, as a run leaves it that was killed; `is_open` then
# says so at the end.

{
    if (is_open) $0 = held "\n" $0
    is_open = index($0, "\"") && gsub(/"/, "\"") % 2
    if (is_open) {
        held = $0
        next
    }
}

END {
    if (failed) exit 2
    if (is_open && !may_be_cut) fail("line " NR ": a quote that is not closed")
}
