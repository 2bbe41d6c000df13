#!/usr/bin/env bash
# Trains one config over a grid, on one of several engines, then compares, plots and reports the runs.  Installed as
# skipnet-sweep.  The engines are in sweep/engines.sh, what becomes of the cells in sweep/outcome.sh.
set -euo pipefail
export LC_ALL=C

self=${0##*/} # sweep.sh, or skipnet-sweep where it is installed

usage() {
    sed "s/sweep\.sh/$self/" <<'END'
usage: sweep.sh CONFIG [--grid KEY=V1,V2,...]... [--points FILE] [--seeds N] [--set KEY=VALUE]... [--threads N]
                [--out DIR] [--engine parallel|xargs|slurm] [--jobs N] [--expect FILE] [--resume] [--force]
                [--no-plot] [--dry-run] [-- ENGINE_OPTION...]

Makes the cells of a sweep (`skipnet cells`, which explains the first line of options) in DIR (runs/sweep-CONFIG), runs
those that are not finished, then writes the comparison (`skipnet compare DIR --out DIR`), DIR/plots and
DIR/report.html.

  --engine NAME   parallel   GNU parallel; the default where it is installed
                  xargs      needs nothing
                  slurm      a job array, and a comparison that depends on it; waits for both
  --jobs N        so many cells at once.  Default: one per core (and thread of a cell); with slurm what the cluster
                  gives
  --threads N     threads of each cell; default: 1, which uses the cores best
  --expect FILE   expectations for `skipnet compare`; what can be known of them before the runs is checked first
  --resume        make the runs of a sweep longer that lies in DIR: --set train.epochs=4 --resume
  --force         replace files of the comparison, pictures and report that skipnet did not write
  --no-plot       neither pictures nor report
  --dry-run       write nothing, only print the count, an estimate of time and disk
  -- OPTION...    goes to parallel (-- --sshlogin 8/host1,8/host2 --retries 3), xargs or sbatch (-- --partition=short)

A run that diverges is a result.  A cell that fails does not stop the others; failures are told as they happen, listed
with their reasons at the end, and kept in DIR/sweep-log/failed until the cell has run.  Ctrl-C stops a sweep within a
second: cells save their state, what takes longer goes on from its last checkpoint.  The same command goes on and repeats
no finished cell, nor one whose run is finished in DIR under another name.  Cells give the same bytes on every engine
(on processors of one kind).  Hosts of a cluster must see DIR, the data and the programs under the same paths.

The program is $SKIPNET, else skipnet beside this script, else build/release/skipnet, else the one on the PATH; in the
same way $SKIPNET_PLOT and $SKIPNET_REPORT.
Exit status: 0 all runs are there, 1 some failed or an expectation does, 2 usage, the config or the expectations are at
fault, 4 a file cannot be read or written, 128 + n stopped by signal n.
END
}

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
config='' out='' engine='' jobs='' threads=1 expect='' force='' plot=1 dry_run=0 group='' watcher=''
cell_options=() engine_options=() engines=(parallel xargs slurm)

die() {
    echo "${self%.sh}: $1" >&2
    exit 2
}

cannot_write() { # FILE
    echo "${self%.sh}: cannot write $1" >&2
    exit 4
}

# A path of the sweep's own leads nowhere else, and is what it has to be.
check_own() { # PATH TEST WHAT
    [[ ! -e $1 && ! -L $1 ]] && return
    [[ ! -L $1 ]] || { echo "${self%.sh}: $1 is a link: nothing is written through it (remove it)" >&2 && exit 4; }
    test "$2" "$1" || { echo "${self%.sh}: $1 is no $3 (remove it)" >&2 && exit 4; }
}

for parts in "$here/sweep" "$here/../share/skipnet/sweep"; do
    [[ -f $parts/engines.sh ]] && break
done
[[ -f $parts/engines.sh ]] || die "the directory sweep is missing beside this script, and $parts too"
# shellcheck source-path=SCRIPTDIR source=sweep/engines.sh
. "$parts/engines.sh"
# shellcheck source-path=SCRIPTDIR source=sweep/outcome.sh
. "$parts/outcome.sh"

parse() {
    while (($#)); do
        case $1 in
        -h | --help) usage 2>/dev/null || cannot_write "standard output" && exit 0 ;;
        --grid | --points | --seeds | --set | --threads | --out | --engine | --jobs | --expect)
            [[ -n ${2:-} ]] || die "$1 wants a value (see --help)"
            take "$1" "$2"
            shift
            ;;
        --resume) cell_options+=("$1") ;;
        --force) force=1 ;;
        --no-plot) plot=0 ;;
        --dry-run) dry_run=1 ;;
        --) shift && engine_options=("$@") && break ;;
        -?*)
            [[ ! -f $1 ]] || die "$1 is taken for an option: write ./$1"
            die "unknown option $1 (see --help)"
            ;;
        *)
            [[ -z $config ]] || die "one config at a time, not also $1 (options of the engine go after --)"
            config=$1
            ;;
        esac
        shift
    done
    [[ -n $config ]] || die "no config given (see --help)"
    [[ -z $jobs || $jobs =~ ^[1-9][0-9]{0,5}$ ]] || die "--jobs wants a whole number from 1 on, not $jobs"
    [[ $threads =~ ^[1-9][0-9]{0,3}$ ]] || die "--threads wants a whole number from 1 on, not $threads"
    local stem=${config##*/}
    [[ $config != - ]] || stem=stdin
    : "${out:=runs/sweep-${stem%.json}}"
    check_paths
    # Checked by cells, now and not after hours.  A pipe can be read only once, by the comparison.
    [[ -z $expect || -p $expect ]] || cell_options+=(--expect "$expect")
}

# A path that begins with a dash is not an option of what it is handed on to.
check_paths() {
    local path=$out
    [[ $out == /* ]] || path=$PWD/$out
    [[ $path != *[[:cntrl:]]* ]] || die "the path of --out has a control character in it: $(printf %q "$path")"
    [[ $out != -* ]] || out=./$out
    [[ $expect != -* ]] || expect=./$expect
}

take() { # OPTION VALUE
    case $1 in
    --grid | --points | --seeds | --set) cell_options+=("$1" "$2") ;;
    *) printf -v "${1#--}" '%s' "$2" ;;
    esac
}

choose_engine() {
    case $engine in
    '')
        engine=parallel
        if ! has_parallel; then
            ((${#engine_options[@]} == 0)) || die "options after -- want an --engine (GNU parallel is not installed)"
            echo "${self%.sh}: GNU parallel is not installed (apt-get install parallel): going on with xargs" >&2
            engine="xargs"
        fi
        ;;
    parallel) has_parallel || die "GNU parallel is not installed (apt-get install parallel), or take --engine xargs" ;;
    xargs) ;;
    slurm) command -v sbatch >/dev/null || die "no sbatch here: --engine slurm wants a Slurm cluster" ;;
    *) die "no engine $engine (one of: ${engines[*]})" ;;
    esac
}

# What GNU parallel, plotter and report need for their work is missed now and not after hours.
check_tmpdir() {
    local dir=${TMPDIR:-/tmp}
    [[ $plot == 0 && $engine != parallel ]] || [[ -d $dir && -w $dir ]] || cannot_write "into $dir (TMPDIR)"
}

# The first that can be run of: the variable's value, the files, the name on the PATH.  An absolute path: jobs of Slurm
# begin in another directory.
find_program() { # VALUE NAME FILE...
    local name=$2 file
    if [[ -n $1 ]]; then
        file=$(type -P -- "$1") || die "cannot run $1"
        realpath -s -- "$file"
        return
    fi
    for file in "${@:3}"; do
        [[ -x $file && ! -d $file ]] && realpath -s -- "$file" && return
    done
    file=$(type -P "$name") || die "no $name found: build it (scripts/demo.sh does), or set SKIPNET to the program"
    realpath -s -- "$file"
}

find_programs() {
    skipnet=$(find_program "${SKIPNET:-}" skipnet "$here/skipnet" "$here/../build/release/skipnet")
    ((plot)) || return 0
    plotter=$(find_program "${SKIPNET_PLOT:-}" skipnet-plot "$here/skipnet-plot" "$here/plot.sh")
    reporter=$(find_program "${SKIPNET_REPORT:-}" skipnet-report "$here/skipnet-report" "$here/report.sh")
}

# Makes the directory and the cells in it.  One sweep at a time: the lock is held until the last cell has ended.
make_cells() {
    local made=0 made_lock=0 status=0
    [[ -d $out ]] || made=1
    mkdir -p -- "$out" 2>/dev/null || { echo "${self%.sh}: cannot make the directory $out" >&2 && exit 4; }
    given=$out
    out=$(cd -- "$out" && pwd)
    check_own "$out/sweep.lock" -f file
    [[ -e $out/sweep.lock ]] || made_lock=1
    exec 9>>"$out/sweep.lock" || cannot_write "$out/sweep.lock"
    flock --nonblock --conflict-exit-code 75 9 || (($? != 75)) || die "another sweep is at work in $out"
    in_group "$skipnet" cells "$config" "${cell_options[@]}" --longest-first \
        --threads "$threads" --out "$out" >/dev/null
    end_group || status=$?
    if ((status)); then
        ((!made_lock)) || rm -f "$out/sweep.lock"
        ((!made)) || rmdir -- "$out"
        exit "$status"
    fi
}

# A list of this launch's own, which nothing changes while cells are run from it.  What an earlier launch left beside it
# goes, and nothing else.
prepare() {
    log=$out/sweep-log
    check_own "$log" -d directory
    check_own "$log/failed" -d directory
    check_slurm
    mkdir -p -- "$log" || cannot_write "$log"
    find "$log" -maxdepth 1 ! -type d \( -name '[0-9]*.failed' -o -name '[0-9]*.err' -o -name '[0-9]*.err.part' \
        -o -name 'slurm-*.out' -o -name slurm.job -o -name slurm.cancelled -o -name parallel.log -o -name xargs.err \) -exec rm -f -- {} +
    list=$log/cells.txt
    if ! { cp --remove-destination -- "$out/cells.txt" "$list.part" && mv -fT -- "$list.part" "$list"; } 2>/dev/null; then
        rm -f -- "$list.part"
        cannot_write "$list"
    fi
}

# ---- children ----

# Nothing is ever read from here: a pause without a process.  A signal is only noted, and obeyed after the pause: what
# stops the cells pauses itself, and one pause within another would end both.
exec 8<> <(:)
signalled=''
pause() { # SECONDS
    read -rt "$1" -u 8 || true
}

# In the background and a process group of its own: a signal to this script is passed on to all of it at once.
in_group() { # COMMAND...
    set -m
    "$@" &
    group=$!
    set +m
}

# Waits for it; its status.
end_group() {
    local status=0
    while kill -0 "$group" 2>/dev/null; do
        pause 0.1
        [[ -z $signalled ]] || stop
    done
    [[ -z $signalled ]] || stop
    wait "$group" || status=$?
    group=''
    return "$status"
}

# What watches is a process of its own: while bash waits for a child that a SIGINT did not end, it forgets the signal.
run_cells() {
    n_before=$(count_finished)
    in_group "run_$engine" </dev/null
    watch_cells </dev/null 9>&- &
    watcher=$!
    end_group || true
    end_watcher
}

end_watcher() {
    [[ -n $watcher ]] || return 0
    kill -s KILL "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
    watcher=''
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

# The processes below one, some of them in groups of their own: GNU parallel gives each job one.
descendants() { # PID
    local pid below=()
    { read -ra below <"/proc/$1/task/$1/children"; } 2>/dev/null || true
    for pid in "${below[@]}"; do
        descendants "$pid"
        echo "$pid"
    done
}

# Asks the group to end, and ends what has not after a while: the prompt is not to wait.
kill_group() {
    local i below
    below=$([[ $engine == slurm ]] || descendants "$group")
    kill -s TERM -- "-$group" 2>/dev/null || true
    for ((i = 0; i < 14; i++)); do
        kill -0 -- "-$group" 2>/dev/null || break
        pause 0.05
    done
    # shellcheck disable=SC2086 # a word per process
    kill -s KILL -- "-$group" $below 2>/dev/null || true
    wait "$group" 2>/dev/null || true
}

# The cells close themselves; this script dies of the same signal, so that a loop around it stops too.
stop() {
    trap '' INT TERM HUP
    end_watcher
    [[ -z $group ]] || kill_group 2>/dev/null
    echo "${self%.sh}: stopped by a signal; call it again to go on" >&2
    trap - INT TERM HUP
    kill -s "$signalled" $$
}

# What there is to see, even if some cells failed.  The status is that of the comparison, else that of the
# pictures or the page: 1 where one is missing.
show_runs() {
    local status=0
    "$skipnet" compare "$given" --out "$given" ${expect:+--expect "$expect"} ${force:+--force} || status=$?
    if ((plot)); then
        "$plotter" "$given" ${force:+--force} || status=$((status ? status : $?)) # the page comes without a picture that failed
        "$reporter" "$given" ${force:+--force} || status=$((status ? status : $?))
    fi
    return "$status"
}

main() {
    local status=0
    parse "$@"
    if ((dry_run)); then
        skipnet=$(find_program "${SKIPNET:-}" skipnet "$here/skipnet" "$here/../build/release/skipnet")
        exec "$skipnet" cells "$config" "${cell_options[@]}" --threads "$threads" --out "$out" --dry-run
    fi
    choose_engine
    check_tmpdir
    find_programs
    trap 'signalled=INT' INT
    trap 'signalled=TERM' TERM
    trap 'signalled=HUP' HUP
    make_cells
    prepare
    run_cells
    [[ -z $signalled ]] || stop
    if [[ -n $(finished_runs | head -n 1) ]]; then
        in_group show_runs
        end_group || status=$?
    fi
    if list_failures; then status=$((status ? status : 1)); fi
    [[ -z $signalled ]] || stop
    return "$status"
}

main "$@"
