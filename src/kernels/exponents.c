/* Owns the counts of exponents: of a tensor, or of a difference.
 *
 * Biased exponents are packed into vectors of keys, in any order, and these are compared with one bin after the other
 * from the largest key down: an element and a bin take a compare and a subtraction of a byte, and nearly all of a
 * tensor lies in a dozen bins.  A table that every element adds to would have to wait for its stores. */
#include <fenv.h>
#include <math.h>

#include "kernels/kernels.h"
#include "kernels/wide.h"

enum {
    BLOCK = 128,    /* vectors of keys that are counted together: their counts fit a byte */
    MOST_BINS = 12, /* that a pass over a block counts */
    MAX_PASSES = 8, /* then what is left is counted one by one */
};

/* Keys take a quarter of the bits of an element, and stand in their upper bits while they are packed. */
#if SN_IS_DOUBLE
typedef uint16_t key;
typedef uint64_t whole;
typedef uint32_t half;
enum { KEY_SHIFT = 5, LAST_KEY = 2047, BIAS = 1023, MANTISSA_BITS = 52 };
#else
typedef uint8_t key;
typedef uint32_t whole;
typedef uint16_t half;
enum { KEY_SHIFT = 0, LAST_KEY = 255, BIAS = 127, MANTISSA_BITS = 23 };
#endif
enum { HALF_BITS = 8 * sizeof(half), KEY_BITS = 8 * sizeof(key), VECTOR_KEYS = SN_WIDE_BYTES / sizeof(key) };

typedef key keys __attribute__((vector_size(SN_WIDE_BYTES)));
typedef whole wholes __attribute__((vector_size(SN_WIDE_BYTES)));
typedef half halves __attribute__((vector_size(SN_WIDE_BYTES)));
typedef real reals __attribute__((vector_size(SN_WIDE_BYTES)));
typedef uint64_t words __attribute__((vector_size(SN_WIDE_BYTES)));

/* What a scan takes for an element: itself, or of a denormal number its mantissa as a whole number and of others 0. */
typedef enum what { VALUES, MANTISSAS } what;

typedef struct scan {
    const sn_exponents_call *call;
    what what;
    uint64_t n, zero_keys; /* keys so far, those that are 0 */
    uint64_t n_last;       /* LAST_KEY, of what is not finite */
    uint64_t padding;      /* keys that are of no element, all 0 */
    keys *block;           /* (BLOCK), the last n_vectors */
    size_t n_vectors;
} scan;

/* A denormal number's mantissa as a whole number; 0 of other numbers.  Set below 2^MANTISSA_BITS it is the sum of both.
 */
SN_ALWAYS_INLINE wholes mantissas_of(wholes v) {
    const whole mantissa = ((whole)1 << MANTISSA_BITS) - 1, exponent = (whole)LAST_KEY << MANTISSA_BITS;
    const whole unit = (whole)(BIAS + MANTISSA_BITS) << MANTISSA_BITS;
    wholes is_small = (wholes)((v & exponent) == 0);
    reals sum = (reals)((v & mantissa & is_small) | unit), start = (reals)((wholes){0} + unit);
    return (wholes)(sum - start);
}

/* What a row of a tensor is read from; `minus` NULL: nothing is subtracted. */
typedef struct source {
    const real *x, *minus;
} source;

SN_ALWAYS_INLINE reals load_reals(const real *x) {
    reals v;
    memcpy(&v, x, sizeof v);
    return v;
}

/* Vector number i of it, as its bits. */
SN_ALWAYS_INLINE wholes load(what of, source from, size_t i) {
    size_t at = i * SN_REAL_LANES;
    wholes v;
    if (from.minus) {
        v = (wholes)(load_reals(from.x + at) - load_reals(from.minus + at));
    } else {
        memcpy(&v, from.x + at, sizeof v);
    }
    return of == MANTISSAS ? mantissas_of(v) : v;
}

/* The upper halves of the elements of both. */
SN_ALWAYS_INLINE halves join(wholes a, wholes b) {
    const whole upper = (whole)((whole)-1 << HALF_BITS);
    return (halves)(a >> HALF_BITS | (b & upper));
}

/* Of VECTOR_KEYS values.  Doubling takes the signs away. */
SN_ALWAYS_INLINE keys pack(what of, source from) {
    const half upper = (half)((half)-1 << KEY_BITS);
    halves a = join(load(of, from, 0), load(of, from, 1)), b = join(load(of, from, 2), load(of, from, 3));
    return (keys)((a + a) >> KEY_BITS | ((b + b) & upper)) >> KEY_SHIFT;
}

/* Of lanes with counts of at most BLOCK. */
SN_ALWAYS_INLINE uint64_t sum_of_lanes(keys counts) {
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff), ones = UINT64_C(0x0001000100010001);
    words lanes = (words)counts;
    if (sizeof(key) == 1) lanes = (lanes & even) + (lanes >> 8 & even);
    uint64_t sum = 0;
    for (size_t i = 0; i < SN_WIDE_BYTES / sizeof(uint64_t); i++)
        sum += lanes[i];
    return sum * ones >> 48;
}

SN_ALWAYS_INLINE keys larger(keys a, keys b) {
    keys most;
    for (int i = 0; i < VECTOR_KEYS; i++)
        most[i] = a[i] > b[i] ? a[i] : b[i];
    return most;
}

/* The largest key of the block; adds to the counts of keys. */
static int survey(scan *s) {
    keys most = {0}, zeros = {0};
    for (size_t i = 0; i < s->n_vectors; i++) {
        most = larger(most, s->block[i]);
        zeros -= (keys)(s->block[i] == 0);
    }
    int top = 0;
    for (int i = 0; i < VECTOR_KEYS; i++)
        top = most[i] > top ? most[i] : top;
    s->n += s->n_vectors * VECTOR_KEYS;
    s->zero_keys += sum_of_lanes(zeros);
    return top;
}

/* Adds the elements with the keys from `top` down, n of them and none 0: counts[j] have key top - j. */
SN_ALWAYS_INLINE uint64_t add(scan *s, int top, const uint64_t *counts, int n) {
    int exponent = top + (s->what == VALUES ? -BIAS : 1 - 2 * BIAS - MANTISSA_BITS), last = top == LAST_KEY;
    uint64_t sum = last ? counts[0] : 0;
    s->n_last += sum; /* no mantissa has this key */
    uint64_t *to = n > last ? sn_exponents_range(s->call->counts, exponent - n + 1, exponent - last) : NULL;
    for (int j = last; j < n; j++) {
        to[n - 1 - j] += counts[j];
        sum += counts[j];
    }
    return sum;
}

/* The n_bins keys from `top` down, 0 not among them.  How many elements have them.  n_bins has to be a constant. */
SN_ALWAYS_INLINE uint64_t count_bins(scan *s, int top, int n_bins) {
    keys counts[MOST_BINS], bins[MOST_BINS];
    uint64_t sums[MOST_BINS];
#pragma GCC unroll 12
    for (int j = 0; j < n_bins; j++) {
        counts[j] = (keys){0};
        bins[j] = (keys){0} + (key)(top - j);
    }
    for (size_t i = 0; i < s->n_vectors; i++) {
        keys k = s->block[i];
#pragma GCC unroll 12
        for (int j = 0; j < n_bins; j++)
            counts[j] -= (keys)(k == bins[j]);
    }
#pragma GCC unroll 12
    for (int j = 0; j < n_bins; j++)
        sums[j] = sum_of_lanes(counts[j]);
    int lowest = s->what == VALUES ? 1 : BIAS, n = top - lowest + 1; /* mantissas are 1 or more */
    return add(s, top, sums, n_bins < n ? n_bins : n);
}

/* A pass over the block, from *top down, which goes on below what was counted.  From bin to bin there are half as many
 * elements, or fewer: the bins suffice for those that are left, nearly always. */
static uint64_t count_pass(scan *s, int *top, uint64_t left) {
    int from = *top, n_bins = left > 64 ? MOST_BINS : left > 3 ? 8 : 4;
    *top -= n_bins;
    if (n_bins == MOST_BINS) return count_bins(s, from, MOST_BINS);
    return n_bins == 8 ? count_bins(s, from, 8) : count_bins(s, from, 4);
}

/* The keys up to `top` but 0, one by one. */
static void count_rest(scan *s, int top) {
    const key *k = (const key *)s->block;
    for (size_t i = 0; i < s->n_vectors * VECTOR_KEYS; i++) {
        if (k[i] > 0 && k[i] <= top) add(s, k[i], (uint64_t[]){1}, 1);
    }
}

static void count_block(scan *s) {
    uint64_t other = s->n - s->zero_keys;
    int top = survey(s);
    uint64_t left = s->n - s->zero_keys - other;
    for (int pass = 0; left > 0 && pass < MAX_PASSES; pass++)
        left -= count_pass(s, &top, left);
    if (left > 0) count_rest(s, top);
    s->n_vectors = 0;
}

/* `n` elements, VECTOR_KEYS at most; what is missing to those is zero. */
static void push_part(scan *s, what of, source from, size_t n) {
    real x[VECTOR_KEYS] = {0}, minus[VECTOR_KEYS] = {0};
    memcpy(x, from.x, n * sizeof *x);
    if (from.minus) memcpy(minus, from.minus, n * sizeof *minus);
    s->block[s->n_vectors++] = pack(of, (source){x, from.minus ? minus : NULL});
    s->padding += VECTOR_KEYS - n;
}

/* `of`, and whether there is a `minus`, have to be constants. */
SN_ALWAYS_INLINE void push_row(scan *s, what of, source from, size_t cols) {
    size_t left = cols;
    while (left >= VECTOR_KEYS) {
        keys *to = s->block + s->n_vectors;
        size_t room = BLOCK - s->n_vectors, most = left / VECTOR_KEYS, n = most < room ? most : room;
        for (size_t i = 0; i < n; i++) {
            to[i] = pack(of, from);
            from = (source){from.x + VECTOR_KEYS, from.minus ? from.minus + VECTOR_KEYS : NULL};
        }
        left -= n * VECTOR_KEYS;
        s->n_vectors += n;
        if (s->n_vectors == BLOCK) count_block(s);
    }
    if (left > 0) push_part(s, of, from, left);
    if (s->n_vectors == BLOCK) count_block(s);
}

SN_ALWAYS_INLINE source row_of(const sn_exponents_call *call, size_t r) {
    return (source){sn_row(call->x, r), call->minus.data ? sn_row(call->minus, r) : NULL};
}

/* `of` has to be a constant. */
SN_ALWAYS_INLINE void count_all(scan *s, what of) {
    const sn_exponents_call *call = s->call;
    size_t rows = call->rows, cols = call->cols;
    bool has_minus = call->minus.data != NULL;
    s->what = of;
    sn_flatten(&rows, &cols, call->x.ld == cols && (!has_minus || call->minus.ld == cols));
    for (size_t r = 0; r < rows; r++) {
        source from = row_of(call, r);
        if (has_minus) {
            push_row(s, of, from, cols);
        } else {
            push_row(s, of, (source){from.x, NULL}, cols);
        }
    }
    count_block(s);
}

static void count_last(const sn_exponents_call *call) {
    for (size_t i = 0; i < call->rows * call->cols; i++) {
        size_t r = i / call->cols, c = i % call->cols;
        real x = sn_row(call->x, r)[c] - (call->minus.data ? sn_row(call->minus, r)[c] : 0);
        call->counts->nans += isnan(x) != 0;
        call->counts->infinite += isinf(x) != 0;
    }
}

static uint64_t count_zeros(const sn_exponents_call *call) {
    wholes zeros = {0};
    uint64_t sum = 0;
    for (size_t r = 0; r < call->rows; r++) {
        source from = row_of(call, r);
        size_t n = call->cols / SN_REAL_LANES;
        for (size_t i = 0; i < n; i++) {
            wholes v = load(VALUES, from, i);
            zeros -= (wholes)(v + v == 0);
        }
        for (size_t c = n * SN_REAL_LANES; c < call->cols; c++)
            sum += from.minus ? from.x[c] - from.minus[c] == 0 : from.x[c] == 0;
    }
    for (int i = 0; i < SN_REAL_LANES; i++)
        sum += zeros[i];
    return sum;
}

/* Differences are rounded towards zero, which leaves them the exponent of the exact one: to the nearest they could
 * reach the next power of two.  The build tells the compiler of this file that the rounding changes. */
void SN_V(sn_count_exponents)(const sn_exponents_call *call) {
    keys block[BLOCK];
    scan values = {.call = call, .block = block}, mantissas = {.call = call, .block = block};
    int rounding = fegetround();
    if (call->minus.data) fesetround(FE_TOWARDZERO);
    count_all(&values, VALUES);
    if (values.n_last > 0) count_last(call);
    uint64_t n_small = values.zero_keys - values.padding, zeros = n_small > 0 ? count_zeros(call) : 0;
    call->counts->zeros += zeros;
    if (zeros < n_small) count_all(&mantissas, MANTISSAS);
    if (call->minus.data) fesetround(rounding);
}
