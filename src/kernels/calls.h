/* What the kernels are called with, free of precision: matrices, sizes and numbers; no kernel knows a node. */
#ifndef SN_KERNELS_CALLS_H
#define SN_KERNELS_CALLS_H

#include <stdbool.h>

#include "base/exponents.h"
#include "base/sums.h"
#include "base/view.h"
#include "data/data.h"

/* Brings samples into a batch, scaled: with a row per sample, and in panels; a lane without a sample repeats the last
 * one. */
typedef struct sn_gather_call {
    const sn_dataset *dataset;
    const sn_samples *samples;
    const uint32_t *indices;
    const sn_augment *augment; /* of images */
    size_t rows, lanes;        /* samples; lanes of the last panel */
    size_t positions, width;   /* of the signal: in_dim is their product */
    sn_view by_sample;         /* (rows, in_dim), written */
    sn_view x;                 /* a signal, written: see base/panel.h */
} sn_gather_call;

/* Of the state that update rules keep for every element of a parameter, and of the numbers of a rule's own. */
enum { SN_MAX_SLOTS = 3, SN_MAX_NUMBERS = 8 };

/* What one update of one parameter is made with. */
typedef struct sn_update_numbers {
    double lr, clip, weight_decay; /* clip: a factor of the gradient */
    double own[SN_MAX_NUMBERS];    /* those of the rule, in an order of its own */
} sn_update_numbers;

/* A tile (rows, cols) of one parameter in an update. */
typedef struct sn_update_call {
    size_t rows, cols;
    sn_view weight, gradient;
    sn_view slots[SN_MAX_SLOTS]; /* state; data NULL where the rule keeps none there */
    sn_update_numbers numbers;
} sn_update_call;

/* The same tile before the update, for the statistics. */
typedef struct sn_change_call {
    const sn_update_call *update;
    sn_view old_weight, old_slots[SN_MAX_SLOTS];
    const sn_tensor_sums *gradient; /* of update->gradient */
    sn_sumsq *old_squares;          /* written: of old_weight, which the pass has in hand */
} sn_change_call;

/* Counts the exponents of x - minus, both (rows, cols): those of the exact difference, or of the largest number where
 * that is out of range; minus.data NULL: of x. */
typedef struct sn_exponents_call {
    size_t rows, cols;
    sn_view x, minus;
    sn_exponents *counts; /* added to */
} sn_exponents_call;

/* A tile (rows, cols) of a gradient as the sum of its parts: part k at `parts` + k * `stride`, rows without gaps. */
typedef struct sn_merge_parts_call {
    size_t rows, cols;
    sn_view gradient; /* written */
    const void *parts;
    size_t n_parts, stride; /* in elements */
} sn_merge_parts_call;

/* C (m, n) = start + A (m, k) B (k, n); m, n and k are 1 or more.  C must not overlap A or B. */
typedef struct sn_product_call {
    size_t m, n, k;
    sn_view a; /* (m, k); transposed: (k, m) */
    bool a_is_transposed;
    sn_view b;     /* readable for SN_ALIGNMENT bytes past its last element, as all of an arena is */
    sn_view c;     /* written */
    sn_view start; /* (m, n), may be C itself; ld 0: one row for all; data NULL: zero */
    bool by_openblas;
} sn_product_call;

#endif
