# shellcheck shell=bash disable=SC2154 # part of sweep.sh, which sets the variables
# The engines: each runs all lines of $list by sweep/cell.sh and returns when no cell runs any more.  Their own exit
# status says nothing: what lies in the run directories does.  They run in a process group of their own, and TERM to
# that group stops them.

quoted() { # WORD...: as words of a POSIX shell
    local word
    for word; do printf "'%s' " "${word//\'/\'\\\'\'}"; done
}

# The CPUs that this process may use: the affinity mask, cut down to the control group's quota.
count_cores() {
    local n quota period
    n=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
    if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [[ $quota != max ]]; then
        quota=$(((quota + period - 1) / period))
        ((quota >= n)) || n=$quota
    fi
    echo "$n"
}

default_jobs() {
    local n=$(($(count_cores) / threads))
    echo $((n > 1 ? n : 1))
}

count_lines() {
    wc -l <"$list"
}

# ---- GNU parallel ----

has_parallel() { # another program has that name, too
    [[ $(parallel --version 2>/dev/null) == "GNU parallel"* ]]
}

# With other hosts the number of jobs is that of each host's cores.  Whole commands are handed over, since parallel has
# replacement strings ({#}, {= perl =}) that a path in a template may hold.
run_parallel() {
    local options=() name command i n
    for name in SKIPNET_DATA SKIPNET_CACHE SKIPNET_SIMD OPENBLAS_CORETYPE; do
        [[ ! -v $name ]] || options+=(--env "$name")
    done
    if [[ -n $jobs ]]; then
        options+=(--jobs "$jobs")
    elif [[ " ${engine_options[*]} " == *" "@(-S|--ssh|--slf)* ]]; then
        options+=(--jobs 100%)
    else
        options+=(--jobs "$(default_jobs)")
    fi
    n=$(count_lines)
    command="sh $(quoted "$parts/cell.sh" "$list" "$log")"
    for ((i = 1; i <= n; i++)); do printf '%s%d\0' "$command" "$i"; done |
        parallel -0 --will-cite --joblog "$log/parallel.log" --termseq TERM,500,KILL,25 \
            "${options[@]}" "${engine_options[@]}"
}

# ---- xargs ----

run_xargs() {
    seq "$(count_lines)" | xargs -P "${jobs:-$(default_jobs)}" -n 1 "${engine_options[@]}" \
        sh "$parts/cell.sh" "$list" "$log" 2>"$log/xargs.err"
}

# ---- Slurm ----

# Whether a job is still in the queue.  One that is over is forgotten after a while; a controller that does not answer
# is no answer.
is_queued() { # JOB
    local answer
    if answer=$(squeue -h -j "$1" 2>&1); then
        [[ -n $answer ]]
    else
        [[ $answer != *"Invalid job id"* ]]
    fi
}

slurm_job() { # SBATCH-ARGUMENT...
    local id
    id=$(sbatch --parsable --chdir="$out" --ntasks=1 "$@") || return
    echo "${id%%;*}"
}

# How many elements an array has: as many as cells, at most 1000, and what the cluster allows.
count_elements() {
    local n most
    n=$(count_lines)
    most=$(scontrol show config | sed -n 's/^MaxArraySize *= *\([0-9]*\)$/\1/p') || true
    [[ -n $most ]] && ((most <= 1000)) || most=1001
    echo $((n < most ? n : most - 1))
}

# Element i takes the lines i, i + n, ...  The comparison depends on the array whatever becomes of it, so that it is
# there even if this script is not.
run_slurm() {
    local n array='' after='' pause=1
    n=$(count_elements)
    trap cancel_slurm TERM
    array=$(slurm_job --array="1-$n${jobs:+%$jobs}" --job-name=skipnet --cpus-per-task="$threads" --requeue \
        --open-mode=append --output="$log/slurm-%a.out" "${engine_options[@]}" \
        --wrap "exec sh $(quoted "$parts/cell.sh" "$list" "$log")\$SLURM_ARRAY_TASK_ID $n") || return
    echo "$array" >"$log/slurm.job"
    echo "${self%.sh}: array $array of $n elements; without this script, the end is: $(quoted "$skipnet" compare "$out" \
        --out "$out")" >&2
    after=$(slurm_job --dependency=afterany:"$array" --job-name=skipnet-compare --output="$log/slurm-compare.out" \
        --wrap "$(quoted "$skipnet" compare "$out" --out "$out" ${force:+--force})") || true
    await_slurm
}

await_slurm() {
    local job
    for job in $array $after; do
        while is_queued "$job"; do
            { sleep "$pause"; } 2>/dev/null
            ((pause >= 10)) || pause=$((pause + 1))
        done
    done
}

# The prompt does not wait for the cluster: the next call does (check_slurm).
cancel_slurm() {
    : >"$log/slurm.cancelled"
    set -m
    # shellcheck disable=SC2086 # no word where there is no job
    scancel --quiet $array $after </dev/null >/dev/null 2>&1 9>&- &
    set +m
    exit 0
}

# The array of an earlier call that was killed may still be at it, whatever the engine of this one.
check_slurm() {
    local job i
    [[ -s $log/slurm.job ]] && command -v squeue >/dev/null || return 0
    job=$(<"$log/slurm.job")
    if [[ -f $log/slurm.cancelled ]] && is_queued "$job"; then
        echo "${self%.sh}: array $job of an earlier call was cancelled and is about to end" >&2
        for ((i = 0; i < 60; i++)); do
            is_queued "$job" || break
            pause 1
        done
    fi
    ! is_queued "$job" || die "array $job of an earlier call is still at it: wait, or scancel $job"
}
