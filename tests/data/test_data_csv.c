/* The source csv: what files may look like, which columns are what, the splits, and every fault with its message. */
#include "data_fixture.h"

#include <float.h>
#include <math.h>
#include <sys/stat.h>
#include <time.h>

#include "base/csv.h"
#include "data/csv_labels.h"

static void write_text(const char *name, const char *text) {
    fixture_write(name, text, strlen(text));
}

/* Loads `text` as the file a.csv with further keys (",\"key\": value"). */
static sn_status load_text(sn_dataset *dataset, const char *text, const char *keys) {
    char config[512];
    write_text("a.csv", text);
    snprintf(config, sizeof config, "{\"kind\": \"csv\", \"path\": \"a.csv\"%s}", keys);
    return fixture_load(dataset, config);
}

static sn_dataset load_text_ok(const char *text, const char *keys) {
    sn_dataset dataset;
    if (load_text(&dataset, text, keys) != SN_OK) {
        fail_msg("%s\n%s", text, fixture_error.text);
        abort(); /* never: for the static analyser */
    }
    return dataset;
}

/* The training split is exactly this. */
static void check_train(const sn_dataset *d, size_t n, size_t in_dim, const double *values) {
    assert_int_equal(d->train.n, n);
    assert_int_equal(d->in_dim, in_dim);
    for (size_t i = 0; i < n * in_dim; i++)
        assert_true(d->train.values[i] == values[i]);
}

#define ALL ", \"test_fraction\": 0"

/* One table in every dress it may come in. */
static void test_forms(void **state) {
    (void)state;
    static const char *const forms[] = {
        "a,b,c\n1,2,x\n3,-4.5e1,y\n",
        "a,b,c\n1,2,x\n3,-4.5e1,y",
        "a,b,c\r\n1,2,x\r\n3,-4.5e1,y\r\n",
        "\xEF\xBB\xBF\x61,b,c\n1,2,x\n3,-4.5e1,y\n", /* \x61 is a */
        "a,b,c\n1,2,x\n3,-4.5e1,y\n\n",
        "a,b,c\n1,2,x\n3,-4.5e1,y\r\n \r\n\t\n\n  ",
        "a,b,c\n 1 , +2.0 ,\tx\n3.,-.45E+2, y \n",
        "\"a\",\"b\",\"c\"\n\"1\",\"2\",\"x\"\n3,-45,\"y\"\n",
        "a, \"b\" ,\"c\" \n1,2 , \"x\"\t\n3,-45,y\n",
        "\"a\nb\",b,\"c\"\"d\"\n1,2,x\n3,-45,y\n",
    };
    static const double values[] = {1, 2, 3, -45};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        sn_dataset d = load_text_ok(forms[i], ALL);
        check_train(&d, 2, 2, values);
        assert_true(d.is_classes);
        assert_int_equal(d.out_dim, 2);
        assert_int_equal(d.train.labels[0], 0);
        assert_int_equal(d.train.labels[1], 1);
        assert_int_equal(d.test.n, 0);
        assert_int_equal(d.shape.dim[0], 2);
        assert_int_equal(d.shape.rank, 1);
        assert_string_equal(d.origin, fixture_path("a.csv"));
        sn_dataset_reset(&d);
    }
}

static void test_delimiters_and_no_header(void **state) {
    (void)state;
    static const double values[] = {1, 2, 3, 4};
    static const char *const cases[][2] = {
        {"1;2;x\n3;4;y\n", "\";\""},
        {"1\t 2\tx\n3\t4 \ty\n", "\"\\t\""},
        {"1 2 x\n3 4 y\n", "\" \""},
        {"1|2|x\n3|4|y\n", "\"|\""},
    };
    for (size_t i = 0; i < 4; i++) {
        char keys[128];
        snprintf(keys, sizeof keys, ALL ", \"header\": false, \"delimiter\": %s", cases[i][1]);
        sn_dataset d = load_text_ok(cases[i][0], keys);
        check_train(&d, 2, 2, values);
        sn_dataset_reset(&d);
    }
    /* pandas names columns without names 0, 1, 2, ... */
    sn_dataset d = load_text_ok("0,1,2\n1,2,x\n3,4,y\n", ALL);
    check_train(&d, 2, 2, values);
    sn_dataset_reset(&d);
}

static void test_targets(void **state) {
    (void)state;
    static const char *const text = "u,v,w,z\n1,2,3,4\n5,6,7,8\n";
    static const char *const specs[] = {"\"v\"", "1", "-3", "[1]", "[\"v\"]"};
    static const double features[] = {1, 3, 4, 5, 7, 8};
    char keys[128];
    for (size_t i = 0; i < 5; i++) {
        snprintf(keys, sizeof keys, ALL ", \"task\": \"regression\", \"target\": %s", specs[i]);
        sn_dataset d = load_text_ok(text, keys);
        check_train(&d, 2, 3, features);
        assert_false(d.is_classes);
        assert_int_equal(d.out_dim, 1);
        assert_null(d.train.labels);
        assert_true(d.train.targets[0] == 2 && d.train.targets[1] == 6);
        snprintf(keys, sizeof keys, ALL ", \"target\": %s", specs[i]);
        sn_dataset_reset(&d);
        d = load_text_ok(text, keys);
        assert_int_equal(d.train.labels[1], 1);
        assert_null(d.train.targets);
        sn_dataset_reset(&d);
    }
    /* several targets stand in the order of the list */
    static const double targets[] = {4, 1, 8, 5}, rest[] = {2, 3, 6, 7};
    sn_dataset d = load_text_ok(text, ALL ", \"task\": \"regression\", \"target\": [-1, \"u\"]");
    check_train(&d, 2, 2, rest);
    assert_int_equal(d.out_dim, 2);
    assert_memory_equal(d.train.targets, targets, sizeof targets);
    sn_dataset_reset(&d);
}

static void check_labels(const char *const *texts, size_t n, size_t n_classes, const uint32_t *indices) {
    sn_labels labels;
    assert_int_equal(sn_labels_init(&labels, texts, n, &fixture_error), SN_OK);
    assert_int_equal(labels.n, n_classes);
    for (size_t i = 0; i < n; i++) {
        uint32_t index = UINT32_MAX;
        assert_true(sn_labels_find(&labels, texts[i], &index));
        assert_int_equal(index, indices[i]);
    }
    uint32_t index = 0;
    assert_false(sn_labels_find(&labels, "nowhere", &index));
    assert_false(sn_labels_find(&labels, "12345", &index));
    sn_labels_reset(&labels);
}

static void test_labels(void **state) {
    (void)state;
    const char *const integers[] = {"10", "9", "-1", "+9", "009", "10"};
    check_labels(integers, 6, 3, (uint32_t[]){2, 1, 0, 1, 1, 2});
    const char *const mixed[] = {"10", "9", "b", "B", "9"};
    check_labels(mixed, 5, 4, (uint32_t[]){0, 1, 3, 2, 1});
    const char *const decimal[] = {"10", "9.0", "9"};
    check_labels(decimal, 3, 2, (uint32_t[]){1, 0, 0});
    const char *const real[] = {"1e1", "-0.5", "9", "10.0", "+2."};
    check_labels(real, 5, 4, (uint32_t[]){3, 0, 2, 3, 1});
    const char *const beyond[] = {"99999999999999999999", "1", "-"};
    check_labels(beyond, 3, 3, (uint32_t[]){2, 1, 0});
    const char *const long_names[] = {"99999999999999999999", "99999999999999999998", "1.5"};
    check_labels(long_names, 3, 3, (uint32_t[]){2, 1, 0});
    const char *const not_finite[] = {"10", "9", "inf"};
    check_labels(not_finite, 3, 3, (uint32_t[]){0, 1, 2});
}

/* Writes rows i, 2 i, class of i. */
static void write_rows(const char *name, size_t n) {
    char *text = malloc(64 * n + 64);
    assert_non_null(text);
    size_t size = (size_t)sprintf(text, "i,j,class\n");
    for (size_t i = 0; i < n; i++)
        size += (size_t)sprintf(text + size, "%zu,%zu,%s\n", i, 2 * i, i < n / 2 ? "low" : "high");
    fixture_write(name, text, size);
    free(text);
}

/* Every row is in one split, once, with its own features and label; returns how many of the training rows are low. */
static size_t check_split(const sn_dataset *d, size_t n, size_t n_test) {
    bool *seen = calloc(n, sizeof *seen);
    size_t n_low = 0;
    assert_non_null(seen);
    assert_int_equal(d->test.n, n_test);
    assert_int_equal(d->train.n, n - n_test);
    for (size_t i = 0; i < n; i++) {
        const sn_samples *s = i < n_test ? &d->test : &d->train;
        size_t at = i < n_test ? i : i - n_test;
        size_t row = (size_t)s->values[2 * at];
        assert_true(row < n && !seen[row]);
        seen[row] = true;
        assert_true(s->values[2 * at + 1] == 2 * (double)row);
        assert_int_equal(s->labels[at], row < n / 2 ? 1 : 0); /* "high" < "low" */
        n_low += i >= n_test && row < n / 2;
    }
    free(seen);
    return n_low;
}

static void test_held_out(void **state) {
    (void)state;
    write_rows("rows.csv", 1000);
    sn_dataset a = fixture_load_ok("{\"kind\": \"csv\", \"path\": \"rows.csv\"}");
    sn_dataset b = fixture_load_ok("{\"kind\": \"csv\", \"path\": \"rows.csv\"}");
    sn_dataset c = fixture_load_ok("{\"kind\": \"csv\", \"path\": \"rows.csv\", \"seed\": 1}");
    assert_in_range(check_split(&a, 1000, 200), 370, 430); /* a fair draw: 400 +- 6.3 */
    check_split(&c, 1000, 200);
    assert_int_equal(a.checksum, b.checksum);
    assert_int_not_equal(a.checksum, c.checksum);
    assert_memory_equal(a.train.values, b.train.values, 1600 * sizeof(double));
    sn_dataset_reset(&a);
    sn_dataset_reset(&b);
    sn_dataset_reset(&c);

    /* a limit on a file sorted by class still sees both classes */
    a = fixture_load_ok("{\"kind\": \"csv\", \"path\": \"rows.csv\", \"train_limit\": 50, \"test_limit\": 3}");
    size_t n_low = 0;
    for (size_t i = 0; i < a.train.n; i++)
        n_low += a.train.labels[i];
    assert_int_equal(a.train.n, 50);
    assert_int_equal(a.test.n, 3);
    assert_in_range(n_low, 10, 40);
    sn_dataset_reset(&a);

    /* nearest count, at least one; none keeps the order */
    write_rows("rows.csv", 10);
    static const struct {
        const char *fraction;
        size_t n_test;
    } cases[] = {{"0.001", 1}, {"0.24", 2}, {"0.26", 3}, {"0.9", 9}, {"0", 0}};
    for (size_t i = 0; i < 5; i++) {
        char config[128];
        snprintf(config, sizeof config, "{\"kind\": \"csv\", \"path\": \"rows.csv\", \"test_fraction\": %s}",
                 cases[i].fraction);
        a = fixture_load_ok(config);
        check_split(&a, 10, cases[i].n_test);
        for (size_t row = 0; cases[i].n_test == 0 && row < 10; row++)
            assert_true(a.train.values[2 * row] == (double)row);
        sn_dataset_reset(&a);
    }
}

static void test_second_file(void **state) {
    (void)state;
    write_text("b.csv", "x,y\n5,no\n6,yes\n7,no\n");
    sn_dataset d = load_text_ok("x,y\n1,yes\n2,maybe\n3,no\n", ", \"test_path\": \"b.csv\", \"test_fraction\": 0.9");
    static const double train[] = {1, 2, 3}, test[] = {5, 6, 7};
    static const uint32_t train_labels[] = {2, 0, 1}, test_labels[] = {1, 2, 1};
    assert_int_equal(d.out_dim, 3);
    assert_int_equal(d.train.n, 3);
    assert_int_equal(d.test.n, 3);
    assert_memory_equal(d.train.values, train, sizeof train);
    assert_memory_equal(d.test.values, test, sizeof test);
    assert_memory_equal(d.train.labels, train_labels, sizeof train_labels);
    assert_memory_equal(d.test.labels, test_labels, sizeof test_labels);
    sn_dataset_reset(&d);
}

typedef struct bad_file {
    const char *text, *keys, *message;
} bad_file;

#define NO_HEADER  ", \"header\": false"
#define REGRESSION ", \"task\": \"regression\""
#define FIRST_ROW(cells, second)                                                                                       \
    "$DIR/a.csv: row 1 has " cells ", row 2 has " second ": if row 1 is no row of the table, take it out of the file"
#define DELIMITER(is, wanted)                                                                                          \
    "$DIR/a.csv: row 1: no " is ", which data.delimiter is (are the cells separated by " wanted                        \
    "? set data.delimiter to " wanted ")"
#define MISSING(COLUMN, COUNT, ROWS)                                                                                   \
    "$DIR/a.csv: column " COLUMN ": the label is missing in " COUNT " rows (" ROWS                                     \
    "); give these rows a label or take them out of the file (a class that is called so needs another name)"

#define MISSING_TARGET(COLUMN, COUNT, ROWS)                                                                            \
    "$DIR/a.csv: column " COLUMN ": the target is missing in " COUNT " rows (" ROWS                                    \
    "); give these rows a number or take them out of the file"
#define SLIP        " (correct it, or take its row or its column out of the file)"
#define ASK(WANTED) " (are the cells separated by " WANTED "? set data.delimiter to " WANTED ")"
#define BLANKS                                                                                                         \
    " (blanks at the start of a line, or several in a row: write one between cells, as sed 's/^ *//' FILE | tr -s "    \
    "' ' >NEW does)"

static const bad_file bad_files[] = {
    {"", "", "$DIR/a.csv: the file is empty"},
    {"\xEF\xBB\xBF", "", "$DIR/a.csv: the file is empty"},
    {"\n  \r\n\n", "", "$DIR/a.csv: the file is empty"},
    {"a,b\n", "", "$DIR/a.csv: a header, but no rows of data"},
    {"a,b\n\n\n", "", "$DIR/a.csv: a header, but no rows of data"},
    {"a,b\n1,x\nabc,y\n", "", "$DIR/a.csv: row 3, column \"a\": \"abc\" is not a number"},
    {"1,x\n1.5.2,y\n", NO_HEADER, "$DIR/a.csv: row 2, column index 0: \"1.5.2\" is not a number"},
    {"1,x\n0x10,y\n", NO_HEADER, "$DIR/a.csv: row 2, column index 0: \"0x10\" is not a number"},
    {"a,b\n1,x\n\"1\n2\",y\n", "", "$DIR/a.csv: row 3, column \"a\": \"1\\n2\" is not a number"},
    {",b\n1,x\n?,y\n", "", "$DIR/a.csv: row 3, column index 0: \"?\" is not a number"},
    {"a,b\n1,x\n1234567890123456789012345678901234567890x,y\n", "",
     "$DIR/a.csv: row 3, column \"a\": \"1234567890123456789012345678901234567890...\" is not a number"},
    {"a,b\n1,x\n123456789012345678901234567890123456789\xC3\xA4,y\n", "",
     "$DIR/a.csv: row 3, column \"a\": \"123456789012345678901234567890123456789...\" is not a number"},
    {"a,b\n1,2\n", NO_HEADER,
     "$DIR/a.csv: row 1, column index 0: \"a\" is not a number (if this is a header: set data.header to true)"},
    {"1,2.5\n2,3.5\n", "",
     "$DIR/a.csv: row 1: only numbers where the header should be; set data.header to false if it is data"},
    {"a,b\n1,x\n,y\n", "", "$DIR/a.csv: row 3, column \"a\": empty cell"},
    {"a,b\n1,x\n2,\n", "", MISSING("\"b\"", "1 of 2", "row 3: \"\"")},
    {"a,b\n1,x\n2,\"\"", "", MISSING("\"b\"", "1 of 2", "row 3: \"\"")},
    {"a,b\n1,nan\n2,1\n3,NaN\n4,2\n", "", MISSING("\"b\"", "2 of 4", "row 2: \"nan\", row 4: \"NaN\"")},
    {"1,NA\n2,x\n3,#N/A\n4,y\n5,n/a\n6,?\n7,null\n8,-\n9,<na>\n", NO_HEADER,
     MISSING("index 1", "7 of 9",
             "row 1: \"NA\", row 3: \"#N/A\", row 5: \"n/a\", row 6: \"?\", row 7: \"null\", ...")},
    {"b,a\nx,1\n\" \",2\n", ", \"target\": 0", MISSING("\"b\"", "1 of 2", "row 3: \" \"")},
    {"a,b\n1,2\n2,\n", REGRESSION, MISSING_TARGET("\"b\"", "1 of 2", "row 3: \"\"")},
    {"1,NA\n2,3\n3,nan\n4,4\n5,?\n", NO_HEADER REGRESSION,
     MISSING_TARGET("index 1", "3 of 5", "row 1: \"NA\", row 3: \"nan\", row 5: \"?\"")},
    {"a,b,c\n1,2,\n2,null,3\n3,-,4\n", REGRESSION ", \"target\": [2, 1]",
     MISSING_TARGET("\"c\"", "1 of 3", "row 2: \"\"") "\n" MISSING_TARGET("\"b\"", "2 of 3",
                                                                          "row 3: \"null\", row 4: \"-\"")},
    {"a,b\n1,x\nnan,y\n", "", "$DIR/a.csv: row 3, column \"a\": \"nan\" is not a finite number"},
    {"a,b\n-Inf,x\n1,y\n", "", "$DIR/a.csv: row 2, column \"a\": \"-Inf\" is not a finite number"},
    {"a,b\n1e999,x\n1,y\n", "", "$DIR/a.csv: row 2, column \"a\": \"1e999\" is not a finite number"},
    {"a,b\n1,2\n2,inf\n", REGRESSION, "$DIR/a.csv: row 3, column \"b\": \"inf\" is not a finite number"},
    {"1,x,a\n2,3,b\n", NO_HEADER, "$DIR/a.csv: row 1, column index 1: \"x\" is not a number" SLIP},
    {"x,1,a\n2,3,b\n", NO_HEADER, "$DIR/a.csv: row 1, column index 0: \"x\" is not a number" SLIP},
    {"1,x\n2,3\n", NO_HEADER REGRESSION, "$DIR/a.csv: row 1, column index 1: \"x\" is not a number" SLIP},
    {"1,x,a\n2,y,b\n", NO_HEADER,
     "$DIR/a.csv: row 1, column index 1: \"x\" is not a number, nor is \"y\" in row 2 (words are no feature: take the "
     "column out of the file, or write a column of 0 and 1 for each word)"},
    {"1,x\n2,y\n", NO_HEADER REGRESSION,
     "$DIR/a.csv: row 1, column index 1: \"x\" is not a number, nor is \"y\" in row 2 (for labels set data.task to "
     "\"classes\")"},
    {"u,v,w\nx,1,a\n", NO_HEADER,
     "$DIR/a.csv: row 1, column index 0: \"u\" is not a number (if this is a header: set data.header to true)"},
    {"1,2,3\nx,y,l\n1,2,a\n3,4,b\n", NO_HEADER,
     "$DIR/a.csv: row 2, column index 0: \"x\" is not a number (if this is the header: take the row before it out of "
     "the "
     "file and set data.header to true)"},
    {"t,,\nx,y,l\n1,2,a\n3,4,b\n", "",
     "$DIR/a.csv: row 2, column \"t\": \"x\" is not a number (if this is the header: take the row before it out of the "
     "file)"},
    {"t,,\nx,y,l\n1,2,a\n3,4,b\n", NO_HEADER,
     "$DIR/a.csv: row 1, column index 0: \"t\" is not a number (if row 2 is the header: take what stands before it out "
     "of the file and set data.header to true)"},
    {"x,y,l\n1,v,a\n3,w,b\n", "",
     "$DIR/a.csv: row 2, column \"y\": \"v\" is not a number, nor is \"w\" in row 3 (words are no feature: take the "
     "column out of the file, or write a column of 0 and 1 for each word)"},
    {"1,5;2,5;a\n3,1;4,2;b\n", NO_HEADER, "$DIR/a.csv: row 1, column index 1: \"5;2\" is not a number" ASK("\";\"")},
    {"a, b;c\n1;x\n2;y\n", "", "$DIR/a.csv: row 2: 1 cell, expected 2 as in row 1" ASK("\";\"")},
    {"a;b\n1,5;x\n2;y\n", ", \"delimiter\": \";\"",
     "$DIR/a.csv: row 2, column \"a\": \"1,5\" is not a number (a number has a point, not a comma: sed 's/,/./g' FILE "
     ">NEW)"},
    {"a,b\n\"1,5\",x\n2,y\n", "",
     "$DIR/a.csv: row 2, column \"a\": \"1,5\" is not a number (a number has a point, not a comma)"},
    {" 1 x\n 2 y\n", ", \"delimiter\": \" \"" NO_HEADER, "$DIR/a.csv: row 1, column index 0: empty cell" BLANKS},
    {"a b\n1   x\n2 y\n", ", \"delimiter\": \" \"", "$DIR/a.csv: row 2: 4 cells, expected 2 as in row 1" BLANKS},
    {"a,b\n1,2\n2,x\n", REGRESSION, "$DIR/a.csv: row 3, column \"b\": \"x\" is not a number"},
    {"a,b\n1,x\n1\n", "", "$DIR/a.csv: row 3: 1 cell, expected 2 as in row 1"},
    {"a,b\nr1,1,x\nr2,2\n", "", "$DIR/a.csv: row 3: 2 cells, expected 3 as in row 2"},
    {"2,b\nr1,1,x\nr2,2,y\n", "", FIRST_ROW("2 cells", "3")},
    {"10,3\n1,2,x\n3,4,y\n", "", FIRST_ROW("2 cells", "3")},
    {"10,3\n1,2,x\n3,4,y\n", ", \"header\": false", FIRST_ROW("2 cells", "3")},
    {"10,3,x,y\n1,2,3,4,x\n", "", FIRST_ROW("4 cells", "5")},
    {"10,3,x,y\n1,2,3,4,x\n", ", \"header\": false", FIRST_ROW("4 cells", "5")},
    {"Flowers\na,b\n1,x\n", "", FIRST_ROW("1 cell", "2")},
    {"a;b;c\n1;2;x\n", "", DELIMITER("\",\"", "\";\"")},
    {"\"a, b\";\"c\"\n1;x\n", "", DELIMITER("\",\"", "\";\"")},
    {"1\t2\tx\n1\t2\ty\n", ", \"header\": false", DELIMITER("\",\"", "\"\\t\"")},
    {"a,b\n1,x\n", ", \"delimiter\": \";\"", DELIMITER("\";\"", "\",\"")},
    {"\x1f\x8b\x08 packed", "", "$DIR/a.csv: gzip data (unpack it first: gunzip -c FILE >NEW)"},
    {"PK\x03\x04 packed", "", "$DIR/a.csv: zip data (unpack it first; a spreadsheet is one, too: save it as CSV)"},
    {"a,b\n1,x\n1,x,2\n", "", "$DIR/a.csv: row 3: 3 cells, expected 2 as in row 1"},
    {"a,b\n1,x,\n", "", "$DIR/a.csv: row 2: 3 cells, expected 2 as in row 1"},
    {"a,b\n1,x\n\n2,y\n", "", "$DIR/a.csv: row 3: a blank line"},
    {"\na,b\n1,x\n", "", "$DIR/a.csv: row 1: a blank line"},
    {"a,b\n1,\"x\n2,y\n", "", "$DIR/a.csv: row 2: a quoted cell is not closed before the end of the file"},
    {"a,b\n1,\"x\"z\n", "", "$DIR/a.csv: row 2: text after a closing quote"},
    {"a,b\n1,5\" pipe\n", "", "$DIR/a.csv: row 2: a quote inside an unquoted cell"},
    {"a,b\r1,x\r2,y\r", "", "$DIR/a.csv: row 1: a carriage return without a line feed"},
    {"a,b\n1,x\n2,x\n", "", "$DIR/a.csv: column \"b\": only one class, \"x\"; two or more are needed"},
    {"1,7\n2,07\n", NO_HEADER, "$DIR/a.csv: column index 1: only one class, \"7\"; two or more are needed"},
};

static void test_faults(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        sn_dataset dataset;
        assert_int_equal(load_text(&dataset, bad_files[i].text, bad_files[i].keys), SN_INVALID);
        fixture_expect_message(bad_files[i].text, bad_files[i].message);
        assert_null(dataset.blocks[0]);
    }
}

/* Faults of the config show where in it: here the position is that of the value. */
static void test_config_faults(void **state) {
    (void)state;
    static const char *const text = "a,b,b\n1,2,3\n4,5,6\n";
    static const bad_file cases[] = {
        {NULL, ", \"target\": \"c\"",
         "c.json:1:53: data.target: no column \"c\" in $DIR/a.csv (it has \"a\", \"b\", \"b\")"},
        {NULL, ", \"target\": \"b\"",
         "c.json:1:53: data.target: 2 columns of $DIR/a.csv are called \"b\"; use the index, from 0"},
        {NULL, ", \"target\": 3",
         "c.json:1:53: data.target: no column index 3 in $DIR/a.csv, which has 3 columns (0 to 2, or -1 for the last)"},
        {NULL, ", \"target\": -4",
         "c.json:1:53: data.target: no column index -4 in $DIR/a.csv, which has 3 columns (0 to 2, or -1 for the "
         "last)"},
        {NULL, ", \"target\": [0, 1]", "c.json:1:53: data.target: classes have one target column, not 2"},
        {NULL, ", \"target\": [0, -3]" REGRESSION, "c.json:1:57: data.target[1]: this column is a target already"},
        {NULL, ", \"target\": [0, 1, 2]" REGRESSION,
         "c.json:1:53: data.target: no column of $DIR/a.csv is left as a feature"},
        {NULL, ", \"target\": \"a\"" NO_HEADER,
         "c.json:1:53: data.target: a column has a name only where data.header is true; use its index, from 0"},
        {NULL, ", \"delimiter\": \"ab\"",
         "c.json:1:56: data.delimiter: expected one ASCII character that is no letter, digit, sign, point, quote or "
         "line end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_dataset dataset;
        assert_int_equal(load_text(&dataset, text, cases[i].keys), SN_INVALID);
        fixture_expect_message(cases[i].keys, cases[i].message);
    }
    static const char *const delimiters[] = {"", "\\\"", "\\n", "\\r", "-", "+", ".", "e", "Z", "5", "_", "\xC3\xA4"};
    for (size_t i = 0; i < sizeof delimiters / sizeof *delimiters; i++) {
        char keys[64];
        sn_dataset dataset;
        snprintf(keys, sizeof keys, ", \"delimiter\": \"%s\"", delimiters[i]);
        assert_int_equal(load_text(&dataset, text, keys), SN_INVALID);
        assert_non_null(strstr(fixture_error.text, "data.delimiter: "));
    }
}

static void test_nothing_left_to_train_on(void **state) {
    (void)state;
    sn_dataset dataset;
    assert_int_equal(load_text(&dataset, "a,b\n1,2\n", REGRESSION), SN_INVALID);
    assert_non_null(strstr(fixture_error.text, "data.test_fraction: holding 1 of 1 row of "));
    assert_int_equal(load_text(&dataset, "a,b\n1,x\n2,y\n", ", \"test_fraction\": 0.99"), SN_INVALID);
    assert_non_null(strstr(fixture_error.text, "data.test_fraction: holding 2 of 2 rows of "));
}

static void test_second_file_faults(void **state) {
    (void)state;
    static const bad_file cases[] = {
        {"x,y\n1,a\n2,c\n", "", "$DIR/b.csv: row 3: label \"c\" does not occur in $DIR/a.csv"},
        {"x,y,z\n1,a,b\n", "", "$DIR/b.csv: row 1: 3 columns, but $DIR/a.csv has 2"},
        {"y,x\n1,a\n", "", "$DIR/b.csv: row 1: column index 0 is called \"y\", but in $DIR/a.csv \"x\""},
        {"x,y\n1,a\nq,a\n", "", "$DIR/b.csv: row 3, column \"x\": \"q\" is not a number"},
        {"x,y\n", "", "$DIR/b.csv: a header, but no rows of data"},
        {"x,y\n1,a\n2,NA\n", "",
         "$DIR/b.csv: column \"y\": the label is missing in 1 of 2 rows (row 3: \"NA\"); give these rows a label or "
         "take "
         "them out of the file (a class that is called so needs another name)"},
        {"", "", "$DIR/b.csv: the file is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_dataset dataset;
        write_text("b.csv", cases[i].text);
        assert_int_equal(load_text(&dataset, "x,y\n1,a\n2,b\n", ", \"test_path\": \"b.csv\""), SN_INVALID);
        fixture_expect_message(cases[i].text, cases[i].message);
    }
}

static void test_unreadable(void **state) {
    (void)state;
    fixture_write("a.csv", "a,b\n1,\0\n", 8);
    fixture_expect_fault("{\"kind\": \"csv\", \"path\": \"a.csv\"}", SN_INVALID,
                         "$DIR/a.csv: byte offset 6: a NUL byte, so this is no CSV text in UTF-8");
    fixture_expect_fault("{\"kind\": \"csv\", \"path\": \"nowhere.csv\"}", SN_IO,
                         "cannot open $DIR/nowhere.csv: No such file or directory");
    mkdir(fixture_path("dir"), 0777);
    fixture_expect_fault("{\"kind\": \"csv\", \"path\": \"dir\"}", SN_IO, "cannot read $DIR/dir: Is a directory");
    sn_dataset dataset;
    assert_int_equal(fixture_load(&dataset, "\"csv\""), SN_INVALID); /* path is required */
    assert_non_null(strstr(fixture_error.text, "path"));
}

static void check_column(const sn_dataset *d, const double *wanted) {
    for (size_t i = 0; i < d->train.n; i++) {
        for (size_t j = 0; j < d->in_dim; j++) {
            double scaled = (d->train.values[i * d->in_dim + j] - d->mean[d->n_scales > 1 ? j : 0]) *
                            d->factor[d->n_scales > 1 ? j : 0];
            assert_true(fabs(scaled - wanted[i * d->in_dim + j]) < 1e-15);
        }
    }
}

/* Columns 1, 2, 3 (sd sqrt(2/3)), a constant whose mean rounds, and one far from 0. */
static void test_scaling(void **state) {
    (void)state;
    static const char *const text = "a,b,c,y\n1,0.1,1e9,x\n2,0.1,1000000002,y\n3,0.1,1000000001,x\n";
    const double s = sqrt(1.5);
    const double standard[] = {-s, 0, -s, 0, 0, s, s, 0, 0}, unit[] = {0, 0, 0, .5, 0, 1, 1, 0, .5};
    const double raw[] = {1, .1, 1e9, 2, .1, 1000000002, 3, .1, 1000000001};
    sn_dataset d = load_text_ok(text, ALL);
    assert_int_equal(d.n_scales, 3);
    check_column(&d, standard);
    assert_true(d.factor[1] == 1);
    sn_dataset_reset(&d);
    d = load_text_ok(text, ALL ", \"scaling\": \"unit\"");
    check_column(&d, unit);
    sn_dataset_reset(&d);
    d = load_text_ok(text, ALL ", \"scaling\": \"none\"");
    assert_int_equal(d.n_scales, 1);
    check_column(&d, raw);
    sn_dataset_reset(&d);

    sn_dataset bad;
    assert_int_equal(load_text(&bad, "a,b,y\n1,1e308,x\n2,-1e308,y\n", ALL), SN_INVALID);
    fixture_expect_message("too large",
                           "$DIR/a.csv: feature 1 runs from -1e+308 to 1e+308, which double precision cannot "
                           "scale; set data.scaling to none");
}

/* The fast path and the slow one give what strtod gives. */
static void test_numbers(void **state) {
    (void)state;
    static const char *const numbers[] = {
        "0",
        "-0",
        "1",
        "0.1",
        "123456.789",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "4.9e-324",
        "1e-400",
        "1.7976931348623157e308",
        "0.1e1000000000000000000000000000000",
        "000000000000000000000000000001",
        "3.14159265358979323846264338327950288",
        ".5",
        "5.",
        "+7",
        "1E5",
        "1e+5",
        "0e999999",
        "0.00000000000000000000000000000000000000000000000000000000001e70",
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double value = -1, wanted = strtod(numbers[i], NULL);
        sn_cell kind = sn_csv_number(numbers[i], &value);
        assert_int_equal(kind, isfinite(wanted) ? SN_CELL_NUMBER : SN_CELL_NOT_FINITE);
        if (isfinite(wanted)) assert_memory_equal(&value, &wanted, sizeof value);
    }
    static const char *const texts[] = {"-", "+", ".", "e5", "1e", "1e+", "1 2", "1,2", "--1", "0x1p3", "1f", "nano"};
    double value = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(sn_csv_number(texts[i], &value), SN_CELL_TEXT);
    assert_int_equal(sn_csv_number("", &value), SN_CELL_EMPTY);
    assert_int_equal(sn_csv_number("-Infinity", &value), SN_CELL_NOT_FINITE);
}

/* A million cells: the size of a small image set as text; the time is shown, not tested. */
static void test_many_cells(void **state) {
    (void)state;
    enum { ROWS = 10000, COLUMNS = 101 };
    char *text = malloc(ROWS * COLUMNS * 8);
    assert_non_null(text);
    size_t size = 0;
    for (int i = 0; i < ROWS; i++) {
        for (int j = 1; j < COLUMNS; j++)
            size += (size_t)sprintf(text + size, "%d.%03d,", j % 10, (i * 7 + j) % 1000);
        size += (size_t)sprintf(text + size, "%d\n", i % 3);
    }
    fixture_write("a.csv", text, size);
    free(text);
    clock_t start = clock();
    sn_dataset d = fixture_load_ok("{\"kind\": \"csv\", \"path\": \"a.csv\", \"header\": false, \"test_fraction\": 0}");
    print_message("%d cells loaded in %.3f s\n", ROWS * COLUMNS, (double)(clock() - start) / CLOCKS_PER_SEC);
    assert_int_equal(d.train.n, ROWS);
    assert_int_equal(d.in_dim, COLUMNS - 1);
    assert_int_equal(d.out_dim, 3);
    for (int i = 0; i < ROWS; i++) {
        int j = i % 100 + 1;
        double wanted = j % 10 + (i * 7 + j) % 1000 / 1000.0;
        assert_true(fabs(d.train.values[(size_t)i * 100 + (size_t)j - 1] - wanted) < 1e-14);
    }
    sn_dataset_reset(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_delimiters_and_no_header),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_held_out),
        cmocka_unit_test(test_second_file),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_config_faults),
        cmocka_unit_test(test_nothing_left_to_train_on),
        cmocka_unit_test(test_second_file_faults),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_many_cells),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
