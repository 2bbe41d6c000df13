/* Matrix products on every backend that this CPU runs, in both precisions, against a naive product in long double.
 *
 * Every product is checked in hostile surroundings: B stands at the end of its arena and whatever lies behind its
 * columns is NaN, A and the start end where their memory ends, and C lies between guards. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "support/backends.h"
#include "support/check.h"
#include "support/reals.h"

typedef enum start_mode { START_NONE, START_ROW, START_MATRIX, START_ITSELF, START_MODES } start_mode;

/* One product to try: its sizes, and elements between the end of a row and the next. */
typedef struct shape {
    size_t m, n, k;
    size_t a_gap, b_gap, c_gap;
    bool a_is_transposed;
    start_mode start;
} shape;

/* A product in memory.  Matrices as doubles hold numbers of the precision, so nothing is rounded on the way. */
typedef struct problem {
    shape shape;
    sn_dtype dtype;
    double *a, *b, *start; /* (m, k), (k, n), (m, n); without gaps */
    void *a_memory, *start_memory, *c_memory;
    sn_arena b_arena;
    size_t c_bytes;
    sn_product_call call;
} problem;

enum { GUARD = 64, PATTERN = 0xA5 };

static int n_products; /* that were compared, so that no test passes without any */

static void *take(size_t bytes) {
    void *memory = malloc(bytes);
    assert_non_null(memory);
    return memory;
}

/* Copies a matrix to (rows, cols) of `view`, with NaN between its rows. */
static void place(sn_dtype dtype, sn_view view, const double *values, size_t rows, size_t cols) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < view.ld && (c < cols || r + 1 < rows); c++)
            real_set(dtype, view.data, r * view.ld + c, c < cols ? values[r * cols + c] : (double)NAN);
    }
}

/* Elements from the first to the last of a matrix. */
static size_t extent(size_t rows, size_t cols, size_t gap) {
    return (rows - 1) * (cols + gap) + cols;
}

static void place_a(problem *p) {
    const shape *s = &p->shape;
    size_t rows = s->a_is_transposed ? s->k : s->m, cols = s->a_is_transposed ? s->m : s->k;
    double *stored = take(rows * cols * sizeof *stored);
    for (size_t i = 0; i < s->m; i++) {
        for (size_t q = 0; q < s->k; q++)
            stored[s->a_is_transposed ? q * s->m + i : i * s->k + q] = p->a[i * s->k + q];
    }
    free(p->a_memory);
    p->a_memory = take(extent(rows, cols, s->a_gap) * sn_dtype_size(p->dtype));
    p->call.a = (sn_view){p->a_memory, cols + s->a_gap};
    place(p->dtype, p->call.a, stored, rows, cols);
    free(stored);
}

/* B's last element is the last of what the arena was asked for: no more than SN_ALIGNMENT bytes may be read behind. */
static void place_b(problem *p) {
    static sn_error error;
    const shape *s = &p->shape;
    size_t bytes = extent(s->k, s->n, s->b_gap) * sn_dtype_size(p->dtype), rounded = sn_align(bytes);
    sn_arena_reset(&p->b_arena);
    if (sn_arena_init(&p->b_arena, bytes, "B", &error)) fail_msg("%s", error.text);
    memset(p->b_arena.base, 0xFF, rounded + SN_ALIGNMENT); /* NaN, in both precisions */
    p->call.b = (sn_view){p->b_arena.base + (rounded - bytes), s->n + s->b_gap};
    place(p->dtype, p->call.b, p->b, s->k, s->n);
}

/* C is the pattern of the guards, or what the product starts from. */
static void place_c(problem *p) {
    const shape *s = &p->shape;
    memset(p->c_memory, PATTERN, p->c_bytes);
    p->call.c = (sn_view){(char *)p->c_memory + GUARD, s->n + s->c_gap};
    if (s->start != START_ITSELF) return;
    for (size_t i = 0; i < s->m; i++) {
        for (size_t j = 0; j < s->n; j++)
            real_set(p->dtype, p->call.c.data, i * p->call.c.ld + j, p->start[i * s->n + j]);
    }
}

static void place_start(problem *p) {
    const shape *s = &p->shape;
    size_t rows = s->start == START_ROW ? 1 : s->m;
    free(p->start_memory);
    p->start_memory = take(extent(rows, s->n, s->c_gap) * sn_dtype_size(p->dtype));
    sn_view start = {p->start_memory, s->n + s->c_gap};
    place(p->dtype, start, p->start, rows, s->n);
    if (s->start == START_NONE) p->call.start = (sn_view){NULL, 0};
    if (s->start == START_ROW) p->call.start = (sn_view){start.data, 0};
    if (s->start == START_MATRIX) p->call.start = start;
    if (s->start == START_ITSELF) p->call.start = p->call.c;
}

static void open_problem(problem *p, const shape *s, sn_dtype dtype, uint64_t number) {
    *p = (problem){.shape = *s, .dtype = dtype};
    p->a = real_draw(dtype, "A", number, s->m * s->k);
    p->b = real_draw(dtype, "B", number, s->k * s->n);
    p->start = real_draw(dtype, "start", number, s->m * s->n);
    for (size_t i = 0; i < s->m * s->n; i++) {
        if (s->start == START_NONE) p->start[i] = 0;
        if (s->start == START_ROW) p->start[i] = p->start[i % s->n];
    }
    p->c_bytes = s->m * (s->n + s->c_gap) * sn_dtype_size(dtype) + 2 * (size_t)GUARD;
    p->c_memory = take(p->c_bytes);
    p->call = (sn_product_call){.m = s->m, .n = s->n, .k = s->k, .a_is_transposed = s->a_is_transposed};
    place_a(p);
    place_b(p);
    place_c(p);
    place_start(p);
}

static void close_problem(problem *p) {
    sn_arena_reset(&p->b_arena);
    free(p->a);
    free(p->b);
    free(p->start);
    free(p->a_memory);
    free(p->start_memory);
    free(p->c_memory);
}

/* What a product should be: by element its value, the rounding errors it may have, and the sum in the order of the
 * steps with what a multiply-add is rounded to. */
typedef struct expected {
    long double *exact;
    double *bound, *in_order;
} expected;

static void expect(const problem *p, expected *e) {
    size_t m = p->shape.m, n = p->shape.n, k = p->shape.k;
    double epsilon = real_epsilon(p->dtype);
    *e = (expected){take(m * n * sizeof *e->exact), take(m * n * sizeof *e->bound), take(m * n * sizeof *e->in_order)};
    for (size_t i = 0; i < m * n; i++) {
        long double sum = p->start[i], magnitude = fabsl(sum);
        double in_order = p->start[i];
        for (size_t q = 0; q < k; q++) {
            double a = p->a[i / n * k + q], b = p->b[q * n + i % n];
            sum += (long double)a * b;
            magnitude += fabsl((long double)a * b);
            in_order = real_fma(p->dtype, a, b, in_order);
        }
        e->exact[i] = sum;
        e->bound[i] = (double)(k + 1) * epsilon * (double)magnitude;
        e->in_order[i] = in_order;
    }
}

static void forget(expected *e) {
    free(e->exact);
    free(e->bound);
    free(e->in_order);
}

static double element(const problem *p, size_t i) {
    return real_get(p->dtype, p->call.c.data, i / p->shape.n * p->call.c.ld + i % p->shape.n);
}

static void describe(const problem *p, const sn_backend *backend, char out[200]) {
    static const char *const starts[START_MODES] = {"nothing", "a row", "a matrix", "C"};
    const shape *s = &p->shape;
    snprintf(out, 200, "%s %s%s: %zu x %zu x %zu, gaps %zu %zu %zu, A %s, from %s", backend->simd,
             p->call.by_openblas ? "OpenBLAS " : "", p->dtype == SN_F64 ? "double" : "float", s->m, s->n, s->k,
             s->a_gap, s->b_gap, s->c_gap, s->a_is_transposed ? "transposed" : "as it is", starts[s->start]);
}

/* Nothing but C was written. */
static void check_guards(const problem *p, const char *what) {
    const unsigned char *bytes = p->c_memory;
    size_t size = sn_dtype_size(p->dtype), row = p->call.c.ld * size, used = p->shape.n * size;
    for (size_t i = 0; i < p->c_bytes; i++) {
        bool is_inside = i >= GUARD && i < p->c_bytes - GUARD;
        if (is_inside && (i - GUARD) % row < used) continue;
        if (bytes[i] != PATTERN) fail_msg("%s: byte %zu outside of C is written", what, i);
    }
}

static void check_by(problem *p, const expected *e, const sn_backend *backend, bool by_openblas) {
    char what[200];
    describe(p, backend, what);
    place_c(p);
    p->call.by_openblas = by_openblas;
    if (!backend->multiply(&p->call)) fail_msg("%s: said not to be finite", what);
    for (size_t i = 0; i < p->shape.m * p->shape.n; i++) {
        double c = element(p, i), error = fabs((double)((long double)c - e->exact[i]));
        if (!(error <= e->bound[i])) fail_msg("%s: element %zu is %.17g, off by %g", what, i, c, error);
        if (backend->has_fma && !by_openblas && c != e->in_order[i])
            fail_msg("%s: element %zu is %.17g, but %.17g in order", what, i, c, e->in_order[i]);
    }
    check_guards(p, what);
    n_products++;
}

/* By the kernel, and by OpenBLAS. */
static void check_on(problem *p, const expected *e, const sn_backend *backend) {
    check_by(p, e, backend, false);
    check_by(p, e, backend, true);
}

/* One product on all backends and in both precisions. */
static void check_shape(const shape *s, uint64_t number) {
    for (int d = 0; d < 2; d++) {
        const sn_backend *backends[MOST_BACKENDS];
        sn_dtype dtype = d ? SN_F64 : SN_F32;
        size_t n = runnable_backends(backends, dtype);
        problem p;
        expected e;
        open_problem(&p, s, dtype, number);
        expect(&p, &e);
        for (size_t i = 0; i < n; i++)
            check_on(&p, &e, backends[i]);
        forget(&e);
        close_problem(&p);
    }
}

/* Gaps of 0 .. 9 and everything else that a size leaves open. */
static shape random_shape(uint64_t number) {
    sn_rng rng = sn_rng_stream(1, "test", "shape", number);
    return (shape){.m = 1 + sn_rng_below(rng, 0, 70),
                   .n = 1 + sn_rng_below(rng, 1, 70),
                   .k = 1 + sn_rng_below(rng, 2, 70),
                   .a_gap = sn_rng_below(rng, 3, 10),
                   .b_gap = sn_rng_below(rng, 4, 10),
                   .c_gap = sn_rng_below(rng, 5, 10),
                   .a_is_transposed = sn_rng_below(rng, 6, 2),
                   .start = (start_mode)sn_rng_below(rng, 7, START_MODES)};
}

static void random_sizes(void **state) {
    (void)state;
    n_products = 0;
    for (uint64_t i = 0; i < 200; i++) {
        shape s = random_shape(i);
        check_shape(&s, i);
    }
    assert_true(n_products >= 800);
}

/* Rows up to two whole tiles and more, columns up to two whole tiles of floats and one, and each without gaps too. */
static void remainders(void **state) {
    (void)state;
    n_products = 0;
    for (size_t i = 0; i < 30 * 65; i++) {
        shape s = random_shape(i);
        s.m = 1 + i % 30;
        s.n = 1 + i / 30;
        s.k = 1 + i % 5;
        if (i % 3 == 0) s.a_gap = s.b_gap = s.c_gap = 0;
        check_shape(&s, i);
    }
    assert_true(n_products >= 4 * 30 * 65);
}

/* Steps are computed 256 at a time; every way to begin, and what the parts go on from. */
static void long_sums(void **state) {
    (void)state;
    static const size_t steps[] = {255, 256, 257, 511, 512, 513, 700};
    n_products = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (int mode = 0; mode < START_MODES; mode++) {
            shape s = random_shape(i);
            s.m = 1 + (size_t)mode * 5;
            s.k = steps[i];
            s.start = (start_mode)mode;
            check_shape(&s, i);
        }
    }
    assert_true(n_products >= 112);
}

/* Rows of B a page apart, a little less, and more. */
static void rows_far_apart(void **state) {
    (void)state;
    static const size_t lds[] = {511, 512, 1023, 1024, 1100}, columns[] = {1, 8, 15, 17, 33, 64, 70};
    n_products = 0;
    for (size_t i = 0; i < 5 * 7; i++) {
        shape s = random_shape(i);
        s.m = i % 4 ? 9 + i % 9 : 1 + i % 8;
        s.n = columns[i / 5];
        s.k = i % 3 ? 1 + i : 257 + i;
        s.b_gap = lds[i % 5] - s.n;
        check_shape(&s, i);
    }
    assert_true(n_products >= 140);
}

/* The product with its operands as they are now. */
static void check_told(problem *p, const sn_backend *backend, bool is_good) {
    char what[200];
    place_a(p);
    place_b(p);
    place_start(p);
    for (int by_openblas = 0; by_openblas < 2; by_openblas++) {
        place_c(p);
        p->call.by_openblas = by_openblas;
        describe(p, backend, what);
        if (backend->multiply(&p->call) != is_good) fail_msg("%s: said%s to be finite", what, is_good ? " not" : "");
        n_products++;
    }
}

/* Whatever is not finite, at any of `n` places of an operand, is told; a product without is not. */
static void check_flag(problem *p, const sn_backend *backend, double *values, size_t n) {
    static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < n; i++) {
        double kept = values[i];
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            values[i] = bad[b];
            check_told(p, backend, false);
        }
        values[i] = kept;
        check_told(p, backend, true);
    }
}

/* Few sizes, all places: every rest of rows beside whole tiles, and a vector that C takes a part of. */
static void all_that_is_not_finite_is_told(void **state) {
    (void)state;
    n_products = 0;
    for (int d = 0; d < 2; d++) {
        const sn_backend *backends[MOST_BACKENDS];
        size_t n_backends = runnable_backends(backends, d ? SN_F64 : SN_F32);
        for (size_t i = 0; i < 4 * n_backends; i++) {
            static const size_t rows[] = {9, 14, 11, 13}, columns[] = {5, 32, 37, 17};
            shape s = {.m = rows[i % 4], .n = columns[i % 4], .k = 3, .b_gap = 3, .c_gap = i % 2};
            s.start = START_MATRIX;
            problem p;
            open_problem(&p, &s, d ? SN_F64 : SN_F32, i);
            check_flag(&p, backends[i / 4], p.a, s.m * s.k);
            check_flag(&p, backends[i / 4], p.b, s.k * s.n);
            check_flag(&p, backends[i / 4], p.start, s.m * s.n);
            close_problem(&p);
        }
    }
    assert_true(n_products > 2 * 2 * 4 * 4 * 27);
}

/* Of a sum in several parts: whatever its first part met is told at the end, an overflow too; the largest number is
 * none. */
static void check_parts(const sn_backend *backend) {
    static const size_t places[] = {0, 1, 255, 256, 299};
    shape s = {.m = 10, .n = 21, .k = 300, .b_gap = 1, .a_is_transposed = true, .start = START_ROW};
    problem p;
    open_problem(&p, &s, backend->dtype, 1);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        check_flag(&p, backend, p.a + s.k * (i * 2 + 1) + places[i], 1);
        check_flag(&p, backend, p.b + s.n * places[i] + i * 5, 1);
    }
    memset(p.a, 0, s.m * s.k * sizeof *p.a);
    for (size_t j = 0; j < s.n; j++)
        p.start[j] = backend->dtype == SN_F64 ? DBL_MAX : (double)FLT_MAX;
    check_flag(&p, backend, p.a, 1);
    p.a[7 * s.k] = p.start[0];
    p.b[20] = 1;
    check_told(&p, backend, false);
    close_problem(&p);
}

static void infinities_survive_the_parts_of_a_sum(void **state) {
    (void)state;
    for (int d = 0; d < 2; d++) {
        const sn_backend *backends[MOST_BACKENDS];
        size_t n = runnable_backends(backends, d ? SN_F64 : SN_F32);
        for (size_t i = 0; i < n; i++)
            check_parts(backends[i]);
    }
}

/* C (rows from, to) x (columns from, to), by a call of its own. */
static void compute_piece(const problem *p, const sn_backend *backend, const size_t rows[2], const size_t columns[2]) {
    size_t size = sn_dtype_size(p->dtype), i = rows[0], j = columns[0];
    sn_product_call call = p->call;
    call.m = rows[1] - i;
    call.n = columns[1] - j;
    call.a.data = (char *)call.a.data + (call.a_is_transposed ? i : i * call.a.ld) * size;
    call.b.data = (char *)call.b.data + j * size;
    call.c.data = (char *)call.c.data + (i * call.c.ld + j) * size;
    if (call.start.data) call.start.data = (char *)call.start.data + (i * call.start.ld + j) * size;
    assert_true(backend->multiply(&call));
    n_products++;
}

/* Cuts 0 .. n at two places; pieces may be empty. */
static void cut(sn_rng rng, uint64_t i, size_t n, size_t at[4]) {
    size_t a = sn_rng_below(rng, i, n + 1), b = sn_rng_below(rng, i + 1, n + 1);
    at[0] = 0;
    at[1] = a < b ? a : b;
    at[2] = a < b ? b : a;
    at[3] = n;
}

static void check_pieces(problem *p, const sn_backend *backend, uint64_t number) {
    size_t rows[4], columns[4], n = p->shape.m * p->shape.n;
    double *whole = take(n * sizeof *whole);
    sn_rng rng = sn_rng_stream(1, "test", "pieces", number);
    cut(rng, 0, p->shape.m, rows);
    cut(rng, 2, p->shape.n, columns);
    assert_true(backend->multiply(&p->call));
    for (size_t i = 0; i < n; i++)
        whole[i] = element(p, i);
    place_c(p);
    for (size_t i = 0; i < 9; i++) {
        const size_t *r = rows + i / 3, *c = columns + i % 3;
        if (r[0] < r[1] && c[0] < c[1]) compute_piece(p, backend, r, c);
    }
    for (size_t i = 0; i < n; i++) {
        if (element(p, i) != whole[i]) fail_msg("%s: element %zu depends on its piece", backend->simd, i);
    }
    check_guards(p, backend->simd);
    free(whole);
}

/* Whichever rows and columns are computed together, the bits of the kernel are the same. */
static void pieces_have_the_bits_of_the_whole(void **state) {
    (void)state;
    int n_own = 0;
    n_products = 0;
    for (uint64_t number = 0; number < 120; number++) {
        const sn_backend *backends[MOST_BACKENDS];
        sn_dtype dtype = number % 2 ? SN_F64 : SN_F32;
        size_t n = runnable_backends(backends, dtype);
        shape s = random_shape(number);
        if (number % 4 == 0) s.b_gap = 1024;
        if (number % 5 == 0) s.k += 250;
        for (size_t i = 0; i < n; i++) {
            problem p;
            open_problem(&p, &s, dtype, number);
            check_pieces(&p, backends[i], number);
            close_problem(&p);
            n_own++;
        }
    }
    assert_true(n_products > 4 * n_own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sizes),
        cmocka_unit_test(remainders),
        cmocka_unit_test(long_sums),
        cmocka_unit_test(rows_far_apart),
        cmocka_unit_test(all_that_is_not_finite_is_told),
        cmocka_unit_test(infinities_survive_the_parts_of_a_sum),
        cmocka_unit_test(pieces_have_the_bits_of_the_whole),
    };
    return cmocka_run_group_tests(tests, pin_blas, NULL);
}
