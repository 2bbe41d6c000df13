/* The CSV of a run and its description: exact header lines and rows, quoting, digits, datapackage.json by the strict
 * scanner, the table of `list metrics`. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "report/metrics.h"

static const char loss_header[] = "step,epoch,batch_loss,batch_accuracy,train_loss,train_accuracy,test_loss,"
                                  "test_accuracy,lr,grad_norm,update_norm,stalled_frac,nonfinite,log10_delta_ratio,"
                                  "decades_per_layer,frozen_layers\n";
static const char gradients_header[] =
    "step,layer,label,op,role,depth_frac,n_params,grad_norm,grad_rms,grad_mean_abs,grad_max_abs,grad_zero_frac,"
    "grad_denormal_frac,weight_norm,update_norm,update_ratio,unchanged_frac,stalled_frac,applied_ratio,delta_rms,"
    "out_grad_rms,preact_mean,preact_rms,in_mean,in_rms,in_saturated_frac,bias_grad_norm,"
    "grad_ratio,out_grad_ratio,dead_unit_frac,eps_frac\n";

static const char exponents_header[] = "step,layer,label,tensor,kind,exponent,count\n";

static int count_names(const char *header) {
    int n = 1;
    for (const char *p = header; *p; p++)
        n += *p == ',';
    return n;
}

static const sn_op linear = {.kind = {.name = "linear"}};

static sn_text text;

static int tear_down(void **state) {
    (void)state;
    assert_false(text.failed);
    sn_text_free(&text);
    return 0;
}

/* ---- headers and rows ---- */

static void test_headers(void **state) {
    (void)state;
    sn_csv_header(&text, sn_loss_sheet.columns);
    assert_string_equal(sn_text_string(&text), loss_header);
    sn_text_clear(&text);
    sn_csv_header(&text, sn_gradients_sheet.columns);
    assert_string_equal(sn_text_string(&text), gradients_header);
    sn_text_clear(&text);
    sn_csv_header(&text, sn_exponents_sheet.columns);
    assert_string_equal(sn_text_string(&text), exponents_header);
}

static void test_loss_row(void **state) {
    (void)state;
    const sn_loss_record record = {.step = 9007199254740993,
                                   .epoch = 0.5,
                                   .batch_loss = sn_measured(2.25),
                                   .batch_accuracy = sn_measured(0.125),
                                   .train_loss = sn_measured(3.5),
                                   .train_accuracy = sn_measured(0.25),
                                   .test_loss = sn_measured(4.5),
                                   .test_accuracy = sn_measured(0),
                                   .lr = sn_measured(0.01),
                                   .grad_norm = sn_measured(1e-200),
                                   .update_norm = sn_measured(5e-324),
                                   .stalled_frac = sn_measured(1),
                                   .nonfinite = sn_measured(3),
                                   .log10_delta_ratio = sn_measured(-12.5),
                                   .decades_per_layer = sn_measured(-0.25),
                                   .frozen_layers = sn_measured(37)};
    sn_csv_row(&text, sn_loss_sheet.columns, &record, 9);
    assert_string_equal(sn_text_string(&text), "9007199254740993,0.5,2.25,0.125,3.5,0.25,4.5,0,0.01,1e-200,"
                                               "4.94065646e-324,1,3,-12.5,-0.25,37\n");
}

static void test_loss_row_empty(void **state) {
    (void)state;
    const sn_loss_record record = {.step = 0};
    sn_csv_row(&text, sn_loss_sheet.columns, &record, 9);
    assert_string_equal(sn_text_string(&text), "0,0,,,,,,,,,,,,,,\n");
}

/* What was measured and is not finite is not an empty cell. */
static void test_loss_row_not_finite(void **state) {
    (void)state;
    const sn_loss_record record = {.step = 1,
                                   .batch_loss = sn_measured((double)NAN),
                                   .grad_norm = sn_measured((double)INFINITY),
                                   .log10_delta_ratio = sn_measured(-(double)INFINITY)};
    sn_csv_row(&text, sn_loss_sheet.columns, &record, 17);
    assert_string_equal(sn_text_string(&text), "1,0,nan,,,,,,,inf,,,,-inf,,\n");
}

static void test_gradients_rows(void **state) {
    (void)state;
    const sn_node nodes[] = {{.op = &linear, .label = "hidden1", .role = SN_ROLE_HIDDEN, .layer = 1},
                             {.op = &linear, .label = "a, \"b\"", .role = SN_ROLE_OUTPUT, .layer = 2}};
    sn_layer_record layers[] = {{.step = 7,
                                 .node = &nodes[0],
                                 .depth_frac = sn_measured(0.5),
                                 .n_params = 50240,
                                 .grad_norm = sn_measured(1),
                                 .grad_rms = sn_measured(2),
                                 .grad_mean_abs = sn_measured(3),
                                 .grad_max_abs = sn_measured(4),
                                 .grad_zero_frac = sn_measured(5),
                                 .grad_denormal_frac = sn_measured(6),
                                 .weight_norm = sn_measured(7),
                                 .update_norm = sn_measured(8),
                                 .update_ratio = sn_measured(9),
                                 .unchanged_frac = sn_measured(10),
                                 .stalled_frac = sn_measured(11),
                                 .applied_ratio = sn_measured(12),
                                 .delta_rms = sn_measured(13),
                                 .out_grad_rms = sn_measured(14),
                                 .preact_mean = sn_measured(15),
                                 .preact_rms = sn_measured(16),
                                 .in_mean = sn_measured(17),
                                 .in_rms = sn_measured(18),
                                 .in_saturated_frac = sn_measured(19),
                                 .bias_grad_norm = sn_measured(20),
                                 .sums = {.units = {8, 2}, .change = {.moments = 8, .below_eps = 1}},
                                 .last_hidden = &layers[0]},
                                {.step = 7, .node = &nodes[1], .n_params = 650}};
    const sn_records records = {.layers = layers, .n_layers = 2};
    sn_gradients_csv_rows(&text, &records, 9);
    assert_string_equal(sn_text_string(&text),
                        "7,1,hidden1,linear,hidden,0.5,50240,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,"
                        "0.142857143,1,0.25,0.125\n"
                        "7,2,\"a, \"\"b\"\"\",linear,output,,650,,,,,,,,,,,,,,,,,,,,,,,,\n");
}

/* ---- cells ---- */

static void assert_cell(sn_cell_value cell, int digits, const char *expected) {
    sn_text_clear(&text);
    sn_csv_cell(&text, &cell, digits);
    assert_string_equal(sn_text_string(&text), expected);
}

/* What has no exponent stands around what has one, bins that are empty nowhere; the label wants quotes. */
static void test_exponents_rows(void **state) {
    (void)state;
    uint64_t bins[] = {2, 0, 30, 4};
    sn_exponents all = {
        .counts = bins, .least = -149, .begin = 0, .end = 4, .zeros = 7, .infinite = 8, .nans = UINT64_C(1) << 40};
    sn_exponents one = {.counts = bins, .least = 12, .begin = 2, .end = 3}, none = {.counts = bins};
    const sn_node node = {.op = &linear, .label = "a,b", .layer = 3};
    sn_layer_record layers[] = {{.step = 5, .node = &node}, {.step = 5, .node = &node}};
    layers[0].sums.exponents[SN_COUNTED_GRAD] = &all;
    layers[0].sums.exponents[SN_COUNTED_UPDATE] = &none;
    layers[1].sums.exponents[SN_COUNTED_IN] = &one;
    sn_exponents_csv_rows(&text, &(sn_records){.layers = layers, .n_layers = 2});
    assert_string_equal(sn_text_string(&text), "5,3,\"a,b\",grad,zero,,7\n"
                                               "5,3,\"a,b\",grad,finite,-149,2\n"
                                               "5,3,\"a,b\",grad,finite,-147,30\n"
                                               "5,3,\"a,b\",grad,finite,-146,4\n"
                                               "5,3,\"a,b\",grad,inf,,8\n"
                                               "5,3,\"a,b\",grad,nan,,1099511627776\n"
                                               "5,3,\"a,b\",in,finite,14,30\n");
}

static void test_cells(void **state) {
    (void)state;
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_NOTHING}, 9, "");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_INTEGER, .integer = INT64_MIN}, 9, "-9223372036854775808");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_NUMBER, .number = 0.1}, 9, "0.1");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_NUMBER, .number = 0.1}, 17, "0.10000000000000001");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_NUMBER, .number = (double)1e-15F}, 9, "1e-15");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_NUMBER, .number = 0}, 9, "0");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_TEXT, .text = "hidden1.gate"}, 9, "hidden1.gate");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_TEXT, .text = "two words"}, 9, "two words");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_TEXT, .text = "a,b"}, 9, "\"a,b\"");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_TEXT, .text = "\""}, 9, "\"\"\"\"");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_TEXT, .text = "a\nb"}, 9, "\"a\nb\"");
    assert_cell((sn_cell_value){.kind = SN_CELL_OF_TEXT, .text = "a\rb"}, 9, "\"a\rb\"");
}

/* 17 digits give every double back, 9 every float. */
static void test_digits_read_back(void **state) {
    (void)state;
    static const double values[] = {1.0 / 3, 2.3025850929940455, 1e-200 / 3, 5e-324, 1.7976931348623157e308};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        sn_text_clear(&text);
        sn_csv_cell(&text, &(sn_cell_value){.kind = SN_CELL_OF_NUMBER, .number = values[i]}, 17);
        assert_true(strtod(sn_text_string(&text), NULL) == values[i]);
        float single = (float)(values[i] * 1e-20);
        sn_text_clear(&text);
        sn_csv_cell(&text, &(sn_cell_value){.kind = SN_CELL_OF_NUMBER, .number = (double)single}, 9);
        assert_true(strtof(sn_text_string(&text), NULL) == single);
    }
}

/* ---- the descriptions ---- */

enum { CAPACITY = 1024 };

/* The members of a field as they were read last. */
typedef struct field {
    char name[CAPACITY], type[CAPACITY], unit[CAPACITY], description[CAPACITY];
} field;

static char *slot(field *f, const char *key) {
    if (strcmp(key, "name") == 0) return f->name;
    if (strcmp(key, "type") == 0) return f->type;
    if (strcmp(key, "unit") == 0) return f->unit;
    return strcmp(key, "description") == 0 ? f->description : NULL;
}

static void check_field(const field *f, const sn_column *column) {
    assert_string_equal(f->name, column->name);
    assert_string_equal(f->type, column->type);
    assert_string_equal(f->unit, column->unit);
    assert_string_equal(f->description, column->help);
}

/* Column number n of all sheets. */
static const sn_column *column_of(size_t n) {
    const sn_sheet *const *sheet = sn_run_sheets;
    while (n >= sn_column_total((*sheet)->columns))
        n -= sn_column_total((*sheet++)->columns);
    return &(*sheet)->columns[n];
}

/* Reads the package by the strict scanner; a field is an object that has a type. */
static int check_fields(void) {
    sn_error error;
    sn_json_scanner scanner;
    sn_json_token token;
    field f = {0};
    char key[CAPACITY] = "", *into = NULL;
    size_t n = 0;
    sn_error_clear(&error);
    sn_json_init(&scanner, sn_text_string(&text), text.length, "datapackage.json");
    do {
        assert_int_equal(sn_json_next(&scanner, &token, &error), SN_OK);
        assert_true(token.length < CAPACITY);
        if (token.kind == SN_JSON_OBJECT_OPEN) f = (field){0};
        if (token.kind == SN_JSON_KEY) sn_json_string(&token, key, sizeof key);
        if (token.kind == SN_JSON_STRING && (into = slot(&f, key))) sn_json_string(&token, into, CAPACITY);
        if (token.kind == SN_JSON_OBJECT_CLOSE && *f.type) {
            check_field(&f, column_of(n));
            n++;
        }
        if (token.kind == SN_JSON_OBJECT_CLOSE) f = (field){0};
    } while (token.kind != SN_JSON_END);
    return (int)n;
}

static void test_datapackage(void **state) {
    (void)state;
    sn_datapackage(&text, "Deep 50,depth=100 \"x\"", sn_run_sheets);
    int n_loss = (int)sn_column_total(sn_loss_sheet.columns);
    int n_layer = (int)sn_column_total(sn_gradients_sheet.columns);
    assert_int_equal(n_loss, count_names(loss_header));
    assert_int_equal(n_layer, count_names(gradients_header));
    assert_int_equal(check_fields(), n_loss + n_layer + count_names(exponents_header));
    static const char *const wanted[] = {
        "{\n  \"profile\": \"tabular-data-package\",\n  \"name\": \"deep-50-depth-100--x-\",\n",
        "  \"title\": \"Deep 50,depth=100 \\\"x\\\"\",\n",
        "\"path\": \"loss.csv\"",
        "\"path\": \"gradients.csv\"",
        "\"path\": \"exponents.csv\"",
        "\"profile\": \"tabular-data-resource\"",
        "\"missingValues\": [\"\"]",
        "\"primaryKey\": [\"step\"]",
        "\"primaryKey\": [\"step\", \"label\"]",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        assert_non_null(strstr(sn_text_string(&text), wanted[i]));
    }
}

/* Frictionless accepts these types, and a column holds cells of its type. */
static void test_types(void **state) {
    (void)state;
    const sn_node node = {.op = &linear, .label = "hidden1", .role = SN_ROLE_HIDDEN};
    const sn_layer_record layer = {.node = &node};
    int n = 0;
    for (const sn_column *m = sn_gradients_sheet.columns; m->name; m++, n++) {
        sn_cell_value cell = m->value(m, &layer);
        const char *type = cell.kind == SN_CELL_OF_TEXT      ? "string"
                           : cell.kind == SN_CELL_OF_INTEGER ? "integer"
                                                             : "number";
        assert_string_equal(m->type, type);
        assert_true(strlen(m->help) > 10 && !strchr(m->help, '\n'));
        assert_int_equal(*m->unit == '\0', cell.kind == SN_CELL_OF_TEXT);
    }
    sn_loss_record loss = {.nonfinite = sn_measured(0), .frozen_layers = sn_measured(0)};
    for (const sn_column *m = sn_loss_sheet.columns; m->name; m++, n++) {
        assert_string_equal(m->type, m->value(m, &loss).kind == SN_CELL_OF_INTEGER ? "integer" : "number");
        assert_true(strlen(m->help) > 10 && *m->unit && !strchr(m->help, '\n'));
    }
    assert_int_equal(n, count_names(loss_header) + count_names(gradients_header));
}

static void test_list(void **state) {
    (void)state;
    sn_metrics_list(&text);
    const char *content = sn_text_string(&text);
    const char head[] = "file           column              type     unit           meaning\n"
                        "loss.csv       step                integer  updates        updates already applied";
    assert_int_equal(strncmp(content, head, strlen(head)), 0);
    assert_non_null(strstr(content, "\ngradients.csv  label               string   -              label of the node"));
    int lines = 0;
    for (const char *p = content; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines,
                     1 + count_names(loss_header) + count_names(gradients_header) + count_names(exponents_header));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_headers, tear_down),
        cmocka_unit_test_teardown(test_loss_row, tear_down),
        cmocka_unit_test_teardown(test_loss_row_empty, tear_down),
        cmocka_unit_test_teardown(test_loss_row_not_finite, tear_down),
        cmocka_unit_test_teardown(test_gradients_rows, tear_down),
        cmocka_unit_test_teardown(test_exponents_rows, tear_down),
        cmocka_unit_test_teardown(test_cells, tear_down),
        cmocka_unit_test_teardown(test_digits_read_back, tear_down),
        cmocka_unit_test_teardown(test_datapackage, tear_down),
        cmocka_unit_test_teardown(test_types, tear_down),
        cmocka_unit_test_teardown(test_list, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
