/* Owns how values of options are read. */
#include "cli/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

bool sn_option_flag(const sn_option *option, const char *value, void *member, sn_text *wanted) {
    (void)option, (void)value, (void)wanted;
    *(bool *)member = true;
    return true;
}

bool sn_option_words(const sn_option *option, const char *value, void *member, sn_text *wanted) {
    (void)option, (void)wanted;
    sn_words *words = member;
    words->items[words->n++] = value;
    return true;
}

bool sn_option_path(const sn_option *option, const char *value, void *member, sn_text *wanted) {
    *(const char **)member = value;
    bool has_tilde = sn_path_begins_at_home(value); /* as in --out=~/runs */
    if (*value && !has_tilde) return true;
    bool is_directory = strcmp(option->argument, "DIR") == 0, is_key = strcmp(option->argument, "KEY") == 0;
    sn_text_add(wanted, is_directory ? "a directory" : is_key ? "a key" : "a file");
    if (has_tilde) sn_text_add(wanted, SN_NO_HOME);
    return false;
}

bool sn_option_count(const sn_option *option, const char *value, void *member, sn_text *wanted) {
    char *end = NULL;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    bool is_whole = !errno && !*end && end != value;
    *(int64_t *)member = n;
    if (is_whole && n >= 1 && (option->most == 0 || n <= option->most)) return true;
    sn_text_add(wanted, "a whole number from 1 ");
    if (option->most == 0) {
        sn_text_add(wanted, "on");
    } else {
        sn_text_addf(wanted, "to %" PRId64, option->most);
    }
    return false;
}

bool sn_option_number(const sn_option *option, const char *value, void *member, sn_text *wanted) {
    char *end = NULL;
    double number = strtod(value, &end);
    bool is_number = !*end && end != value;
    *(double *)member = number;
    if (is_number && number > 0 && (option->most == 0 || number <= (double)option->most)) return true;
    sn_text_add(wanted, "a number above 0");
    if (option->most > 0) sn_text_addf(wanted, " and up to %" PRId64, option->most);
    return false;
}

bool sn_option_repeats(const sn_option *option) {
    return option->read == sn_option_words;
}

void sn_option_write(const sn_option *option, sn_text *text) {
    sn_text_addf(text, "--%s%s%s", option->name, option->argument ? " " : "", option->argument ? option->argument : "");
}

const sn_option sn_option_help = {.name = "help", .letter = 'h', .help = "this text"};
