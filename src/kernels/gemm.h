/* Matrix products of the sizes that layers have. */
#ifndef SN_KERNELS_GEMM_H
#define SN_KERNELS_GEMM_H

#include "base/panel.h"
#include "kernels/variant.h"

/* Steps of a product that follow each other in A and in B, from elements of their own on. */
typedef struct sn_run {
    size_t a;
    ptrdiff_t b;
    size_t steps;
} sn_run;

/* C (m, n) = start + A (m, k) B (k, n), k at least 1.  A is read element by element, so it may be transposed; the
 * columns of B and C come in bands of SN_PANEL, the rows of a band `ld` apart and the bands anywhere: blocks of a
 * signal (base/panel.h), each a band, or a plain matrix, whose bands lie side by side.  C must not overlap A or B. */
typedef struct sn_product {
    size_t m, k, bands;
    size_t
        cols; /* of every band that are wanted: whole vectors, or in a product of one band any; at most SN_PANEL ... */
    size_t last_cols; /* ... and those of the last band */
    const real *a;
    size_t a_row, a_step; /* A(i, p) = a[i * a_row + p * a_step]; */
    size_t a_block;       /* not 0: steps come in blocks of SN_PANEL, and a block begins this far behind the last one */
    const sn_run *runs;   /* the k steps, as the windows of a convolution are; by the kernel only; NULL: one run */
    const real *b;        /* readable for SN_ALIGNMENT bytes past its last element, as all of an arena is */
    size_t b_ld, b_band;  /* B(p, column j of band q) = b[q * b_band + p * b_ld + j] */
    real *c;
    size_t c_ld, c_band;
    const real *start; /* start(i, j of band q) = start[q * start_band + i * start_ld + j]; may be C itself */
    size_t start_ld, start_band;
    const real *bias; /* (m), where `start` is NULL: start(i, j) = bias[i]; NULL: zero */
    const sn_ahead *ahead;
    int n_ahead;
    bool by_openblas; /* else by the kernel of gemm.c */
} sn_product;

/* Returns whether all of C is finite.  By the kernel every element is summed in the order of p, from the start on, so
 * its bits depend on its operands alone, not on the rows and columns that a call computes; and where a multiply-add is
 * one rounding (SN_HAS_FMA) not on the width of the vectors.  OpenBLAS may take another order for another shape, but is
 * called band by band with shapes that do not depend on the number of threads. */
bool SN_V(sn_gemm)(const sn_product *product);

/* The same, of one band whose first column is the only one that counts, with A read along its rows or its columns
 * (a_step or a_row 1): `repeats`: the others of C become the same as it, as they are in B, else 0, as they are in B and
 * in the start. */
bool SN_V(sn_gemm_single)(const sn_product *product, bool repeats);

#endif
