/* A team of threads that run the same task together, with barriers. */
#ifndef SN_ENGINE_TEAM_H
#define SN_ENGINE_TEAM_H

#include "base/error.h"

typedef struct sn_team sn_team;

/* Starts `n` - 1 threads; the caller is thread 0.  The threads inherit no signals: those go to the caller. */
sn_status sn_team_new(sn_team **team, int n, sn_error *error);
void sn_team_free(sn_team *team);

int sn_team_size(const sn_team *team);

/* Runs task(argument, thread) on all threads and returns when all are done. */
void sn_team_run(sn_team *team, void (*task)(void *argument, int thread), void *argument);

/* Inside a task: waits until all threads are here.  Spins briefly, then sleeps. */
void sn_team_barrier(sn_team *team);

/* CPUs that this process may use: the affinity mask, cut down to the cgroup's quota; at least 1. */
int sn_team_available(void);

#endif
