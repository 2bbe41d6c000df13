#!/usr/bin/env bash
# Real limits and real faults: full devices and disks, limits of file sizes, descriptors and address space, directories
# and data files that go away, and locks.  A run that one of them has ended goes on with --resume to the bytes of one
# that nothing has disturbed.
# shellcheck source=tests/support/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli_lib.sh"
ulimit -c 0

write_tiny tiny.json
does train tiny.json --out reference -q --threads 1

want_same() { # WHAT DIRECTORY
    want "$1: status" '"done"' "$(value_of "$2/run.json" status)"
    local name
    for name in loss.csv gradients.csv final.safetensors; do want_equal "reference/$name" "$2/$name"; done
}

want_resumed() { # WHAT DIRECTORY
    does train tiny.json --out "$2" -q --resume --threads 1
    want_same "$1, resumed" "$2"
}

limited() { # LIMIT VALUE ARGUMENT...: under ulimit
    status=0
    (ulimit "$1" "$2" && exec timeout -s KILL 60 "$skipnet" "${@:3}") >out 2>err </dev/null || status=$?
}

# ---- Full devices.
if [[ -e /dev/full ]]; then
    for verb in "check tiny.json" "train tiny.json --out full --threads 1" "list ops" schema "compare reference" \
        "eval reference" help; do
        status=0
        # shellcheck disable=SC2086 # words
        "$skipnet" $verb >/dev/full 2>err </dev/null || status=$?
        want "$verb >/dev/full: exit status" 4 "$status"
        want_like "$verb >/dev/full: message" "*cannot write standard output: No space left on device" "$(cat err)"
    done
    want_same "a run whose summary could not be told" full
    for name in loss gradients; do
        mkdir "$name"
        ln -s /dev/full "$name/$name.csv"
        refuses 2 "$name is not empty and holds no run (there is $name.csv); take another --out, or --force to replace \
what is called like a run's files" train tiny.json --out "$name" -q
    done
    refuses 4 "cannot write /dev/full: not a regular file" eval reference --predictions /dev/full
fi

# ---- A small file system, full at every page in turn.  Needs root, or namespaces.
on_small_disk() { # PAGES: one run there, then --resume beside it
    mount -t tmpfs -o "size=$((4 * $1))k" none disk || exit 77
    code=0
    timeout -s KILL 60 "$skipnet" train tiny.json --out disk/run -q --threads 1 >out 2>err </dev/null || code=$?
    rm -rf copy
    cp -r disk copy
    umount disk
    exit "$code"
}
mkdir disk
n_full=0
for ((pages = 2; pages < 60; pages++)); do
    status=0
    if ((EUID == 0)) && mount -t tmpfs none disk 2>/dev/null; then
        umount disk
        (on_small_disk $pages) || status=$?
    else
        export -f on_small_disk
        export skipnet
        unshare --user --map-root-user --mount bash -c "on_small_disk $pages" 2>/dev/null || status=$?
        [[ -d copy ]] || { echo "no file system can be mounted here" && break; }
    fi
    ((status != 0)) || break
    n_full=$((n_full + 1))
    want "$pages pages: exit status" 4 "$status"
    want_like "$pages pages: message" "cannot * disk/run*: No space left on device" "$(cat err)"
    want "$pages pages: one line" 1 "$(wc -l <err)"
    want_resumed "$pages pages" copy/run
done
[[ ! -d copy ]] || { want_same "a disk that suffices" copy/run && want "disks were full" 1 "$((n_full > 3))"; }

# ---- RLIMIT_FSIZE, in blocks of 1024 bytes.
for ((blocks = 0; ; blocks++)); do
    rm -rf run
    limited -f "$blocks" train tiny.json --out run -q --threads 1
    ((status != 0)) || break
    want "ulimit -f $blocks: exit status" 4 "$status"
    # Where nothing can be written at all, the message cannot, either.
    ((blocks == 0)) || want_like "ulimit -f $blocks: message" "cannot write run/*: File too large" "$(cat err)"
    want_resumed "ulimit -f $blocks" run
done
want_same "ulimit -f $blocks" run
want "files were too large" 1 "$((blocks > 3))"

# ---- RLIMIT_NOFILE.  The loader needs some, too.
n_refused=0
for ((files = 3; ; files++)); do
    rm -rf run
    limited -n "$files" train tiny.json --out run -q --threads 1
    ((status != 0)) || break
    [[ $(cat err) != *"shared libraries"* ]] || continue
    n_refused=$((n_refused + 1))
    want "ulimit -n $files: exit status" 4 "$status"
    want_like "ulimit -n $files: message" "cannot *: Too many open files" "$(cat err)"
    want_resumed "ulimit -n $files" run
done
want_same "ulimit -n $files" run
want "files were too many" 1 "$((n_refused > 1))"

# ---- RLIMIT_AS: an error, never a hang.  Below some 55 MB the loader or OpenBLAS themselves give up before main.
if [[ ! ${SKIPNET_PRELOAD_FIRST:-} ]]; then # an address sanitizer takes terabytes of it
    n_refused=0
    for kib in 95000 120000 200000 350000 450000; do
        for path in generic "${SKIPNET_SIMD:-}"; do
            rm -rf run
            SKIPNET_SIMD=$path limited -v "$kib" train tiny.json --out run -q --threads 2
            case $status in
            0) ;;
            1)
                n_refused=$((n_refused + 1))
                want_like "ulimit -v $kib: message" "@(out of memory|cannot start 2 threads)*" "$(cat err)"
                ;;
            *) want "ulimit -v $kib, SKIPNET_SIMD=$path: exit status" "0 or 1" "$status" ;;
            esac
        done
    done
    want "address space was too small" 1 "$((n_refused > 1))"
    big='{"network": {"depth": 2, "width": 60000}, "data": {"kind": "spirals"}}'
    status=0
    (ulimit -v 1000000 && timeout -s KILL 60 "$skipnet" train - --out big -q <<<"$big" >out 2>err) || status=$?
    want "weights beyond ulimit -v: exit status" 1 "$status"
    want_like "weights beyond ulimit -v: message" "<stdin>:1:13: network: * need at least * of memory, * are free here (*" "$(cat err)"
fi

# ---- Directories that may not be written, or are none.
if ((EUID != 0)); then
    mkdir locked
    chmod 555 locked
    refuses 4 "cannot make the directory locked/run: Permission denied" train tiny.json --out locked/run
    refuses 4 "cannot open locked/run.lock: Permission denied" train tiny.json --out locked
fi
if [[ -d /proc/self ]]; then
    run train tiny.json --out /proc/skipnet
    want "/proc: exit status" 4 "$status"
    want_like "/proc: message" "cannot make the directory /proc/skipnet: *" "$(cat err)"
fi
echo >file
refuses 4 "cannot make the directory file/run: Not a directory" train tiny.json --out file/run

# ---- The directory goes away in mid-run: moved, or removed.
for how in moved removed; do
    start_long "$how"
    if [[ $how == moved ]]; then mv moved elsewhere; else rm -rf removed; fi
    kill -TERM "$pid"
    status=0
    wait "$pid" 2>/dev/null || status=$?
    want "$how: exit status" 4 "$status"
    want_like "$how: message" "cannot * $how*: No such file or directory" "$(cat long.err)"
    want "$how: it does not come back" "" "$(compgen -G "$how*")"
done
does train tiny.json --out elsewhere --force -q --threads 1
want_same "moved, replaced" elsewhere

# ---- Data that go away between two runs, or become less; what was there stays.
awk 'BEGIN { print "x,y,class"; for (i = 0; i < 60; i++) print sin(i) "," cos(3 * i) "," i % 3 }' >data.csv
cat >csv.json <<'END'
{"name": "csv", "data": {"kind": "csv", "path": "data.csv", "target": "class"}, "network": {"depth": 3, "width": 8},
 "train": {"batch_size": 8, "steps": 12}}
END
does train csv.json --out csv-reference -q --threads 1
cp -r csv-reference csv
sed -i 's/"status": "done"/"status": "interrupted"/' csv/run.json
cp -r csv csv-before
mv data.csv away.csv
refuses 4 "cannot open $work/data.csv: No such file or directory" train csv.json --out csv --resume -q
head -n 30 away.csv >data.csv
run train csv.json --out csv --resume -q
want "fewer rows: exit status" 2 "$status"
want_like "fewer rows: message" "csv holds a run of another config; they differ in: the data *" "$(cat err)"
head -c 300 away.csv >data.csv
run train csv.json --out csv --resume -q
want "half a row: exit status" 2 "$status"
diff -r csv csv-before
mv away.csv data.csv
does train csv.json --out csv --resume -q --threads 1
want_equal csv-reference/loss.csv csv/loss.csv
want_equal csv-reference/final.safetensors csv/final.safetensors
mv data.csv away.csv
refuses 4 "cannot open $work/data.csv: No such file or directory" eval csv

# ---- Two processes, one run: whatever would write there names the holder.
start_long held
holder="held/run.lock: in use by another process (pid $pid on $(uname -n)); wait for it or stop it"
rows=$(wc -l <held/loss.csv)
refuses 2 "$holder" train tiny.json --set train.steps=1000000000 --out held
refuses 2 "$holder" train tiny.json --set train.steps=1000000000 --out held --resume
refuses 2 "$holder" train tiny.json --out held --force
refuses 2 "skipnet eval: held/loss.csv belongs to the run (take another name for --predictions)" \
    eval held --predictions held/loss.csv
does compare held
want_like "compare reads it" "*running*" "$(cat out)"
await "more rows of the holder" has_rows held/loss.csv "$rows"
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
refuses 2 "held holds an unfinished run of this config (status interrupted); --resume continues it, --force starts it \
anew" train tiny.json --set train.steps=1000000000 --out held
does train tiny.json --out held --force -q --threads 1
want_same "a lock of the dead" held
finish 150
