# shellcheck shell=bash
# What tests of scripts/plot.sh and scripts/report.sh share: they source this file first.  It stands them into an empty
# directory of their own, with a gnuplot that keeps what it was given: the text in given/all.gp, and beside it the files
# of numbers.
set -euo pipefail
export LC_ALL=C

command -v gnuplot >/dev/null || exit 77
source=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# shellcheck disable=SC2034 # the tests set it to another one
plot=$source/scripts/plot.sh

mkdir bin
cat >bin/gnuplot <<END
#!/usr/bin/env bash
text=\$(cat)
from=\$(sed -n "s|^set output '\(.*\)/picture.*|\1|p" <<<"\$text")
mkdir -p "$work/given"
cp "\$from"/* "$work/given/"
echo "\$text" >>"$work/given/all.gp"
exec "$(command -v gnuplot)" "\$@" <<<"\$text"
END
chmod +x bin/gnuplot

run() { # ARGUMENT...
    status=0
    rm -rf given
    PATH=$work/bin:$PATH "$plot" "$@" >out 2>err || status=$?
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
        ! command -v xmllint >/dev/null || xmllint --noout "$2/$name.svg"
    done
    want "$1: files" "$(for name in "${@:3}"; do printf '%s\n' "$2/$name".{png,svg}; done | sort)" "$(sort out)"
}

want_error() { # STATUS MESSAGE ARGUMENT...
    run "${@:3}"
    want "${*:3}: exit status" "$1" "$status"
    want "${*:3}: message" "$2" "$(cat err)"
    want "${*:3}: nothing drawn" "" "$(cat out)"
}
