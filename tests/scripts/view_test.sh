#!/usr/bin/env bash
# The tests of scripts/skipnet_view, with Debian's Python, matplotlib and pytest; scripts/dev/interop.sh runs them with
# today's packages.
set -euo pipefail
export LC_ALL=C

source=${SKIPNET_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
python=/usr/bin/python3
"$python" -c 'import matplotlib, pytest' 2>/dev/null || { echo "needs python3-matplotlib and python3-pytest" && exit 77; }
exec env PYTHONDONTWRITEBYTECODE=1 "$python" -m pytest -q -p no:cacheprovider "$source/tests/view"
