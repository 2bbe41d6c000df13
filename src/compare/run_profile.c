/* Owns the reading of a run's CSVs for a comparison.  Rows go from file to file as they are, so no digit changes; that
 * they are rows, cell by cell, is checked. */
#include "compare/run_profile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/figures.h"
#include "report/metrics.h"
#include "run/directory.h"

#define LIVE_MAX_BYTES ((size_t)1 << 30)

static const char *line_end(const sn_rows *rows, const char *line) {
    return memchr(line, '\n', (size_t)(rows->text + rows->length - line));
}

static size_t count_cells(const char *line, const char *end) {
    sn_slice cell;
    size_t n = 0;
    while (sn_line_next(&line, end, &cell))
        n++;
    return n;
}

/* The number of a column of the header; SIZE_MAX: there is none. */
static size_t find_column(const sn_rows *header, const char *name) {
    const char *at = header->text, *end = line_end(header, at);
    sn_slice cell;
    for (size_t c = 0; sn_line_next(&at, end, &cell); c++) {
        if (cell.length == strlen(name) && memcmp(cell.start, name, cell.length) == 0) return c;
    }
    return SIZE_MAX;
}

static sn_slice cell_of(const char *line, const char *end, size_t column) {
    sn_slice cell = {line, 0};
    for (size_t c = 0; c <= column; c++) {
        if (!sn_line_next(&line, end, &cell)) return (sn_slice){line, 0};
    }
    return cell;
}

static bool is_word(sn_slice cell, const char *word) {
    return cell.length == strlen(word) && memcmp(cell.start, word, cell.length) == 0;
}

static size_t skip_digits(const char **at, const char *end) {
    const char *start = *at;
    while (*at < end && **at >= '0' && **at <= '9')
        ++*at;
    return (size_t)(*at - start);
}

static void skip_sign(const char **at, const char *end) {
    if (*at < end && (**at == '-' || **at == '+')) ++*at;
}

/* Empty, a number that strtod would take to the last character, or one of the words that stand for what is not finite.
 */
static bool is_numeric(sn_slice cell) {
    const char *at = cell.start, *end = at + cell.length;
    if (cell.length == 0 || is_word(cell, "nan") || is_word(cell, "inf") || is_word(cell, "-inf")) return true;
    skip_sign(&at, end);
    size_t n_digits = skip_digits(&at, end);
    if (at < end && *at == '.') {
        at++;
        n_digits += skip_digits(&at, end);
    }
    if (n_digits > 0 && at < end && *at == 'e') {
        at++;
        skip_sign(&at, end);
        n_digits = skip_digits(&at, end);
    }
    return n_digits > 0 && at == end;
}

/* A cell's text ends at a comma or line end, where strtod stops. */
static sn_measure measure_of(sn_slice cell) {
    if (cell.length == 0 || !is_numeric(cell)) return SN_NOT_MEASURED;
    return sn_measured(strtod(cell.start, NULL));
}

/* ---- gradients.csv ---- */

/* Whether the columns that both have are the same; versions differ in how many there are at the right. */
static bool is_known_header(const sn_rows *header) {
    const char *at = header->text, *end = line_end(header, at);
    sn_slice cell;
    for (const sn_column *c = sn_gradients_sheet.columns; c->name && sn_line_next(&at, end, &cell); c++) {
        if (!is_word(cell, c->name)) return false;
    }
    return find_column(header, "delta_rms") != SIZE_MAX;
}

static sn_measure log10_of(sn_measure measure) {
    return measure.is_measured ? sn_measured(log10(measure.value)) : measure;
}

/* log10 of delta_rms in the first row of a hidden layer. */
static sn_measure first_delta(const sn_ends *ends, const sn_rows *rows) {
    size_t role = find_column(&ends->header, "role"), delta = find_column(&ends->header, "delta_rms");
    const char *line = rows->text;
    for (size_t i = 0; i < rows->n; i++) {
        const char *end = line_end(rows, line);
        if (is_word(cell_of(line, end, role), "hidden")) return log10_of(measure_of(cell_of(line, end, delta)));
        line = end + 1;
    }
    return SN_NOT_MEASURED;
}

static void list_layers(const sn_ends *ends, const sn_rows *rows, sn_profile_each each, void *context) {
    enum { LAYER, FRAC, DELTA, N };
    static const char *const names[N] = {"layer", "depth_frac", "delta_rms"};
    if (rows->n == 0) return; /* there may be no header either */
    size_t columns[N], role = find_column(&ends->header, "role");
    for (int c = 0; c < N; c++)
        columns[c] = find_column(&ends->header, names[c]);
    const char *line = rows->text;
    for (size_t i = 0; i < rows->n; i++) {
        const char *end = line_end(rows, line);
        sn_profile_layer layer = {.is_last = rows == &ends->last};
        sn_measure number = measure_of(cell_of(line, end, columns[LAYER]));
        if (is_word(cell_of(line, end, role), "hidden") && number.value >= 1 && number.value < 1e9) {
            layer.layer = (uint32_t)number.value;
            layer.depth_frac = measure_of(cell_of(line, end, columns[FRAC]));
            layer.log10_delta = log10_of(measure_of(cell_of(line, end, columns[DELTA])));
            each(context, &layer);
        }
        line = end + 1;
    }
}

void sn_run_profile_layers(const sn_run_profile_reader *reader, sn_profile_each each, void *context) {
    const sn_ends *ends = &reader->gradients;
    list_layers(ends, &ends->first, each, context);
    if (ends->last.text != ends->first.text) list_layers(ends, &ends->last, each, context);
}

/* ---- both files ---- */

/* Columns of gradients.csv may hold text; in loss.csv, and beyond the columns that are known, all are numbers. */
static bool is_row(const char *line, const char *end, size_t n_cells, bool is_gradients) {
    const sn_column *column = sn_gradients_sheet.columns;
    sn_slice cell;
    size_t n = 0;
    for (; sn_line_next(&line, end, &cell); n++) {
        bool is_text = is_gradients && column->name && strcmp(column->type, "string") == 0;
        if (column->name) column++;
        if (!is_text && !is_numeric(cell)) return false;
    }
    return n == n_cells;
}

static bool are_rows(const sn_rows *rows, size_t n_cells, bool is_gradients) {
    const char *line = rows->text;
    for (size_t i = 0; i < rows->n; i++) {
        const char *end = line_end(rows, line);
        if (!is_row(line, end, n_cells, is_gradients)) return false;
        line = end + 1;
    }
    return true;
}

/* Why nothing of a file can be used; NULL: it can. */
static const char *find_fault(const sn_ends *ends, bool is_gradients) {
    if (ends->header.n == 0) return NULL;
    size_t n_cells = count_cells(ends->header.text, line_end(&ends->header, ends->header.text));
    if (is_gradients && !is_known_header(&ends->header)) return "its header is not that of a run";
    bool are_whole = are_rows(&ends->first, n_cells, is_gradients) && are_rows(&ends->last, n_cells, is_gradients);
    return are_whole ? NULL : "a row is not one of its header's columns";
}

/* What a finished run should have and its file has not; NULL: nothing. */
static const char *find_gap(const sn_ends *ends, const sn_run_profile_request *request) {
    if (!request->is_finished) return NULL;
    if (ends->header.n == 0) return "it has no header";
    if (ends->first.n == 0) return "it has no rows of step 0";
    return request->last_step >= 0 && ends->last.n == 0 ? "it has no rows of the last update" : NULL;
}

/* An update whose rows are cut short would look like a network with fewer layers. */
static void drop_cut_update(const sn_run_profile_reader *reader, const sn_run_profile_request *request,
                            const char *path, sn_ends *ends) {
    if (ends->last.n == 0 || ends->last.n == ends->first.n) return;
    if (request->has_summary) /* else its rows are still on their way */
        sn_note(reader->notes, "%s: the last update has %zu rows, step 0 has %zu", path, ends->last.n, ends->first.n);
    ends->last = (sn_rows){0};
}

static sn_status examine(const sn_run_profile_reader *reader, const sn_run_profile_request *request, const char *path,
                         sn_ends *ends, sn_error *error) {
    bool is_gradients = ends == &reader->gradients;
    sn_error broken;
    sn_error_clear(&broken);
    sn_status status = sn_ends_read(ends, path, request->last_step, &broken);
    if (sn_file_read_failed(status, path)) return sn_error_set(error, status, "%s", broken.text);
    const char *fault = status ? NULL : find_fault(ends, is_gradients);
    const char *gap = status || fault ? NULL : find_gap(ends, request);
    if (status == SN_INVALID || (status && request->is_finished)) sn_note(reader->notes, "%s", broken.text);
    if (fault || gap) sn_note(reader->notes, "%s: %s", path, fault ? fault : gap);
    if (status || fault) ends->first = ends->last = (sn_rows){0};
    if (is_gradients) drop_cut_update(reader, request, path, ends);
    return SN_OK;
}

static sn_status read_file(const sn_run_profile_reader *reader, const sn_run_profile_request *request, sn_ends *ends,
                           sn_error *error) {
    char *path = sn_path_join(request->directory, ends == &reader->gradients ? SN_FILE_GRADIENTS : SN_FILE_LOSS);
    if (!path) return sn_error_memory(error, strlen(request->directory), "a path");
    sn_status status = examine(reader, request, path, ends, error);
    free(path);
    return status;
}

static bool is_of_csv(const sn_run_figure *figure) {
    return figure->kind == SN_FIGURE_CSV || figure->kind == SN_FIGURE_SHARE;
}

static void count_layer(void *context, const sn_profile_layer *layer) {
    size_t *n = context;
    *n += !layer->is_last;
}

static sn_measure share_of(const sn_run_profile_reader *reader, sn_measure count) {
    size_t n_hidden = 0;
    sn_run_profile_layers(reader, count_layer, &n_hidden);
    return count.is_measured && n_hidden > 0 ? sn_measured(count.value / (double)n_hidden) : SN_NOT_MEASURED;
}

static sn_measure figure_of(const sn_run_profile_reader *reader, const sn_run_figure *figure) {
    const sn_ends *ends = figure->loss_column ? &reader->loss : &reader->gradients;
    const sn_rows *rows = figure->time == SN_AT_START ? &ends->first : &ends->last;
    if (rows->n == 0) return SN_NOT_MEASURED;
    if (!figure->loss_column) return first_delta(ends, rows);
    size_t c = find_column(&ends->header, figure->loss_column);
    sn_measure measure =
        c == SIZE_MAX ? SN_NOT_MEASURED : measure_of(cell_of(rows->text, line_end(rows, rows->text), c));
    return figure->kind == SN_FIGURE_SHARE ? share_of(reader, measure) : measure;
}

/* ---- a run that is not closed ---- */

/* The figure of a row that is not empty: the first one or the last. */
static sn_measure find_figure(const sn_rows *rows, size_t column, bool at_end) {
    sn_measure found = SN_NOT_MEASURED;
    const char *line = rows->text, *stop = rows->text + rows->length;
    while (line < stop && (at_end || !found.is_measured)) {
        const char *end = memchr(line, '\n', (size_t)(stop - line));
        if (!end) break;
        sn_measure measure = measure_of(cell_of(line, end, column));
        if (measure.is_measured) found = measure;
        line = end + 1;
    }
    return found;
}

/* What loss.csv has so far; a last line that is not whole does not count. */
static void take_live_figures(const char *text, size_t size, sn_measure *figures) {
    const char *end = memchr(text, '\n', size);
    if (!end) return;
    sn_rows header = {text, (size_t)(end + 1 - text), 1};
    sn_rows rows = {end + 1, size - header.length, 0};
    for (int c = 0; c < SN_N_RUN_FIGURES; c++) {
        const sn_run_figure *figure = &sn_run_figures[c];
        bool is_live = !is_of_csv(figure) && figure->loss_column;
        size_t place = is_live ? find_column(&header, figure->loss_column) : SIZE_MAX;
        if (place != SIZE_MAX) figures[c] = find_figure(&rows, place, figure->time != SN_AT_START);
    }
}

/* Sets the live figures, and *last_step to that of the last whole row.  A file that cannot be read is told when its
 * ends are. */
static sn_status read_live(const char *directory, sn_measure *figures, int64_t *last_step, sn_error *error) {
    char *path = sn_path_join(directory, SN_FILE_LOSS), *text = NULL;
    size_t size = 0;
    if (!path) return sn_error_memory(error, strlen(directory), "a path");
    sn_error ignored;
    sn_error_clear(&ignored);
    if (sn_file_read_regular(path, LIVE_MAX_BYTES, &text, &size, &ignored) == SN_OK)
        take_live_figures(text, size, figures);
    for (int c = 0; c < SN_N_RUN_FIGURES; c++) {
        const char *column = sn_run_figures[c].loss_column;
        bool is_step = column && strcmp(column, "step") == 0 && figures[c].is_measured && figures[c].value >= 0 &&
                       figures[c].value < 1e15;
        if (is_step) *last_step = (int64_t)figures[c].value;
    }
    free(path);
    free(text);
    return SN_OK;
}

sn_status sn_run_profile_read(sn_run_profile_reader *reader, const sn_run_profile_request *request, sn_measure *figures,
                              sn_error *error) {
    sn_run_profile_request now = *request;
    sn_status status = SN_OK;
    if (!request->has_summary) status = read_live(request->directory, figures, &now.last_step, error);
    if (status == SN_OK) status = read_file(reader, &now, &reader->loss, error);
    if (status == SN_OK) status = read_file(reader, &now, &reader->gradients, error);
    for (int c = 0; c < SN_N_RUN_FIGURES && status == SN_OK; c++) {
        if (is_of_csv(&sn_run_figures[c])) figures[c] = figure_of(reader, &sn_run_figures[c]);
    }
    return status;
}

/* A row of an older version gets empty cells at the right, one of a newer version loses what is not known here. */
static void add_row(const char *line, const char *end, sn_text *text) {
    const char *at = line;
    sn_slice cell;
    size_t c = 0, n_columns = sn_column_total(sn_gradients_sheet.columns);
    while (c < n_columns && sn_line_next(&at, end, &cell))
        c++;
    sn_text_add_bytes(text, line, (size_t)(at - 1 - line));
    for (; c < n_columns; c++)
        sn_text_add(text, ",");
    sn_text_add(text, "\n");
}

static void add_rows(const sn_rows *rows, const char *prefix, sn_text *text) {
    const char *line = rows->text;
    for (size_t i = 0; i < rows->n; i++) {
        const char *end = line_end(rows, line);
        sn_text_add(text, prefix);
        add_row(line, end, text);
        line = end + 1;
    }
}

void sn_run_profile_rows(const sn_run_profile_reader *reader, const char *prefix, sn_text *text) {
    const sn_ends *ends = &reader->gradients;
    add_rows(&ends->first, prefix, text);
    if (ends->last.text != ends->first.text) add_rows(&ends->last, prefix, text);
}

void sn_run_profile_reset(sn_run_profile_reader *reader) {
    sn_ends_reset(&reader->loss);
    sn_ends_reset(&reader->gradients);
}
