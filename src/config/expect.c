/* Owns the wording of what is expected and what was found. */
#include "config/expect.h"

#include <float.h>
#include <string.h>

#include "config/show.h"

static void add_bound(sn_text *text, const char *words, double bound) {
    char number[SN_NUMBER_TEXT];
    sn_text_addf(text, "%s%s", words, sn_number_text(bound, number));
}

void sn_expect_number_short(const sn_key *key, sn_text *text) {
    sn_text_add(text, key->types & SN_NUMBER ? "number" : "whole number");
    bool is_bounded = key->min < key->max;
    /* What every number is bound by needs no words. */
    double least = key->types & SN_NUMBER ? -DBL_MAX : -0x1p53, most = -least;
    bool has_min = is_bounded && key->min > least, has_max = is_bounded && key->max < most;
    bool above = key->flags & SN_ABOVE_MIN, below = key->flags & SN_BELOW_MAX;
    if (has_min && has_max && !above && !below) {
        add_bound(text, " from ", key->min);
        add_bound(text, " to ", key->max);
        return;
    }
    if (has_min) add_bound(text, above ? " above " : ", at least ", key->min);
    if (has_max)
        add_bound(text, has_min ? (below ? " and below " : " and at most ") : (below ? " below " : ", at most "),
                  key->max);
}

void sn_expect_number(const sn_key *key, sn_text *text) {
    sn_text_add(text, "a ");
    sn_expect_number_short(key, text);
}

/* Alternatives are gathered as lines and joined at the end. */
static void add_line(sn_text *lines, const char *line) {
    sn_text_addf(lines, "%s\n", line);
}

static void join(sn_text *text, const sn_text *lines, const char *last) {
    for (const char *line = sn_text_string(lines), *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        sn_text_add_bytes(text, line, (size_t)(end - line));
        if (end[1]) sn_text_add(text, strchr(end + 1, '\n')[1] ? ", " : last);
    }
    if (lines->failed) text->failed = true;
}

static void add_strings(const sn_key *key, const char *quote, sn_text *lines) {
    for (const char *const *word = key->words; (key->types & SN_WORD) && word && *word; word++)
        sn_text_addf(lines, "%s%s%s\n", quote, *word, quote);
    if (!(key->types & SN_KIND)) return;
    for (const sn_kind *const *kind = key->choice->kinds; *kind; kind++) {
        if (!(*kind)->chosen_by) sn_text_addf(lines, "%s%s%s\n", quote, (*kind)->name, quote);
    }
}

static void add_others(const sn_key *key, bool with_objects, sn_text *lines) {
    bool has_named = false;
    for (const sn_kind *const *kind = key->choice ? key->choice->kinds : NULL; kind && *kind; kind++) {
        if (!(key->types & SN_KIND)) break;
        if ((*kind)->chosen_by) sn_text_addf(lines, "{\"%s\": ...}\n", (*kind)->chosen_by);
        has_named |= !(*kind)->chosen_by;
    }
    if (has_named && with_objects) sn_text_addf(lines, "an object with \"%s\"\n", key->choice->discriminator);
    if (key->types & SN_OBJECT) add_line(lines, "an object");
    if (key->types & SN_LIST) {
        bool of_strings = key->element && key->element->types == SN_TEXT;
        sn_text_addf(lines, "a%s list%s\n", key->flags & SN_NOT_EMPTY ? " non-empty" : "",
                     of_strings ? " of strings" : "");
    }
    if (key->types & SN_BOOL) add_line(lines, "true or false");
    if (key->types & SN_NULL) add_line(lines, "null");
}

static void add_number(const sn_key *key, sn_text *lines) {
    if (!(key->types & (SN_INTEGER | SN_NUMBER))) return;
    sn_expect_number(key, lines);
    sn_text_add(lines, "\n");
}

void sn_expect_write(const sn_key *key, sn_text *text) {
    sn_text lines = SN_TEXT_EMPTY;
    add_number(key, &lines);
    if (key->types & SN_TEXT) add_line(&lines, key->flags & SN_NOT_EMPTY ? "a non-empty string" : "a string");
    if (key->types & SN_PATH) add_line(&lines, "a path (a string)");
    add_strings(key, "\"", &lines);
    add_others(key, true, &lines);
    join(text, &lines, " or ");
    sn_text_free(&lines);
}

void sn_expect_names(const sn_key *key, sn_text *text) {
    sn_text lines = SN_TEXT_EMPTY;
    add_strings(key, "", &lines);
    add_number(key, &lines);
    add_others(key, false, &lines);
    join(text, &lines, ", ");
    sn_text_free(&lines);
}

void sn_found_write(const cJSON *value, sn_text *text) {
    char number[SN_NUMBER_TEXT];
    if (cJSON_IsString(value)) {
        sn_text_add(text, "the string ");
        sn_show_string(value->valuestring, text);
    } else if (cJSON_IsNumber(value)) {
        sn_text_addf(text, "the number %s", sn_number_text(value->valuedouble, number));
    } else if (cJSON_IsBool(value)) {
        sn_text_add(text, cJSON_IsTrue(value) ? "true" : "false");
    } else if (cJSON_IsNull(value)) {
        sn_text_add(text, "null");
    } else {
        sn_text_add(text, cJSON_IsArray(value) ? "a list" : "an object");
    }
}
