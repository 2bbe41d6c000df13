#!/usr/bin/env bash
# Calls of the system that fail, every one in turn: whatever the program opens, reads, writes, syncs, renames or closes,
# the error is told with path and cause, nothing that was there before is damaged, and train --resume ends with the
# bytes of a run that nothing has disturbed.
#
#   tests/run/run_faults_test.sh [--all]    built with a sanitizer it takes every third call only, but with --all
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"
[[ -f ${SKIPNET_SHIM:-} ]] || { echo "SKIPNET_SHIM names no library" && exit 77; }
cp "$SKIPNET_SHIM" shim.so # a path to preload must not have spaces
preload="${SKIPNET_PRELOAD_FIRST:-} $work/shim.so"
declare -A text_of=([EIO]="Input/output error" [ENOSPC]="No space left on device" [EMFILE]="Too many open files"
    [EDQUOT]="Disk quota exceeded" [EACCES]="Permission denied" [EROFS]="Read-only file system"
    [ESTALE]="Stale file handle" [EINTR]="Interrupted system call")
# Calls after whose failure the work can be done all the same: what was only read is closed; a temporary file that is
# not there is removed; no directory is made that is there.
may_pass="close unlink mkdir opendir link"
n_fired=0 n_failed=0 stride=1
[[ -z ${SKIPNET_PRELOAD_FIRST:-} || ${1:-} == --all ]] || stride=7

write_config() { # FILE: a tiny run that reads data and writes all that a run can write
    awk 'BEGIN { print "x,y,class"; for (i = 0; i < 60; i++) print sin(i) "," cos(3 * i) "," i % 3 }' >data.csv
    cat >"$1" <<'JSON'
{
  "name": "tiny",
  "data": {"kind": "csv", "path": "data.csv", "target": "class"},
  "network": {"depth": 3, "width": 5, "skip": "add"},
  "train": {"lr": 0.05, "batch_size": 16, "steps": 5, "optimizer": {"momentum": 0.9},
    "checkpoint": {"every_steps": 1}},
  "report": {"save_initial": true, "exponents": true}
}
JSON
}

with_fault() { # FAULT ARGUMENT...: as run, and fills the file log if the fault was met
    rm -f log
    status=0
    FAULT=$1 FAULT_BELOW=$work/ FAULT_LOG=$work/log LD_PRELOAD=$preload \
        timeout -s KILL 60 "$skipnet" "${@:2}" >out 2>err </dev/null || status=$?
}

# A call failed: either that has no consequence, or the error is told on one line with a path and the cause.
judge() { # WHAT CALL CAUSE
    local cause=${text_of[$3]}
    n_fired=$((n_fired + 1))
    if ((status == 0)); then
        want_like "$1: may that pass?" "*$2*" "$may_pass"
        return
    fi
    n_failed=$((n_failed + 1))
    want "$1: exit status" 4 "$status"
    local told
    told=$(<err)
    told=${told#warning: "$work"/unfinished: evaluating the checkpoint of step * of 5 (run is *)$'\n'}
    want_like "$1: message" "cannot * $work*: $cause" "$told"
    want "$1: one line" 1 "$(grep -c "" <<<"$told")"
}

# Whole rows, but for the last that a CSV ends in.
want_whole_rows() { # WHAT DIRECTORY
    local files=() name
    for name in loss.csv gradients.csv exponents.csv; do [[ ! -s $2/$name ]] || files+=("$2/$name"); done
    ((${#files[@]})) || return 0
    want "$1: rows" "" "$(awk -F, 'FNR == 1 { fault = ""; n = NF; next } fault { print fault }
        { fault = NF != n ? FILENAME ", line " FNR ": " $0 : "" }' "${files[@]}")"
}

first_of() { # KEY FILE: as value_of, without processes
    local pattern="\"$1\": (\"[^\"]*\")"
    [[ $(<"$2") =~ $pattern ]] && word=${BASH_REMATCH[1]}
}

sums_of() { # DIRECTORY
    sha256sum "$1"/{loss.csv,gradients.csv,exponents.csv,{final,initial}.safetensors,{config,datapackage}.json} | sed 's/ .*//'
}

want_same_run() { # WHAT DIRECTORY
    local word
    want "$1: bytes of $2" "$reference" "$(sums_of "$2")"
    first_of status "$2/run.json"
    want "$1: status" '"done"' "$word"
    first_of weights_hash "$2/run.json"
    want "$1: weights" "$weights" "$word"
}

# What a run that failed has left: valid, and to be continued.
judge_run() { # WHAT DIRECTORY
    local word
    want_whole_rows "$1" "$2"
    if [[ -e $2/run.json ]]; then
        cp "$2/run.json" "manifests/$n_fired.json"
        first_of status "$2/run.json"
        want_like "$1: status in run.json" "*$word*" '"running" "failed" "done"'
        # Where rows cannot be written, run.json still can.
        [[ $(<log) != write*.csv || $3 == stay ]] || want "$1: status" '"failed"' "$word"
    fi
    does train "$work/tiny.json" --out "$work/$2" -q --resume --threads 1
    want_same_run "$1, resumed" "$2"
}

sweep_train() { # CALL CAUSE [stay]
    local k what
    for ((k = 1; ; k += stride)); do
        rm -rf run
        with_fault "$1:$k:$2${3:+:$3}" train "$work/tiny.json" --out "$work/run" -q --threads 1
        [[ -f log ]] || break
        what="train, $1 $k ${3:-}, $(head -n 1 log)"
        judge "$what" "$1" "$2"
        judge_run "$what" run "${3:-once}"
    done
    want "train, $1 $k: exit status without a fault" 0 "$status"
    want_same_run "train without a fault" run
    want "train, $1: there were faults" 1 "$((k > 1))"
}

# A fault while a finished run is replaced: what is left of it is never taken for a finished run.
sweep_force() { # CALL CAUSE
    local k what
    for ((k = 1; ; k += stride)); do
        rm -rf run && cp -r reference run
        with_fault "$1:$k:$2" train "$work/tiny.json" --out "$work/run" -q --threads 1 --force
        [[ -f log ]] || break
        what="train --force, $1 $k, $(head -n 1 log)"
        judge "$what" "$1" "$2"
        judge_run "$what" run once
    done
    want "train --force, $1: there were faults" 1 "$((k > 1))"
}

# A fault while an unfinished run is continued: that can be repeated.
sweep_resume() { # CALL CAUSE [stay]
    local k what
    local may_pass="$may_pass read" # fseek reads ahead, and lives without
    for ((k = 1; ; k += stride)); do
        rm -rf run && cp -r unfinished run
        with_fault "$1:$k:$2${3:+:$3}" train "$work/tiny.json" --out "$work/run" -q --threads 1 --resume
        [[ -f log ]] || break
        what="train --resume, $1 $k ${3:-}, $(head -n 1 log)"
        judge "$what" "$1" "$2"
        judge_run "$what" run "${3:-once}"
    done
    want "train --resume, $1: there were faults" 1 "$((k > 1))"
}

# Verbs that read a run and write one file: that is there whole or not at all, and the run stays as it is.
sweep_reader() { # CALL CAUSE FILE ARGUMENT...
    local k file=$3
    for ((k = 1; ; k += stride)); do
        rm -f "$file"
        with_fault "$1:$k:$2" "${@:4}"
        [[ -f log ]] || break
        judge "$4, $1 $k, $(<log)" "$1" "$2"
        [[ ! -e $file ]] || want_equal "$file" "$file.reference"
        want "$4, $1 $k: no remnant" "" "$(compgen -G '*.tmp')"
        want_same_run "$4, $1 $k" reference
    done
    want "$4, $1: there were faults" 1 "$((k > 1))"
}

write_config tiny.json
mkdir manifests
does train "$work/tiny.json" --out "$work/reference" -q --threads 1
reference=$(sums_of reference)
weights=$(value_of reference/run.json weights_hash)

# A run that was broken off with two checkpoints there.
with_fault write:70:EIO:stay train "$work/tiny.json" --out "$work/unfinished" -q --threads 1
want "the unfinished run: exit status" 4 "$status"

for fault in open:EMFILE read:ESTALE write:EIO write:ENOSPC:stay fsync:EIO rename:EACCES close:EDQUOT mkdir:EROFS \
    flock:EIO; do
    IFS=: read -r call cause mode <<<"$fault"
    sweep_train "$call" "$cause" "$mode"
done
for fault in unlink:EIO rename:EIO write:ENOSPC; do sweep_force "${fault%:*}" "${fault#*:}"; done
cp -r unfinished probe
does train "$work/tiny.json" --out probe --threads 1 --resume
want_like "the unfinished run goes on from a checkpoint" "*resumed at step [1-9] of 5*" "$(cat err)"
for fault in open:EMFILE read:EIO write:ENOSPC:stay write:EIO fsync:EIO rename:EIO close:EIO unlink:EIO link:EIO \
    truncate:EIO; do
    IFS=: read -r call cause mode <<<"$fault"
    sweep_resume "$call" "$cause" "$mode"
done

does eval reference --predictions p.csv.reference
does eval unfinished --predictions q.csv.reference
want_like "the unfinished run is evaluated at a checkpoint" "*the checkpoint of step [1-9] of 5 (run is *" "$(cat err)"
does compare "$work/reference" --out .
mv runs.csv runs.csv.reference
for fault in open:EMFILE read:EIO write:ENOSPC fsync:EIO rename:EIO close:EIO; do
    sweep_reader "${fault%:*}" "${fault#*:}" p.csv eval "$work/reference" --predictions "$work/p.csv"
    sweep_reader "${fault%:*}" "${fault#*:}" q.csv eval "$work/unfinished" --predictions "$work/q.csv"
    sweep_reader "${fault%:*}" "${fault#*:}" runs.csv compare "$work/reference" --out "$work/"
done
for fault in open:EMFILE read:EIO; do
    sweep_reader "${fault%:*}" "${fault#*:}" none check "$work/tiny.json"
done

# What is no fault: short reads and writes, interrupted calls, clocks that jump.
for fault in short:1 short:7 short:1000 clock:1000000; do
    rm -rf run
    with_fault "$fault" train "$work/tiny.json" --out "$work/run" -q --threads 1
    want "$fault: exit status" 0 "$status"
    want "$fault: nothing on stderr" "" "$(cat err)"
    want_same_run "$fault" run
done
for call in read flock; do
    for ((k = 1; ; k++)); do
        rm -rf run
        with_fault "$call:$k:EINTR" train "$work/tiny.json" --out "$work/run" -q --threads 1
        [[ -f log ]] || break
        want "$call $k interrupted: exit status" 0 "$status"
        want_same_run "$call $k interrupted" run
    done
    want "$call: some were interrupted" 1 "$((k > 1))"
done

# No locks: said once, and the run is as any other.
for cause in ENOLCK ENOSYS; do
    rm -rf run
    with_fault "flock:1:$cause:stay" train "$work/tiny.json" --out "$work/run" -q --threads 1
    want "$cause: exit status" 0 "$status"
    want "$cause: message" "warning: no locks in $work/run: keep other processes out" "$(cat err)"
    want_same_run "$cause" run
done

# All run.json that were left are JSON, by somebody else's reader.
want "manifests were left" 1 "$(($(find manifests -name '*.json' | wc -l) > 10))"
if command -v python3 >/dev/null; then
    want "they are JSON" "" "$(python3 -c 'import json, sys
for path in sys.argv[1:]: json.load(open(path))' manifests/*.json 2>&1)"
fi
echo "$n_fired faults, $n_failed of them ended the program"
finish 500
