/* The thread team: every thread runs every task, barriers hold, and a start that fails leaves nothing behind. */
#include "support/check.h"

#include <pthread.h>
#include <stdatomic.h>

#include "engine/team.h"

enum { ROUNDS = 500, MOST = 8 };

typedef struct meeting {
    sn_team *team;
    atomic_int count;
    int seen[MOST]; /* what each thread saw after the barrier */
} meeting;

static void meet(void *argument, int thread) {
    meeting *m = argument;
    atomic_fetch_add(&m->count, 1);
    sn_team_barrier(m->team);
    m->seen[thread] = atomic_load(&m->count);
    sn_team_barrier(m->team);
}

static void meets(int n) {
    static sn_error error;
    meeting m = {0};
    assert_int_equal(sn_team_new(&m.team, n, &error), SN_OK);
    assert_int_equal(sn_team_size(m.team), n);
    for (int round = 1; round <= ROUNDS; round++) {
        sn_team_run(m.team, meet, &m);
        for (int t = 0; t < n; t++)
            assert_int_equal(m.seen[t], round * n);
    }
    sn_team_free(m.team);
}

static void test_meetings(void **state) {
    (void)state;
    meets(1);
    meets(2);
    meets(3);
    meets(MOST); /* more than cores: waiting threads sleep */
}

/* A stack that no address space has room for: the second thread cannot start, and the failure is told. */
static void test_failed_start(void **state) {
    (void)state;
    static sn_error error;
    pthread_attr_t huge, usual;
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    assert_int_equal(pthread_attr_init(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 46), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    sn_team *team = NULL;
    assert_int_equal(sn_team_new(&team, 4, &error), SN_FAILED);
    assert_null(team);
    assert_string_equal(error.text, "cannot start 4 threads (take fewer by --threads)");
    assert_int_equal(pthread_setattr_default_np(&usual), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_meetings), cmocka_unit_test(test_failed_start)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
