/* The program: finds the verb, runs it, turns the status into the exit status, reports errors. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/cli.h"

#define VERB(name) &sn_verb_##name,
const sn_verb *const sn_verbs[] = {SN_VERBS(VERB) NULL};
#undef VERB

static const sn_verb *choose_verb(const char *word) {
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return &sn_verb_help;
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) return &sn_verb_version;
    return sn_verb_find(word);
}

static sn_status run_verb(const sn_verb *verb, int argc, char **argv, sn_error *error) {
    sn_arguments arguments;
    bool is_over = false;
    sn_status status = sn_arguments_parse(&arguments, verb, argc, argv, &is_over, error);
    if (!status && !is_over) status = verb->run(&arguments, error);
    sn_arguments_reset(&arguments, verb);
    return status;
}

static sn_status run(int argc, char **argv, sn_error *error) {
    static char *only_help[] = {"help", NULL};
    if (argc < 2) return run_verb(&sn_verb_help, 1, only_help, error);
    const sn_verb *verb = choose_verb(argv[1]);
    if (verb) return run_verb(verb, argc - 1, argv + 1, error);
    return sn_refuse_verb("skipnet", argv[1], error);
}

/* A full disk behind standard output is an error; a reader that went away is not.  Where writing failed before,
 * sn_print has told so: what fclose says after that is about the rest only. */
static sn_status close_output(sn_status status, sn_error *error) {
    bool failed_before = ferror(stdout) != 0;
    bool failed_now = fclose(stdout) != 0;
    if (failed_before || !failed_now || errno == EPIPE || status != SN_OK) return status;
    return sn_error_io(error, "write", "standard output");
}

/* Each thread that OpenBLAS starts before main, none of which is used, takes 128 MiB of address space, and one that
 * does not get them tries for ever (0.3.21), with exit waiting for it.  So where address space is limited the program
 * starts again, with none of them. */
static void leave_blas_threads(char **argv) {
    static const char name[] = "OPENBLAS_NUM_THREADS";
    struct rlimit limit;
    bool is_limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    const char *threads = getenv(name);
    if (!is_limited || (threads && strcmp(threads, "1") == 0) || setenv(name, "1", 1) != 0) return;
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv) {
    leave_blas_threads(argv);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes (ulimit -f) is an error of the write, not the end */
    static sn_error error;
    sn_error_clear(&error);
    sn_status status = close_output(run(argc, argv, &error), &error);
    if (error.length > 0) sn_say("%s\n", error.text);
    if (error.dropped > 0) sn_say("(%zu more)\n", error.dropped);
    return (int)status;
}
