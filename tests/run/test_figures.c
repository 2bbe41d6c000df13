/* Figures of the run: each row is a column that exists, comes back from a mark and from the JSON of run.json, and is
 * taken from the rows of loss.csv that it says. */
#include <stdlib.h>
#include <string.h>

#include "report/figures.h"
#include "report/metrics.h"
#include "run/manifest.h"
#include "run/mark.h"
#include "support/check.h"

enum { N_HIDDEN = 9 };

static sn_error error;

static bool is_kept(const sn_run_figure *figure) {
    return figure->kind == SN_FIGURE_MEASURE || figure->kind == SN_FIGURE_COUNT;
}

static void test_rows(void **state) {
    (void)state;
    int n_kept = 0;
    for (int i = 0; i < SN_N_RUN_FIGURES; i++) {
        const sn_run_figure *f = &sn_run_figures[i];
        assert_true(f->column.name && strlen(f->column.help) > 5 && f->column.digits > 0);
        if (f->loss_column) assert_non_null(sn_column_find(sn_loss_sheet.columns, f->loss_column));
        assert_int_equal(f->kind == SN_FIGURE_FRAME, f->of_frame != NULL);
        assert_int_equal(is_kept(f), f->key != NULL);
        assert_true(!is_kept(f) || f->loss_column);
        assert_true(f->kind != SN_FIGURE_COUNT || strcmp(f->column.type, "integer") == 0);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(f->column.name, sn_run_figures[k].column.name);
            assert_true(!is_kept(f) || !is_kept(&sn_run_figures[k]) || f->place != sn_run_figures[k].place);
        }
        n_kept += is_kept(f);
    }
    assert_int_equal(n_kept, 8);
}

/* Another value for each; `gap`: each whose number it divides is not measured. */
static void fill(sn_summary *summary, int gap) {
    for (int i = 0; i < SN_N_RUN_FIGURES; i++) {
        const sn_run_figure *f = &sn_run_figures[i];
        void *at = sn_run_figure_at(f, summary);
        bool is_gap = i % gap == 0;
        if (f->kind == SN_FIGURE_MEASURE) *(sn_measure *)at = is_gap ? SN_NOT_MEASURED : sn_measured(1.0 / (i + 3));
        if (f->kind == SN_FIGURE_COUNT) *(int *)at = is_gap ? -1 : i - 3;
    }
}

static void expect_equal(const sn_summary *a, const sn_summary *b) {
    int n_measured = 0;
    for (const sn_run_figure *f = sn_run_figures; f < sn_run_figures + SN_N_RUN_FIGURES; f++) {
        if (!is_kept(f)) continue;
        sn_measure left = sn_run_figure_of(f, a), right = sn_run_figure_of(f, b);
        if (left.is_measured != right.is_measured || left.value != right.value) fail_msg("%s", f->column.name);
        n_measured += left.is_measured;
    }
    assert_true(n_measured > 3);
}

static void test_marks(void **state) {
    (void)state;
    for (int gap = 2; gap < 6; gap++) {
        sn_mark mark, read;
        assert_int_equal(sn_mark_init(&mark, N_HIDDEN, &error), SN_OK);
        assert_int_equal(sn_mark_init(&read, N_HIDDEN, &error), SN_OK);
        fill(&mark.summary, gap);
        int64_t step;
        double *doubles = calloc(sn_mark_doubles(N_HIDDEN), sizeof *doubles);
        assert_non_null(doubles);
        sn_mark_encode(&mark, &step, doubles); /* of no file */
        assert_true(sn_mark_decode(&read, 0, &step, doubles));
        expect_equal(&mark.summary, &read.summary);
        free(doubles);
        sn_mark_reset(&mark);
        sn_mark_reset(&read);
    }
}

static void test_json(void **state) {
    (void)state;
    sn_summary_layer layers[N_HIDDEN] = {{.layer = 0}}, *read_layers = NULL;
    for (int gap = 2; gap < 6; gap++) {
        sn_summary summary = {.name = "x", .status = "done", .steps = 7, .n_hidden = N_HIDDEN, .layers = layers}, read;
        sn_text text = SN_TEXT_EMPTY;
        sn_config *manifest = NULL;
        fill(&summary, gap);
        sn_text_add(&text, "{\"summary\": ");
        sn_summary_json(&summary, &text);
        sn_text_add(&text, "}");
        sn_error_clear(&error);
        if (sn_config_parse_free(&manifest, sn_text_string(&text), text.length, "run.json", &error))
            fail_msg("%s", error.text);
        assert_int_equal(sn_summary_from_manifest(&read, manifest, &read_layers, &error), SN_OK);
        expect_equal(&summary, &read);
        free(read_layers);
        sn_config_free(manifest);
        sn_text_free(&text);
    }
}

static void test_take(void **state) {
    (void)state;
    sn_summary s = {.frozen_start = 4, .frozen_end = 4};
    sn_run_figures_clear(&s);
    assert_true(s.frozen_start == -1 && s.frozen_end == -1);
    sn_loss_record row = {.step = 0,
                          .train_loss = sn_measured(2),
                          .test_loss = sn_measured(3),
                          .decades_per_layer = sn_measured(-0.5),
                          .frozen_layers = sn_measured(6)};
    sn_run_figures_take(&s, &row, false); /* an evaluation alone */
    assert_true(s.train_loss.value == 2 && s.test_loss.value == 3 && !s.train_accuracy.is_measured);
    assert_true(!s.decades_per_layer.is_measured && s.frozen_start == -1 && s.frozen_end == -1);
    sn_run_figures_take(&s, &row, true);
    assert_true(s.decades_per_layer.value == -0.5 && s.frozen_start == 6 && s.frozen_end == 6);
    row = (sn_loss_record){.step = 5, .train_loss = sn_measured(1), .frozen_layers = sn_measured(2)};
    sn_run_figures_take(&s, &row, true); /* an evaluation that is missing keeps the last one, a profile counts whole */
    assert_true(s.train_loss.value == 1 && s.test_loss.is_measured && s.test_loss.value == 3);
    assert_true(!s.decades_per_layer.is_measured && s.frozen_start == 6 && s.frozen_end == 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_marks),
                                       cmocka_unit_test(test_json), cmocka_unit_test(test_take)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
