# A picture of gnuplot as part of a page: what draws stays, with names that have a prefix of their own.  A file that
# lies in a directory can be anybody's, so nothing is taken that is not listed here: no other elements (scripts, styles,
# links, foreign objects) with all that is in them, no other attributes (handlers), no reference but to what is in the
# same picture.  What comes out is closed properly, whatever goes in.
#
#   TITLE='Loss' awk -v prefix=p1- -f csv.awk -f html.awk -f svg.awk <loss.svg

BEGIN {
    RS = "<" # a record is a tag and the text behind it
    n = split("g path rect circle ellipse line polyline polygon text tspan defs use pattern clipPath " \
        "linearGradient stop", list, " ")
    for (i = 1; i <= n; i++) is_element[list[i]] = 1
    n = split("id class transform d points x y x1 y1 x2 y2 dx dy cx cy r rx ry width height viewBox offset href style " \
        "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin " \
        "stroke-miterlimit stroke-dasharray color opacity clip-path font-family font-size font-weight font-style " \
        "text-anchor xml:space patternUnits patternTransform gradientUnits stop-color stop-opacity", list, " ")
    for (i = 1; i <= n; i++) is_attribute[list[i]] = 1
}

# Text with what references to characters it has; any other is text too.
function content(text,    found) {
    while (match(text, /&(amp|lt|gt|quot|apos|#34|#39|#160);/)) {
        found = found html(substr(text, 1, RSTART - 1)) substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
    }
    return found html(text)
}

# A value that is kept, with the names in it; "" for one that is not.
function kept(name, value) {
    if (value ~ /[&\\@<]/) return ""
    if (name == "id") return value ~ /^gnuplot_plot_/ ? "" : prefix value
    if (name == "href") return value ~ /^#/ ? "#" prefix substr(value, 2) : ""
    gsub(/url\([ ]*#/, "\001", value)
    if (tolower(value) ~ /url|script|expression|import|:[ ]*\/\//) return ""
    gsub(/\001/, "url(#" prefix, value)
    return value
}

# The attributes in `text`, read until it ends or is none any more; sets `rest` to what is left.
function attributes(text,    found, name, value) {
    while (match(text, /^[ \t\r\n]*[A-Za-z_:][-A-Za-z0-9_:.]*[ \t\r\n]*=[ \t\r\n]*("[^"]*"|'[^']*')/)) {
        value = substr(text, 1, RLENGTH)
        text = substr(text, RLENGTH + 1)
        name = value
        sub(/[ \t\r\n]*=.*$/, "", name)
        sub(/^[ \t\r\n]*/, "", name)
        if (name == "xlink:href") name = "href"
        sub(/^[^"']*["']/, "", value)
        value = substr(value, 1, length(value) - 1)
        if (name in is_attribute && !index(found, " " name "=\"") && (value = kept(name, value)) != "")
            found = found " " name "=\"" html(value) "\""
    }
    rest = text
    return found
}

function open_tag(name,    found, is_empty) {
    found = attributes(substr($0, length(name) + 1))
    is_empty = rest ~ /^[ \t\r\n]*\/>/
    sub(/^[^>]*>/, "", rest)
    if (n_skipped || !(name in is_element)) {
        if (!is_empty) skipped[++n_skipped] = name
        return
    }
    printf "<%s%s%s>", name, found, is_empty ? "/" : ""
    if (!is_empty) opened[++n_opened] = name
}

function close_tag(name) {
    rest = $0
    sub(/^[^>]*>/, "", rest)
    if (n_skipped) {
        if (skipped[n_skipped] == name) n_skipped--
    } else if (n_opened && opened[n_opened] == name) {
        n_opened--
        printf "</%s>", name
    }
}

# The head: of its attributes the size of the picture is wanted.
function open_picture(    view) {
    if (match($0, /viewBox="[-0-9. ]*"/)) view = " " substr($0, RSTART, RLENGTH)
    printf "<svg%s role=\"img\"><title>%s</title>", view, html(ENVIRON["TITLE"])
    is_open = 1
}

# Comments and such end with a sign of their own; a tag may be in them.
until != "" {
    if (index($0, until)) until = ""
    next
}

/^!--/ && !/-->/ { until = "-->" }

/^!\[CDATA\[/ && !/\]\]>/ { until = "]]>" }

/^[!?]/ || NR == 1 { next }

!is_open {
    if (/^svg[ \t\r\n>]/) open_picture()
    next
}

{
    match($0, /^\/?[A-Za-z][-A-Za-z0-9_:.]*/)
    if (RLENGTH < 1) next
    name = substr($0, 1, RLENGTH)
    if (name ~ /^\//) close_tag(substr(name, 2))
    else open_tag(name)
    if (!n_skipped && n_opened) printf "%s", content(rest)
    else if (!n_skipped) printf "\n"
}

END {
    if (!is_open) exit 1
    while (n_opened) printf "</%s>", opened[n_opened--]
    print "</svg>"
}
