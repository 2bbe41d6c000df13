/* Owns the table of a run's figures. */
#include "report/figures.h"

#include <stddef.h>

static sn_measure steps_of(const sn_summary *s) {
    return sn_measured((double)s->steps);
}

static sn_measure hidden_of(const sn_summary *s) {
    return sn_measured(s->n_hidden);
}

static sn_measure wall_of(const sn_summary *s) {
    return sn_measured(s->wall_seconds);
}

/* A member of the summary, which has the same name in run.json. */
#define KEPT(kind_, member) .kind = SN_FIGURE_##kind_, .place = offsetof(sn_summary, member), .key = #member

/* A column of loss.csv: a measure of its record. */
#define OUT_OF(member) .loss_column = #member, .source = offsetof(sn_loss_record, member)

/* Their columns are read by name from outside: a new one goes at the end. */
const sn_run_figure sn_run_figures[SN_N_RUN_FIGURES] = {
    {{"steps", "integer", "updates", "updates that were made", .title = "steps", .digits = 9},
     SN_METRIC_LAST,
     .kind = SN_FIGURE_FRAME,
     .of_frame = steps_of,
     .loss_column = "step",
     .time = SN_AT_UPDATE},
    {{"train_loss", "number", "loss", "training loss of the last evaluation", .title = "train loss", .digits = 5},
     SN_METRIC,
     KEPT(MEASURE, train_loss),
     OUT_OF(train_loss),
     .time = SN_AT_EVALUATION},
    {{"train_accuracy", "number", "1", "training accuracy of the last evaluation", .title = "train acc", .digits = 4},
     SN_METRIC,
     KEPT(MEASURE, train_accuracy),
     OUT_OF(train_accuracy),
     .time = SN_AT_EVALUATION},
    {{"test_loss", "number", "loss", "test loss of the last evaluation", .title = "test loss", .digits = 5},
     SN_METRIC,
     KEPT(MEASURE, test_loss),
     OUT_OF(test_loss),
     .time = SN_AT_EVALUATION},
    {{"test_accuracy", "number", "1", "test accuracy of the last evaluation", .title = "test acc", .digits = 4},
     SN_METRIC,
     KEPT(MEASURE, test_accuracy),
     OUT_OF(test_accuracy),
     .time = SN_AT_EVALUATION},
    {{"log10_delta_ratio", "number", "decades",
      "log10 of delta_rms of the first hidden layer over that of the last, at the last update; negative: vanishing",
      .title = "log10 ratio", .digits = 4},
     SN_METRIC,
     KEPT(MEASURE, log10_delta_ratio),
     OUT_OF(log10_delta_ratio),
     .time = SN_AT_UPDATE,
     .line = "first over last hidden layer"},
    {{"decades_per_layer", "number", "decades/layer",
      "slope of log10 delta_rms over the hidden layers towards the input, at the last update", .title = "decades/layer",
      .digits = 4},
     SN_METRIC,
     KEPT(MEASURE, decades_per_layer),
     OUT_OF(decades_per_layer),
     .time = SN_AT_UPDATE,
     .line = "towards the input; negative: vanishing"},
    {{"n_hidden", "integer", "layers", "hidden layers", .title = "hidden", .digits = 9},
     SN_NO_METRIC,
     .kind = SN_FIGURE_FRAME,
     .of_frame = hidden_of},
    {{"frozen_layers_start", "integer", "layers", "frozen hidden layers at step 0", .title = "frozen at 0",
      .digits = 9},
     SN_METRIC,
     KEPT(COUNT, frozen_start),
     OUT_OF(frozen_layers),
     .time = SN_AT_START},
    {{"frozen_layers_end", "integer", "layers", "frozen hidden layers at the last update", .title = "frozen at end",
      .digits = 9},
     SN_METRIC,
     KEPT(COUNT, frozen_end),
     OUT_OF(frozen_layers),
     .time = SN_AT_UPDATE},
    {{"wall_s", "number", "s", "time that the training took", .title = "seconds", .digits = 4},
     SN_METRIC_LAST,
     .kind = SN_FIGURE_FRAME,
     .of_frame = wall_of},
    {{"stalled_frac_start", "number", "1", "stalled share of all parameters at step 0", .digits = 4},
     SN_METRIC,
     .kind = SN_FIGURE_CSV,
     OUT_OF(stalled_frac),
     .time = SN_AT_START},
    {{"stalled_frac_end", "number", "1", "stalled share of all parameters at the last update", .digits = 4},
     SN_METRIC,
     .kind = SN_FIGURE_CSV,
     OUT_OF(stalled_frac),
     .time = SN_AT_UPDATE},
    {{"log10_delta_first_start", "number", "decades",
      "log10 of delta_rms of the first hidden layer at step 0; -inf: exactly zero", .digits = 4},
     SN_METRIC,
     .kind = SN_FIGURE_CSV,
     .time = SN_AT_START},
    {{"log10_delta_first_end", "number", "decades",
      "log10 of delta_rms of the first hidden layer at the last update; -inf: exactly zero", .digits = 4},
     SN_METRIC,
     .kind = SN_FIGURE_CSV,
     .time = SN_AT_UPDATE},
    {{"log10_delta_ratio_start", "number", "decades", "log10_delta_ratio at step 0", .digits = 4},
     SN_METRIC,
     .kind = SN_FIGURE_CSV,
     OUT_OF(log10_delta_ratio),
     .time = SN_AT_START},
    {{"decades_per_layer_start", "number", "decades/layer", "decades_per_layer at step 0", .digits = 4},
     SN_METRIC,
     .kind = SN_FIGURE_CSV,
     OUT_OF(decades_per_layer),
     .time = SN_AT_START},
    {{"frozen_share_start", "number", "1", "share of the hidden layers that are frozen at step 0", .digits = 4},
     SN_METRIC,
     .kind = SN_FIGURE_SHARE,
     OUT_OF(frozen_layers),
     .time = SN_AT_START},
    {{"frozen_share_end", "number", "1", "share of the hidden layers that are frozen at the last update", .digits = 4},
     SN_METRIC,
     .kind = SN_FIGURE_SHARE,
     OUT_OF(frozen_layers),
     .time = SN_AT_UPDATE},
};

const sn_run_figure *sn_run_figure_next(const sn_run_figure *figure, sn_figure_kind kind) {
    const sn_run_figure *end = sn_run_figures + SN_N_RUN_FIGURES;
    for (figure = figure ? figure + 1 : sn_run_figures; figure < end; figure++) {
        if (figure->kind == kind) return figure;
    }
    return NULL;
}

sn_measure sn_run_figure_of(const sn_run_figure *figure, const sn_summary *summary) {
    const void *at = (const char *)summary + figure->place;
    switch (figure->kind) {
    case SN_FIGURE_MEASURE:
        return *(const sn_measure *)at;
    case SN_FIGURE_COUNT:
        return *(const int *)at < 0 ? SN_NOT_MEASURED : sn_measured(*(const int *)at);
    case SN_FIGURE_FRAME:
        return figure->of_frame(summary);
    case SN_FIGURE_CSV:
    case SN_FIGURE_SHARE:
        break;
    }
    return SN_NOT_MEASURED;
}

static bool is_taken(const sn_run_figure *figure, const sn_loss_record *record, sn_measure now, bool is_profile) {
    if (figure->time == SN_AT_EVALUATION) return now.is_measured;
    return is_profile && (figure->time == SN_AT_UPDATE || record->step == 0);
}

void sn_run_figures_take(sn_summary *summary, const sn_loss_record *record, bool is_profile) {
    for (const sn_run_figure *f = sn_run_figures; f < sn_run_figures + SN_N_RUN_FIGURES; f++) {
        if (f->kind != SN_FIGURE_MEASURE && f->kind != SN_FIGURE_COUNT) continue;
        sn_measure now = *(const sn_measure *)(const void *)((const char *)record + f->source);
        void *at = sn_run_figure_at(f, summary);
        if (!is_taken(f, record, now, is_profile)) continue;
        if (f->kind == SN_FIGURE_MEASURE) *(sn_measure *)at = now;
        if (f->kind == SN_FIGURE_COUNT) *(int *)at = now.is_measured ? (int)now.value : -1;
    }
}

void sn_run_figures_clear(sn_summary *summary) {
    const sn_run_figure *f = NULL;
    while ((f = sn_run_figure_next(f, SN_FIGURE_COUNT)))
        *(int *)sn_run_figure_at(f, summary) = -1;
}

int sn_metric_figures(int figures[SN_N_RUN_FIGURES]) {
    int n = 0;
    for (int place = SN_METRIC; place <= SN_METRIC_LAST; place++) {
        for (int f = 0; f < SN_N_RUN_FIGURES; f++) {
            if ((int)sn_run_figures[f].metric == place) figures[n++] = f;
        }
    }
    return n;
}
