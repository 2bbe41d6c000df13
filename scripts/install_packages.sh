#!/usr/bin/env bash
# Installs the Debian packages that skipnet needs and that are not there yet.  What is there is left alone, so that a
# second call needs neither the network nor root.  The one place where package names are written down.
set -euo pipefail

# shellcheck source=scripts/parts/group.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/parts/group.sh"

policy=/usr/sbin/policy-rc.d as_root=()

usage() {
    cat <<'END'
usage: scripts/install_packages.sh [build|test|check]

Installs what is missing of the Debian 12 packages for
  build   building, running and plotting (the default)
  test    the same, and the tests
  check   the same, and the developer's checks of scripts/test.sh --all

SKIPNET_NO_INSTALL=1 installs nothing (for libraries in a prefix of your own, see README.md).
END
}

packages_of() { # SET
    case $1 in
    build)
        echo build-essential cmake ninja-build pkg-config libopenblas-dev libcjson-dev zlib1g-dev libarchive-dev \
            libxxhash-dev dataset-fashion-mnist python3-numpy python3-matplotlib
        ;;
    test) echo "$(packages_of build)" libcmocka-dev parallel python3-pytest ;;
    check)
        echo "$(packages_of test)" clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev valgrind shellcheck \
            black flake8 slurmctld slurmd slurm-client munge chromium python3-pandas
        ;;
    *) return 1 ;;
    esac
}

is_installed() { # PACKAGE
    local state
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) && [[ $state == installed ]]
}

# Installs without starting daemons: Slurm is for throwaway clusters of tests.  A policy that the machine has stays.
install() { # PACKAGE...
    local status=0
    if [[ " $* " == *" slurm"* && ! -e $policy ]]; then
        trap remove_policy EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod +x "$policy"
    fi
    in_front "${as_root[@]}" apt-get install -y --no-install-recommends "$@" || status=$?
    return "$status"
}

remove_policy() {
    "${as_root[@]}" rm -f "$policy"
}

fail() { # MISSING...
    {
        echo "skipnet: these packages are missing: $*"
        echo "Install them as root (apt-get install $*), or follow \"Without root\" in README.md"
        echo "and set SKIPNET_NO_INSTALL=1."
    } >&2
    exit 1
}

main() {
    local set=${1:-build} wanted missing=() name
    case $set in
    -h | --help)
        usage || exit 4
        return
        ;;
    esac
    if (($# > 1)) || ! wanted=$(packages_of "$set"); then
        case ${2:-$set} in
        -*) echo "scripts/install_packages.sh: unknown option ${2:-$set} (see --help)" >&2 ;;
        *) usage >&2 ;;
        esac
        exit 2
    fi
    [[ ${SKIPNET_NO_INSTALL:-0} == 1 ]] && return
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "skipnet: no apt here (this is not Debian)" >&2
        # shellcheck disable=SC2086 # one word per package
        fail $wanted
    fi
    for name in $wanted; do
        is_installed "$name" || missing+=("$name")
    done
    ((${#missing[@]} == 0)) && return
    if [[ $(id -u) != 0 ]]; then
        command -v sudo >/dev/null || fail "${missing[@]}"
        as_root=(sudo)
    fi
    echo "skipnet: installing ${missing[*]}" >&2
    as_root+=(env DEBIAN_FRONTEND=noninteractive)
    trap_signals
    in_front "${as_root[@]}" apt-get update
    install "${missing[@]}"
}

main "$@"
