# shellcheck shell=bash disable=SC2034,SC2154 # the scripts use the marks, and set self and force
# What plot.sh and report.sh do with words and numbers.

beside=${BASH_SOURCE[0]%/*}

# Numbers that awk makes text of keep their digits; its own default is six.
awk() { # ARGUMENT...
    command awk -v OFMT=%.15g -v CONVFMT=%.15g "$@"
}

# What the files of plot.sh and report.sh are known by; a PNG is known by the SVG of its name.
picture_mark='<!-- skipnet-plot -->'
list_mark=picture,title,caption,sources,command
page_mark='<meta name="generator" content="skipnet-report" />'

# Whether a file begins as those do; as in C (sn_file_check_mark), a link has no mark.
has_mark() { # FILE MARK
    [[ ! -L $1 && -f $1 ]] && head -c 4096 -- "$1" 2>/dev/null | grep -qaF -- "$2"
}

# Fails where what has that name is not ours to replace.  A pipe or an empty file holds nothing that could be lost.
check_replaced() { # FILE MARKED-FILE MARK
    [[ -z $force && (-s $1 && -f $1 || -L $1) ]] || return 0
    has_mark "$2" "$3" || fail 2 "$1 was not written by $self (take another --out, or --force to replace it)"
}

# Without bytes that are no UTF-8, or no character of XML.
utf8() {
    { iconv -c -f UTF-8 -t UTF-8 || true; } | tr -d '\000-\010\013\014\016-\037' | sed 's/\xef\xbf[\xbe\xbf]//g'
}

quoted() { # WORD: as a word of the shell
    if [[ $1 =~ ^[A-Za-z0-9_./=,+:@%-]+$ ]]; then
        printf '%s\n' "$1"
    elif [[ $1 == *[[:cntrl:]]* ]]; then
        printf '%q\n' "$1"
    else
        printf "'%s'\n" "${1//\'/\'\\\'\'}"
    fi
}

# A text at the top level of a config as skipnet indents it; nothing where there is none.  Its escapes are resolved, but
# a control character becomes a blank.
config_text() { # FILE KEY
    [[ -f $1 && -r $1 ]] || return 0
    sed -n 's/^ \{0,2\}"'"$2"'": *"\(\([^"\\]\|\\.\)*\)".*/\1/p; T; q' "$1" |
        sed 's/\\\\/\x01/g; s/\\[nrtbf]/ /g; s/\\u00\([01][0-9A-Fa-f]\|7[Ff]\)/ /g; s/\\\(["/]\)/\1/g; s/\x01/\\/g'
}

# The varied keys of a comparison and their values, sorted: see keys.awk.
list_values() { # FILE
    NAME=$1 awk -f "$beside/csv.awk" -f "$beside/records.awk" -f "$beside/skips.awk" -f "$beside/keys.awk" <"$1" |
        sort -t $'\t' -k1,1n -k2,2g -k3,3 || exit 2
}
