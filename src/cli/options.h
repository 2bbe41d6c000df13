/* Options of the verbs.  A verb's file has a table of rows and a record of its own that they fill: a row says what the
 * option is called, how its value is read, and into which member of the record.  Parsing, --help and the usage line
 * loop over these rows.  What several verbs take is a row made by a macro below. */
#ifndef SN_CLI_OPTIONS_H
#define SN_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Behind a path that begins so. */
#define SN_NO_HOME " (~ is expanded by the shell only, and where a word begins with it; write $HOME)"

typedef struct sn_option sn_option;

/* Reads `value` (NULL for an option that takes none) into the member of the record.  False if it is not what the option
 * wants; that is then appended to `wanted`: "a whole number from 1 to 8". */
typedef bool sn_option_reader(const sn_option *option, const char *value, void *member, sn_text *wanted);

struct sn_option {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* as the help calls it; NULL: takes none */
    const char *help;
    sn_option_reader *read;
    size_t at;    /* where in the record the member lies */
    int64_t most; /* of a number; 0: no limit */
};

/* Values of an option that may be given many times, in their order.  The parser makes room for as many as there are
 * words on the command line. */
typedef struct sn_words {
    const char **items;
    size_t n;
} sn_words;

sn_option_reader sn_option_flag;   /* a bool: given */
sn_option_reader sn_option_words;  /* an sn_words */
sn_option_reader sn_option_path;   /* a const char *, not empty: a directory where the argument is DIR, a key where
                                    * it is KEY, else a file */
sn_option_reader sn_option_count;  /* an int64_t: a whole number from 1 on */
sn_option_reader sn_option_number; /* a double above 0 */

/* The place of a member in the record; does not compile where it is of another type. */
#define SN_OPTION_AT(record, member, type) .at = offsetof(record, member) * _Generic(((record *)0)->member, type : 1)

#define SN_OPTION_FLAG(record, member)  .read = sn_option_flag, SN_OPTION_AT(record, member, bool)
#define SN_OPTION_WORDS(record, member) .read = sn_option_words, SN_OPTION_AT(record, member, sn_words)
#define SN_OPTION_PATH(record, member)  .read = sn_option_path, SN_OPTION_AT(record, member, const char *)
#define SN_OPTION_COUNT(record, member, limit)                                                                         \
    .read = sn_option_count, .most = (limit), SN_OPTION_AT(record, member, int64_t)
#define SN_OPTION_NUMBER(record, member, limit)                                                                        \
    .read = sn_option_number, .most = (limit), SN_OPTION_AT(record, member, double)

/* Rows of options that several verbs take; the record has a member of that name. */
#define SN_OPTION_SET(record)                                                                                          \
    {                                                                                                                  \
        .name = "set", .argument = "KEY=VALUE",                                                                        \
        .help = "set a config key, such as network.skip.kind=add; may be given many times",                            \
        SN_OPTION_WORDS(record, set)                                                                                   \
    }
#define SN_OPTION_OUT(record)                                                                                          \
    { .name = "out", .argument = "DIR", .help = "directory for the results", SN_OPTION_PATH(record, out) }
#define SN_OPTION_THREADS(record, fallback)                                                                            \
    {                                                                                                                  \
        .name = "threads", .argument = "N", .help = "threads; default: " fallback,                                     \
        SN_OPTION_COUNT(record, threads, 1024)                                                                         \
    }
#define SN_THREADS_AVAILABLE "what affinity and cgroup allow"
#define SN_THREADS_TRAINING  SN_THREADS_AVAILABLE ", fewer where these train the network faster"
#define SN_OPTION_JSON(record)                                                                                         \
    { .name = "json", .help = "print the summary as JSON", SN_OPTION_FLAG(record, json) }

/* Of every verb, in no table: --help, which ends the parsing. */
extern const sn_option sn_option_help;

/* Whether it may be given many times. */
bool sn_option_repeats(const sn_option *option);

/* Appends "--NAME ARGUMENT". */
void sn_option_write(const sn_option *option, sn_text *text);

#endif
