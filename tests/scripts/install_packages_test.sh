#!/usr/bin/env bash
# scripts/install_packages.sh against stand-ins for dpkg-query, apt-get, sudo and id: what is there is not touched,
# what is missing is named, updated and installed, and nobody without root or sudo is left without advice.
set -euo pipefail

source=${SKIPNET_SOURCE:-$(dirname "${BASH_SOURCE[0]}")/../..}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"

stand_in() { # NAME COMMAND
    printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

# $work/missing lists what is not installed; $work/calls is what apt-get was asked for, and by whom.
stand_in dpkg-query 'for last; do :; done; grep -qx "$last" "$WORK/missing" && exit 1; printf installed'
stand_in apt-get 'echo "${RUNNER:-root} $DEBIAN_FRONTEND apt-get $*" >>"$WORK/calls"'
stand_in tee 'echo "${RUNNER:-root} tee $*: $(sed -n 2p)" >>"$WORK/calls"'
for tool in chmod rm; do
    stand_in $tool "echo \"\${RUNNER:-root} $tool \$*\" >>\"\$WORK/calls\""
done
stand_in sudo 'RUNNER=sudo exec "$@"'
stand_in id 'echo "$USER_ID"'
for tool in bash env cat dirname readlink grep sed; do
    ln -s "$(command -v "$tool")" "$work/bin/$tool"
done
ln -s "$(command -v sh)" "$work/bin/sh"

# Runs the script with nothing but the stand-ins on the PATH; keeps stderr, exit status and calls.
run() { # USER_ID [VARIABLE=VALUE...] -- ARGUMENT...
    local user=$1 settings=()
    shift
    while [[ $1 != -- ]]; do settings+=("$1") && shift; done
    shift
    : >"$work/calls"
    status=0
    env -i WORK="$work" PATH="$work/bin" USER_ID="$user" "${settings[@]}" bash "$source/scripts/install_packages.sh" \
        "$@" >"$work/out" 2>"$work/err" || status=$?
}

want() { # WHAT EXPECTED ACTUAL
    [[ $2 == "$3" ]] && return
    printf '%s\n  wanted: %s\n  got:    %s\n' "$@"
    cat "$work/err"
    exit 1
}

: >"$work/missing"
run 1000 -- check
want "all there: exit status" 0 "$status"
want "all there: apt-get is not called" "" "$(cat "$work/calls")"

# Slurm's daemons are not started: while it is installed, a policy forbids it, which then goes; the machine's own stays.
policy=/usr/sbin/policy-rc.d
wanted="root noninteractive apt-get install -y --no-install-recommends slurmd munge"
[[ -e $policy ]] || wanted="root tee $policy: exit 101
root chmod +x $policy
$wanted
root rm -f $policy"
printf '%s\n' munge slurmd >"$work/missing"
run 0 -- check
want "slurm: calls" "$wanted" "$(sed 1d "$work/calls")"

printf '%s\n' zlib1g-dev valgrind python3-matplotlib >"$work/missing"
run 0 -- build
want "two missing, root: exit status" 0 "$status"
want "two missing, root: calls" "root noninteractive apt-get update
root noninteractive apt-get install -y --no-install-recommends zlib1g-dev python3-matplotlib" "$(cat "$work/calls")"

run 1000 -- check
want "three missing, sudo: exit status" 0 "$status"
want "three missing, sudo: calls" "sudo noninteractive apt-get update
sudo noninteractive apt-get install -y --no-install-recommends zlib1g-dev python3-matplotlib valgrind" "$(cat "$work/calls")"

run 1000 SKIPNET_NO_INSTALL=1 -- check
want "told not to install: exit status" 0 "$status"
want "told not to install: calls" "" "$(cat "$work/calls")"

rm "$work/bin/sudo"
run 1000 -- build
want "neither root nor sudo: exit status" 1 "$status"
want "neither root nor sudo: calls" "" "$(cat "$work/calls")"
want "neither root nor sudo: message" "skipnet: these packages are missing: zlib1g-dev python3-matplotlib
Install them as root (apt-get install zlib1g-dev python3-matplotlib), or follow \"Without root\" in README.md
and set SKIPNET_NO_INSTALL=1." "$(cat "$work/err")"

run 0 -- everything
want "unknown set: exit status" 2 "$status"
echo "install_packages: all cases as expected"
