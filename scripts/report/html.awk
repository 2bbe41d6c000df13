# The one place that makes HTML of text, for the other awk programs of this directory, which are given after it and
# after plot/csv.awk.

# Text within an element or a quoted attribute.
function html(text) {
    gsub(/[\001-\010\013\014\016-\037\177]/, " ", text)
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    gsub(/"/, "\\&quot;", text)
    return text
}

# A file below the report, as the address of a link.
function address(path) {
    gsub(/%/, "%25", path)
    gsub(/ /, "%20", path)
    gsub(/#/, "%23", path)
    gsub(/\?/, "%3F", path)
    gsub(/\\/, "%5C", path)
    return html("./" path)
}

# To the digits a reader compares; what is not a number stays as it is.
function short(value, digits) {
    if (value == "") return "–"
    return is_number(value) ? sprintf("%." digits "g", value) : html(value)
}

function link(path, text) {
    return "<a href=\"" address(path) "\">" html(text) "</a>"
}
