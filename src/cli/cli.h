/* The verbs of the command line, and what they share.  With main.c the only code that talks to the terminal. */
#ifndef SN_CLI_CLI_H
#define SN_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "run/experiment.h"

/* Parsed options and operands of one call. */
typedef struct sn_arguments {
    const char *verb;
    const char **operands;
    int n_operands;
    const char **sets;
    size_t n_sets;
    const char **grids;
    size_t n_grids;
    const char *points; /* a file; NULL: none */
    int64_t seeds;      /* 0: not given */
    const char *out;
    int threads;             /* 0: what the machine allows */
    int64_t steps;           /* 0: not given */
    double seconds;          /* 0: not given */
    const char *weights;     /* a file; NULL: not given */
    const char *predictions; /* a file; NULL: none */
    const char *expect;      /* a file; NULL: none */
    const char *sort;        /* a column; NULL: not given */
    size_t samples;          /* coordinates of a tensor; SIZE_MAX: all; 0: not given */
    size_t limit;            /* samples of a split; 0: all */
    bool on_train;           /* the training split, else the test split */
    bool resume, force, quiet, json, expand, dry_run;
} sn_arguments;

/* A row of the verb table in main.c. */
typedef struct sn_verb {
    const char *name;
    const char *operands; /* for the usage line: "CONFIG" */
    int min_operands, max_operands;
    const char *const *options;         /* names out of the option table, NULL-terminated */
    const char *help;                   /* one line */
    const char *details;                /* further lines for `skipnet VERB --help`; NULL: none */
    void (*add_details)(sn_text *text); /* the same, of verbs that make them out of tables; whole lines */
    sn_status (*run)(const sn_arguments *arguments, sn_error *error);
} sn_verb;

/* NULL-terminated. */
extern const sn_verb *const sn_verbs[];

extern const sn_verb sn_verb_train, sn_verb_check, sn_verb_compare, sn_verb_eval, sn_verb_gradcheck, sn_verb_bench,
    sn_verb_cells, sn_verb_list, sn_verb_schema, sn_verb_help, sn_verb_version;

/* Parses argv of a verb (argv[0] is the verb).  Prints the help and sets *is_over for --help.  SN_INVALID with a
 * message that names the option.  Free by sn_arguments_reset. */
sn_status sn_arguments_parse(sn_arguments *arguments, const sn_verb *verb, int argc, char **argv, bool *is_over,
                             sn_error *error);
void sn_arguments_reset(sn_arguments *arguments);

/* The help of one verb, and of the program. */
void sn_help_verb(const sn_verb *verb, sn_text *text);
void sn_help_program(sn_text *text);

/* The verb of that name, NULL if there is none. */
const sn_verb *sn_verb_find(const char *name);

/* Prints a text to standard output and frees it.  SN_FAILED when the text failed for memory, SN_IO when writing failed
 * (a reader that went away is no error); what the stream still buffers is written and checked at the end, in main. */
sn_status sn_print(sn_text *text, sn_error *error);

/* Reads the config of arguments->operands[0] with its --set options; the file's stem is the default name. */
sn_status sn_read_config(sn_config **config, const sn_arguments *arguments, sn_error *error);

/* Characters of a line of the terminal: COLUMNS, else what the terminal says, else 80. */
int sn_terminal_columns(int fd);

/* Prints notes to standard error, with --quiet, too. */
void sn_tell_notes(const sn_notes *notes);

/* Opens an experiment with the threads asked for, and tells its notes, also where it fails; then it is reset. */
sn_status sn_open_experiment(sn_experiment *experiment, const sn_arguments *arguments, const sn_config *config,
                             sn_error *error);

#endif
