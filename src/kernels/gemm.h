/* Matrix products of the sizes that layers have. */
#ifndef SN_KERNELS_GEMM_H
#define SN_KERNELS_GEMM_H

#include "kernels/variant.h"

/* C (m, n) = start + A (m, k) B (k, n), k at least 1.  A is read element by element, so it may be transposed; rows of B
 * and C lie contiguous.  C must not overlap A or B. */
typedef struct sn_product {
    size_t m, n, k;
    const real *a;
    size_t a_row, a_step; /* A(i, p) = a[i * a_row + p * a_step] */
    const real *b;        /* readable for SN_ALIGNMENT bytes past its last element, as all of an arena is */
    size_t b_ld;
    real *c;
    size_t c_ld;
    const real *start; /* start(i, j) = start[i * start_ld + j]; NULL: zero.  May be C itself */
    size_t start_ld;   /* 0: one row for all, a bias */
    const sn_ahead *ahead;
    int n_ahead;
} sn_product;

/* Returns whether all of C is finite.  On AVX2 and AVX-512 every element is summed in the order of p, from the start
 * on, by fused multiply-adds, so its bits depend on its operands alone, not on the rows and columns that a call
 * computes (sn_backend.has_own_products) nor on which of the two it is; OpenBLAS may take another order for another
 * shape. */
bool SN_V(sn_gemm)(const sn_product *product);

#endif
