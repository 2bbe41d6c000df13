/* Owns the threads.  Where they are as many as the CPUs that the process may use, each is bound to one: the kernel now
 * and then leaves two of them on one CPU for seconds.  Fewer are not bound, since another process (a sweep's) would
 * choose the same CPUs.
 *
 * A barrier counts arrivals; the last one turns the phase and wakes the sleepers.  Waiting spins for
 * a few microseconds (a step has barriers some tens of microseconds apart), then parks on a condition variable, so that
 * a neighbour that takes a core does not make the others burn theirs. */
#include "engine/team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { SPINS = 4000 };

typedef struct member {
    sn_team *team;
    int number;
    pthread_t thread;
} member;

struct sn_team {
    atomic_int n; /* who has to arrive; becomes smaller only when a start fails */
    int spins;    /* 0 where there are more threads than CPUs: the one that is waited for needs the core */
    member *members;
    atomic_int arrived, phase;
    pthread_mutex_t mutex;
    pthread_cond_t turned;
    void (*task)(void *argument, int thread); /* written before a barrier, read after it */
    void *argument;
    bool is_over, is_bound;
};

/* The CPUs of the process, as they were before any thread was bound. */
static cpu_set_t process_mask;

static void read_mask(void) {
    if (sched_getaffinity(0, sizeof process_mask, &process_mask) == 0) return;
    CPU_ZERO(&process_mask);
    CPU_SET(0, &process_mask);
}

static const cpu_set_t *process_cpus(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_mask);
    return &process_mask;
}

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void turn_phase(sn_team *team) {
    atomic_store(&team->arrived, 0);
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->phase, 1);
    pthread_cond_broadcast(&team->turned);
    pthread_mutex_unlock(&team->mutex);
}

void sn_team_barrier(sn_team *team) {
    if (team->n == 1) return;
    int phase = atomic_load(&team->phase);
    int arrived = atomic_fetch_add(&team->arrived, 1) + 1;
    if (arrived == team->n) { /* read after arriving: see start_members */
        turn_phase(team);
        return;
    }
    for (int i = 0; i < team->spins; i++) {
        if (atomic_load_explicit(&team->phase, memory_order_acquire) != phase) return;
        relax();
    }
    pthread_mutex_lock(&team->mutex);
    while (atomic_load(&team->phase) == phase)
        pthread_cond_wait(&team->turned, &team->mutex);
    pthread_mutex_unlock(&team->mutex);
}

static void *member_main(void *argument) {
    member *self = argument;
    for (;;) {
        sn_team_barrier(self->team); /* a task, or the end */
        if (self->team->is_over) return NULL;
        self->team->task(self->team->argument, self->number);
        sn_team_barrier(self->team); /* done */
    }
}

void sn_team_run(sn_team *team, void (*task)(void *argument, int thread), void *argument) {
    team->task = task;
    team->argument = argument;
    sn_team_barrier(team);
    task(argument, 0);
    sn_team_barrier(team);
}

int sn_team_size(const sn_team *team) {
    return team->n;
}

/* Where a start fails, those that did start wait at their first barrier, or will: with `n` lowered to their number
 * before the caller arrives there (in sn_team_free), whoever arrives last sees it. */
static sn_status start_members(sn_team *team, sn_error *error) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    sn_status status = SN_OK;
    for (int i = 1; i < team->n; i++) {
        member *m = &team->members[i];
        *m = (member){.team = team, .number = i};
        if (pthread_create(&m->thread, NULL, member_main, m)) {
            status = sn_error_set(error, SN_FAILED, "cannot start %d threads (take fewer by --threads)", team->n);
            team->n = i;
        } else { /* the caller may be bound by another team */
            pthread_setaffinity_np(m->thread, sizeof process_mask, process_cpus());
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* Thread t to the t-th CPU of the process's mask.  What fails costs speed only. */
static void bind(sn_team *team) {
    const cpu_set_t *mask = process_cpus();
    if (team->n == 1 || CPU_COUNT(mask) != team->n || sn_team_available() != team->n) return;
    for (size_t cpu = 0, t = 0; cpu < CPU_SETSIZE && t < (size_t)team->n; cpu++) {
        if (!CPU_ISSET(cpu, mask)) continue;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(cpu, &own);
        pthread_setaffinity_np(t ? team->members[t].thread : pthread_self(), sizeof own, &own);
        t++;
    }
    team->is_bound = true;
}

sn_status sn_team_new(sn_team **team, int n, sn_error *error) {
    sn_team *t = calloc(1, sizeof *t);
    member *members = calloc((size_t)n, sizeof *members);
    *team = t;
    if (!t || !members) {
        free(t);
        free(members);
        *team = NULL;
        return sn_error_memory(error, sizeof *t + (size_t)n * sizeof *members, "the thread team");
    }
    t->members = members;
    t->n = n;
    t->spins = n <= sn_team_available() ? SPINS : 0;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->turned, NULL);
    sn_status status = start_members(t, error);
    if (status) {
        sn_team_free(t);
        *team = NULL;
        return status;
    }
    bind(t);
    return SN_OK;
}

void sn_team_free(sn_team *team) {
    if (!team) return;
    team->is_over = true;
    sn_team_barrier(team);
    for (int i = 1; i < team->n; i++)
        pthread_join(team->members[i].thread, NULL);
    if (team->is_bound) pthread_setaffinity_np(pthread_self(), sizeof process_mask, process_cpus());
    pthread_cond_destroy(&team->turned);
    pthread_mutex_destroy(&team->mutex);
    free(team->members);
    free(team);
}

/* The quota of cgroup version 2 in CPUs, rounded up; 0 where there is none. */
static int cgroup_quota(void) {
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (!file) return 0;
    char line[128] = "";
    bool ok = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    char *end = line;
    long quota = ok ? strtol(line, &end, 10) : 0;
    long period = end != line ? strtol(end, NULL, 10) : 0;
    return quota > 0 && period > 0 ? (int)((quota + period - 1) / period) : 0;
}

int sn_team_available(void) {
    int n = CPU_COUNT(process_cpus());
    int quota = cgroup_quota();
    if (quota > 0 && quota < n) n = quota;
    return n > 0 ? n : 1;
}
