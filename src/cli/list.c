/* Owns the verbs list and schema: everything that a config accepts, from the tables that the reader uses. */
#include <string.h>

#include "cli/cli.h"
#include "config/columns.h"
#include "config/describe.h"
#include "report/metrics.h"
#include "run/language.h"
#include "run/shipped.h"

static void add_names(sn_text *text) {
    for (const sn_list_entry *entry = sn_language_lists; entry->name; entry++) {
        sn_text_addf(text, "%s%s", entry == sn_language_lists ? "" : ", ", entry->name);
    }
    sn_text_add(text, ", configs, metrics, keys");
}

/* The configs that come with the program: their names, and what they show. */
static sn_status list_configs(sn_text *text, sn_error *error) {
    sn_shipped shipped;
    sn_columns columns = {0};
    sn_status status = sn_shipped_list(&shipped, error);
    for (size_t i = 0; i < shipped.n && !status; i++)
        sn_columns_add(&columns, (const char *[SN_COLUMNS]){shipped.configs[i].name, shipped.configs[i].shows});
    sn_columns_write(&columns, text);
    sn_shipped_reset(&shipped);
    return status;
}

static bool describe(const char *what, sn_text *text) {
    for (const sn_list_entry *entry = sn_language_lists; entry->name; entry++) {
        if (strcmp(entry->name, what) != 0) continue;
        sn_describe_kinds(entry->choice, text);
        return true;
    }
    if (strcmp(what, "metrics") == 0) {
        sn_metrics_list(text);
    } else if (strcmp(what, "keys") == 0) {
        sn_describe_keys(&sn_language, text);
    } else {
        return false;
    }
    return true;
}

static sn_status run_list(const sn_arguments *arguments, sn_error *error) {
    sn_text text = SN_TEXT_EMPTY;
    if (arguments->n_operands == 0) {
        sn_text_add(&text, "skipnet list WHAT, where WHAT is one of: ");
        add_names(&text);
        sn_text_add(&text, "\n");
    } else if (strcmp(arguments->operands[0], "configs") == 0) {
        sn_status status = list_configs(&text, error);
        if (status) {
            sn_text_free(&text);
            return status;
        }
    } else if (!describe(arguments->operands[0], &text)) {
        add_names(&text);
        sn_error_set(error, SN_INVALID, "skipnet list: nothing called \"%s\" (one of: %s)", arguments->operands[0],
                     sn_text_string(&text));
        sn_text_free(&text);
        return SN_INVALID;
    }
    return sn_print(&text, error);
}

static sn_status run_schema(const sn_arguments *arguments, sn_error *error) {
    (void)arguments;
    sn_text text = SN_TEXT_EMPTY;
    sn_describe_schema(&sn_language, &text);
    return sn_print(&text, error);
}

const sn_verb sn_verb_list = {
    .name = "list",
    .operands = "[WHAT]",
    .max_operands = 1,
    .help = "everything a config accepts: ops, activations, keys, metrics ...; configs that are there",
    .run = run_list};

const sn_verb sn_verb_schema = {
    .name = "schema", .operands = "", .help = "JSON Schema of the config", .run = run_schema};
