# The records of a CSV file, for a program that is given after this one (and after csv.awk): a line whose quotes are open
# goes on in the next one.  may_be_cut=1: so does the last, of a run that was killed, and `is_open` tells of it at the end.

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
