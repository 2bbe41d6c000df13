/* Owns the verbs help and version. */
#include <string.h>

#include "base/build.h"
#include "cli/advice.h"
#include "cli/cli.h"

const sn_verb *sn_verb_find(const char *name) {
    for (const sn_verb *const *verb = sn_verbs; *verb; verb++) {
        if (strcmp((*verb)->name, name) == 0) return *verb;
    }
    return NULL;
}

sn_status sn_refuse_verb(const char *who, const char *name, sn_error *error) {
    sn_text advice = SN_TEXT_EMPTY;
    sn_advise_verb(name, &advice);
    sn_error_set(error, SN_INVALID, "%s: no verb \"%s\"%s (see skipnet help)", who, name, sn_text_string(&advice));
    sn_text_free(&advice);
    return error->status;
}

static void add_option_line(const sn_option *option, sn_text *text) {
    sn_text left = SN_TEXT_EMPTY;
    if (option->letter) {
        sn_text_addf(&left, "-%c, ", option->letter);
    } else {
        sn_text_add(&left, "    ");
    }
    sn_option_write(option, &left);
    sn_text_addf(text, "  %-24s %s\n", sn_text_string(&left), option->help);
    text->failed |= left.failed;
    sn_text_free(&left);
}

void sn_help_verb(const sn_verb *verb, sn_text *text) {
    sn_text_addf(text, "usage: skipnet %s%s%s", verb->name, *verb->operands ? " " : "", verb->operands);
    for (size_t i = 0; i < verb->n_options; i++) {
        sn_text_add(text, " [");
        sn_option_write(&verb->options[i], text);
        sn_text_add(text, sn_option_repeats(&verb->options[i]) ? "]..." : "]");
    }
    sn_text_addf(text, "\n\n%s\n", verb->help);
    if (verb->details) sn_text_addf(text, "\n%s\n", verb->details);
    if (verb->add_details) {
        sn_text_add(text, "\n");
        verb->add_details(text);
    }
    sn_text_add(text, "\noptions:\n");
    for (size_t i = 0; i < verb->n_options; i++)
        add_option_line(&verb->options[i], text);
    add_option_line(&sn_option_help, text);
}

void sn_help_program(sn_text *text) {
    sn_text_add(text,
                "skipnet " SN_VERSION ": what depth does to the gradient, and what skip connections do about it\n\n"
                "usage: skipnet VERB ...\n\n");
    for (const sn_verb *const *verb = sn_verbs; *verb; verb++) {
        sn_text_addf(text, "  %-9s %-12s %s\n", (*verb)->name, (*verb)->operands, (*verb)->help);
    }
    sn_text_add(
        text,
        "\nskipnet VERB --help tells more; skipnet alone prints this.  A run in a minute: skipnet train spirals\n"
        "A CONFIG is a JSON file, - for standard input, or the name of one that comes with skipnet: skipnet list\n"
        "configs.\n\n"
        "exit status: 0 done; 1 failure while running; 2 usage, config or content of a file is wrong, or a run\n"
        "stands in the way; 3 diverged (what was measured is kept); 4 cannot open, read or write\n\n"
        "environment: SKIPNET_DATA     directories to look for data in, separated by colons\n"
        "             SKIPNET_CACHE    where decoded images are kept, empty: nowhere; else ~/.cache/skipnet\n"
        "             SKIPNET_CONFIGS  the same for configs that are called by name\n"
        "             SKIPNET_SIMD     generic, avx2 or avx512 forces a path of the kernels\n"
        "             NO_COLOR         no colours\n");
}

static sn_status run_help(const sn_arguments *arguments, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY;
    const char *name = arguments->n_operands ? arguments->operands[0] : NULL;
    const sn_verb *verb = name ? sn_verb_find(name) : NULL;
    if (name && !verb) {
        return sn_refuse_verb("skipnet help", name, error);
    }
    if (verb) {
        sn_help_verb(verb, &text);
    } else {
        sn_help_program(&text);
    }
    return sn_print(&text, error);
}

static sn_status run_version(const sn_arguments *arguments, sn_error *error) {
    (void)arguments;
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, "skipnet " SN_VERSION " (commit %s)\n", sn_build_commit());
    return sn_print(&text, error);
}

const sn_verb sn_verb_help = {.name = "help",
                              .operands = "[VERB]",
                              .max_operands = 1,
                              .help = "what there is, or what one verb does",
                              .run = run_help};

const sn_verb sn_verb_version = {
    .name = "version", .operands = "", .help = "the version, and the commit it was built from", .run = run_version};
