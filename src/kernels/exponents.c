/* Owns the counts of exponents: of a tensor, or of a difference.
 *
 * Biased exponents are packed into vectors of keys, in any order, and these are compared with one bin after the other
 * from the largest key down: an element and a bin take a compare and a subtraction of a byte, and nearly all of a
 * tensor lies in a dozen bins: the few elements below them are searched for and counted one by one.  A table that every
 * element adds to would have to wait for its stores; it counts what is scattered over many exponents. */
#include <fenv.h>
#include <math.h>

#include "kernels/kernels.h"
#include "kernels/wide.h"

enum {
    BLOCK = 128,    /* vectors of keys that are counted together: their counts fit a byte */
    N_BINS = 16,    /* that a pass over a block counts */
    FEW = 40,       /* keys that are counted one by one, where they are */
    GROUP = 4,      /* vectors that are searched for them together */
    MAX_PASSES = 4, /* then all that are left take a table */
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
enum {
    HALF_BITS = 8 * sizeof(half),
    KEY_BITS = 8 * sizeof(key),
    VECTOR_KEYS = SN_VECTOR_BYTES / sizeof(key),
    WORD_KEYS = 8 / sizeof(key)
};

typedef key keys __attribute__((vector_size(SN_VECTOR_BYTES)));
typedef whole wholes __attribute__((vector_size(SN_VECTOR_BYTES)));
typedef half halves __attribute__((vector_size(SN_VECTOR_BYTES)));
typedef real reals __attribute__((vector_size(SN_VECTOR_BYTES)));
typedef uint64_t words __attribute__((vector_size(SN_VECTOR_BYTES)));

/* What a scan takes for an element: itself, or of a denormal number its mantissa as a whole number and of others 0. */
typedef enum what { VALUES, MANTISSAS } what;

/* What is known of the vectors of a block before its keys are counted, in every lane. */
typedef struct survey {
    keys most, zeros; /* the largest key, how many are 0 */
} survey;

typedef struct scan {
    const sn_exponents_call *call;
    what what;
    uint64_t zero_keys, n_last; /* keys so far that are 0; that are LAST_KEY, of what is not finite */
    uint64_t padding;           /* keys that are of no element, all 0 */
    keys *block;                /* (BLOCK), the last n_vectors */
    size_t n_vectors;
    survey seen; /* of these */
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

/* What a row of a tensor is read from; without `has_minus`, a constant wherever it matters, nothing is subtracted. */
typedef struct source {
    const real *x, *minus;
    bool has_minus;
} source;

SN_ALWAYS_INLINE reals load_reals(const real *x) {
    reals v;
    memcpy(&v, x, sizeof v);
    return v;
}

/* The vector from element `at` on, as its bits. */
SN_ALWAYS_INLINE wholes load(what of, source from, size_t at) {
    wholes v;
    if (from.has_minus) {
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

/* Of the VECTOR_KEYS values from element `at` on.  Doubling takes the signs away. */
SN_ALWAYS_INLINE keys pack(what of, source from, size_t at) {
    const half upper = (half)((half)-1 << KEY_BITS);
    const size_t next = SN_REAL_LANES;
    halves a = join(load(of, from, at), load(of, from, at + next));
    halves b = join(load(of, from, at + 2 * next), load(of, from, at + 3 * next));
    return (keys)((a + a) >> KEY_BITS | ((b + b) & upper)) >> KEY_SHIFT;
}

/* Of lanes with counts of at most BLOCK. */
SN_ALWAYS_INLINE uint64_t sum_of_lanes(keys counts) {
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff), ones = UINT64_C(0x0001000100010001);
    words lanes = (words)counts;
    if (sizeof(key) == 1) lanes = (lanes & even) + (lanes >> 8 & even);
    uint64_t sum = 0;
    for (size_t i = 0; i < SN_VECTOR_BYTES / sizeof(uint64_t); i++)
        sum += lanes[i];
    return sum * ones >> 48;
}

/* Through arrays: clang 14 vectorises no loop over the lanes of a vector of bytes. */
SN_ALWAYS_INLINE keys larger(keys a, keys b) {
    key x[VECTOR_KEYS], y[VECTOR_KEYS];
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    SN_SIMD
    for (int i = 0; i < VECTOR_KEYS; i++)
        x[i] = x[i] > y[i] ? x[i] : y[i];
    memcpy(&a, x, sizeof a);
    return a;
}

SN_ALWAYS_INLINE void note(survey *seen, keys k) {
    seen->most = larger(seen->most, k);
    seen->zeros -= (keys)(k == 0);
}

SN_ALWAYS_INLINE int largest_lane(keys k) {
    int most = 0;
    for (int i = 0; i < VECTOR_KEYS; i++)
        most = k[i] > most ? k[i] : most;
    return most;
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

/* The N_BINS keys from `top` down, 0 not among them.  How many elements have them. */
static uint64_t count_bins(scan *s, int top) {
    keys counts[N_BINS], bins[N_BINS];
    uint64_t sums[N_BINS];
#pragma GCC unroll 16
    for (int j = 0; j < N_BINS; j++) {
        counts[j] = (keys){0};
        bins[j] = (keys){0} + (key)(top - j);
    }
    for (size_t i = 0; i < s->n_vectors; i += 2) {
        keys a = s->block[i], b = s->block[i + 1];
#pragma GCC unroll 16
        for (int j = 0; j < N_BINS; j++)
            counts[j] -= (keys)(a == bins[j]) + (keys)(b == bins[j]);
    }
#pragma GCC unroll 16
    for (int j = 0; j < N_BINS; j++)
        sums[j] = sum_of_lanes(counts[j]);
    int lowest = s->what == VALUES ? 1 : BIAS, n = top - lowest + 1; /* mantissas are 1 or more */
    return add(s, top, sums, N_BINS < n ? N_BINS : n);
}

/* The largest key of the block up to `top`. */
static int next_top(const scan *s, int top) {
    keys most = {0}, limit = (keys){0} + (key)top;
    for (size_t i = 0; i < s->n_vectors; i++)
        most = larger(most, s->block[i] & (keys)(s->block[i] <= limit));
    return largest_lane(most);
}

/* The keys up to `top` but 0; all keys go into the table, which takes no branch that cannot be foreseen. */
static void count_in_table(scan *s, int top) {
    uint16_t table[LAST_KEY + 1] = {0};
    const key *k = (const key *)s->block;
    for (size_t i = 0; i < s->n_vectors * VECTOR_KEYS; i++)
        table[k[i]]++;
    for (int i = top; i > 0; i--) {
        if (table[i] > 0) add(s, i, (uint64_t[]){table[i]}, 1);
    }
}

SN_ALWAYS_INLINE bool has_any(keys mask) {
    words lanes = (words)mask;
    uint64_t any = 0;
    for (size_t i = 0; i < SN_VECTOR_BYTES / sizeof(uint64_t); i++)
        any |= lanes[i];
    return any != 0;
}

/* The keys of a word up to `top` but 0, one by one.  How many there are. */
static uint64_t count_of_word(scan *s, const key *k, int top) {
    uint64_t n = 0;
    for (int i = 0; i < WORD_KEYS; i++) {
        if (k[i] > 0 && k[i] <= top) n += add(s, k[i], (uint64_t[]){1}, 1);
    }
    return n;
}

SN_ALWAYS_INLINE uint64_t count_of_vector(scan *s, const keys *vector, int top) {
    words hits = (words)(-*vector >= (keys){0} - (key)top);
    uint64_t n = 0;
#pragma GCC unroll 8
    for (size_t i = 0; i < VECTOR_KEYS / WORD_KEYS; i++) {
        if (hits[i] != 0) n += count_of_word(s, (const key *)vector + i * WORD_KEYS, top);
    }
    return n;
}

/* The keys up to `top` but 0, of which there are `left`: with the sign turned they are -top or more, and 0 is less. */
static void count_few(scan *s, int top, uint64_t left) {
    keys limit = (keys){0} - (key)top;
    for (const keys *k = s->block; left > 0; k += GROUP) {
        keys most = larger(larger(-k[0], -k[1]), larger(-k[2], -k[3]));
        if (!has_any(most >= limit)) continue;
        for (int i = 0; i < GROUP; i++)
            left -= count_of_vector(s, k + i, top);
    }
}

/* From bin to bin there are half as many elements, or fewer: those of one pass leave few, nearly always. */
static void count_keys(scan *s, int top, uint64_t left) {
    for (int pass = 0; left > FEW && pass < MAX_PASSES; pass++) {
        left -= count_bins(s, top);
        top -= N_BINS;
        if (left > FEW) top = next_top(s, top);
    }
    if (left > FEW) {
        count_in_table(s, top);
    } else {
        count_few(s, top, left);
    }
}

/* Vectors without a key fill the last group. */
static void count_block(scan *s) {
    if (s->n_vectors == 0) return;
    uint64_t n = s->n_vectors * VECTOR_KEYS, zeros = sum_of_lanes(s->seen.zeros);
    while (s->n_vectors % GROUP > 0)
        s->block[s->n_vectors++] = (keys){0};
    count_keys(s, largest_lane(s->seen.most), n - zeros);
    s->zero_keys += zeros;
    s->seen = (survey){0};
    s->n_vectors = 0;
}

/* The last `n` elements from `at` on, fewer than VECTOR_KEYS; what is missing to those is zero. */
static void push_part(scan *s, what of, source from, size_t at, size_t n) {
    real x[VECTOR_KEYS] = {0}, minus[VECTOR_KEYS] = {0};
    memcpy(x, from.x + at, n * sizeof *x);
    if (from.has_minus && from.minus) memcpy(minus, from.minus + at, n * sizeof *minus);
    keys k = pack(of, (source){x, minus, from.has_minus}, 0);
    s->block[s->n_vectors++] = k;
    note(&s->seen, k);
    s->padding += VECTOR_KEYS - n;
}

/* `n` vectors of keys, which have to fit, of the elements from `at` on. */
SN_ALWAYS_INLINE void push_vectors(scan *s, what of, source from, size_t at, size_t n) {
    keys *to = s->block + s->n_vectors;
    survey seen = s->seen;
    for (size_t i = 0; i < n; i++) {
        keys k = pack(of, from, at + i * VECTOR_KEYS);
        to[i] = k;
        note(&seen, k);
    }
    s->seen = seen;
    s->n_vectors += n;
}

/* `of` and from.has_minus have to be constants. */
SN_ALWAYS_INLINE void push_row(scan *s, what of, source from, size_t cols) {
    for (size_t at = 0; at < cols;) {
        size_t room = BLOCK - s->n_vectors, most = (cols - at) / VECTOR_KEYS, n = most < room ? most : room;
        push_vectors(s, of, from, at, n);
        at += n * VECTOR_KEYS;
        if (most < room && at < cols) push_part(s, of, from, at, cols - at), at = cols;
        if (s->n_vectors == BLOCK) count_block(s);
    }
}

SN_ALWAYS_INLINE source row_of(const sn_exponents_call *call, size_t r) {
    bool has_minus = call->minus.data != NULL;
    return (source){sn_row(call->x, r), has_minus ? sn_row(call->minus, r) : NULL, has_minus};
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
            push_row(s, of, (source){from.x, from.minus, true}, cols);
        } else {
            push_row(s, of, (source){from.x, NULL, false}, cols);
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
            wholes v = load(VALUES, from, i * SN_REAL_LANES);
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
