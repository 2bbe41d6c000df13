# Fills `kinds` with the skip kinds in the order of their table (`skipnet list skips`), which is that of their colours;
# gives their number.  Whoever draws has no program to ask; tests/cli/cli_usage_test.sh holds this against it.
function skip_kinds(kinds) { return split("none add concat highway", kinds, " ") }
