/* A backend: all that is built once per precision and instruction set, behind one table of entry points. */
#ifndef SN_OPS_BACKEND_H
#define SN_OPS_BACKEND_H

#include "base/safetensors.h"
#include "base/sums.h"
#include "data/data.h"
#include "network/op.h"

/* A loss over a tile of rows. */
typedef struct sn_loss_call {
    size_t rows, width;
    sn_view y; /* (rows, width): logits or predictions */
    const sn_samples *samples;
    const uint32_t *indices; /* (rows): the samples of the rows */
    sn_view dy;              /* (rows, width), written; data NULL: not wanted */
    double weight;           /* of one sample in the loss: 1 / batch */
} sn_loss_call;

typedef struct sn_loss_sums {
    double loss;    /* sum of the samples' losses */
    double correct; /* samples whose largest output is their label; 0 for targets */
} sn_loss_sums;

typedef struct sn_loss {
    sn_kind kind;
    bool needs_classes; /* labels, else targets */
    sn_loss_sums (*evaluate)(const sn_loss_call *call);
} sn_loss;

/* Copies samples into x (rows, in_dim), scaled. */
typedef struct sn_gather_call {
    const sn_dataset *dataset;
    const sn_samples *samples;
    const uint32_t *indices;
    size_t rows;
    sn_view x;
} sn_gather_call;

/* v = momentum v + g + weight_decay w; w -= lr v (nesterov: lr (g + weight_decay w + momentum v)), g times `clip`. */
typedef struct sn_sgd {
    double lr, momentum, weight_decay, clip;
    bool nesterov;
} sn_sgd;

/* A tile (rows, cols) of one parameter in an update. */
typedef struct sn_update_call {
    size_t rows, cols;
    sn_view weight, velocity, gradient; /* velocity.data NULL where momentum is 0 */
    sn_view transposed;                 /* the tile's place in the transposed copy (cols, rows); data NULL: none */
    sn_sgd sgd;
} sn_update_call;

/* The same tile before the update, for the statistics. */
typedef struct sn_change_call {
    const sn_update_call *update;
    sn_view old_weight, old_velocity;
    const sn_tensor_sums *gradient; /* of update->gradient */
    sn_sumsq *old_squares;          /* written: of old_weight, which the pass has in hand */
} sn_change_call;

/* C (m, n) = start + A (m, k) B (k, n); m, n and k are 1 or more.  C must not overlap A or B. */
typedef struct sn_product_call {
    size_t m, n, k;
    sn_view a; /* (m, k); transposed: (k, m) */
    bool a_is_transposed;
    sn_view b;     /* readable for SN_ALIGNMENT bytes past its last element, as all of an arena is */
    sn_view c;     /* written */
    sn_view start; /* (m, n), may be C itself; ld 0: one row for all; data NULL: zero */
} sn_product_call;

typedef struct sn_backend {
    const char *simd; /* "generic", "avx2", "avx512" */
    sn_dtype dtype;
    bool has_own_products;   /* the bits of a row do not depend on the rows that are computed with it: see gemm.h */
    const sn_op *const *ops; /* NULL-terminated */
    const sn_loss *const *losses; /* NULL-terminated */

    void (*gather)(const sn_gather_call *call);
    bool (*update)(const sn_update_call *call); /* whether all updated weights are finite */
    void (*copy)(sn_view to, sn_view from, size_t rows, size_t cols);
    void (*transpose)(sn_view to, sn_view from, size_t rows, size_t cols); /* to (cols, rows) */
    bool (*multiply)(const sn_product_call *call);                         /* whether all of C is finite */
    bool (*all_finite)(sn_view view, size_t rows, size_t cols);
    void (*add_partials)(sn_view gradient, const double *partials, size_t n, size_t n_tiles, size_t stride);
    sn_signal_sums (*signal_sums)(sn_view view, size_t rows, size_t cols);
    sn_tensor_sums (*tensor_sums)(sn_view view, size_t rows, size_t cols);
    sn_change_sums (*change_sums)(const sn_change_call *call);
    size_t (*count_nonfinite)(sn_view view, size_t rows, size_t cols);
    void (*from_double)(void *to, const double *from, size_t n);
} sn_backend;

#endif
