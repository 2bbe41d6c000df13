/* Locks between processes: a child takes, keeps, drops or dies with the lock; the parent looks on.  flock is replaced
 * by a wrapper here, so that a file system without locks and interrupted calls can be played. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/lock.h"

static int failures_to_play, errno_to_play, n_flock_calls;
static const char *file_to_replace; /* unlinked between open and flock, once */

int flock(int fd, int operation) {
    n_flock_calls++;
    if (failures_to_play > 0) {
        failures_to_play--;
        errno = errno_to_play;
        return -1;
    }
    if (file_to_replace) {
        unlink(file_to_replace);
        file_to_replace = NULL;
    }
    return (int)syscall(SYS_flock, fd, operation);
}

static char dir[64], path[96];
static sn_error error;

static int set_up(void **state) {
    (void)state;
    strcpy(dir, "test_lock.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/lock", dir);
    sn_error_clear(&error);
    n_flock_calls = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    failures_to_play = 0;
    file_to_replace = NULL;
    unlink(path);
    return rmdir(dir);
}

static void expected_note(char *out, size_t size, pid_t pid) {
    char host[256] = "";
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    snprintf(out, size, "pid %ld on %s\n", (long)pid, host);
}

static void assert_note(pid_t pid) {
    char *text, expected[320];
    size_t size;
    assert_int_equal(sn_file_read(path, 1000, &text, &size, &error), SN_OK);
    expected_note(expected, sizeof expected, pid);
    assert_string_equal(text, expected);
    free(text);
}

/* A child that takes the lock, says so through *ready, and waits until *go is closed; then it exits without a
 * release if `dies`, else after one. */
static pid_t start_holder(int *go, bool dies) {
    int ready_pipe[2], go_pipe[2];
    assert_int_equal(pipe(ready_pipe), 0);
    assert_int_equal(pipe(go_pipe), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sn_lock lock = SN_LOCK_NONE;
        char byte = 'y';
        close(go_pipe[1]);
        if (sn_lock_take(&lock, path, &error) != SN_OK || lock.fd < 0) _exit(1);
        if (write(ready_pipe[1], &byte, 1) != 1) _exit(2);
        while (read(go_pipe[0], &byte, 1) > 0)
            continue;
        if (!dies) sn_lock_release(&lock);
        _exit(0);
    }
    char byte = 0;
    close(ready_pipe[1]);
    close(go_pipe[0]);
    assert_int_equal(read(ready_pipe[0], &byte, 1), 1);
    close(ready_pipe[0]);
    *go = go_pipe[1];
    return pid;
}

static void end_holder(pid_t pid, int go) {
    int status;
    close(go);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_take_and_release(void **state) {
    (void)state;
    sn_lock lock;
    assert_int_equal(sn_lock_take(&lock, path, &error), SN_OK);
    assert_true(lock.fd >= 0);
    assert_string_equal(lock.path, path);
    assert_note(getpid());
    sn_lock_release(&lock);
    assert_int_equal(lock.fd, -1);
    assert_null(lock.path);
    assert_false(sn_path_exists(path));
    sn_lock_release(&lock); /* nothing is held: nothing happens */
    assert_int_equal(error.status, SN_OK);
}

static void test_release_leaves_a_foreign_file_alone(void **state) {
    (void)state;
    assert_int_equal(sn_file_write_atomic(path, "x", 1, &error), SN_OK);
    sn_lock none = SN_LOCK_NONE;
    sn_lock_release(&none);
    assert_true(sn_path_exists(path));
}

static void test_held_by_another_process(void **state) {
    (void)state;
    int go;
    pid_t pid = start_holder(&go, false);
    sn_lock lock;
    char note[320], expected[500];
    assert_int_equal(sn_lock_take(&lock, path, &error), SN_INVALID);
    assert_int_equal(lock.fd, -1);
    assert_null(lock.path);
    expected_note(note, sizeof note, pid);
    note[strlen(note) - 1] = '\0';
    snprintf(expected, sizeof expected, "%s: in use by another process (%s); wait for it or stop it", path, note);
    assert_string_equal(error.text, expected);
    assert_note(pid); /* the loser has not touched the note */
    end_holder(pid, go);
    assert_false(sn_path_exists(path));
    assert_int_equal(sn_lock_take(&lock, path, &error), SN_OK);
    sn_lock_release(&lock);
}

/* A look leaves nothing behind, and does not keep a holder out. */
static void test_look(void **state) {
    (void)state;
    int go;
    assert_int_equal(sn_lock_look(path), SN_LOCK_FREE);
    assert_false(sn_path_exists(path));
    pid_t pid = start_holder(&go, true);
    assert_int_equal(sn_lock_look(path), SN_LOCK_HELD);
    assert_note(pid);
    end_holder(pid, go);
    assert_true(sn_path_exists(path)); /* its process is gone */
    assert_int_equal(sn_lock_look(path), SN_LOCK_FREE);
    sn_lock lock;
    failures_to_play = 2;
    errno_to_play = EWOULDBLOCK;
    assert_int_equal(sn_lock_take(&lock, path, &error), SN_OK);
    assert_true(lock.fd >= 0);
    sn_lock_release(&lock);
    assert_int_equal(sn_file_write_atomic(path, "", 0, &error), SN_OK);
    failures_to_play = 1;
    errno_to_play = ENOLCK;
    assert_int_equal(sn_lock_look(path), SN_LOCK_UNKNOWN);
}

static void test_holder_without_a_note(void **state) {
    (void)state;
    int go;
    pid_t pid = start_holder(&go, false);
    assert_int_equal(truncate(path, 0), 0);
    sn_lock lock;
    assert_int_equal(sn_lock_take(&lock, path, &error), SN_INVALID);
    assert_non_null(strstr(error.text, "(it has not yet said which)"));
    end_holder(pid, go);
}

static void test_twice_in_one_process(void **state) {
    (void)state;
    sn_lock first, second;
    assert_int_equal(sn_lock_take(&first, path, &error), SN_OK);
    assert_int_equal(sn_lock_take(&second, path, &error), SN_INVALID);
    assert_note(getpid());
    sn_lock_release(&first);
}

static void test_the_dead_hold_nothing(void **state) {
    (void)state;
    int go;
    pid_t pid = start_holder(&go, true);
    end_holder(pid, go);
    assert_note(pid); /* the file has stayed behind */
    sn_lock lock;
    assert_int_equal(sn_lock_take(&lock, path, &error), SN_OK);
    assert_true(lock.fd >= 0);
    assert_note(getpid());
    sn_lock_release(&lock);
}

static void test_longer_old_content_is_gone(void **state) {
    (void)state;
    char old[1000];
    memset(old, 'x', sizeof old);
    assert_int_equal(sn_file_write_atomic(path, old, sizeof old, &error), SN_OK);
    sn_lock lock;
    assert_int_equal(sn_lock_take(&lock, path, &error), SN_OK);
    assert_note(getpid());
    sn_lock_release(&lock);
}

static void test_file_removed_before_the_lock(void **state) {
    (void)state;
    sn_lock lock;
    file_to_replace = path;
    assert_int_equal(sn_lock_take(&lock, path, &error), SN_OK);
    assert_int_equal(n_flock_calls, 2); /* the first lock was on a file without a path */
    assert_note(getpid());
    sn_lock_release(&lock);
}

static void test_interrupted(void **state) {
    (void)state;
    sn_lock lock;
    failures_to_play = 3;
    errno_to_play = EINTR;
    assert_int_equal(sn_lock_take(&lock, path, &error), SN_OK);
    assert_int_equal(n_flock_calls, 4);
    assert_true(lock.fd >= 0);
    sn_lock_release(&lock);
}

static void test_no_locks_here(void **state) {
    (void)state;
    const int causes[] = {ENOLCK, ENOSYS, EOPNOTSUPP};
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        sn_lock lock;
        failures_to_play = 1;
        errno_to_play = causes[i];
        assert_int_equal(sn_lock_take(&lock, path, &error), SN_OK);
        assert_int_equal(failures_to_play, 0);
        assert_int_equal(lock.fd, -1);
        assert_null(lock.path);
        sn_lock_release(&lock);
    }
}

static void test_lock_failure(void **state) {
    (void)state;
    sn_lock lock;
    char expected[200];
    failures_to_play = 1;
    errno_to_play = EIO;
    assert_int_equal(sn_lock_take(&lock, path, &error), SN_IO);
    snprintf(expected, sizeof expected, "cannot lock %s: Input/output error", path);
    assert_string_equal(error.text, expected);
}

static void test_cannot_open(void **state) {
    (void)state;
    sn_lock lock;
    char missing[128], expected[200];
    snprintf(missing, sizeof missing, "%s/none/lock", dir);
    assert_int_equal(sn_lock_take(&lock, missing, &error), SN_IO);
    assert_int_equal(lock.fd, -1);
    snprintf(expected, sizeof expected, "cannot open %s: No such file or directory", missing);
    assert_string_equal(error.text, expected);
}

/* Of many processes that take and drop the same lock, never two are inside at once. */
static void test_exclusion_under_contention(void **state) {
    (void)state;
    enum { PROCESSES = 4, ROUNDS = 200 };
    char inside[128];
    snprintf(inside, sizeof inside, "%s/inside", dir);
    pid_t pids[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        pids[p] = fork();
        assert_true(pids[p] >= 0);
        if (pids[p] > 0) continue;
        for (int done = 0; done < ROUNDS;) {
            sn_lock lock;
            sn_status status = sn_lock_take(&lock, path, &error);
            if (status == SN_INVALID) continue;
            if (status != SN_OK || mkdir(inside, 0777) != 0 || rmdir(inside) != 0) _exit(1);
            sn_lock_release(&lock);
            done++;
        }
        _exit(0);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_take_and_release),
        CASE(test_release_leaves_a_foreign_file_alone),
        CASE(test_held_by_another_process),
        CASE(test_look),
        CASE(test_holder_without_a_note),
        CASE(test_twice_in_one_process),
        CASE(test_the_dead_hold_nothing),
        CASE(test_longer_old_content_is_gone),
        CASE(test_file_removed_before_the_lock),
        CASE(test_interrupted),
        CASE(test_no_locks_here),
        CASE(test_lock_failure),
        CASE(test_cannot_open),
        CASE(test_exclusion_under_contention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
