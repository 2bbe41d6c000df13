/* Owns the source csv: which columns are targets, and how the rows become two splits.
 *
 * A held-out split is drawn by one permutation of the rows: its first part is the test split, the rest the training
 * split, both in the permuted order, so that the first n of a file sorted by class are not of one class.  Without one
 * (test_fraction 0, or a test_path) rows keep the order of the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/utf8.h"
#include "data/csv_judge.h"
#include "data/csv_labels.h"
#include "data/csv_table.h"
#include "data/source.h"

typedef struct job {
    const sn_config *config;
    const sn_value *data;
    sn_table train, test; /* of path and test_path */
    bool has_test;
    sn_table_columns columns;
    sn_labels labels;
    uint32_t *rows; /* a permutation of the rows of `train` */
    sn_error *error;
} job;

static sn_status read_delimiter(const job *j, char *delimiter) {
    const sn_value *value = sn_value_get(j->data, "delimiter");
    const char *text = sn_value_text(value, "");
    *delimiter = text[0];
    /* What can stand in a number, a name or at a line's end separates nothing. */
    bool is_one = text[0] && !text[1] && text[0] > 0 && text[0] < 127;
    bool is_taken = is_one && strchr("\"\r\n+-._0123456789", text[0]) != NULL;
    bool is_letter = is_one && ((text[0] | 32) >= 'a' && (text[0] | 32) <= 'z');
    if (is_one && !is_taken && !is_letter) return SN_OK;
    return sn_config_fault(j->config, value, j->error,
                           "expected one ASCII character that is no letter, digit, sign, point, quote or line end");
}

/* The header as `"a", "b", "c"`, cut where it is long. */
static void list_names(const sn_table *table, sn_text *text) {
    enum { MOST = 30 };
    for (size_t i = 0; i < table->n_columns && i < MOST; i++) {
        if (i > 0) sn_text_add(text, ", ");
        sn_table_add_cell(table->names[i], text);
    }
    if (table->n_columns > MOST) sn_text_addf(text, ", ... %zu in all", table->n_columns);
}

static sn_status find_name(const job *j, const sn_value *target, size_t *column) {
    const sn_table *table = &j->train;
    const char *name = sn_value_text(target, "");
    if (!table->names) {
        return sn_config_fault(j->config, target, j->error,
                               "a column has a name only where data.header is true; use its index, from 0");
    }
    size_t n_found = 0;
    for (size_t i = table->n_columns; i-- > 0;) {
        if (strcmp(table->names[i], name) != 0) continue;
        *column = i;
        n_found++;
    }
    if (n_found == 1) return SN_OK;

    sn_text list = SN_TEXT_EMPTY, quoted = SN_TEXT_EMPTY;
    list_names(table, &list);
    sn_table_add_cell(name, &quoted);
    if (n_found == 0) {
        sn_config_fault(j->config, target, j->error, "no column %s in %s (it has %s)", sn_text_string(&quoted),
                        table->csv.path, sn_text_string(&list));
    } else {
        sn_config_fault(j->config, target, j->error, "%zu columns of %s are called %s; use the index, from 0", n_found,
                        table->csv.path, sn_text_string(&quoted));
    }
    sn_text_free(&list);
    sn_text_free(&quoted);
    return SN_INVALID;
}

static sn_status find_column(const job *j, const sn_value *target, size_t *column) {
    if (sn_value_is_text(target)) return find_name(j, target, column);
    int64_t n = (int64_t)j->train.n_columns, index = sn_value_integer(target, "");
    if (index < -n || index >= n) {
        return sn_config_fault(j->config, target, j->error,
                               "no column index %lld in %s, which has %lld column%s (0 to %lld, or -1 for the last)",
                               (long long)index, j->train.csv.path, (long long)n, n == 1 ? "" : "s",
                               (long long)(n - 1));
    }
    *column = (size_t)(index < 0 ? index + n : index);
    return SN_OK;
}

static sn_status add_target(job *j, const sn_value *target) {
    size_t column = 0;
    sn_status status = find_column(j, target, &column);
    if (status != SN_OK) return status;
    if (j->columns.target[column] < SN_LEFT_OUT) {
        return sn_config_fault(j->config, target, j->error, "this column is a target already");
    }
    j->columns.target[column] = j->columns.n_targets++;
    return SN_OK;
}

static sn_status resolve_columns(job *j) {
    const sn_value *target = sn_value_get(j->data, "target");
    sn_table_columns *columns = &j->columns;
    columns->n = j->train.n_columns;
    columns->is_classes = strcmp(sn_value_text(j->data, "task"), "classes") == 0;
    columns->target = malloc(columns->n * sizeof *columns->target);
    if (!columns->target) return sn_error_memory(j->error, columns->n * sizeof *columns->target, "columns");
    for (size_t i = 0; i < columns->n; i++)
        columns->target[i] = i == 0 && j->train.has_row_names ? SN_LEFT_OUT : SN_FEATURE;

    sn_status status = SN_OK;
    if (sn_value_is_list(target)) {
        const sn_value *element = sn_value_first(target);
        for (; element && status == SN_OK; element = sn_value_next(element))
            status = add_target(j, element);
    } else {
        status = add_target(j, target);
    }
    if (status != SN_OK) return status;
    if (columns->is_classes && columns->n_targets != 1) {
        return sn_config_fault(j->config, target, j->error, "classes have one target column, not %zu",
                               columns->n_targets);
    }
    for (size_t i = 0; i < columns->n; i++)
        columns->n_features += columns->target[i] == SN_FEATURE;
    if (columns->n_features == 0) {
        return sn_config_fault(j->config, target, j->error, "no column of %s is left as a feature", j->train.csv.path);
    }
    return SN_OK;
}

/* The two files must mean the same columns. */
static sn_status check_same_columns(const job *j) {
    const sn_table *train = &j->train, *test = &j->test;
    if (test->n_columns != train->n_columns) {
        return sn_error_set(j->error, SN_INVALID, "%s: row 1: %zu columns, but %s has %zu", test->csv.path,
                            test->n_columns, train->csv.path, train->n_columns);
    }
    for (size_t i = 0; train->names && i < train->n_columns; i++) {
        if (strcmp(train->names[i], test->names[i]) == 0) continue;
        sn_text text = SN_TEXT_EMPTY;
        sn_text_addf(&text, "column index %zu is called ", i);
        sn_table_add_cell(test->names[i], &text);
        sn_text_addf(&text, ", but in %s ", train->csv.path);
        sn_table_add_cell(train->names[i], &text);
        sn_error_set(j->error, SN_INVALID, "%s: row 1: %s", test->csv.path, sn_text_string(&text));
        sn_text_free(&text);
        return SN_INVALID;
    }
    return SN_OK;
}

static sn_status read_tables(job *j) {
    const char *path = sn_value_text(j->data, "path"), *test_path = sn_value_text(j->data, "test_path");
    bool has_header = sn_value_bool(j->data, "header");
    char delimiter = ',';
    sn_status status = read_delimiter(j, &delimiter);
    if (status == SN_OK) status = sn_table_open(&j->train, path, delimiter, has_header, j->error);
    if (status == SN_OK) status = resolve_columns(j);
    if (status == SN_OK) status = sn_table_read(&j->train, &j->columns, j->error);
    if (status != SN_OK || !test_path) return status;

    j->has_test = true;
    status = sn_table_open(&j->test, test_path, delimiter, has_header, j->error);
    if (status == SN_OK) status = check_same_columns(j);
    if (status == SN_OK) status = sn_table_read(&j->test, &j->columns, j->error);
    return status;
}

/* All that was read by a guess. */
static void tell_guesses(const job *j, sn_notes *notes) {
    const sn_table *tables[] = {&j->train, &j->test};
    bool knows_header = sn_config_is_given(j->config, sn_value_get(j->data, "header"));
    bool knows_task = sn_config_is_given(j->config, sn_value_get(j->data, "task"));
    for (int i = 0; i <= j->has_test; i++) {
        if (!knows_header) sn_table_note_header(tables[i], notes);
        sn_table_note_columns(tables[i], &j->columns, notes);
    }
    if (!j->columns.is_classes) return;
    if (!knows_task) sn_labels_note_numbers(&j->labels, &j->train, &j->columns, notes);
    if (j->labels.kind == SN_LABELS_TEXT) sn_labels_note_twins(&j->labels, &j->train, &j->columns, notes);
}

static sn_status check_targets(const job *j) {
    sn_status status = sn_table_check_targets(&j->train, &j->columns, j->error);
    sn_status other = j->has_test ? sn_table_check_targets(&j->test, &j->columns, j->error) : SN_OK;
    return status ? status : other;
}

static sn_status collect_labels(job *j) {
    sn_status status = sn_labels_init(&j->labels, j->train.labels, j->train.n, j->error);
    if (status != SN_OK || j->labels.n > 1) return status;
    size_t column = 0;
    while (j->columns.target[column] != 0)
        column++;
    sn_text text = SN_TEXT_EMPTY;
    sn_table_add_column(&j->train, column, &text);
    sn_text_add(&text, ": only one class, ");
    sn_table_add_cell(j->labels.sorted[0].text, &text);
    sn_error_set(j->error, SN_INVALID, "%s: %s; two or more are needed", j->train.csv.path, sn_text_string(&text));
    sn_text_free(&text);
    return SN_INVALID;
}

static sn_status fault_label(const job *j, const sn_table *table, size_t row) {
    sn_text text = SN_TEXT_EMPTY;
    sn_table_add_cell(table->labels[row], &text);
    sn_error_set(j->error, SN_INVALID, "%s: row %zu: label %s does not occur in %s", table->csv.path,
                 sn_table_row(table, row), sn_text_string(&text), j->train.csv.path);
    sn_text_free(&text);
    return SN_INVALID;
}

/* Copies rows[0..n) of the table, or its first n where rows is NULL, into a split. */
static sn_status fill_split(const job *j, sn_dataset *dataset, sn_samples *samples, const sn_table *table,
                            const uint32_t *rows, size_t n) {
    sn_new_split room;
    sn_status status = sn_dataset_make_room(dataset, samples, n, &room, j->error);
    uint32_t *numbers = status == SN_OK ? sn_dataset_block(dataset, n, sizeof *numbers, "rows", j->error) : NULL;
    if (!numbers) return SN_FAILED;
    samples->rows = numbers;
    size_t in_dim = dataset->in_dim, out_dim = dataset->out_dim;
    for (size_t i = 0; i < n && status == SN_OK; i++) {
        size_t row = rows ? rows[i] : i;
        numbers[i] = (uint32_t)sn_table_row(table, row);
        memcpy(room.values + i * in_dim, table->features + row * in_dim, in_dim * sizeof(double));
        if (room.targets) {
            memcpy(room.targets + i * out_dim, table->targets + row * out_dim, out_dim * sizeof(double));
        } else if (!sn_labels_find(&j->labels, table->labels[row], &room.labels[i])) {
            status = fault_label(j, table, row);
        }
    }
    return status;
}

/* How many of n rows are held out: the nearest number to the fraction, and at least one where it is not 0. */
static size_t count_held_out(const job *j, size_t n) {
    double fraction = sn_value_number(j->data, "test_fraction");
    size_t held_out = (size_t)(fraction * (double)n + 0.5);
    return fraction > 0 && held_out == 0 ? 1 : held_out;
}

static sn_status split_rows(job *j, sn_dataset *dataset) {
    size_t n = j->train.n, n_test = j->has_test ? j->test.n : count_held_out(j, n);
    if (!j->has_test && n_test >= n) {
        return sn_config_fault(j->config, sn_value_get(j->data, "test_fraction"), j->error,
                               "holding %zu of %zu row%s of %s out leaves none to train on", n_test, n,
                               n == 1 ? "" : "s", j->train.csv.path);
    }
    if (!j->has_test && n_test > 0) {
        j->rows = malloc(n * sizeof *j->rows);
        if (!j->rows) return sn_error_memory(j->error, n * sizeof *j->rows, "the split");
        uint64_t seed = (uint64_t)sn_value_integer(j->data, "seed");
        sn_rng_permutation(sn_rng_stream(seed, "data", "csv.split", 0), j->rows, (uint32_t)n);
    }
    size_t n_train = j->has_test ? n : n - n_test;
    const uint32_t *train_rows = j->rows ? j->rows + n_test : NULL;
    sn_status status = fill_split(j, dataset, &dataset->train, &j->train, train_rows, n_train);
    if (status != SN_OK) return status;
    return fill_split(j, dataset, &dataset->test, j->has_test ? &j->test : &j->train, j->rows, n_test);
}

/* A label in UTF-8, as all files of a run are written; another encoding is taken for Latin-1. */
static char *copy_label(sn_pool *pool, const char *label) {
    if (sn_is_utf8(label)) return sn_pool_string(pool, label);
    char *copy = sn_pool_alloc(pool, 2 * strlen(label) + 1), *out = copy;
    for (const unsigned char *p = (const unsigned char *)label; copy && *p; p++)
        out += sn_utf8_write(out, *p);
    return copy;
}

static sn_status name_classes(const job *j, sn_dataset *dataset) {
    size_t size = j->labels.n * sizeof *dataset->class_names;
    const char **names = sn_pool_alloc(&dataset->pool, size);
    for (size_t i = 0; names && i < j->labels.n; i++) {
        names[i] = copy_label(&dataset->pool, j->labels.sorted[i].text);
        if (!names[i]) names = NULL;
    }
    dataset->class_names = names;
    return names ? SN_OK : sn_error_memory(j->error, size, "the names of classes");
}

static sn_status load_csv(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error) {
    job j = {.config = config, .data = data, .error = error};
    sn_status status = read_tables(&j);
    if (status == SN_OK) status = check_targets(&j);
    if (status == SN_OK && j.columns.is_classes) status = collect_labels(&j);
    if (status == SN_OK) tell_guesses(&j, dataset->notes);
    if (status == SN_OK) {
        dataset->origin = sn_pool_string(&dataset->pool, j.train.csv.path);
        if (!dataset->origin) status = sn_error_memory(error, strlen(j.train.csv.path), "the data");
    }
    if (status == SN_OK) {
        dataset->in_dim = j.columns.n_features;
        dataset->is_classes = j.columns.is_classes;
        dataset->out_dim = dataset->is_classes ? j.labels.n : j.columns.n_targets;
        status = split_rows(&j, dataset);
    }
    if (status == SN_OK && dataset->is_classes) status = name_classes(&j, dataset);
    free(j.rows);
    free(j.columns.target);
    sn_labels_reset(&j.labels);
    sn_table_close(&j.train);
    sn_table_close(&j.test);
    return status;
}

static const char *const tasks[] = {"classes", "regression", NULL};

static const sn_key target_element = {
    .types = SN_INTEGER | SN_TEXT, .min = -0x1p53, .max = 0x1p53, .help = "a column by name or index"};

static const sn_ruler by_test_path[] = {{.key = "test_path"}, {0}};

static const sn_key keys[] = {
    {.name = "path",
     .types = SN_PATH,
     .flags = SN_REQUIRED | SN_NO_MEANING,
     .help = "the CSV file (RFC 4180, LF or CRLF); all columns but the targets (and R's row names) are "
             "features, all numbers"},
    {.name = "header",
     .types = SN_BOOL,
     .flags = SN_GUESS,
     .fallback = "true",
     .help = "the first row has the names of the columns"},
    {.name = "delimiter",
     .types = SN_TEXT,
     .fallback = "\",\"",
     .help = "one character between cells, e.g. \";\" or a tab"},
    {.name = "target",
     .types = SN_INTEGER | SN_TEXT | SN_LIST,
     .flags = SN_NOT_EMPTY,
     .fallback = "-1",
     .min = -0x1p53,
     .max = 0x1p53,
     .element = &target_element,
     .help = "the target column by name or index (from 0, or from -1 backwards); several for regression as a list"},
    {.name = "task",
     .types = SN_WORD,
     .flags = SN_GUESS,
     .fallback = "\"classes\"",
     .words = tasks,
     .help = "classes: labels of any text, sorted (by number if all are numbers) and counted, a "
             "missing one (empty, NA, nan, null, ?) is an error; regression: numbers, a missing one is an error"},
    {.name = "test_fraction",
     .types = SN_NUMBER,
     .flags = SN_BELOW_MAX,
     .fallback = "0.2",
     .min = 0,
     .max = 1,
     .ruled_by = by_test_path,
     .help = "share of the rows held out for testing, drawn by data.seed; not used with test_path"},
    {.name = "test_path",
     .types = SN_PATH | SN_NULL,
     .flags = SN_NO_MEANING,
     .fallback = "null",
     .help = "a second file, of the same form, for testing; its labels must occur in the first"},
    {0},
};

const sn_source sn_source_csv = {
    .kind = {.name = "csv", .help = "a table in a CSV file: classification or regression", .keys = keys},
    .load = load_csv,
};
