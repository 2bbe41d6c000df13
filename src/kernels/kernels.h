/* The shared kernels of one variant; their contracts are those of the entries of sn_backend. */
#ifndef SN_KERNELS_KERNELS_H
#define SN_KERNELS_KERNELS_H

#include "kernels/calls.h"
#include "kernels/variant.h"

void SN_V(sn_gather)(const sn_gather_call *call);

void SN_V(sn_copy)(sn_view to, sn_view from, size_t rows, size_t cols);
bool SN_V(sn_merge_parts)(const sn_merge_parts_call *call);
void SN_V(sn_transpose)(sn_view to, sn_view from, size_t rows, size_t cols);
bool SN_V(sn_multiply)(const sn_product_call *call);
bool SN_V(sn_all_finite)(sn_view view, size_t rows, size_t cols);
void SN_V(sn_add_partials)(sn_view gradient, const double *partials, size_t n, size_t n_panels, size_t stride);
void SN_V(sn_from_double)(void *to, const double *from, size_t n);

sn_signal_sums SN_V(sn_signal_sums_of)(sn_view view, size_t rows, size_t cols);
sn_tensor_sums SN_V(sn_tensor_sums_of)(sn_view view, size_t rows, size_t cols);
void SN_V(sn_count_exponents)(const sn_exponents_call *call);
size_t SN_V(sn_count_less)(sn_view view, size_t rows, size_t cols, double limit);
size_t SN_V(sn_count_nonfinite)(sn_view view, size_t rows, size_t cols);

#endif
