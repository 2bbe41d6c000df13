#!/usr/bin/env bash
# Runs a command inside a throwaway Slurm cluster on this machine: for tests, not for work.
set -euo pipefail
export LC_ALL=C

usage() {
    cat <<'END'
usage: scripts/dev/slurm_local.sh [--nodes N] [--cpus N] COMMAND...

Starts munged, slurmctld and N slurmd (default: one) of so many CPUs each (default: those here) on the loopback
interface, runs COMMAND with SLURM_CONF set, ends them by their process ids and exits with COMMAND's status.  All files
lie in a temporary directory, $SLURM_LOCAL for COMMAND; NODE.pid there is the process of the node's slurmd.

Needs root and the packages slurmctld slurmd slurm-client munge (scripts/install_packages.sh check).  Exit status 77
where one of them is missing.
END
}

# shellcheck source=scripts/parts/group.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../parts/group.sh"
n_nodes=1 n_cpus=$(nproc)
work='' daemons=()

say() {
    echo "slurm_local: $1" >&2
}

fail() { # MESSAGE
    say "$1"
    exit 2
}

parse() {
    while (($#)); do
        case $1 in
        -h | --help) usage || exit 4 && exit 0 ;;
        --nodes | --cpus)
            [[ ${2:-} =~ ^[1-9][0-9]?$ ]] || fail "$1 wants a number from 1 to 99 (see --help)"
            printf -v "n_${1#--}" '%s' "$2"
            shift 2
            ;;
        -*) fail "unknown option $1 (see --help)" ;;
        *) break ;;
        esac
    done
    (($#)) || fail "no command to run (see --help)"
    command=("$@")
}

check() {
    local program
    [[ $(id -u) == 0 ]] || { say "skipped: a cluster on this machine needs root" && exit 77; }
    for program in munged munge slurmctld slurmd sbatch squeue scontrol sinfo scancel; do
        PATH=$PATH:/usr/sbin command -v "$program" >/dev/null ||
            { say "skipped: no $program (scripts/install_packages.sh check installs it)" && exit 77; }
    done
    PATH=$PATH:/usr/sbin
}

await() { # SECONDS WHAT COMMAND...: until the command succeeds
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= end)); then
            say "waited in vain: $what"
            tail -n 5 "$work"/*.out >&2
            return 1
        fi
        sleep 0.1
    done
}

# Munge with a key and a socket of its own; every daemon on 127.0.0.1; no cgroups, no accounting, no login.  A node that
# does not answer is lost after ten seconds; jobs start at once; arrays are small, so that cells are packed.
write_config() {
    local host memory port node
    host=$(hostname -s)
    memory=$(awk -v n="$n_nodes" '/^MemTotal/ { print int($2 / 1024 * 0.9 / n) }' /proc/meminfo)
    port=$((20000 + $$ % 20000))
    mkdir -m 700 "$work"/{munge,state}
    head -c 1024 /dev/urandom >"$work/munge/key"
    chmod 400 "$work/munge/key"
    cat <<END
ClusterName=throwaway
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPidFile=$work/slurmctld.daemon
SlurmdPidFile=$work/%n.daemon
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool.%n
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,bf_interval=2
MaxArraySize=41
ReturnToService=2
SlurmdTimeout=10
KillWait=5
InactiveLimit=0
END
    for node in $(node_names); do
        port=$((port + 1))
        mkdir "$work/spool.$node"
        echo "NodeName=$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$port CPUs=$n_cpus RealMemory=$memory"
    done
    echo "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
}

node_names() {
    seq -f 'node%g' "$n_nodes"
}

# In the foreground of a background process, so that its id is known; in a session of its own, so that Ctrl-C reaches it
# by stop() only.
launch() { # NAME COMMAND...
    local name=$1
    shift
    setsid "$@" >"$work/$name.out" 2>&1 9>&- &
    daemons+=($!)
    echo $! >"$work/$name.pid"
    disown # one that is killed needs no notice
}

can_munge() {
    munge -n -S "$work/munge.socket" | unmunge -S "$work/munge.socket"
}

are_idle() {
    (($(sinfo -h -N -o %T | grep -c '^idle$') == n_nodes))
}

start() {
    local node
    write_config >"$work/slurm.conf"
    export SLURM_CONF=$work/slurm.conf
    launch munged munged --foreground --socket="$work/munge.socket" --key-file="$work/munge/key" \
        --pid-file="$work/munged.daemon" --log-file="$work/munged.log" --seed-file="$work/munge/seed"
    await 10 "munged" can_munge
    launch slurmctld slurmctld -D -f "$SLURM_CONF"
    await 20 "slurmctld" scontrol ping
    for node in $(node_names); do
        launch "$node" slurmd -D -N "$node" -f "$SLURM_CONF"
    done
    await 30 "$n_nodes idle nodes" are_idle
    say "$n_nodes nodes of $n_cpus CPUs are up"
}

is_empty() {
    local jobs
    jobs=$(timeout 5 squeue -h) && [[ -z $jobs ]]
}

is_gone() { # PID
    ! kill -0 "$1"
}

# Cancels what is still queued, then ends the daemons in reverse order.
stop() {
    local i
    if ((${#daemons[@]} > 2)) && ! is_empty; then
        timeout 10 scancel --quiet --user=root 2>/dev/null || true
        await 15 "cancelled jobs" is_empty || true
    fi
    for ((i = ${#daemons[@]} - 1; i >= 0; i--)); do
        kill -TERM "${daemons[i]}" 2>/dev/null || continue
        await 10 "the end of a daemon" is_gone "${daemons[i]}" || kill -KILL "${daemons[i]}" 2>/dev/null || true
    done
    daemons=()
}

finish() {
    local status=$?
    trap - EXIT
    stop
    rm -rf "$work"
    exit "$status"
}

# All that belongs to the cluster has its configuration in its environment: daemons, their jobs, COMMAND.
processes() {
    grep -lzxF "SLURM_CONF=${SLURM_CONF:-none}" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
}

# A throwaway cluster needs no good end.
end_at_once() { # SIGNAL
    trap '' INT TERM HUP
    trap - EXIT
    [[ -z $front ]] || kill -s TERM "$front" 2>/dev/null || true
    sleep 0.2
    # shellcheck disable=SC2046 # a word per process
    kill -s KILL "${daemons[@]}" $(processes) 2>/dev/null || true
    rm -rf "$work"
    trap - "$1"
    kill -s "$1" $$
}

main() {
    local status=0
    parse "$@"
    check
    work=$(mktemp -d)
    export SLURM_LOCAL=$work
    trap finish EXIT
    trap 'end_at_once INT' INT
    trap 'end_at_once TERM' TERM
    trap 'end_at_once HUP' HUP
    chmod 755 "$work"
    start
    in_front "${command[@]}" || status=$?
    return "$status"
}

main "$@"
