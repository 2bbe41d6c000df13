/* Owns the parsing of a verb's arguments: getopt's tables come out of the rows of the verb. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "cli/advice.h"
#include "cli/cli.h"

/* getopt's name for the option of that place in the table, above all letters; --help stands after the last. */
enum { FIRST_CODE = 256 };

static const sn_option *option_at(const sn_verb *verb, size_t place) {
    return place < verb->n_options ? &verb->options[place] : &sn_option_help;
}

static void *member_of(const sn_arguments *arguments, const sn_option *option) {
    return (char *)arguments->record + option->at;
}

static sn_status usage_error(const sn_verb *verb, sn_error *error, const char *what, const char *which) {
    return sn_error_set(error, SN_INVALID, "skipnet %s: %s%s (see skipnet %s --help)", verb->name, what, which,
                        verb->name);
}

static sn_status take_option(sn_arguments *arguments, const sn_verb *verb, const sn_option *option, const char *value,
                             sn_error *error) {
    sn_text wanted = SN_TEXT_EMPTY;
    if (option->read(option, value, member_of(arguments, option), &wanted)) return SN_OK;
    sn_text what = SN_TEXT_EMPTY;
    sn_text_addf(&what, "--%s wants %s%s", option->name, sn_text_string(&wanted), *value ? ", got " : "");
    sn_status status = usage_error(verb, error, sn_text_string(&what), value);
    sn_text_free(&wanted);
    sn_text_free(&what);
    return status;
}

/* What getopt_long reads. */
typedef struct getopt_tables {
    struct option *longs;
    char *shorts;
} getopt_tables;

static sn_status make_tables(getopt_tables *tables, const sn_verb *verb, sn_error *error) {
    tables->longs = calloc(verb->n_options + 2, sizeof *tables->longs);
    tables->shorts = calloc(verb->n_options + 3, 1);
    if (!tables->longs || !tables->shorts) {
        sn_error_memory(error, verb->n_options, "options");
        return SN_FAILED;
    }
    char *letter = tables->shorts;
    *letter++ = ':'; /* a missing argument is told apart from an unknown option */
    for (size_t i = 0; i <= verb->n_options; i++) {
        const sn_option *option = option_at(verb, i);
        tables->longs[i] = (struct option){option->name, option->argument ? required_argument : no_argument, NULL,
                                           FIRST_CODE + (int)i};
        if (option->letter) *letter++ = option->letter;
    }
    return SN_OK;
}

static const sn_option *option_of(const sn_verb *verb, int code) {
    if (code >= FIRST_CODE) return option_at(verb, (size_t)(code - FIRST_CODE));
    for (size_t i = 0; i <= verb->n_options; i++) {
        const sn_option *option = option_at(verb, i);
        if (option->letter && option->letter == code) return option;
    }
    return NULL;
}

/* What getopt_long refused.  optopt is 0 for an unknown long option, the row's code for one with a value too many. */
static sn_status refuse_option(const sn_verb *verb, char **argv, sn_error *error) {
    const char letter[] = {'-', (char)optopt, '\0'};
    if (optopt >= FIRST_CODE) return usage_error(verb, error, "no value goes with ", argv[optind - 1]);
    if (optopt) return usage_error(verb, error, "unknown option ", letter);
    sn_text which = SN_TEXT_EMPTY;
    sn_text_add(&which, argv[optind - 1]);
    sn_advise_option(verb, argv[optind - 1], argv[optind], &which); /* argv ends with NULL */
    sn_status status = usage_error(verb, error, "unknown option ", sn_text_string(&which));
    sn_text_free(&which);
    return status;
}

/* Stops behind --help, with *is_over set. */
static sn_status parse_options(sn_arguments *arguments, const sn_verb *verb, int argc, char **argv, bool *is_over,
                               sn_error *error) {
    getopt_tables tables = {0};
    sn_status status = make_tables(&tables, verb, error);
    opterr = 0;
    optind = 1;
    for (int code; !status && !*is_over && (code = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1;) {
        const sn_option *option = option_of(verb, code);
        *is_over = option == &sn_option_help;
        if (*is_over) continue;
        if (code == ':') {
            status = usage_error(verb, error, "an argument is missing after ", argv[optind - 1]);
        } else {
            status = option ? take_option(arguments, verb, option, optarg, error) : refuse_option(verb, argv, error);
        }
    }
    for (int i = optind; i < argc; i++)
        arguments->operands[arguments->n_operands++] = argv[i];
    free(tables.longs);
    free(tables.shorts);
    return status;
}

/* The record, with room for every word in each option that may be given many times. */
static sn_status make_room(sn_arguments *arguments, const sn_verb *verb, int argc, sn_error *error) {
    size_t n = (size_t)argc + 1;
    arguments->operands = calloc(n, sizeof *arguments->operands);
    arguments->record = calloc(1, verb->record_size + 1);
    bool is_whole = arguments->operands && arguments->record;
    for (size_t i = 0; i < verb->n_options && is_whole; i++) {
        if (!sn_option_repeats(&verb->options[i])) continue;
        sn_words *words = member_of(arguments, &verb->options[i]);
        words->items = calloc(n, sizeof *words->items);
        is_whole = words->items != NULL;
    }
    return is_whole ? SN_OK : sn_error_memory(error, n, "arguments");
}

/* A word in quotes, or of a program that calls this one, has seen no shell. */
static sn_status check_operands(const sn_arguments *arguments, const sn_verb *verb, sn_error *error) {
    int i = 0;
    while (i < arguments->n_operands && !sn_path_begins_at_home(arguments->operands[i]))
        i++;
    if (i == arguments->n_operands) return SN_OK;
    sn_text which = SN_TEXT_EMPTY;
    sn_text_addf(&which, "%s%s", arguments->operands[i], SN_NO_HOME);
    sn_status status = usage_error(verb, error, "cannot take ", sn_text_string(&which));
    sn_text_free(&which);
    return status;
}

sn_status sn_arguments_parse(sn_arguments *arguments, const sn_verb *verb, int argc, char **argv, bool *is_over,
                             sn_error *error) {
    *arguments = (sn_arguments){0};
    *is_over = false;
    sn_status status = make_room(arguments, verb, argc, error);
    if (!status) status = parse_options(arguments, verb, argc, argv, is_over, error);
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
    return check_operands(arguments, verb, error);
}

void sn_arguments_reset(sn_arguments *arguments, const sn_verb *verb) {
    for (size_t i = 0; i < verb->n_options && arguments->record; i++) {
        if (!sn_option_repeats(&verb->options[i])) continue;
        const sn_words *words = member_of(arguments, &verb->options[i]);
        free(words->items);
    }
    free(arguments->operands);
    free(arguments->record);
    *arguments = (sn_arguments){0};
}
