# Joins config.json files: a line "KEY VALUE WHERE" for every dotted key that has one value in all files that have it,
# separated by tabs, in the order of the first; WHERE is how many files have it.  What is not to be told is left out:
# names, comments, reports, the seed and the keys of FILE (one a line).
#
#   awk -v varied=FILE -f flatten.awk CONFIG...
#
# Numbers, true, false and null stay as they are written, strings lose their quotes.

BEGIN {
    while ((getline line < varied) > 0) hidden[line] = 1
}

# The next token of the file: a brace, bracket, comma, colon, string or word; "" at the end.
function token(    found) {
    while (1) {
        sub(/^[ \t\r]+/, "", rest)
        if (rest != "") break
        if (at_line >= n_lines) return ""
        rest = text[++at_line]
    }
    if (match(rest, /^"([^"\\]|\\.)*"/) || match(rest, /^[^][{},: \t\r"]+/)) found = substr(rest, 1, RLENGTH)
    else found = substr(rest, 1, 1)
    rest = substr(rest, length(found) + 1)
    return found
}

function unquote(word) {
    return word ~ /^"/ ? substr(word, 2, length(word) - 2) : word
}

function put(key, value) {
    if (key in hidden || key ~ /^(name|comment|seed|report\..*|\$schema)$/ || key ~ /\.comment$/) return
    if (!(key in n_files)) order[++n_keys] = key
    if (n_files[key]++ && value != value_of[key]) differs[key] = 1
    value_of[key] = value
}

# The value that begins with `word`, all that it contains put by its dotted key.
function read_value(word, key,    name, n) {
    if (word == "{") {
        while ((word = token()) != "}" && word != "") {
            if (word == ",") continue
            name = unquote(word)
            token() # the colon
            read_value(token(), key == "" ? name : key "." name)
        }
    } else if (word == "[") {
        n = 0
        while ((word = token()) != "]" && word != "")
            if (word != ",") read_value(word, key "." n++)
    } else {
        put(key, unquote(word))
    }
}

function read_file() {
    at_line = 0
    rest = ""
    read_value(token(), "")
}

FNR == 1 {
    if (NR > 1) read_file()
    n_lines = 0
}

{ text[++n_lines] = $0 }

END {
    read_file()
    for (i = 1; i <= n_keys; i++)
        if (!(order[i] in differs)) printf "%s\t%s\t%d\n", order[i], value_of[order[i]], n_files[order[i]]
}
