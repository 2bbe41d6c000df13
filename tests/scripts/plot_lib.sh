# shellcheck shell=bash
# What tests of scripts/plot.sh and scripts/report.sh share: they source this file first.  It stands them into an empty
# directory of their own.  Where points, bands and marks are put is tested in tests/view.
set -euo pipefail
export LC_ALL=C

/usr/bin/python3 -c 'import matplotlib' 2>/dev/null || { echo "needs python3-matplotlib" && exit 77; }
source=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# shellcheck disable=SC2034 # the tests set it to another one
plot=$source/scripts/plot.sh

run() { # ARGUMENT...
    status=0
    "$plot" "$@" >out 2>err || status=$?
}

want() { # WHAT EXPECTED ACTUAL
    [[ $2 == "$3" ]] && return
    printf '%s\n  wanted: %s\n  got:    %s\n' "$@"
    cat err
    exit 1
}

want_pictures() { # WHAT DIR NAME...
    local name
    want "$1: exit status" 0 "$status"
    want "$1: nothing on stderr" "" "$(cat err)"
    for name in "${@:3}"; do
        want "$1: $name.png is a PNG" "PNG" "$(head -c 4 "$2/$name.png" | tail -c 3)"
        want "$1: $name.svg ends" "</svg>" "$(grep -o '</svg>' "$2/$name.svg")"
    done
    want "$1: files" "$(for name in "${@:3}"; do printf '%s\n' "$2/$name".{png,svg}; done | sort)" "$(sort out)"
}

want_error() { # STATUS MESSAGE ARGUMENT...
    run "${@:3}"
    want "${*:3}: exit status" "$1" "$status"
    want "${*:3}: message" "$2" "$(cat err)"
    want "${*:3}: nothing drawn" "" "$(cat out)"
}

# A text of a picture, wherever it stands in it.
want_text() { # SVG TEXT
    want "$1 says $2" yes "$(sed 's/<[^>]*>//g' "$1" | grep -F -- "$2" >/dev/null && echo yes)"
}

# The scripts as they are installed.
install_scripts() {
    mkdir -p prefix/bin prefix/share/skipnet
    cp "$source/scripts/plot.sh" prefix/bin/skipnet-plot
    cp "$source/scripts/report.sh" prefix/bin/skipnet-report
    cp -r "$source/scripts/skipnet_view" prefix/share/skipnet/
}
