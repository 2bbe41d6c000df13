/* Owns the summary of a run: the text for people, its one sentence, the JSON.  Figures come from the records as they
 * are; the sentence states bounds ("at least", "at most") that are rounded to the safe side. */
#include "report/summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "report/chart.h"
#include "report/figures.h"
#include "report/prose.h"

enum { MAX_RANGES = 8 };

/* ---- the sentence ---- */

/* What the layers say about being frozen. */
typedef struct evidence {
    int n_frozen;
    int n_without_update;   /* frozen layers whose update was exactly zero */
    int n_still;            /* frozen layers whose every update was lost */
    sn_measure least, most; /* stalled share: least of the frozen layers, largest of all */
} evidence;

static evidence weigh(const sn_summary *summary) {
    evidence e = {0};
    for (int i = 0; i < summary->n_hidden; i++) {
        const sn_summary_layer *layer = &summary->layers[i];
        sn_measure share = layer->stalled_frac;
        e.n_frozen += layer->is_frozen;
        if (!share.is_measured) {
            e.n_without_update += layer->is_frozen;
            continue;
        }
        e.n_still += layer->is_frozen && share.value == 1;
        if (layer->is_frozen && (!e.least.is_measured || share.value < e.least.value)) e.least = share;
        if (!e.most.is_measured || share.value > e.most.value) e.most = share;
    }
    return e;
}

static int range_end(const sn_summary *summary, int first) {
    int end = first;
    while (end < summary->n_hidden && summary->layers[end].is_frozen)
        end++;
    return end;
}

/* "1-37", "1-3, 7, 9-12". */
static void add_ranges(const sn_summary *summary, sn_text *text) {
    int n = 0, i = 0;
    while (i < summary->n_hidden && n < MAX_RANGES) {
        int end = range_end(summary, i);
        if (end > i) {
            sn_text_addf(text, "%s%d", n++ > 0 ? ", " : "", summary->layers[i].layer);
            if (end > i + 1) sn_text_addf(text, "-%d", summary->layers[end - 1].layer);
        }
        i = end + 1;
    }
    int left = 0;
    for (; i < summary->n_hidden; i++)
        left += summary->layers[i].is_frozen;
    if (left > 0) sn_text_addf(text, " and %d more", left);
}

static void add_subject(const sn_summary *summary, const evidence *e, sn_text *text) {
    int n = summary->n_hidden;
    if (n == 1) {
        sn_text_addf(text, "the only hidden layer is %sfrozen: ", e->n_frozen ? "" : "not ");
    } else if (e->n_frozen == 0) {
        sn_text_addf(text, "no layer of %d is frozen: ", n);
    } else if (e->n_frozen == n) {
        sn_text_addf(text, "all %d layers are frozen: ", n);
    } else {
        sn_text_add(text, e->n_frozen == 1 ? "layer " : "layers ");
        add_ranges(summary, text);
        sn_text_addf(text, " of %d %s frozen: ", n, e->n_frozen == 1 ? "is" : "are");
    }
}

/* Nothing is said of no layers. */
static void add_layers(int n, const char *what, sn_text *text) {
    if (n > 0) sn_text_addf(text, "; in %d %s %s", n, n == 1 ? "layer" : "layers", what);
}

static void add_frozen_evidence(const evidence *e, int64_t step, sn_text *text) {
    char share[SN_SHORT_TEXT];
    const char *whose = e->n_frozen == 1 ? "its" : "their";
    if (!e->least.is_measured) {
        sn_text_addf(text, "%s update was exactly zero in step %" PRId64, whose, step);
        return;
    }
    if (e->least.value == 1) {
        sn_text_addf(text, "none of %s weights that were meant to change did in step %" PRId64, whose, step);
    } else {
        sn_text_addf(text, "at least %s of %s weights that were meant to change did not in step %" PRId64,
                     sn_prose_share(e->least.value, SN_ROUND_DOWN, share), whose, step);
        add_layers(e->n_still, "none did", text);
    }
    add_layers(e->n_without_update, "the update was exactly zero", text);
}

static void add_alive_evidence(const evidence *e, int64_t step, sn_text *text) {
    char share[SN_SHORT_TEXT];
    if (!e->most.is_measured) {
        sn_text_addf(text, "no weight was meant to change in step %" PRId64, step);
    } else if (e->most.value == 0) {
        sn_text_addf(text, "every weight that was meant to change did in step %" PRId64, step);
    } else {
        sn_text_addf(text, "at most %s of a layer's weights that were meant to change did not in step %" PRId64,
                     sn_prose_share(e->most.value, SN_ROUND_UP, share), step);
    }
}

static void add_gradients(const sn_summary *summary, sn_text *text) {
    char value[SN_SHORT_TEXT];
    const sn_summary_layer *first = summary->layers, *last = first + summary->n_hidden - 1;
    if (!first->grad_rms.is_measured || !last->grad_rms.is_measured) return;
    sn_text_addf(text, " (gradient rms %s at layer %d", sn_prose_number(first->grad_rms.value, value), first->layer);
    if (last != first)
        sn_text_addf(text, ", %s at layer %d", sn_prose_number(last->grad_rms.value, value), last->layer);
    sn_text_add(text, ")");
}

void sn_summary_sentence(const sn_summary *summary, sn_text *text) {
    if (summary->n_hidden == 0) {
        sn_text_add(text, "no hidden layer was measured");
        return;
    }
    if (summary->frozen_end < 0) {
        sn_text_addf(text, "whether layers are frozen was not measured: no update of them followed step %" PRId64,
                     summary->profile_step);
    } else {
        evidence e = weigh(summary);
        add_subject(summary, &e, text);
        if (e.n_frozen > 0) {
            add_frozen_evidence(&e, summary->profile_step, text);
        } else {
            add_alive_evidence(&e, summary->profile_step, text);
        }
    }
    add_gradients(summary, text);
}

/* ---- the text ---- */

static void add_head(const sn_summary *summary, int columns, sn_text *text) {
    sn_text line = SN_TEXT_EMPTY;
    sn_text_add_visible_line(&line, summary->name);
    sn_text_add(&line, ": ");
    sn_text_add_visible(&line, summary->status);
    sn_text_addf(&line, ", %" PRId64 " step%s in ", summary->steps, summary->steps == 1 ? "" : "s");
    if (summary->wall_seconds < 60) {
        sn_text_addf(&line, "%.2f s", summary->wall_seconds);
    } else {
        int64_t s = (int64_t)summary->wall_seconds;
        sn_text_addf(&line, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
    }
    sn_prose_wrap(text, sn_text_string(&line), columns);
    sn_text_clear(&line);
    if (summary->fault) {
        sn_text_add(&line, "not finite: ");
        sn_text_add_visible(&line, summary->fault);
        sn_prose_wrap(text, sn_text_string(&line), columns);
    }
    text->failed |= line.failed;
    sn_text_free(&line);
}

/* Left-aligned; six digits, which a loss near log(10) needs to show that it moves at all. */
static void add_measure(sn_measure measure, int width, sn_text *text) {
    char number[32] = "-";
    if (measure.is_measured) snprintf(number, sizeof number, "%.6g", measure.value);
    sn_text_addf(text, "%-*s", width, number);
}

static void add_scores(const sn_summary *summary, sn_text *text) {
    if (!summary->train_loss.is_measured && !summary->test_loss.is_measured) return;
    bool has_accuracy = summary->train_accuracy.is_measured || summary->test_accuracy.is_measured;
    const struct {
        const char *name;
        sn_measure loss, accuracy;
    } rows[] = {{"train", summary->train_loss, summary->train_accuracy},
                {"test", summary->test_loss, summary->test_accuracy}};
    sn_text_addf(text, "\n       %s\n", has_accuracy ? "loss          accuracy" : "loss");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_text_addf(text, "%-5s  ", rows[i].name);
        add_measure(rows[i].loss, has_accuracy ? 14 : 0, text);
        if (has_accuracy) add_measure(rows[i].accuracy, 0, text);
        sn_text_add(text, "\n");
    }
}

static void add_chart(const sn_summary *summary, const sn_summary_style *style, sn_text *text) {
    char title[192];
    snprintf(title, sizeof title,
             "Step %" PRId64 ", rms gradients by layer on a log axis: delta_rms by the layer's output (per sample), "
             "grad_rms by its weights",
             summary->profile_step);
    sn_text_add(text, "\n");
    sn_prose_wrap(text, title, style->columns);
    sn_chart_layers(summary, style, text);
}

static void add_frozen(int frozen, int n_hidden, int64_t step, sn_text *text) {
    if (frozen < 0) {
        sn_text_addf(text, "not measured at step %" PRId64, step);
    } else {
        sn_text_addf(text, "%d of %d at step %" PRId64, frozen, n_hidden, step);
    }
}

static void add_figures(const sn_summary *summary, sn_text *text) {
    int n_zero = 0;
    for (int i = 0; i < summary->n_hidden; i++) {
        sn_measure delta = summary->layers[i].delta_rms;
        n_zero += delta.is_measured && delta.value == 0;
    }
    sn_text_add(text, "\n");
    for (const sn_run_figure *f = sn_run_figures; f < sn_run_figures + SN_N_RUN_FIGURES; f++) {
        if (!f->line) continue;
        sn_text_addf(text, "%-17s  ", f->column.name);
        add_measure(sn_run_figure_of(f, summary), 13, text);
        sn_text_addf(text, "%s\n", f->line);
    }
    if (n_zero > 0) {
        sn_text_addf(text, "zero delta_rms     %d of %d layers, left out of the slope\n", n_zero, summary->n_hidden);
    }
    sn_text_add(text, "frozen layers      ");
    add_frozen(summary->frozen_start, summary->n_hidden, 0, text);
    if (summary->profile_step > 0) {
        sn_text_add(text, ", ");
        add_frozen(summary->frozen_end, summary->n_hidden, summary->profile_step, text);
    }
    sn_text_add(text, "\n");
}

void sn_summary_text(const sn_summary *summary, const sn_summary_style *style, sn_text *text) {
    sn_text sentence = SN_TEXT_EMPTY;
    sn_summary_sentence(summary, &sentence);
    add_head(summary, style->columns, text);
    add_scores(summary, text);
    if (summary->n_hidden > 0) {
        add_chart(summary, style, text);
        add_figures(summary, text);
    }
    sn_text_add(text, "\n");
    sn_prose_wrap(text, sn_text_string(&sentence), style->columns);
    text->failed |= sentence.failed;
    sn_text_free(&sentence);
}

/* ---- JSON ---- */

static void add_key(sn_text *text, const char *key) {
    sn_text_addf(text, ",\n  \"%s\": ", key);
}

/* JSON has no number for what is not finite, so that is a string: "nan", "inf", "-inf". */
static void add_json_measure(sn_text *text, sn_measure measure) {
    const char *quote = isfinite(measure.value) ? "" : "\"";
    if (!measure.is_measured) {
        sn_text_add(text, "null");
        return;
    }
    sn_text_add(text, quote);
    sn_text_add_number(text, measure.value, 17);
    sn_text_add(text, quote);
}

static void add_json_figures(sn_text *text, const sn_summary *summary, sn_figure_kind kind) {
    const sn_run_figure *figure = NULL;
    while ((figure = sn_run_figure_next(figure, kind))) {
        add_key(text, figure->key);
        add_json_measure(text, sn_run_figure_of(figure, summary));
    }
}

static void add_json_layers(sn_text *text, const sn_summary *summary) {
    add_key(text, "layers");
    sn_text_add(text, "[");
    for (int i = 0; i < summary->n_hidden; i++) {
        const sn_summary_layer *layer = &summary->layers[i];
        sn_text_addf(text, "%s\n    {\"layer\": %d, \"delta_rms\": ", i > 0 ? "," : "", layer->layer);
        add_json_measure(text, layer->delta_rms);
        sn_text_add(text, ", \"grad_rms\": ");
        add_json_measure(text, layer->grad_rms);
        sn_text_add(text, ", \"stalled_frac\": ");
        add_json_measure(text, layer->stalled_frac);
        sn_text_addf(text, ", \"frozen\": %s}", layer->is_frozen ? "true" : "false");
    }
    sn_text_add(text, summary->n_hidden > 0 ? "\n  ]" : "]");
}

void sn_summary_json(const sn_summary *summary, sn_text *text) {
    sn_text sentence = SN_TEXT_EMPTY;
    sn_summary_sentence(summary, &sentence);
    sn_text_add(text, "{\n  \"name\": ");
    sn_text_add_json(text, summary->name);
    add_key(text, "status");
    sn_text_add_json(text, summary->status);
    add_key(text, "fault");
    if (summary->fault) {
        sn_text_add_json(text, summary->fault);
    } else {
        sn_text_add(text, "null");
    }
    add_key(text, "steps");
    sn_text_addf(text, "%" PRId64, summary->steps);
    add_key(text, "wall_seconds");
    sn_text_add_json_number(text, summary->wall_seconds, 17);
    add_json_figures(text, summary, SN_FIGURE_MEASURE);
    add_key(text, "profile_step");
    sn_text_addf(text, "%" PRId64, summary->profile_step);
    add_key(text, "n_hidden");
    sn_text_addf(text, "%d", summary->n_hidden);
    add_json_figures(text, summary, SN_FIGURE_COUNT);
    add_key(text, "sentence");
    sn_text_add_json(text, sn_text_string(&sentence));
    add_json_layers(text, summary);
    sn_text_add(text, "\n}\n");
    text->failed |= sentence.failed;
    sn_text_free(&sentence);
}
