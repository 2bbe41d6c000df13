/* The order of the training samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/order.h"

static sn_error error;

/* Walks an epoch and copies it to items[0..n), checking the sizes of its batches. */
static void read_epoch(sn_order *order, uint64_t epoch, uint32_t *items) {
    uint64_t steps = sn_order_steps_per_epoch(order);
    size_t n = 0;
    for (uint64_t step = epoch * steps; step < (epoch + 1) * steps; step++) {
        size_t rows = 0;
        const uint32_t *batch = sn_order_batch(order, step, &rows);
        bool is_last = step + 1 == (epoch + 1) * steps;
        if (!is_last) assert_int_equal(rows, order->batch_size);
        assert_in_range(rows, 1, order->batch_size);
        assert_true(n + rows <= order->n);
        memcpy(items + n, batch, rows * sizeof *items);
        n += rows;
    }
    assert_int_equal(n, order->n);
}

static void assert_permutation(const uint32_t *items, uint32_t n) {
    bool *seen = calloc(n, sizeof *seen);
    assert_non_null(seen);
    for (uint32_t i = 0; i < n; i++) {
        assert_in_range(items[i], 0, n - 1);
        assert_false(seen[items[i]]);
        seen[items[i]] = true;
    }
    free(seen);
}

enum { N = 1003, BATCH = 100 };

static void test_permutations(void **state) {
    (void)state;
    sn_order order;
    assert_int_equal(sn_order_init(&order, 7, true, N, BATCH, &error), SN_OK);
    assert_int_equal(sn_order_steps_per_epoch(&order), 11);
    uint32_t epochs[3][N];
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        read_epoch(&order, epoch, epochs[epoch]);
        assert_permutation(epochs[epoch], N);
    }
    assert_memory_not_equal(epochs[0], epochs[1], sizeof epochs[0]);
    assert_memory_not_equal(epochs[1], epochs[2], sizeof epochs[0]);
    sn_order_reset(&order);
    sn_order_reset(&order);
}

/* Entering in the middle, as after a resume, gives what walking there gives. */
static void test_function_of_seed_and_epoch(void **state) {
    (void)state;
    sn_order a, b, other;
    uint32_t x[N], y[N];
    assert_int_equal(sn_order_init(&a, 7, true, N, BATCH, &error), SN_OK);
    assert_int_equal(sn_order_init(&b, 7, true, N, 17, &error), SN_OK);
    assert_int_equal(sn_order_init(&other, 8, true, N, BATCH, &error), SN_OK);
    read_epoch(&a, 0, x);
    read_epoch(&a, 1, x);
    read_epoch(&b, 1, y);
    assert_memory_equal(x, y, sizeof x);
    read_epoch(&b, 5, y);
    read_epoch(&b, 1, y);
    assert_memory_equal(x, y, sizeof x);
    read_epoch(&other, 1, y);
    assert_memory_not_equal(x, y, sizeof x);
    sn_order_reset(&a);
    sn_order_reset(&b);
    sn_order_reset(&other);
}

static void test_short_last_batch(void **state) {
    (void)state;
    sn_order order;
    size_t rows = 0;
    assert_int_equal(sn_order_init(&order, 1, true, N, BATCH, &error), SN_OK);
    assert_non_null(sn_order_batch(&order, 10, &rows));
    assert_int_equal(rows, 3);
    assert_non_null(sn_order_batch(&order, 11, &rows));
    assert_int_equal(rows, BATCH);
    sn_order_reset(&order);

    assert_int_equal(sn_order_init(&order, 1, true, 5, 100, &error), SN_OK);
    assert_int_equal(sn_order_steps_per_epoch(&order), 1);
    assert_non_null(sn_order_batch(&order, 3, &rows));
    assert_int_equal(rows, 5);
    sn_order_reset(&order);

    assert_int_equal(sn_order_init(&order, 1, true, 200, 100, &error), SN_OK);
    assert_int_equal(sn_order_steps_per_epoch(&order), 2);
    assert_non_null(sn_order_batch(&order, 1, &rows));
    assert_int_equal(rows, 100);
    sn_order_reset(&order);
}

static void test_unshuffled(void **state) {
    (void)state;
    sn_order order;
    uint32_t items[N] = {0};
    assert_int_equal(sn_order_init(&order, 7, false, N, BATCH, &error), SN_OK);
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        read_epoch(&order, epoch, items);
        for (uint32_t i = 0; i < N; i++)
            assert_int_equal(items[i], i);
    }
    sn_order_reset(&order);
}

static void test_nothing_to_order(void **state) {
    (void)state;
    sn_order order;
    assert_int_equal(sn_order_init(&order, 1, true, 0, 10, &error), SN_FAILED);
    assert_string_equal(error.text, "no order of 0 samples in batches of 10");
    sn_order_reset(&order);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_permutations),     cmocka_unit_test(test_function_of_seed_and_epoch),
        cmocka_unit_test(test_short_last_batch), cmocka_unit_test(test_unshuffled),
        cmocka_unit_test(test_nothing_to_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
