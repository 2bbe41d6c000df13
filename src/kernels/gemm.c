/* Owns the matrix products.
 *
 * A tile of C (some rows, two vectors of columns) stays in registers while B is read where it lies; A enters element by
 * element.  Nothing is packed.  Tiles of the same rows follow each other over all bands, so that their part of A stays
 * in the first cache, and STEPS of the inner dimension are done at a time, so that the caches hold B.  The rows are cut
 * into tiles of nearly equal height: there are kernels for every height. */
#include "kernels/gemm.h"

#include <cblas.h>
#include <pthread.h>
#include <string.h>

#include "kernels/elementary.h"
#include "kernels/kernels.h"
#include "kernels/lanes.h"

/* ---- OpenBLAS ---- */

#if SN_IS_DOUBLE
#define BLAS_GEMM cblas_dgemm
#else
#define BLAS_GEMM cblas_sgemm
#endif

/* A serial OpenBLAS hands out its buffers without a lock, unless it was built with USE_LOCKING: of two products at once
 * one may be wrong (OpenBLAS issue 2126). */
static pthread_mutex_t serial = PTHREAD_MUTEX_INITIALIZER;

/* Columns that one call takes: a band, or all of them where the bands lie side by side. */
typedef struct strip {
    size_t band, cols;
} strip;

/* Blocks of one feature lie side by side too, but not in rows that go on from one to the next. */
static bool is_plain(const sn_product *g) {
    return g->b_band == SN_PANEL && g->c_band == SN_PANEL && g->cols == SN_PANEL && g->c_ld > SN_PANEL;
}

static void blas_start(const sn_product *g, strip s) {
    for (size_t i = 0; i < g->m; i++) {
        real *c = g->c + s.band * g->c_band + i * g->c_ld;
        const real *start = g->start ? g->start + s.band * g->start_band + i * g->start_ld : NULL;
        if (start && start != c) memcpy(c, start, s.cols * sizeof(real));
        for (size_t j = 0; j < s.cols && !start; j++)
            c[j] = g->bias ? g->bias[i] : 0;
    }
}

/* C += A B, `steps` of A from block `block` on. */
static void blas_add(const sn_product *g, strip s, size_t block, size_t steps) {
    bool is_transposed = g->a_step != 1;
    size_t a_ld = is_transposed ? g->a_step : g->a_row, least_ld = is_transposed ? g->m : steps;
    const real *a = g->a + block * g->a_block, *b = g->b + s.band * g->b_band + block * SN_PANEL * g->b_ld;
    BLAS_GEMM(CblasRowMajor, is_transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (int)g->m, (int)s.cols,
              (int)steps, 1, a, (int)(a_ld < least_ld ? least_ld : a_ld), b, (int)g->b_ld, 1, g->c + s.band * g->c_band,
              (int)g->c_ld);
}

static bool multiply_by_openblas(const sn_product *g) {
    bool is_serial = openblas_get_parallel() == OPENBLAS_SEQUENTIAL, is_finite = true;
    size_t at_once = g->a_block ? SN_PANEL : g->k, strips = is_plain(g) ? 1 : g->bands;
    if (is_serial) pthread_mutex_lock(&serial);
    for (size_t q = 0; q < strips; q++) {
        strip s = {q, q + 1 < strips ? g->cols : g->last_cols};
        if (is_plain(g)) s.cols += (g->bands - 1) * SN_PANEL;
        blas_start(g, s);
        for (size_t p = 0; p < g->k; p += at_once)
            blas_add(g, s, p / at_once, g->k - p < at_once ? g->k - p : at_once);
        is_finite &= SN_V(sn_all_finite)((sn_view){g->c + q * g->c_band, g->c_ld}, g->m, s.cols);
    }
    if (is_serial) pthread_mutex_unlock(&serial);
    return is_finite;
}

/* ---- the kernel ---- */

enum {
    LANES = SN_VECTOR_BYTES / sizeof(real),
    BAND_VECTORS = SN_PANEL / LANES,
    TILE_ROWS = SN_VECTOR_BYTES == 64 ? 12 : 6, /* of two vectors: as many as there are registers for */
    MOST_ROWS = 12,                             /* of one vector */
    HALF_ROWS = 6,
    STEPS = 256,
};

typedef real vector __attribute__((vector_size(SN_VECTOR_BYTES), aligned(sizeof(real)), may_alias));

/* A sanitizer that watched every access would take the tile out of its registers and a hundred times as long: the tiles
 * are not watched, the rows that they read and write are looked at once for each product (watch). */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define IS_WATCHED 1
#define UNWATCHED  __attribute__((no_sanitize("thread"), no_sanitize("address")))
#else
#define IS_WATCHED 0
#define UNWATCHED
#endif
#define ALWAYS_INLINE UNWATCHED inline __attribute__((always_inline))

/* Where the prefetching of product->ahead stands. */
typedef struct prefetcher {
    const sn_ahead *ahead, *end;
    size_t row, byte; /* the next line, of *ahead */
    size_t lines;     /* to ask for at every tile */
} prefetcher;

/* Some steps of a product over all its columns, and what comes of it. */
typedef struct part {
    const sn_product *g;
    size_t p, steps, at_once; /* at_once: steps for which A goes on without a jump */
    bool is_first;            /* of its steps: the tiles start from `start` */
    vector found;             /* 0, NaN in a lane where something stored is not finite */
    prefetcher ahead;
} part;

/* Spreads the lines over the tiles of the product, that is over its time. */
static prefetcher make_prefetcher(const sn_product *g) {
    enum { LINE = 64, MOST_BYTES = 1 << 18 };
    prefetcher f = {.ahead = g->ahead, .end = g->ahead + g->n_ahead};
    if (g->n_ahead == 0) return f;
    size_t bytes = 0, vectors = (g->bands * BAND_VECTORS + 1) / 2;
    size_t tiles = (g->m + TILE_ROWS - 1) / TILE_ROWS * vectors * ((g->k + STEPS - 1) / STEPS);
    for (int a = 0; a < g->n_ahead; a++)
        bytes += g->ahead[a].rows * g->ahead[a].row_bytes;
    f.lines = (bytes < MOST_BYTES ? bytes : MOST_BYTES) / LINE / tiles + 1;
    return f;
}

UNWATCHED static inline void prefetch(prefetcher *f) {
    enum { LINE = 64 };
    for (size_t i = 0; i < f->lines && f->ahead < f->end; i++) {
        __builtin_prefetch(f->ahead->data + f->row * f->ahead->ld_bytes + f->byte, 0, 2);
        f->byte += LINE;
        if (f->byte < f->ahead->row_bytes) continue;
        f->byte = 0;
        if (++f->row < f->ahead->rows) continue;
        f->row = 0;
        f->ahead++;
    }
}

/* Rows of vectors, C or what it starts from: rows are `ld` apart, the second vector of a row `apart` from the first,
 * what the next tile has of them `next` further. */
typedef struct strides {
    size_t ld, apart, next;
} strides;

/* Tiles of the same rows, which lie in bands that follow each other. */
typedef struct tile_run {
    const real *a, *b, *start;
    real *c;
    size_t b_apart, b_next, count;
    strides start_by, c_by;
} tile_run;

/* Of two vectors of one band a constant. */
static ALWAYS_INLINE size_t apart(size_t distance) {
    return BAND_VECTORS > 1 ? LANES : distance;
}

static ALWAYS_INLINE void load_tile(vector acc[MOST_ROWS][2], const real *from, strides by, int rows, int vectors) {
    for (int r = 0; r < rows; r++) {
        for (int v = 0; v < vectors; v++)
            acc[r][v] = *(const vector *)(from + (size_t)r * by.ld + (size_t)v * apart(by.apart));
    }
}

/* The sum of what is stored times 0, in chains that need not wait for each other. */
static ALWAYS_INLINE vector store_tile(vector acc[MOST_ROWS][2], real *to, strides by, int rows, int vectors) {
    vector found[4] = {{0}};
    for (int r = 0; r < rows; r++) {
        for (int v = 0; v < vectors; v++) {
            *(vector *)(to + (size_t)r * by.ld + (size_t)v * apart(by.apart)) = acc[r][v];
            found[2 * (r % 2) + v] += acc[r][v] * 0;
        }
    }
    return (found[0] + found[1]) + (found[2] + found[3]);
}

typedef struct operands {
    const real *a, *b;
    size_t b_apart;
} operands;

/* acc += A B over `steps` steps.  The rows of A behind HALF_ROWS have a pointer of their own: their distances from one
 * alone would be more than there are registers for. */
static ALWAYS_INLINE void add_steps(vector acc[MOST_ROWS][2], const sn_product *g, operands from, size_t steps,
                                    int rows, int vectors) {
    const real *a = from.a, *b = from.b;
    size_t a_row = g->a_row, a_step = g->a_step, b_ld = g->b_ld, b_apart = apart(from.b_apart);
    const real *lower = a + HALF_ROWS * a_row;
    do {
        vector row[2];
        for (int v = 0; v < vectors; v++)
            row[v] = *(const vector *)(b + (size_t)v * b_apart);
        for (int r = 0; r < rows; r++) {
            real x = r < HALF_ROWS ? a[(size_t)r * a_row] : lower[(size_t)(r - HALF_ROWS) * a_row];
            for (int v = 0; v < vectors; v++)
                acc[r][v] += x * row[v];
        }
        a += a_step;
        lower += a_step;
        b += b_ld;
    } while (--steps > 0);
}

/* acc += A B over the steps of the part, of which there is at least one: gcc has to know, or it keeps the tile in
 * memory, too. */
static ALWAYS_INLINE void multiply_tile(vector acc[MOST_ROWS][2], const part *t, operands from, int rows, int vectors) {
    const sn_product *g = t->g;
    const sn_run *run = g->runs;
    size_t left = t->steps;
    do {
        size_t n = left < t->at_once ? left : t->at_once;
        operands here = from;
        if (run) {
            here = (operands){from.a + run->a, from.b + run->b, from.b_apart};
            n = run++->steps;
        } else {
            from.a += g->a_block;
            from.b += n * g->b_ld;
        }
        add_steps(acc, g, here, n, rows, vectors);
        left -= n;
    } while (left > 0);
}

/* `rows` and `vectors` are constants where this is inlined, so that a tile lives in registers. */
static ALWAYS_INLINE void multiply_run(part *t, const tile_run *run, int rows, int vectors) {
    operands from = {run->a, run->b, run->b_apart};
    const real *start = run->start;
    real *c = run->c;
    for (size_t left = run->count; left > 0; left--) {
        vector acc[MOST_ROWS][2];
        if (t->ahead.lines > 0) prefetch(&t->ahead);
        load_tile(acc, start, run->start_by, rows, vectors);
        multiply_tile(acc, t, from, rows, vectors);
        t->found += store_tile(acc, c, run->c_by, rows, vectors);
        from.b += run->b_next;
        start += run->start_by.next;
        c += run->c_by.next;
    }
}

typedef void tile_kernel(part *t, const tile_run *run);

#define TILE(rows, vectors)                                                                                            \
    UNWATCHED static void tile_##rows##x##vectors(part *t, const tile_run *run) {                                      \
        multiply_run(t, run, rows, vectors);                                                                           \
    }
/* clang-format off */
TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)
TILE(7, 1) TILE(8, 1) TILE(9, 1) TILE(10, 1) TILE(11, 1) TILE(12, 1)
TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2)
#if SN_VECTOR_BYTES == 64
TILE(7, 2) TILE(8, 2) TILE(9, 2) TILE(10, 2) TILE(11, 2) TILE(12, 2)
#endif

/* By their rows, 1 and more. */
static tile_kernel *const singles[MOST_ROWS] = {
    tile_1x1, tile_2x1, tile_3x1, tile_4x1, tile_5x1, tile_6x1,
    tile_7x1, tile_8x1, tile_9x1, tile_10x1, tile_11x1, tile_12x1,
};
static tile_kernel *const pairs[TILE_ROWS] = {
    tile_1x2, tile_2x2, tile_3x2, tile_4x2, tile_5x2, tile_6x2,
#if SN_VECTOR_BYTES == 64
    tile_7x2, tile_8x2, tile_9x2, tile_10x2, tile_11x2, tile_12x2,
#endif
};
/* clang-format on */

/* A place for a tile beside the operands, its rows ROOM apart. */
enum { ROOM = 2 * LANES };
static const strides in_room = {ROOM, LANES, 0};
static const real zeros[ROOM];

/* Vectors that are wanted: rows from i on, `cols` columns from `column` on, of `count` bands from `band` on, or of
 * pairs of bands, `step` apart. */
typedef struct place {
    size_t i, rows, band, count, step, column, cols;
} place;

/* Where tiles start from the bias: for all bands the same. */
static void spread_bias(const real *bias, size_t rows, real room[MOST_ROWS * ROOM]) {
    for (size_t r = 0; r < rows; r++)
        *(vector *)(room + r * ROOM) = *(vector *)(room + r * ROOM + LANES) = (vector){0} + bias[r];
}

/* A tile whose last vector has columns that are not wanted, or not there: beside C, and then those that are. */
static __attribute__((noinline)) void multiply_edge(part *t, tile_kernel *kernel, const tile_run *run,
                                                    const place *at) {
    real room[MOST_ROWS * ROOM] = {0};
    size_t bytes = at->cols * sizeof(real);
    tile_run own = *run;
    vector found = t->found;
    for (size_t r = 0; r < at->rows; r++)
        memcpy(room + r * ROOM, run->start + r * run->start_by.ld, bytes);
    own.start = own.c = room;
    own.start_by = own.c_by = in_room;
    kernel(t, &own);
    for (size_t r = 0; r < at->rows; r++) {
        vector wanted[2] = {{0}};
        memcpy(run->c + r * run->c_by.ld, room + r * ROOM, bytes);
        memcpy(wanted, room + r * ROOM, bytes);
        found += wanted[0] * 0 + wanted[1] * 0;
    }
    t->found = found;
}

/* The last vector of a row of B may reach beyond the columns of the product; what comes of that is not stored. */
static void multiply_place(part *t, const place *at) {
    const sn_product *g = t->g;
    real room[MOST_ROWS * ROOM];
    tile_kernel *kernel = at->cols > LANES ? pairs[at->rows - 1] : singles[at->rows - 1];
    tile_run run = {.a = g->a + at->i * g->a_row + (g->a_block ? t->p / SN_PANEL * g->a_block : t->p * g->a_step),
                    .b = g->b + at->band * g->b_band + t->p * g->b_ld + at->column,
                    .b_apart = apart(g->b_band),
                    .b_next = at->step * g->b_band,
                    .count = at->count,
                    .c = g->c + at->band * g->c_band + at->i * g->c_ld + at->column,
                    .c_by = {g->c_ld, apart(g->c_band), at->step * g->c_band}};
    if (!t->is_first) {
        run.start = run.c;
        run.start_by = run.c_by;
    } else if (g->start) {
        run.start = g->start + at->band * g->start_band + at->i * g->start_ld + at->column;
        run.start_by = (strides){g->start_ld, apart(g->start_band), at->step * g->start_band};
    } else if (g->bias) {
        spread_bias(g->bias + at->i, at->rows, room);
        run.start = room;
        run.start_by = in_room;
    } else {
        run.start = zeros;
        run.start_by = (strides){0, LANES, 0};
    }
    if (at->cols % LANES == 0) {
        kernel(t, &run);
    } else {
        multiply_edge(t, kernel, &run, at);
    }
}

/* The rows from i on, over `count` bands from `band` on, `cols` columns of each: pairs of vectors, and what is left. */
static void multiply_bands(part *t, size_t i, size_t rows, size_t band, size_t count, size_t cols) {
    place at = {.i = i, .rows = rows, .band = band, .count = count, .step = 1};
    for (; at.column < cols && count > 0; at.column += at.cols) {
        at.cols = cols - at.column < ROOM ? cols - at.column : ROOM;
        multiply_place(t, &at);
    }
}

/* Where a vector is a band, two bands make a pair. */
static void multiply_pairs(part *t, size_t i, size_t rows, size_t whole) {
    place at = {.i = i, .rows = rows, .count = whole / 2, .step = 2, .cols = ROOM};
    multiply_place(t, &at);
    if (whole % 2 == 1) multiply_bands(t, i, rows, whole - 1, 1, SN_PANEL);
}

/* The rows from i on that are `rows`, over all columns. */
static void multiply_rows(part *t, size_t i, size_t rows) {
    const sn_product *g = t->g;
    size_t whole = g->last_cols == g->cols ? g->bands : g->bands - 1;
    if (BAND_VECTORS == 1 && g->cols == SN_PANEL) {
        multiply_pairs(t, i, rows, whole);
    } else {
        multiply_bands(t, i, rows, 0, whole, g->cols);
    }
    if (whole < g->bands) multiply_bands(t, i, rows, whole, 1, g->last_cols);
}

/* Nearly equal heights; a product of one vector of columns has room for higher tiles. */
static void multiply_part(part *t) {
    size_t m = t->g->m, cols = t->g->bands > 1 ? t->g->bands * SN_PANEL : t->g->last_cols;
    size_t most = cols > LANES ? (size_t)TILE_ROWS : (size_t)MOST_ROWS, tiles = (m + most - 1) / most;
    size_t rows = tiles > 1 ? (uint32_t)m / (uint32_t)tiles : m, higher = m - rows * tiles;
    for (size_t k = 0, i = 0; k < tiles; k++) {
        multiply_rows(t, i, rows + (k < higher));
        i += rows + (k < higher);
    }
}

#if IS_WATCHED
static void read_one(const real *element) {
    (void)*(volatile const real *)element;
}

/* Reads the first element of every row of A and B, and writes what stands there to that of C. */
static void watch(const sn_product *g) {
    for (size_t i = 0; i < g->m; i++) {
        for (size_t p = 0; p < g->k; p += g->a_block ? SN_PANEL : g->k)
            read_one(g->a + i * g->a_row + p / SN_PANEL * g->a_block);
    }
    for (size_t q = 0; q < g->bands; q++) {
        const sn_run *run = g->runs;
        for (size_t p = 0, n; p < g->k; p += n) {
            n = run ? run->steps : 1;
            read_one(g->b + q * g->b_band + (run ? run++->b : (ptrdiff_t)(p * g->b_ld)));
        }
        for (size_t i = 0; i < g->m; i++) {
            volatile real *c = g->c + q * g->c_band + i * g->c_ld;
            *c = *c;
        }
    }
}
#endif

bool SN_V(sn_gemm)(const sn_product *g) {
    if (g->by_openblas) return multiply_by_openblas(g);
#if IS_WATCHED
    watch(g);
#endif
    part t = {.g = g, .ahead = make_prefetcher(g)};
    size_t most = g->runs ? g->k : STEPS;
    for (t.p = 0; t.p < g->k; t.p += most) {
        t.steps = g->k - t.p < most ? g->k - t.p : most;
        t.at_once = g->a_block ? SN_PANEL : t.steps;
        t.is_first = t.p == 0;
        t.found = (vector){0}; /* sums that are not finite stay so: the last part tells */
        multiply_part(&t);
    }
    bool is_finite = true;
    for (int lane = 0; lane < LANES; lane++)
        is_finite = is_finite && t.found[lane] == 0;
    return is_finite;
}

bool SN_V(sn_multiply)(const sn_product_call *call) {
    size_t last = call->n % SN_PANEL;
    sn_product product = {.m = call->m,
                          .k = call->k,
                          .bands = (call->n + SN_PANEL - 1) / SN_PANEL,
                          .cols = SN_PANEL,
                          .last_cols = last ? last : SN_PANEL,
                          .a = call->a.data,
                          .a_row = call->a_is_transposed ? 1 : call->a.ld,
                          .a_step = call->a_is_transposed ? call->a.ld : 1,
                          .b = call->b.data,
                          .b_ld = call->b.ld,
                          .b_band = SN_PANEL,
                          .c = call->c.data,
                          .c_ld = call->c.ld,
                          .c_band = SN_PANEL,
                          .start = call->start.data,
                          .start_ld = call->start.ld,
                          .start_band = SN_PANEL,
                          .by_openblas = call->by_openblas};
    return SN_V(sn_gemm)(&product);
}
