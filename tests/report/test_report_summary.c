/* The summary of a run as text, sentence and JSON, and the progress line.  Expected texts were worked out by hand from
 * the figures; widths, rows and character sets are checked over many networks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "report/summary.h"

enum { MAX_LAYERS = 1000 };

static sn_text text;
static sn_summary_layer layers[MAX_LAYERS];

static int tear_down(void **state) {
    (void)state;
    assert_false(text.failed);
    sn_text_free(&text);
    return 0;
}

/* A plain network of `n` layers, delta from 5e-12 to 5e-1, weight gradients from 5e-14 to 5e-4, nothing stalled. */
static sn_summary plain(int n) {
    for (int i = 0; i < n; i++) {
        double x = n > 1 ? (double)i / (n - 1) : 0;
        layers[i] = (sn_summary_layer){.layer = i + 1,
                                       .delta_rms = sn_measured(5 * pow(10, -12 + 11 * x)),
                                       .grad_rms = sn_measured(5 * pow(10, -14 + 10 * x)),
                                       .stalled_frac = sn_measured(0)};
    }
    return (sn_summary){.name = "deep",
                        .status = "done",
                        .steps = 469,
                        .wall_seconds = 1.934,
                        .profile_step = 468,
                        .n_hidden = n,
                        .layers = layers};
}

/* Freezes layers first .. last (from 1) with this stalled share, < 0: none measured. */
static void freeze(sn_summary *summary, int first, int last, double share) {
    for (int i = first - 1; i < last; i++) {
        layers[i].is_frozen = true;
        layers[i].stalled_frac = share < 0 ? SN_NOT_MEASURED : sn_measured(share);
        summary->frozen_end++;
    }
}

/* ---- the sentence ---- */

static void assert_sentence(const sn_summary *summary, const char *expected) {
    sn_text_clear(&text);
    sn_summary_sentence(summary, &text);
    assert_string_equal(sn_text_string(&text), expected);
}

static void test_sentence_some(void **state) {
    (void)state;
    sn_summary s = plain(50);
    freeze(&s, 1, 37, 0.9987);
    layers[4].stalled_frac = sn_measured(0.998);
    assert_sentence(&s, "layers 1-37 of 50 are frozen: at least 99.8% of their weights that were meant to change did "
                        "not in step 468 (gradient rms 5.0e-14 at layer 1, 5.0e-4 at layer 50)");
    s = plain(50);
    freeze(&s, 7, 7, 0.61299);
    assert_sentence(&s, "layer 7 of 50 is frozen: at least 61.2% of its weights that were meant to change did not in "
                        "step 468 (gradient rms 5.0e-14 at layer 1, 5.0e-4 at layer 50)");
    s = plain(12);
    freeze(&s, 1, 3, 1);
    freeze(&s, 5, 5, 1);
    freeze(&s, 9, 12, 0.99999);
    assert_sentence(&s, "layers 1-3, 5, 9-12 of 12 are frozen: at least 99.9% of their weights that were meant to "
                        "change did not in step 468; in 4 layers none did (gradient rms 5.0e-14 at layer 1, 5.0e-4 at "
                        "layer 12)");
}

static void test_sentence_zeros(void **state) {
    (void)state;
    sn_summary s = plain(5);
    freeze(&s, 1, 2, -1);
    layers[0].grad_rms = layers[1].grad_rms = sn_measured(0);
    assert_sentence(&s, "layers 1-2 of 5 are frozen: their update was exactly zero in step 468 (gradient rms 0 at "
                        "layer 1, 5.0e-4 at layer 5)");
    freeze(&s, 3, 4, 1);
    assert_sentence(&s,
                    "layers 1-4 of 5 are frozen: none of their weights that were meant to change did in step 468; in "
                    "2 layers the update was exactly zero (gradient rms 0 at layer 1, 5.0e-4 at layer 5)");
}

static void test_sentence_all(void **state) {
    (void)state;
    sn_summary s = plain(50);
    freeze(&s, 1, 50, 0.75);
    assert_sentence(&s, "all 50 layers are frozen: at least 75.0% of their weights that were meant to change did not "
                        "in step 468 (gradient rms 5.0e-14 at layer 1, 5.0e-4 at layer 50)");
    s = plain(1);
    freeze(&s, 1, 1, 1);
    assert_sentence(&s, "the only hidden layer is frozen: none of its weights that were meant to change did in step "
                        "468 (gradient rms 5.0e-14 at layer 1)");
}

static void test_sentence_none(void **state) {
    (void)state;
    sn_summary s = plain(50);
    assert_sentence(&s, "no layer of 50 is frozen: every weight that was meant to change did in step 468 (gradient rms "
                        "5.0e-14 at layer 1, 5.0e-4 at layer 50)");
    layers[6].stalled_frac = sn_measured(0.03101);
    layers[9].stalled_frac = sn_measured(1e-9);
    assert_sentence(&s, "no layer of 50 is frozen: at most 3.2% of a layer's weights that were meant to change did not "
                        "in step 468 (gradient rms 5.0e-14 at layer 1, 5.0e-4 at layer 50)");
    layers[6].stalled_frac = sn_measured(0); /* what is not zero is not rounded to it */
    assert_sentence(&s, "no layer of 50 is frozen: at most 0.1% of a layer's weights that were meant to change did not "
                        "in step 468 (gradient rms 5.0e-14 at layer 1, 5.0e-4 at layer 50)");
    s = plain(1);
    layers[0].stalled_frac = layers[0].grad_rms = SN_NOT_MEASURED;
    assert_sentence(&s, "the only hidden layer is not frozen: no weight was meant to change in step 468");
}

static void test_sentence_not_measured(void **state) {
    (void)state;
    sn_summary s = plain(2);
    s.frozen_end = -1;
    s.profile_step = 0;
    layers[1].grad_rms = sn_measured((double)NAN);
    assert_sentence(&s, "whether layers are frozen was not measured: no update of them followed step 0 (gradient rms "
                        "5.0e-14 at layer 1, nan at layer 2)");
    s.n_hidden = 0;
    assert_sentence(&s, "no hidden layer was measured");
}

static void test_sentence_many_ranges(void **state) {
    (void)state;
    sn_summary s = plain(100);
    for (int i = 1; i <= 100; i += 2)
        freeze(&s, i, i, 1);
    assert_sentence(&s, "layers 1, 3, 5, 7, 9, 11, 13, 15 and 42 more of 100 are frozen: none of their weights that "
                        "were meant to change did in step 468 (gradient rms 5.0e-14 at layer 1, 5.0e-4 at layer 100)");
}

/* ---- the text ---- */

static const char five_layers[] = "deep: done, 469 steps in 1.93 s\n"
                                  "\n"
                                  "       loss          accuracy\n"
                                  "train  2.30259       0.1012\n"
                                  "test   2.3026        0.1\n"
                                  "\n"
                                  "Step 468, rms gradients by layer on a log axis: delta_rms by the layer's output\n"
                                  "(per sample), grad_rms by its weights\n"
                                  "layer   delta_rms                       grad_rms                        stalled\n"
                                  "        1e-14 ----------- 1e0           1e-14 ----------- 1e0\n"
                                  "    1 * ####                  5.0e-12   #                     5.0e-14    >99.9%\n"
                                  "    2 * ########              2.8e-9    #####                 1.6e-11    >99.9%\n"
                                  "    3   ############          1.6e-6    #########             5.0e-9      25.0%\n"
                                  "    4   ################      8.9e-4    ############          1.6e-6         0%\n"
                                  "    5   ##################### 5.0e-1    ################      5.0e-4         0%\n"
                                  "* frozen\n"
                                  "\n"
                                  "log10_delta_ratio  -11          first over last hidden layer\n"
                                  "decades_per_layer  -2.75        towards the input; negative: vanishing\n"
                                  "frozen layers      3 of 5 at step 0, 2 of 5 at step 468\n"
                                  "\n"
                                  "layers 1-2 of 5 are frozen: at least 99.9% of their weights that were meant to\n"
                                  "change did not in step 468 (gradient rms 5.0e-14 at layer 1, 5.0e-4 at layer 5)\n";

static void test_text_ascii(void **state) {
    (void)state;
    sn_summary s = plain(5);
    freeze(&s, 1, 2, 0.9999);
    layers[2].stalled_frac = sn_measured(0.25);
    s.frozen_start = 3;
    s.train_loss = sn_measured(2.302591);
    s.train_accuracy = sn_measured(0.1012);
    s.test_loss = sn_measured(2.3026);
    s.test_accuracy = sn_measured(0.1);
    s.log10_delta_ratio = sn_measured(-11);
    s.decades_per_layer = sn_measured(-2.75);
    sn_summary_text(&s, &(sn_summary_style){.columns = 80}, &text);
    assert_string_equal(sn_text_string(&text), five_layers);
}

static const char diverged[] = "deep: diverged, 1 step in 1:02:05\n"
                               "not finite: the gradient by the output of hidden11\n"
                               "\n"
                               "       loss\n"
                               "train  0.125\n"
                               "test   -\n"
                               "\n"
                               "Step 0, rms gradients by layer on a log axis: delta_rms by the\n"
                               "layer's output (per sample), grad_rms by its weights\n"
                               "layer   delta_rms               grad_rms                stalled\n"
                               "        1e-2 ──── 1e0           1e-2 ──── 1e0\n"
                               "  1-2 + 0             0         ██            2.0e-2          -\n"
                               "  3-4   0█            2.0e-2    ██            2.0e-2          -\n"
                               "  5-6   ██            2.0e-2    ██            2.0e-2          -\n"
                               "  7-8   ██            2.0e-2    ██            2.0e-2          -\n"
                               " 9-10   ██            2.0e-2    ██            2.0e-2          -\n"
                               "11-12                 nan                     inf             -\n"
                               "13-14   ██            2.0e-2                  -               -\n"
                               "15-16   ██            2.0e-2    ██            2.0e-2          -\n"
                               "17-18   ██            2.0e-2    ██            2.0e-2          -\n"
                               "19-20   ██            2.0e-2    ██            2.0e-2          -\n"
                               "21-22   ██            2.0e-2    ██            2.0e-2          -\n"
                               "23-24   ██            2.0e-2    ██            2.0e-2          -\n"
                               "25-26   ██████▌       1.0e-1    ██            2.0e-2          -\n"
                               "27-28   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "29-30   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "31-32   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "33-34   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "35-36   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "37-38   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "39-40   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "41-42   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "43-44   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "45-46   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "47-48   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "49-50   ███████████   5.0e-1    ██            2.0e-2          -\n"
                               "+ some layers of the row frozen; 0 exactly zero (before a bar:\n"
                               "in some layers of the row); rows of several layers: geometric\n"
                               "mean of what is not zero, mean stalled share\n"
                               "\n"
                               "log10_delta_ratio  -            first over last hidden layer\n"
                               "decades_per_layer  -            towards the input; negative: vanishing\n"
                               "zero delta_rms     3 of 50 layers, left out of the slope\n"
                               "frozen layers      1 of 50 at step 0\n"
                               "\n"
                               "layer 1 of 50 is frozen: its update was exactly zero in step 0\n"
                               "(gradient rms 2.0e-2 at layer 1, 2.0e-2 at layer 50)\n";

/* Pairs of layers share a row: nan beats numbers, a zero stands before the bar of the other, both zero is no bar. */
static void test_text_unicode(void **state) {
    (void)state;
    sn_summary s = plain(50);
    s.status = "diverged";
    s.fault = "the gradient by the output of hidden11";
    s.wall_seconds = 3725;
    s.steps = 1;
    s.profile_step = 0;
    s.frozen_start = s.frozen_end = 1;
    s.train_loss = sn_measured(0.125);
    for (int i = 0; i < 50; i++) {
        layers[i].delta_rms = sn_measured(i < 25 ? 0.02 : 0.5);
        layers[i].grad_rms = sn_measured(0.02);
        layers[i].stalled_frac = SN_NOT_MEASURED;
    }
    layers[0].delta_rms = layers[1].delta_rms = layers[2].delta_rms = sn_measured(0);
    layers[10].delta_rms = sn_measured((double)NAN);
    layers[11].grad_rms = sn_measured((double)INFINITY);
    layers[12].grad_rms = layers[13].grad_rms = SN_NOT_MEASURED;
    layers[0].is_frozen = true;
    sn_summary_text(&s, &(sn_summary_style){.columns = 64, .unicode = true}, &text);
    assert_string_equal(sn_text_string(&text), diverged);
}

/* ---- properties of the text over many networks ---- */

/* Characters of the widest line; colour codes have no width. */
static int widest_line(const char *content, int *n_rows) {
    int widest = 0, width = 0;
    *n_rows = 0;
    for (const char *p = content; *p; p++) {
        if (*p == '\033') {
            p = strchr(p, 'm');
            assert_non_null(p);
        } else if (*p == '\n') {
            *n_rows += width > 0 && p[-1] == '%';
            widest = width > widest ? width : widest;
            width = 0;
        } else {
            width += ((unsigned char)*p & 0xC0) != 0x80;
        }
    }
    return widest;
}

static void test_text_widths(void **state) {
    (void)state;
    static const int counts[] = {1, 2, 24, 25, 26, 49, 50, 51, 99, 1000};
    static const int columns[] = {70, 80, 81, 120, 200};
    int n_checked = 0;
    for (size_t i = 0; i < 10 * 5 * 4; i++) {
        int n = counts[i / 20], rows;
        sn_summary_style style = {.columns = columns[i / 4 % 5], .colour = i & 1, .unicode = i & 2};
        sn_summary s = plain(n);
        freeze(&s, 1, (n + 1) / 2, 0.9);
        sn_text_clear(&text);
        sn_summary_text(&s, &style, &text);
        int widest = widest_line(sn_text_string(&text), &rows);
        assert_true(widest <= style.columns && widest >= 64);
        assert_int_equal(rows, n < 25 ? n : 25);
        assert_int_equal(strchr(sn_text_string(&text), '\033') != NULL, style.colour);
        bool is_ascii = true;
        for (const char *p = sn_text_string(&text); *p; p++)
            is_ascii &= (unsigned char)*p < 0x80;
        assert_int_equal(is_ascii, !style.unicode);
        n_checked++;
    }
    assert_int_equal(n_checked, 200);
}

/* 1000 layers: 25 rows of 40, each layer once. */
static void test_text_groups(void **state) {
    (void)state;
    sn_summary s = plain(1000);
    sn_summary_text(&s, &(sn_summary_style){.columns = 80}, &text);
    assert_non_null(strstr(sn_text_string(&text), "\n    1-40   "));
    assert_non_null(strstr(sn_text_string(&text), "\n   41-80   "));
    assert_non_null(strstr(sn_text_string(&text), "\n961-1000   "));
}

/* Far below the range of float and at the end of that of double the ends of the axis still hold. */
static void test_text_extremes(void **state) {
    (void)state;
    sn_summary s = plain(2);
    layers[0].delta_rms = sn_measured(5e-324);
    layers[1].delta_rms = sn_measured(1e300);
    sn_summary_text(&s, &(sn_summary_style){.columns = 80}, &text);
    assert_non_null(strstr(sn_text_string(&text), "1e-324 -------- 1e300"));
    assert_non_null(strstr(sn_text_string(&text), "    1   #                     4.9e-324 "));
    assert_non_null(strstr(sn_text_string(&text), " 1.0e300 "));
}

static void test_text_without_layers(void **state) {
    (void)state;
    sn_summary s = {.name = "linear", .status = "done", .steps = 2, .test_loss = sn_measured(0.5), .frozen_start = -1};
    sn_summary_text(&s, &(sn_summary_style){.columns = 80}, &text);
    assert_string_equal(sn_text_string(&text), "linear: done, 2 steps in 0.00 s\n\n"
                                               "       loss\ntrain  -\ntest   0.5\n\n"
                                               "no hidden layer was measured\n");
}

/* ---- JSON ---- */

/* The JSON is one value to the strict scanner; returns how many numbers it has. */
static int count_numbers(void) {
    sn_error error;
    sn_json_scanner scanner;
    sn_json_token token;
    int n = 0;
    sn_error_clear(&error);
    sn_json_init(&scanner, sn_text_string(&text), text.length, "summary");
    do {
        assert_int_equal(sn_json_next(&scanner, &token, &error), SN_OK);
        n += token.kind == SN_JSON_NUMBER;
    } while (token.kind != SN_JSON_END);
    return n;
}

static void test_json(void **state) {
    (void)state;
    sn_summary s = plain(2);
    s.name = "a \"b\"";
    s.train_loss = sn_measured(0.1);
    s.test_loss = sn_measured((double)NAN);
    s.frozen_start = -1;
    s.wall_seconds = 1.5;
    s.log10_delta_ratio = sn_measured(-12);
    layers[0] = (sn_summary_layer){.layer = 1, .delta_rms = sn_measured(1e-200), .stalled_frac = sn_measured(1)};
    layers[1] = (sn_summary_layer){.layer = 2, .grad_rms = sn_measured((double)INFINITY), .is_frozen = true};
    sn_summary_json(&s, &text);
    assert_string_equal(
        sn_text_string(&text),
        "{\n  \"name\": \"a \\\"b\\\"\",\n  \"status\": \"done\",\n  \"fault\": null,\n  \"steps\": 469,\n"
        "  \"wall_seconds\": 1.5,\n  \"train_loss\": 0.10000000000000001,\n  \"train_accuracy\": null,\n"
        "  \"test_loss\": \"nan\",\n  \"test_accuracy\": null,\n  \"log10_delta_ratio\": -12,\n"
        "  \"decades_per_layer\": null,\n  \"profile_step\": 468,\n  \"n_hidden\": 2,\n  \"frozen_start\": null,\n"
        "  \"frozen_end\": 0,\n"
        "  \"sentence\": \"layer 2 of 2 is frozen: its update was exactly zero in step 468\",\n  \"layers\": [\n"
        "    {\"layer\": 1, \"delta_rms\": 9.9999999999999998e-201, \"grad_rms\": null, \"stalled_frac\": 1, "
        "\"frozen\": false},\n"
        "    {\"layer\": 2, \"delta_rms\": null, \"grad_rms\": \"inf\", \"stalled_frac\": null, \"frozen\": true}\n"
        "  ]\n}\n");
    assert_int_equal(count_numbers(), 11);
}

static void test_json_sizes(void **state) {
    (void)state;
    static const int counts[] = {0, 1, 1000};
    for (size_t i = 0; i < 3; i++) {
        sn_summary s = plain(counts[i]);
        s.fault = "the loss\n";
        sn_text_clear(&text);
        sn_summary_json(&s, &text);
        assert_int_equal(count_numbers(), 6 + 4 * counts[i]);
    }
}

/* ---- the progress line ---- */

static const sn_progress progress = {.epoch = 0.66,
                                     .epochs = 1,
                                     .step = 312,
                                     .steps = 469,
                                     .steps_per_second = 1043.4,
                                     .eta_seconds = 0.6,
                                     .loss = {true, 2.30312},
                                     .accuracy = {true, 0.1016},
                                     .log10_delta_ratio = {true, -11.94}};

static void assert_progress(const sn_progress *p, int columns, const char *expected) {
    sn_text_clear(&text);
    sn_progress_line(p, columns, &text);
    assert_string_equal(sn_text_string(&text), expected);
    assert_true(text.length <= (size_t)columns);
}

static void test_progress(void **state) {
    (void)state;
    assert_progress(&progress, 200, "epoch 1/1  step 312/469  1043/s  ETA 0:01  loss 2.3031  acc 0.102  ratio -11.9");
    sn_progress p = progress;
    p.epochs = 0;
    p.loss = sn_measured((double)NAN);
    p.accuracy = p.log10_delta_ratio = SN_NOT_MEASURED;
    p.eta_seconds = 7325;
    p.steps_per_second = 0.25;
    assert_progress(&p, 80, "step 312/469  0.25/s  ETA 2:02:05  loss nan");
    p = (sn_progress){.epoch = 3, .epochs = 3, .step = 30, .steps = 30, .eta_seconds = (double)INFINITY};
    assert_progress(&p, 80, "epoch 3/3  step 30/30");
    p.epoch = 1;
    assert_progress(&p, 80, "epoch 2/3  step 30/30");
}

/* The ratio is what the instrument is for: it goes last. */
static void test_progress_narrow(void **state) {
    (void)state;
    assert_progress(&progress, 79, "epoch 1/1  step 312/469  1043/s  ETA 0:01  loss 2.3031  acc 0.102  ratio -11.9");
    assert_progress(&progress, 77, "step 312/469  1043/s  ETA 0:01  loss 2.3031  acc 0.102  ratio -11.9");
    assert_progress(&progress, 60, "step 312/469  1043/s  ETA 0:01  loss 2.3031  ratio -11.9");
    assert_progress(&progress, 50, "step 312/469  ETA 0:01  loss 2.3031  ratio -11.9");
    assert_progress(&progress, 40, "step 312/469  loss 2.3031  ratio -11.9");
    assert_progress(&progress, 30, "step 312/469  ratio -11.9");
    assert_progress(&progress, 12, "step 312/469");
    assert_progress(&progress, 6, "step 3");
    assert_progress(&progress, 0, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_sentence_some, tear_down),
        cmocka_unit_test_teardown(test_sentence_zeros, tear_down),
        cmocka_unit_test_teardown(test_sentence_all, tear_down),
        cmocka_unit_test_teardown(test_sentence_none, tear_down),
        cmocka_unit_test_teardown(test_sentence_not_measured, tear_down),
        cmocka_unit_test_teardown(test_sentence_many_ranges, tear_down),
        cmocka_unit_test_teardown(test_text_ascii, tear_down),
        cmocka_unit_test_teardown(test_text_unicode, tear_down),
        cmocka_unit_test_teardown(test_text_widths, tear_down),
        cmocka_unit_test_teardown(test_text_groups, tear_down),
        cmocka_unit_test_teardown(test_text_extremes, tear_down),
        cmocka_unit_test_teardown(test_text_without_layers, tear_down),
        cmocka_unit_test_teardown(test_json, tear_down),
        cmocka_unit_test_teardown(test_json_sizes, tear_down),
        cmocka_unit_test_teardown(test_progress, tear_down),
        cmocka_unit_test_teardown(test_progress_narrow, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
