/* Owns did-you-mean of the command line, over the rows of the verbs and the keys of the config. */
#include "cli/advice.h"

#include <string.h>

#include "base/shell.h"
#include "config/suggest.h"
#include "config/tails.h"
#include "run/language.h"

static const sn_synonym verb_synonyms[] = {
    {"run", "train"},      {"fit", "train"},    {"validate", "check"},  {"lint", "check"},   {"sweep", "cells"},
    {"grid", "cells"},     {"diff", "compare"}, {"evaluate", "eval"},   {"predict", "eval"}, {"test", "eval"},
    {"grad", "gradcheck"}, {"keys", "list"},    {"benchmark", "bench"}, {NULL, NULL},
};
static const sn_synonym option_synonyms[] = {
    {"output", "out"},      {"output_dir", "out"},    {"outdir", "out"},      {"dir", "out"},
    {"jobs", "threads"},    {"n_threads", "threads"}, {"workers", "threads"}, {"overwrite", "force"},
    {"continue", "resume"}, {"silent", "quiet"},      {"override", "set"},    {NULL, NULL},
};

static const sn_option *find_option(const sn_verb *verb, const char *name) {
    for (size_t i = 0; i < verb->n_options; i++) {
        if (strcmp(verb->options[i].name, name) == 0) return &verb->options[i];
    }
    return NULL;
}

/* ", an option of train, cells"; false where no verb has it. */
static bool add_owners(const char *name, sn_text *text) {
    int count = 0;
    for (const sn_verb *const *verb = sn_verbs; *verb; verb++) {
        if (!find_option(*verb, name)) continue;
        sn_text_addf(text, "%s%s", count++ == 0 ? ", an option of " : ", ", (*verb)->name);
    }
    return count > 0;
}

static const char *nearest_option(const sn_verb *verb, const char *name) {
    sn_suggestion nearest = sn_suggestion_for(name, option_synonyms);
    for (size_t i = 0; i < verb->n_options; i++)
        sn_suggestion_offer(&nearest, verb->options[i].name);
    sn_suggestion_offer(&nearest, sn_option_help.name);
    return nearest.best;
}

/* The keys as --set takes them, with the value that was meant for the option. */
static void add_keys(const sn_tails *tails, const char *value, sn_text *text) {
    sn_text_addf(text, ", %s of the config: ", tails->n == 1 ? "a key" : "the end of several keys");
    for (int i = 0; i < tails->n && i < SN_TAILS_SHOWN; i++) {
        sn_text_addf(text, "%s--set %s=", i > 0 ? ", " : "", tails->found[i]);
        sn_text_add_shell(text, value);
    }
    if (tails->n > SN_TAILS_SHOWN) sn_text_add(text, ", ...");
}

static void advise(const sn_verb *verb, const char *name, const char *value, sn_text *text) {
    sn_tails tails;
    bool takes_keys = find_option(verb, "set");
    bool is_found = takes_keys && sn_tails_find(&tails, &sn_language, name);
    const char *nearest = is_found ? NULL : nearest_option(verb, name);
    if (nearest) {
        sn_text_addf(text, ", did you mean --%s?", nearest);
    } else if (is_found ||
               (!add_owners(name, text) && takes_keys && sn_tails_find_near(&tails, &sn_language, name, true))) {
        add_keys(&tails, value, text);
    }
}

void sn_advise_option(const sn_verb *verb, const char *word, const char *next, sn_text *text) {
    const char *start = word + strspn(word, "-"), *equals = strchr(start, '=');
    sn_text name = SN_TEXT_EMPTY;
    sn_text_add_bytes(&name, start, equals ? (size_t)(equals - start) : strlen(start));
    bool has_value = next && (next[0] != '-' || (next[1] && strchr(".0123456789", next[1])));
    const char *value = equals ? equals + 1 : has_value ? next : "VALUE";
    advise(verb, sn_text_string(&name), value, text);
    text->failed |= name.failed;
    sn_text_free(&name);
}

void sn_advise_verb(const char *word, sn_text *text) {
    static const char ending[] = ".json";
    size_t n = strlen(word);
    sn_suggestion nearest = sn_suggestion_for(word, verb_synonyms);
    for (const sn_verb *const *verb = sn_verbs; *verb; verb++)
        sn_suggestion_offer(&nearest, (*verb)->name);
    if (word[0] == '-') {
        sn_text_add(text, ", options stand after the verb");
    } else if (nearest.best) {
        sn_suggestion_write(&nearest, text);
    } else if (n >= sizeof ending && strcmp(word + n - strlen(ending), ending) == 0) {
        sn_text_add(text, ", did you mean skipnet train ");
        sn_text_add_shell(text, word);
        sn_text_add(text, "?");
    }
}
