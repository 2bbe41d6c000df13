/* Owns marks and their form as numbers, which is the same list of values for both directions. */
#include "run/mark.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/figures.h"

enum { MEASURE_DOUBLES = 2, COUNT_DOUBLES = 1, STEP_DOUBLES = 1, LAYER_DOUBLES = 7 };

sn_status sn_mark_init(sn_mark *mark, int n_hidden, sn_error *error) {
    size_t n = (size_t)n_hidden;
    *mark = (sn_mark){.step = -1};
    mark->summary.n_hidden = n_hidden;
    mark->summary.layers = calloc(n + 1, sizeof *mark->summary.layers);
    if (!mark->summary.layers) return sn_error_memory(error, n * sizeof *mark->summary.layers, "a summary");
    for (int i = 0; i < n_hidden; i++)
        mark->summary.layers[i].layer = i + 1;
    return SN_OK;
}

void sn_mark_reset(sn_mark *mark) {
    free(mark->summary.layers);
    *mark = (sn_mark){.step = -1};
}

static void copy_layers(sn_summary *to, const sn_summary *from) {
    for (int i = 0; i < from->n_hidden; i++)
        to->layers[i] = from->layers[i];
}

void sn_mark_take(sn_mark *mark, int64_t step, const sn_sink *sink, const sn_summary *summary) {
    sn_summary_layer *layers = mark->summary.layers;
    mark->step = step;
    sn_sink_tell(sink, &mark->position);
    mark->summary = *summary;
    mark->summary.layers = layers;
    copy_layers(&mark->summary, summary);
}

void sn_mark_recall(const sn_mark *mark, sn_summary *summary) {
    sn_summary now = *summary;
    *summary = mark->summary;
    summary->name = now.name;
    summary->status = now.status;
    summary->fault = now.fault;
    summary->steps = now.steps;
    summary->wall_seconds = now.wall_seconds;
    summary->layers = now.layers;
    copy_layers(summary, &mark->summary);
}

/* The next number of a list that is written or read. */
typedef struct cursor {
    bool reads;
    const char *from; /* the list that is read: bytes of a file, wherever they lie */
    double *to;       /* the list that is written */
    bool has_fault;   /* what was read as a count is none */
} cursor;

static void pass_double(cursor *c, double *value) {
    if (c->reads) {
        memcpy(value, c->from, sizeof *value);
        c->from += sizeof *value;
    } else {
        *c->to++ = *value;
    }
}

static void pass_integer(cursor *c, int64_t *value) {
    double number = (double)*value;
    pass_double(c, &number);
    if (!(fabs(number) <= SN_LARGEST_COUNT)) c->has_fault = true;
    *value = c->has_fault ? 0 : (int64_t)number;
}

static void pass_int(cursor *c, int *value) {
    int64_t number = *value;
    pass_integer(c, &number);
    if (number < INT_MIN || number > INT_MAX) c->has_fault = true;
    *value = c->has_fault ? 0 : (int)number;
}

static void pass_bool(cursor *c, bool *value) {
    int64_t number = *value;
    pass_integer(c, &number);
    *value = number != 0;
}

static void pass_measure(cursor *c, sn_measure *measure) {
    pass_bool(c, &measure->is_measured);
    pass_double(c, &measure->value);
}

static void pass_layer(cursor *c, sn_summary_layer *layer) {
    pass_bool(c, &layer->is_frozen);
    pass_measure(c, &layer->delta_rms);
    pass_measure(c, &layer->grad_rms);
    pass_measure(c, &layer->stalled_frac);
}

static void pass_summary(cursor *c, sn_summary *s) {
    const sn_run_figure *figure = NULL;
    while ((figure = sn_run_figure_next(figure, SN_FIGURE_MEASURE)))
        pass_measure(c, sn_run_figure_at(figure, s));
    pass_integer(c, &s->profile_step);
    while ((figure = sn_run_figure_next(figure, SN_FIGURE_COUNT)))
        pass_int(c, sn_run_figure_at(figure, s));
    for (int i = 0; i < s->n_hidden; i++)
        pass_layer(c, &s->layers[i]);
}

size_t sn_mark_doubles(int n_hidden) {
    size_t n = STEP_DOUBLES + LAYER_DOUBLES * (size_t)n_hidden;
    const sn_run_figure *figure = NULL;
    while ((figure = sn_run_figure_next(figure, SN_FIGURE_MEASURE)))
        n += MEASURE_DOUBLES;
    while ((figure = sn_run_figure_next(figure, SN_FIGURE_COUNT)))
        n += COUNT_DOUBLES;
    return n;
}

void sn_mark_encode(const sn_mark *mark, int64_t *integers, double *doubles) {
    *integers++ = mark->step;
    for (int i = 0; i < mark->position.n_files; i++) {
        *integers++ = (int64_t)mark->position.files[i].bytes;
        *integers++ = (int64_t)mark->position.files[i].hash;
    }
    sn_summary summary = mark->summary; /* only read from */
    pass_summary(&(cursor){.to = doubles}, &summary);
}

bool sn_mark_decode(sn_mark *mark, int n_files, const void *integers, const void *doubles) {
    const char *from = integers;
    memcpy(&mark->step, from, sizeof mark->step);
    mark->position = (sn_sink_position){.n_files = n_files};
    for (int i = 0; i < n_files; i++) {
        uint64_t extent[2];
        memcpy(extent, from + sn_mark_integers(i) * sizeof(int64_t), sizeof extent);
        mark->position.files[i] = (sn_extent){extent[0], extent[1]};
    }
    cursor c = {.reads = true, .from = doubles};
    pass_summary(&c, &mark->summary);
    return !c.has_fault;
}
