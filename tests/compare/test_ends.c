/* The rows of two steps out of a CSV: against files whose rows are known, from one row to many windows of them. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "compare/ends.h"

static sn_error error;
static char path[64];

static int make_path(void **state) {
    (void)state;
    strcpy(path, "/tmp/sn_ends.XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int remove_path(void **state) {
    (void)state;
    return unlink(path);
}

static void put(const char *text, size_t length) {
    sn_error_clear(&error);
    assert_int_equal(sn_file_write_atomic(path, text, length, &error), SN_OK);
}

static void add_rows(sn_text *text, int step, int n, int width) {
    for (int i = 0; i < n; i++) {
        sn_text_addf(text, "%d,", step);
        for (int k = 0; k < width; k++)
            sn_text_addf(text, "%c", 'a' + (step + i + k) % 26);
        sn_text_add(text, "\n");
    }
}

static void assert_rows(const sn_rows *rows, const sn_text *expected, size_t n) {
    assert_int_equal(rows->n, n);
    assert_int_equal(rows->length, expected->length);
    assert_memory_equal(rows->text, sn_text_string(expected), rows->length);
}

/* Steps 0 ... n_steps - 1 with n rows each; asks for the one before the last. */
static void check_steps(sn_ends *ends, int n_steps, int n, int width) {
    sn_text text = SN_TEXT_EMPTY, first = SN_TEXT_EMPTY, last = SN_TEXT_EMPTY;
    sn_text_add(&text, "step,text\n");
    for (int step = 0; step < n_steps; step++)
        add_rows(&text, step, n, width);
    add_rows(&first, 0, n, width);
    int wanted = n_steps > 1 ? n_steps - 2 : 0;
    add_rows(&last, wanted, n, width);
    put(sn_text_string(&text), text.length);
    assert_int_equal(sn_ends_read(ends, path, wanted, &error), SN_OK);
    assert_int_equal(ends->header.length, 10);
    assert_rows(&ends->first, &first, (size_t)n);
    assert_rows(&ends->last, &last, (size_t)n);
    sn_text_free(&text);
    sn_text_free(&first);
    sn_text_free(&last);
}

static void test_files_of_many_sizes(void **state) {
    (void)state;
    sn_ends ends = {0};
    for (int n_steps = 1; n_steps < 40; n_steps += 3) {
        check_steps(&ends, n_steps, 1, 5);
        check_steps(&ends, n_steps, 7, 900);
        check_steps(&ends, n_steps, 300, 300); /* a step is larger than a window */
    }
    sn_ends_reset(&ends);
}

static void check_text(const char *text, int64_t step, size_t n_first, size_t n_last) {
    sn_ends ends = {0};
    put(text, strlen(text));
    assert_int_equal(sn_ends_read(&ends, path, step, &error), SN_OK);
    assert_int_equal(ends.first.n, n_first);
    assert_int_equal(ends.last.n, n_last);
    sn_ends_reset(&ends);
}

static void test_what_is_cut_does_not_count(void **state) {
    (void)state;
    check_text("", 3, 0, 0);
    check_text("step,a", 3, 0, 0);
    check_text("step,a\n", 3, 0, 0);
    check_text("step,a\n0,1\n0,2", 3, 1, 0);
    check_text("step,a\n0,1\n0,2\n3,1\n3", 3, 2, 1);
    check_text("step,a\n0,1\n3,1\n3,2\n4,1\n", 3, 1, 2);
    check_text("step,a\n0,1\n3,1\n", -1, 1, 0);
    check_text("step,a\n0,1\n0,2\n1,1\n", 0, 2, 2);
    check_text("step,a\n0,1\n2,1\n4,1\n", 3, 1, 0);
}

static void check_refusal(const char *text, const char *message) {
    sn_ends ends = {0};
    put(text, strlen(text));
    assert_int_equal(sn_ends_read(&ends, path, 3, &error), SN_INVALID);
    sn_text expected = SN_TEXT_EMPTY;
    sn_text_addf(&expected, "%s%s", path, message);
    assert_string_equal(error.text, sn_text_string(&expected));
    sn_text_free(&expected);
    sn_ends_reset(&ends);
}

static void test_what_is_no_row(void **state) {
    (void)state;
    check_refusal("step,a\n0,1\nx,1\n", ":3: not a row with a step");
    check_refusal("step,a\n0,1\n\n", ":3: not a row with a step");
    check_refusal("step,a\n99999999999999999999,1\n", ":2: not a row with a step");
    check_refusal("step,a\n0,1\n1,1\nnope\n3,1\n", ": byte 9 from its end: not a row with a step");
    sn_ends ends = {0};
    assert_int_equal(sn_ends_read(&ends, "/nowhere/loss.csv", 3, &error), SN_IO);
    assert_string_equal(error.text, "cannot open /nowhere/loss.csv: No such file or directory");
    sn_ends_reset(&ends);
}

static void test_cells_of_a_line(void **state) {
    (void)state;
    const char *line = "1,\"a,\"\"b\",,x", *at = line, *end = line + strlen(line);
    const char *const expected[] = {"1", "\"a,\"\"b\"", "", "x"};
    sn_slice cell;
    size_t n = 0;
    for (; sn_line_next(&at, end, &cell); n++) {
        assert_true(n < 4);
        assert_int_equal(cell.length, strlen(expected[n]));
        assert_memory_equal(cell.start, expected[n], cell.length);
    }
    assert_int_equal(n, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_of_many_sizes, make_path, remove_path),
        cmocka_unit_test_setup_teardown(test_what_is_cut_does_not_count, make_path, remove_path),
        cmocka_unit_test_setup_teardown(test_what_is_no_row, make_path, remove_path),
        cmocka_unit_test(test_cells_of_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
