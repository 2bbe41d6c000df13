#!/usr/bin/env bash
# scripts/dev/callgrind.sh with a stand-in for valgrind that counts by a rule: its four steps, its table, its refusals.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"
script=$source_dir/scripts/dev/callgrind.sh

# A run takes 5000 instructions, and a step width x batch: more of a binary called old, more with every call if asked.
mkdir bin
cat >bin/valgrind <<'END'
#!/usr/bin/env bash
set -e
out=${2#--callgrind-out-file=} binary=$3 config=$5
number() { sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$config"; }
"$binary" check "$config" >/dev/null
cp "$config" "$SEEN/$(number width)-$(grep -c concat "$config" || true)-$(number every).json"
steps=${10#train.steps=} factor=1
[[ $binary == *old ]] && factor=2
echo call >>"$SEEN/calls"
noise=$((${NOISE:-0} * $(wc -l <"$SEEN/calls")))
echo "summary: $((5000 + steps * (factor * $(number width) * $(number batch_size) + noise)))" >"$out"
END
chmod +x bin/valgrind
ln -s "$skipnet" old
mkdir seen
export PATH=$work/bin:$PATH SEEN=$work/seen

status=0
count() { # ARGUMENT...
    status=0
    bash "$script" "$@" >out 2>err || status=$?
}

count "$skipnet"
want "all four steps" "0 step instructions add 8192 concat 8192 small 512 observed 512" "$status $(xargs <out)"
want "they differ in the config" "16-0-1.json 16-0-1000000.json 64-0-1000000.json 64-1-1000000.json" \
    "$(cd seen && echo *.json)"
want "two counts each" 8 "$(wc -l <seen/calls)"
count "$skipnet" --before ./old --only concat
want "two binaries" "step before instructions ratio concat 16384 8192 0.500" "$(xargs <out)"
count "$skipnet" --only small --twice
want "counted twice, equal" "0 step instructions small 512" "$status $(xargs <out)"
NOISE=1 count "$skipnet" --only small --twice
want_like "counted twice, not equal" "1 callgrind.sh: small: * instructions, then *" "$status $(cat err)"
count --only large
want "no such step" "2 callgrind.sh: no step large (one of: add, concat, small, observed)" "$status $(cat err)"
count --before
want "no value" "2 callgrind.sh: --before needs a value (see --help)" "$status $(cat err)"
count "$skipnet" --before missing
want "no program" "2 callgrind.sh: missing is no program (build it, or name one)" "$status $(cat err)"
count --fast
want "no such option" "2 callgrind.sh: unknown option --fast (see --help)" "$status $(cat err)"
finish 10
