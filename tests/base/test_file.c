/* Files and paths.  Everything happens in a fresh directory below the working directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static char dir[64], path[96], other[96];
static sn_error error;

static int set_up(void **state) {
    (void)state;
    strcpy(dir, "test_file.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/content", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    sn_error_clear(&error);
    return 0;
}

static int count_files(void) {
    int n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

/* Fails the test where it has left more than it should. */
static int tear_down(void **state) {
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(dir);
}

static void assert_content(const char *file, const void *expected, size_t n) {
    char *data;
    size_t size;
    assert_int_equal(sn_file_read(file, 1 << 24, &data, &size, &error), SN_OK);
    assert_int_equal(size, n);
    if (n > 0) assert_memory_equal(data, expected, n);
    assert_int_equal(data[size], '\0');
    free(data);
}

static void assert_write(const char *file, const void *data, size_t n) {
    assert_int_equal(sn_file_write_atomic(file, data, n, &error), SN_OK);
    assert_content(file, data, n);
}

static void test_keep(void **state) {
    (void)state;
    assert_write(path, "first", 5);
    assert_int_equal(sn_file_keep(path, other, &error), SN_OK);
    assert_content(path, "first", 5);
    assert_write(path, "second", 6);
    assert_content(other, "first", 5);
    assert_int_equal(sn_file_keep(path, other, &error), SN_OK);
    assert_write(path, "third", 5);
    assert_content(other, "second", 6);
    unlink(path);
    assert_int_equal(sn_file_keep(path, other, &error), SN_IO);
}

static void test_remnants(void **state) {
    (void)state;
    assert_true(sn_is_remnant("run.json.1-0.tmp", "run.json"));
    assert_true(sn_is_remnant("run.json.12345-678.tmp", "run.json"));
    static const char *const others[] = {
        "run.json",          "run.json.tmp",      "run.json.1.tmp",    "run.json.-1.tmp", "run.json.1-.tmp",
        "run.json.1-0.tmpx", "xrun.json.1-0.tmp", "run.json.1-0x.tmp", "run.json1-0.tmp", ""};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(sn_is_remnant(others[i], "run.json"));
}

/* ---- reading and writing ---- */

static void test_round_trip(void **state) {
    (void)state;
    enum { BIG = 300000 };
    char *big = malloc(BIG);
    assert_non_null(big);
    for (int i = 0; i < BIG; i++)
        big[i] = (char)(i * 7 % 256);
    assert_write(path, "", 0);
    assert_write(path, "one\n", 4);
    assert_write(path, "a\0b", 3);
    assert_write(path, big, BIG);
    assert_write(path, "short again", 11);
    assert_int_equal(count_files(), 1); /* no temporary is left */
    free(big);
}

static void test_read_limit(void **state) {
    (void)state;
    char *data, expected[200];
    size_t size;
    assert_write(path, "12345", 5);
    assert_int_equal(sn_file_read(path, 5, &data, &size, &error), SN_OK);
    free(data);
    assert_int_equal(sn_file_read(path, 4, &data, &size, &error), SN_INVALID);
    snprintf(expected, sizeof expected, "%s: larger than the limit of 4 bytes", path);
    assert_string_equal(error.text, expected);
    assert_null(data);
    assert_int_equal(size, 0);
}

static void test_read_failures(void **state) {
    (void)state;
    char *data, expected[200];
    size_t size;
    assert_int_equal(sn_file_read(path, 100, &data, &size, &error), SN_IO);
    snprintf(expected, sizeof expected, "cannot open %s: No such file or directory", path);
    assert_string_equal(error.text, expected);
    assert_int_equal(sn_file_read(dir, 100, &data, &size, &error), SN_IO);
    snprintf(expected, sizeof expected, "cannot read %s: Is a directory", dir);
    assert_string_equal(error.text, expected);
    assert_null(data);
}

/* Standard input is a pipe here, filled by a child in small pieces, so that reads are short. */
static void test_read_stdin(void **state) {
    (void)state;
    int ends[2], saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 30000; i++) {
            if (write(ends[1], "abcdefg", 7) != 7) _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    char *data;
    size_t size;
    sn_status status = sn_file_read("-", 1 << 20, &data, &size, &error);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
    assert_int_equal(status, SN_OK);
    assert_int_equal(size, 210000);
    assert_memory_equal(data + size - 9, "fgabcdefg", 10);
    free(data);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_umask_rules_the_mode(void **state) {
    (void)state;
    struct stat info;
    mode_t old = umask(027);
    assert_write(path, "x", 1);
    umask(old);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

/* Whoever has the old file open goes on reading the old content. */
static void test_write_replaces_the_file(void **state) {
    (void)state;
    char buffer[8] = "";
    assert_write(path, "old", 3);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_write(path, "new!", 4);
    assert_int_equal(read(fd, buffer, sizeof buffer), 3);
    assert_memory_equal(buffer, "old", 3);
    close(fd);
}

/* One process swaps two contents, the other never sees a mixture or a part. */
static void test_readers_see_whole_contents(void **state) {
    (void)state;
    enum { SIZE = 200000 };
    char *content = malloc(SIZE);
    assert_non_null(content);
    memset(content, 'a', SIZE);
    assert_write(path, content, SIZE);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 100; i++) {
            memset(content, i % 2 ? 'a' : 'b', SIZE);
            if (sn_file_write_atomic(path, content, SIZE, &error) != SN_OK) _exit(1);
        }
        _exit(0);
    }
    int n_reads = 0, status;
    do {
        char *data;
        size_t size;
        assert_int_equal(sn_file_read(path, SIZE, &data, &size, &error), SN_OK);
        assert_int_equal(size, SIZE);
        assert_true(data[0] == 'a' || data[0] == 'b');
        memset(content, data[0], SIZE);
        assert_memory_equal(data, content, SIZE);
        free(data);
        n_reads++;
    } while (waitpid(pid, &status, WNOHANG) == 0);
    assert_int_equal(status, 0);
    assert_true(n_reads > 1);
    free(content);
}

/* A file size limit stands for the full disk. */
static void test_full_disk(void **state) {
    (void)state;
    char expected[200], content[5000];
    memset(content, 'x', sizeof content);
    assert_write(path, "kept", 4);
    struct rlimit saved, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
    small = saved;
    small.rlim_cur = 1000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    sn_status status = sn_file_write_atomic(path, content, sizeof content, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, SN_IO);
    snprintf(expected, sizeof expected, "cannot write %s: File too large", path);
    assert_string_equal(error.text, expected);
    assert_content(path, "kept", 4);
    assert_int_equal(count_files(), 1);
}

static void test_write_in_parts(void **state) {
    (void)state;
    sn_file_writer writer = {0};
    assert_write(path, "old", 3);
    assert_int_equal(sn_file_writer_open(&writer, path, &error), SN_OK);
    assert_int_equal(sn_file_writer_add(&writer, "one ", 4, &error), SN_OK);
    assert_content(path, "old", 3);
    assert_int_equal(sn_file_writer_add(&writer, "two", 3, &error), SN_OK);
    assert_int_equal(sn_file_writer_commit(&writer, &error), SN_OK);
    assert_content(path, "one two", 7);
    sn_file_writer_drop(&writer);
    assert_int_equal(sn_file_writer_open(&writer, path, &error), SN_OK);
    assert_int_equal(sn_file_writer_add(&writer, "three", 5, &error), SN_OK);
    assert_int_equal(count_files(), 2);
    sn_file_writer_drop(&writer);
    assert_content(path, "one two", 7);
    assert_int_equal(count_files(), 1);
}

static void test_write_into_nowhere(void **state) {
    (void)state;
    char missing[160], expected[300];
    snprintf(missing, sizeof missing, "%s/none/file", dir);
    assert_int_equal(sn_file_write_atomic(missing, "x", 1, &error), SN_IO);
    snprintf(expected, sizeof expected, "cannot create %s.%ld-", missing, (long)getpid());
    assert_memory_equal(error.text, expected, strlen(expected));
    assert_non_null(strstr(error.text, ".tmp: No such file or directory"));
    assert_int_equal(count_files(), 0);
}

/* Root may write anywhere, so the test becomes somebody else. */
static void test_write_into_unwritable_directory(void **state) {
    (void)state;
    assert_int_equal(chmod(dir, 0555), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (chdir(dir) != 0 || (geteuid() == 0 && setuid(65534) != 0)) _exit(77);
        sn_status status = sn_file_write_atomic("content", "x", 1, &error);
        _exit(status == SN_IO && strstr(error.text, ".tmp: Permission denied") ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) skip();
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(count_files(), 0);
}

static void test_write_refuses_what_is_no_file(void **state) {
    (void)state;
    char expected[200];
    assert_int_equal(sn_file_write_atomic(dir, "x", 1, &error), SN_IO);
    snprintf(expected, sizeof expected, "cannot write %s: Is a directory", dir);
    assert_string_equal(error.text, expected);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_int_equal(sn_file_write_atomic(path, "x", 1, &error), SN_IO);
    snprintf(expected, sizeof expected, "cannot write %s: not a regular file", path);
    assert_string_equal(error.text, expected);
    assert_int_equal(count_files(), 1);
}

static void test_many_writes_leave_nothing(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++)
        assert_write(i % 2 ? path : other, "x", 1);
    assert_int_equal(count_files(), 2);
}

/* ---- directories ---- */

static void test_dir_make(void **state) {
    (void)state;
    char deep[160], expected[300];
    snprintf(deep, sizeof deep, "%s/a//b/c/", dir);
    assert_false(sn_path_is_dir(deep));
    assert_int_equal(sn_dir_make(deep, &error), SN_OK);
    assert_true(sn_path_is_dir(deep));
    assert_int_equal(sn_dir_make(deep, &error), SN_OK); /* again: no error */
    assert_int_equal(sn_dir_make("/", &error), SN_OK);
    assert_int_equal(sn_dir_make(".", &error), SN_OK);
    for (const char *const *p = (const char *const[]){"a/b/c", "a/b", "a", NULL}; *p; p++) {
        snprintf(deep, sizeof deep, "%s/%s", dir, *p);
        assert_int_equal(rmdir(deep), 0);
    }

    assert_write(path, "x", 1);
    assert_true(sn_path_exists(path));
    assert_false(sn_path_is_dir(path));
    assert_false(sn_path_exists(other));
    assert_int_equal(sn_dir_make(path, &error), SN_IO);
    snprintf(expected, sizeof expected, "cannot make the directory %s: Not a directory", path);
    assert_string_equal(error.text, expected);
    snprintf(deep, sizeof deep, "%s/below/it", path);
    assert_int_equal(sn_dir_make(deep, &error), SN_IO);
    snprintf(expected, sizeof expected, "cannot make the directory %s: Not a directory", deep);
    assert_string_equal(error.text, expected);
}

/* ---- paths ---- */

static void assert_text(char *got, const char *expected) {
    assert_non_null(got);
    assert_string_equal(got, expected);
    free(got);
}

static void test_path_join(void **state) {
    (void)state;
    assert_text(sn_path_join("runs", "a.csv"), "runs/a.csv");
    assert_text(sn_path_join("runs/", "a.csv"), "runs/a.csv");
    assert_text(sn_path_join("", "a.csv"), "a.csv");
    assert_text(sn_path_join("runs", "/abs"), "/abs");
    assert_text(sn_path_join("/", "a"), "/a");
}

static void test_path_dir(void **state) {
    (void)state;
    assert_text(sn_path_dir("a/b/c.json"), "a/b");
    assert_text(sn_path_dir("c.json"), ".");
    assert_text(sn_path_dir("/c.json"), "/");
    assert_text(sn_path_dir("/"), "/");
    assert_text(sn_path_dir("a//b"), "a");
    assert_text(sn_path_dir("a/b/"), "a");
    assert_text(sn_path_dir(""), ".");
}

static void test_path_stem(void **state) {
    (void)state;
    assert_text(sn_path_stem("configs/deep50.json"), "deep50");
    assert_text(sn_path_stem("deep50"), "deep50");
    assert_text(sn_path_stem("a.b/deep50"), "deep50");
    assert_text(sn_path_stem("a/net.v2.json"), "net.v2");
    assert_text(sn_path_stem(".hidden"), ".hidden");
    assert_text(sn_path_stem("runs/deep50.d/"), "deep50");
    assert_text(sn_path_stem(""), "");
}

static void test_path_absolute(void **state) {
    (void)state;
    assert_text(sn_path_absolute("/a/b"), "/a/b");
    assert_text(sn_path_absolute("/a/./b//c/"), "/a/b/c");
    assert_text(sn_path_absolute("/a/../b"), "/b");
    assert_text(sn_path_absolute("/../.."), "/");
    assert_text(sn_path_absolute("/a/..b/...c/.d"), "/a/..b/...c/.d");
    char *cwd = getcwd(NULL, 0);
    assert_non_null(cwd);
    char *expected = sn_path_join(cwd, "x/y");
    assert_non_null(expected);
    assert_text(sn_path_absolute("x/z/../y"), expected);
    free(expected);
    assert_text(sn_path_absolute("."), cwd);
    assert_text(sn_path_absolute(""), cwd);
    free(cwd);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_round_trip),
        CASE(test_read_limit),
        CASE(test_read_failures),
        CASE(test_read_stdin),
        CASE(test_umask_rules_the_mode),
        CASE(test_write_replaces_the_file),
        CASE(test_readers_see_whole_contents),
        CASE(test_full_disk),
        CASE(test_write_in_parts),
        CASE(test_write_into_nowhere),
        CASE(test_write_into_unwritable_directory),
        CASE(test_write_refuses_what_is_no_file),
        CASE(test_many_writes_leave_nothing),
        CASE(test_dir_make),
        CASE(test_keep),
        cmocka_unit_test(test_remnants),
        cmocka_unit_test(test_path_join),
        cmocka_unit_test(test_path_dir),
        cmocka_unit_test(test_path_stem),
        cmocka_unit_test(test_path_absolute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
