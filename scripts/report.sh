#!/usr/bin/env bash
# Writes a comparison as one static page: starts skipnet_view, which does it.  Installed as skipnet-report.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
python=${SKIPNET_PYTHON:-/usr/bin/python3} # Debian's, with Debian's matplotlib
for lib in "$here" "$here/../share/skipnet"; do
    [[ ! -f $lib/skipnet_view/__main__.py ]] || break
done
command -v "$python" >/dev/null || python=python3
SKIPNET_SELF=${0##*/} exec "$python" "$lib/skipnet_view/__main__.py" report "$@"
