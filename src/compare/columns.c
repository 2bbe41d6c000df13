/* Owns the table of a run's figures. */
#include "compare/columns.h"

#include "report/metrics.h"

#define MEASURE(field)                                                                                                 \
    static sn_measure field##_of(const sn_summary *s) {                                                                \
        return s->field;                                                                                               \
    }

MEASURE(train_loss)
MEASURE(train_accuracy)
MEASURE(test_loss)
MEASURE(test_accuracy)
MEASURE(log10_delta_ratio)
MEASURE(decades_per_layer)

static sn_measure steps_of(const sn_summary *s) {
    return sn_measured((double)s->steps);
}

static sn_measure hidden_of(const sn_summary *s) {
    return sn_measured(s->n_hidden);
}

static sn_measure measured_count(int count) {
    return count < 0 ? SN_NOT_MEASURED : sn_measured(count);
}

static sn_measure frozen_start_of(const sn_summary *s) {
    return measured_count(s->frozen_start);
}

static sn_measure frozen_end_of(const sn_summary *s) {
    return measured_count(s->frozen_end);
}

static sn_measure wall_of(const sn_summary *s) {
    return sn_measured(s->wall_seconds);
}

/* Read by name from outside: a new one goes at the end. */
const sn_run_column sn_run_columns[SN_N_RUN_COLUMNS] = {
    {"steps", "steps", "integer", "updates", "updates that were made", 9, SN_METRIC_LAST, .value = steps_of,
     .live_column = "step", .at_end = true},
    {"train_loss", "train loss", "number", "loss", "training loss of the last evaluation", 5, SN_METRIC,
     .value = train_loss_of, .live_column = "train_loss", .at_end = true},
    {"train_accuracy", "train acc", "number", "1", "training accuracy of the last evaluation", 4, SN_METRIC,
     .value = train_accuracy_of, .live_column = "train_accuracy", .at_end = true},
    {"test_loss", "test loss", "number", "loss", "test loss of the last evaluation", 5, SN_METRIC,
     .value = test_loss_of, .live_column = "test_loss", .at_end = true},
    {"test_accuracy", "test acc", "number", "1", "test accuracy of the last evaluation", 4, SN_METRIC,
     .value = test_accuracy_of, .live_column = "test_accuracy", .at_end = true},
    {"log10_delta_ratio", "log10 ratio", "number", "decades",
     "log10 of delta_rms of the first hidden layer over that of the last, at the last update; negative: vanishing", 4,
     SN_METRIC, .value = log10_delta_ratio_of, .live_column = "log10_delta_ratio", .at_end = true},
    {"decades_per_layer", "decades/layer", "number", "decades/layer",
     "slope of log10 delta_rms over the hidden layers towards the input, at the last update", 4, SN_METRIC,
     .value = decades_per_layer_of, .live_column = "decades_per_layer", .at_end = true},
    {"n_hidden", "hidden", "integer", "layers", "hidden layers", 9, SN_NO_METRIC, .value = hidden_of},
    {"frozen_layers_start", "frozen at 0", "integer", "layers", "frozen hidden layers at step 0", 9, SN_METRIC,
     .value = frozen_start_of, .live_column = "frozen_layers"},
    {"frozen_layers_end", "frozen at end", "integer", "layers", "frozen hidden layers at the last update", 9, SN_METRIC,
     .value = frozen_end_of, .live_column = "frozen_layers", .at_end = true},
    {"wall_s", "seconds", "number", "s", "time that the training took", 4, SN_METRIC_LAST, .value = wall_of},
    {"stalled_frac_start", NULL, "number", "1", "stalled share of all parameters at step 0", 4, SN_METRIC,
     .loss_column = "stalled_frac"},
    {"stalled_frac_end", NULL, "number", "1", "stalled share of all parameters at the last update", 4, SN_METRIC,
     .loss_column = "stalled_frac", .at_end = true},
    {"log10_delta_first_start", NULL, "number", "decades",
     "log10 of delta_rms of the first hidden layer at step 0; -inf: exactly zero", 4, SN_METRIC, .value = NULL},
    {"log10_delta_first_end", NULL, "number", "decades",
     "log10 of delta_rms of the first hidden layer at the last update; -inf: exactly zero", 4, SN_METRIC,
     .at_end = true},
    {"log10_delta_ratio_start", NULL, "number", "decades", "log10_delta_ratio at step 0", 4, SN_METRIC,
     .loss_column = "log10_delta_ratio"},
    {"decades_per_layer_start", NULL, "number", "decades/layer", "decades_per_layer at step 0", 4, SN_METRIC,
     .loss_column = "decades_per_layer"},
};

const sn_column_text sn_run_path_column = {"run", "string", "", "the run's directory"};
const sn_column_text sn_status_column = {"status", "string", "",
                                         "done, diverged, running, interrupted, failed, missing or unreadable"};
const sn_column_text sn_reason_column = {"reason", "string", "", "why the run failed or diverged"};
const sn_column_text sn_equal_column = {
    "equal_to", "string", "", "the run with the same config hash that counts in the means in place of this one"};
const sn_column_text sn_metric_column = {"metric", "string", "", "the column of runs.csv that the row is about"};

int sn_metric_columns(int columns[SN_N_RUN_COLUMNS]) {
    int n = 0;
    for (int place = SN_METRIC; place <= SN_METRIC_LAST; place++) {
        for (int c = 0; c < SN_N_RUN_COLUMNS; c++) {
            if ((int)sn_run_columns[c].metric == place) columns[n++] = c;
        }
    }
    return n;
}

void sn_text_cell(sn_text *text, const char *string) {
    sn_csv_cell(text, &(sn_metric_cell){.kind = SN_CELL_TEXT, .text = string}, 17);
}

void sn_measure_cell(sn_text *text, sn_measure measure) {
    if (measure.is_measured) sn_text_add_number(text, measure.value, 17);
}
