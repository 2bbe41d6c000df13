/* Owns the option table and the parsing of arguments.  Parsing, --help and the usage lines loop over the same rows. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

typedef struct option_row {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* NULL: takes none */
    const char *help;
} option_row;

static const option_row rows[] = {
    {"set", 0, "KEY=VALUE", "set a config key, such as network.skip.kind=add; may be given many times"},
    {"out", 0, "DIR", "directory for the results"},
    {"threads", 0, "N", "threads; default: what affinity and cgroup allow"},
    {"steps", 0, "N", "measure exactly so many training steps"},
    {"seconds", 0, "S", "measure for about so many seconds; default: 2"},
    {"resume", 0, NULL, "go on with an unfinished run, or make a finished one longer; begin where there is none"},
    {"force", 0, NULL, "replace a run that is there (only files that skipnet writes)"},
    {"quiet", 'q', NULL, "no progress, no summary"},
    {"json", 0, NULL, "print the summary as JSON"},
    {"expand", 0, NULL, "print the network as an explicit list of layers"},
    {"samples", 0, "N", "coordinates of each tensor, or all; default 20: half of largest gradient, half drawn"},
    {"split", 0, "SPLIT", "train or test; default test"},
    {"limit", 0, "N", "only the first N samples of the split"},
    {"weights", 0, "FILE", "other weights than the run's final.safetensors"},
    {"grid", 0, "KEY=V1,V2,...", "vary a config key over these values; several grids: all combinations"},
    {"points", 0, "FILE", "vary as a CSV file says: a header of keys, a row of values for each point"},
    {"seeds", 0, "N", "vary the seed: N seeds from that of the config on"},
    {"dry-run", 0, NULL, "write nothing; print the count, an estimate of time and disk"},
    {"predictions", 0, "FILE", "write a CSV row for each sample: label, prediction, outputs"},
    {"expect", 0, "FILE", "a CSV of what the figures should be; exit status 1 where one is not"},
    {"sort", 0, "KEY", "sort the rows of the tables by this key or figure; -KEY: descending"},
    {"help", 'h', NULL, "this text"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static const option_row *find_row(const char *name) {
    for (int i = 0; i < N_ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0) return &rows[i];
    }
    return NULL;
}

static bool verb_has(const sn_verb *verb, const char *name) {
    if (strcmp(name, "help") == 0) return true;
    for (const char *const *option = verb->options; *option; option++) {
        if (strcmp(*option, name) == 0) return true;
    }
    return false;
}

static void add_option_line(const char *name, sn_text *text) {
    const option_row *row = find_row(name);
    if (!row) return; /* never, as below */
    char left[64], letter[8] = "    ";
    if (row->letter) snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, row->name, row->argument ? " " : "",
             row->argument ? row->argument : "");
    sn_text_addf(text, "  %-24s %s\n", left, row->help);
}

void sn_help_verb(const sn_verb *verb, sn_text *text) {
    sn_text_addf(text, "usage: skipnet %s%s%s", verb->name, *verb->operands ? " " : "", verb->operands);
    for (const char *const *name = verb->options; *name; name++) {
        const option_row *row = find_row(*name);
        if (!row) continue; /* never: the verbs name rows of the table */
        sn_text_addf(text, " [--%s%s%s]%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "",
                     strcmp(row->name, "set") == 0 || strcmp(row->name, "grid") == 0 ? "..." : "");
    }
    sn_text_addf(text, "\n\n%s\n", verb->help);
    if (verb->details) sn_text_addf(text, "\n%s\n", verb->details);
    if (verb->add_details) {
        sn_text_add(text, "\n");
        verb->add_details(text);
    }
    sn_text_add(text, "\noptions:\n");
    for (const char *const *name = verb->options; *name; name++)
        add_option_line(*name, text);
    add_option_line("help", text);
}

static sn_status usage_error(const sn_verb *verb, sn_error *error, const char *what, const char *which) {
    return sn_error_set(error, SN_INVALID, "skipnet %s: %s%s (see skipnet %s --help)", verb->name, what, which,
                        verb->name);
}

/* A whole number from 1 to `most`. */
static bool parse_count(const char *value, long most, long *count) {
    char *end = NULL;
    errno = 0;
    *count = strtol(value, &end, 10);
    return !errno && !*end && end != value && *count >= 1 && *count <= most;
}

static sn_status parse_threads(sn_arguments *arguments, const sn_verb *verb, const char *value, sn_error *error) {
    long n = 0;
    if (!parse_count(value, 1024, &n)) {
        return usage_error(verb, error, "--threads wants a whole number from 1 to 1024, got ", value);
    }
    arguments->threads = (int)n;
    return SN_OK;
}

static sn_status parse_steps(sn_arguments *arguments, const sn_verb *verb, const char *value, sn_error *error) {
    char *end = NULL;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (errno || *end || end == value || n < 1 || n > 1000000000) {
        return usage_error(verb, error, "--steps wants a whole number from 1 to 1000000000, got ", value);
    }
    arguments->steps = n;
    return SN_OK;
}

static sn_status parse_seconds(sn_arguments *arguments, const sn_verb *verb, const char *value, sn_error *error) {
    char *end = NULL;
    double seconds = strtod(value, &end);
    if (*end || end == value || !(seconds > 0 && seconds <= 86400)) {
        return usage_error(verb, error, "--seconds wants a number above 0 and up to 86400, got ", value);
    }
    arguments->seconds = seconds;
    return SN_OK;
}

static sn_status parse_samples(sn_arguments *arguments, const sn_verb *verb, const char *value, sn_error *error) {
    long n = 0;
    bool all = strcmp(value, "all") == 0;
    if (!all && !parse_count(value, LONG_MAX, &n)) {
        return usage_error(verb, error, "--samples wants a whole number from 1 on, or all, got ", value);
    }
    arguments->samples = all ? SIZE_MAX : (size_t)n;
    return SN_OK;
}

static sn_status parse_limit(sn_arguments *arguments, const sn_verb *verb, const char *value, sn_error *error) {
    long n = 0;
    if (!parse_count(value, LONG_MAX, &n)) {
        return usage_error(verb, error, "--limit wants a whole number from 1 on, got ", value);
    }
    arguments->limit = (size_t)n;
    return SN_OK;
}

static sn_status parse_seeds(sn_arguments *arguments, const sn_verb *verb, const char *value, sn_error *error) {
    long n = 0;
    if (!parse_count(value, 1000000, &n)) {
        return usage_error(verb, error, "--seeds wants a whole number from 1 to 1000000, got ", value);
    }
    arguments->seeds = n;
    return SN_OK;
}

static sn_status parse_split(sn_arguments *arguments, const sn_verb *verb, const char *value, sn_error *error) {
    arguments->on_train = strcmp(value, "train") == 0;
    if (arguments->on_train || strcmp(value, "test") == 0) return SN_OK;
    return usage_error(verb, error, "--split wants train or test, got ", value);
}

static void take_flag(sn_arguments *arguments, const char *name) {
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"resume", &arguments->resume}, {"force", &arguments->force},   {"quiet", &arguments->quiet},
                 {"json", &arguments->json},     {"expand", &arguments->expand}, {"dry-run", &arguments->dry_run}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(flags[i].name, name) == 0) *flags[i].flag = true;
    }
}

static sn_status take_path(const char **path, const sn_verb *verb, const char *name, const char *value,
                           sn_error *error) {
    *path = value;
    if (*value) return SN_OK;
    char what[64];
    snprintf(what, sizeof what, "--%s wants a %s", name, strcmp(name, "out") == 0 ? "directory" : "file");
    return usage_error(verb, error, what, "");
}

static sn_status take_option(sn_arguments *arguments, const sn_verb *verb, const char *name, const char *value,
                             sn_error *error) {
    const struct {
        const char *name;
        const char **path;
    } paths[] = {{"out", &arguments->out},
                 {"weights", &arguments->weights},
                 {"predictions", &arguments->predictions},
                 {"points", &arguments->points},
                 {"expect", &arguments->expect}};
    const struct {
        const char *name;
        sn_status (*parse)(sn_arguments *arguments, const sn_verb *verb, const char *value, sn_error *error);
    } values[] = {{"threads", parse_threads}, {"samples", parse_samples}, {"limit", parse_limit},
                  {"split", parse_split},     {"steps", parse_steps},     {"seconds", parse_seconds},
                  {"seeds", parse_seeds}};
    if (strcmp(name, "sort") == 0) arguments->sort = value;
    take_flag(arguments, name);
    if (strcmp(name, "set") == 0) arguments->sets[arguments->n_sets++] = value;
    if (strcmp(name, "grid") == 0) arguments->grids[arguments->n_grids++] = value;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (strcmp(name, paths[i].name) == 0) return take_path(paths[i].path, verb, name, value, error);
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (strcmp(name, values[i].name) == 0) return values[i].parse(arguments, verb, value, error);
    }
    return SN_OK;
}

/* getopt's tables out of ours. */
static void make_tables(const sn_verb *verb, struct option *longs, char *shorts) {
    *shorts++ = ':'; /* a missing argument is told apart from an unknown option */
    for (int i = 0; i < N_ROWS; i++) {
        if (!verb_has(verb, rows[i].name)) continue;
        *longs++ = (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument, NULL, i + 256};
        if (rows[i].letter) *shorts++ = rows[i].letter;
    }
    *longs = (struct option){0};
    *shorts = '\0';
}

static const option_row *row_of(int code) {
    if (code >= 256) return &rows[code - 256];
    for (int i = 0; i < N_ROWS; i++) {
        if (rows[i].letter && rows[i].letter == code) return &rows[i];
    }
    return NULL;
}

/* What getopt_long refused.  optopt is 0 for an unknown long option, the row's code for one with a value too many. */
static sn_status refuse_option(const sn_verb *verb, char **argv, sn_error *error) {
    const char letter[] = {'-', (char)optopt, '\0'};
    if (optopt >= 256) return usage_error(verb, error, "no value goes with ", argv[optind - 1]);
    return usage_error(verb, error, "unknown option ", optopt ? letter : argv[optind - 1]);
}

static sn_status parse_options(sn_arguments *arguments, const sn_verb *verb, int argc, char **argv, bool *is_over,
                               sn_error *error) {
    struct option longs[N_ROWS + 1];
    char shorts[N_ROWS + 2];
    make_tables(verb, longs, shorts);
    opterr = 0;
    optind = 1;
    for (int code; (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const option_row *row = row_of(code);
        if (code == ':') return usage_error(verb, error, "an argument is missing after ", argv[optind - 1]);
        if (!row) return refuse_option(verb, argv, error);
        if (strcmp(row->name, "help") == 0) {
            *is_over = true;
            return SN_OK;
        }
        sn_status status = take_option(arguments, verb, row->name, optarg, error);
        if (status) return status;
    }
    for (int i = optind; i < argc; i++)
        arguments->operands[arguments->n_operands++] = argv[i];
    return SN_OK;
}

sn_status sn_arguments_parse(sn_arguments *arguments, const sn_verb *verb, int argc, char **argv, bool *is_over,
                             sn_error *error) {
    *arguments = (sn_arguments){.verb = verb->name};
    *is_over = false;
    arguments->operands = calloc((size_t)argc + 1, sizeof *arguments->operands);
    arguments->sets = calloc((size_t)argc + 1, sizeof *arguments->sets);
    arguments->grids = calloc((size_t)argc + 1, sizeof *arguments->grids);
    if (!arguments->operands || !arguments->sets || !arguments->grids)
        return sn_error_memory(error, (size_t)argc, "arguments");
    sn_status status = parse_options(arguments, verb, argc, argv, is_over, error);
    if (status) return status;
    if (*is_over) {
        sn_text text = SN_TEXT_EMPTY;
        sn_help_verb(verb, &text);
        return sn_print(&text, error);
    }
    if (arguments->n_operands < verb->min_operands) return usage_error(verb, error, "wants ", verb->operands);
    if (arguments->n_operands > verb->max_operands) {
        return usage_error(verb, error, "does not know what to do with ", arguments->operands[verb->max_operands]);
    }
    return SN_OK;
}

void sn_arguments_reset(sn_arguments *arguments) {
    free(arguments->operands);
    free(arguments->sets);
    free(arguments->grids);
    *arguments = (sn_arguments){0};
}
