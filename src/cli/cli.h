/* The verbs of the command line, and what they share.  With main.c the only code that talks to the terminal. */
#ifndef SN_CLI_CLI_H
#define SN_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "config/config.h"
#include "run/experiment.h"

/* One call of a verb, parsed. */
typedef struct sn_arguments {
    const char **operands;
    int n_operands;
    void *record; /* the verb's own, as its options filled it; zero where one was not given */
} sn_arguments;

typedef struct sn_verb {
    const char *name;
    const char *operands; /* for the usage line: "CONFIG" */
    int min_operands, max_operands;
    const sn_option *options;
    size_t n_options;
    size_t record_size;                 /* of what the options fill */
    const char *help;                   /* one line */
    const char *details;                /* further lines for `skipnet VERB --help`; NULL: none */
    void (*add_details)(sn_text *text); /* the same, of verbs that make them out of tables; whole lines */
    sn_status (*run)(const sn_arguments *arguments, sn_error *error);
} sn_verb;

/* The part of a verb's row that says what options it takes. */
#define SN_VERB_OPTIONS(table, record)                                                                                 \
    .options = table, .n_options = sizeof table / sizeof *table, .record_size = sizeof(record)

#define SN_VERB_DECLARE(name) extern const sn_verb sn_verb_##name;
SN_VERBS(SN_VERB_DECLARE)
#undef SN_VERB_DECLARE

/* All verbs; NULL-terminated.  In main.c. */
extern const sn_verb *const sn_verbs[];

/* Parses argv of a verb (argv[0] is the verb).  Prints the help and sets *is_over for --help.  SN_INVALID with a
 * message that names the option.  Free by sn_arguments_reset with the same verb, also after a failure. */
sn_status sn_arguments_parse(sn_arguments *arguments, const sn_verb *verb, int argc, char **argv, bool *is_over,
                             sn_error *error);
void sn_arguments_reset(sn_arguments *arguments, const sn_verb *verb);

/* The help of one verb, and of the program. */
void sn_help_verb(const sn_verb *verb, sn_text *text);
void sn_help_program(sn_text *text);

/* The verb of that name, NULL if there is none. */
const sn_verb *sn_verb_find(const char *name);

/* SN_INVALID: "WHO: no verb "NAME"", with what it may have meant. */
sn_status sn_refuse_verb(const char *who, const char *name, sn_error *error);

/* Prints a text to standard output and frees it; what would command a terminal is shown, see sn_text_add_visible.
 * SN_FAILED when the text failed for memory, SN_IO when writing failed
 * (a reader that went away is no error); what the stream still buffers is written and checked at the end, in main. */
sn_status sn_print(sn_text *text, sn_error *error);

/* The same for a text with colours, in which whatever comes from outside is visible already. */
sn_status sn_print_styled(sn_text *text, sn_error *error);

/* Prints formatted lines to standard error, likewise. */
void sn_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes out what standard output still buffers.  SN_IO as sn_print. */
sn_status sn_flush(sn_error *error);

/* The file of the config that an operand means (free()): where there is no such file a shipped one by its name, which
 * is told on standard error unless `is_quiet`. */
sn_status sn_find_config(char **path, const char *operand, bool is_quiet, sn_error *error);

/* Reads the config that an operand means ("-": standard input) with its --set options; the file's stem is the default
 * name. */
sn_status sn_read_config(sn_config **config, const char *operand, const sn_words *sets, sn_error *error);

/* What --threads asked for; where it was not given, what the machine allows. */
int sn_threads(int64_t asked);

/* The same of training steps: where it was not given, SN_THREADS_FASTEST. */
int sn_threads_of_training(int64_t asked);

/* Prints notes to standard error, with --quiet, too. */
void sn_tell_notes(const sn_notes *notes);

/* Opens an experiment with so many threads (sn_threads, sn_threads_of_training), and tells what its config gives
 * without effect and its notes, also where it fails; then it is reset. */
sn_status sn_open_experiment(sn_experiment *experiment, const sn_config *config, int threads, sn_error *error);

#endif
