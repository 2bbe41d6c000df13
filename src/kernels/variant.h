/* Names and types of one variant.  Every kernel is compiled once per precision and instruction set; the build defines
 * SN_SUFFIX (such as _f32_avx2), SN_SIMD_NAME and SN_IS_DOUBLE. */
#ifndef SN_KERNELS_VARIANT_H
#define SN_KERNELS_VARIANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/view.h"

#define SN_GLUE2(a, b) a##b
#define SN_GLUE(a, b)  SN_GLUE2(a, b)
#define SN_V(name)     SN_GLUE(name, SN_SUFFIX) /* the variant's own name of a symbol that other files see */

#if SN_IS_DOUBLE
typedef double real;
typedef uint64_t sn_count; /* of elements of a tile, as wide as they are */
#define SN_REAL_MIN 0x1p-1022
#define SN_REAL(c)  c
#else
typedef float real;
typedef uint32_t sn_count;
#define SN_REAL_MIN 0x1p-126F
#define SN_REAL(c)  SN_GLUE2(c, F)
#endif

#define SN_ALWAYS_INLINE static inline __attribute__((always_inline))

#define SN_PRAGMA(text)  _Pragma(#text)
#define SN_SIMD          _Pragma("omp simd")
#define SN_SIMD_SUM(sum) SN_PRAGMA(omp simd reduction(+ : sum))  /* the loop adds integers to `sum` */
#define SN_SIMD_OR(bits) SN_PRAGMA(omp simd reduction(| : bits)) /* the loop gathers bits */

/* Bytes of the vectors that explicit kernels use; the build may name others than the CPU's, which the compiler then
 * puts together. */
#if defined(SN_VECTOR_BYTES)
#elif defined(__AVX512F__)
#define SN_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define SN_VECTOR_BYTES 32
#else
#define SN_VECTOR_BYTES 16
#endif

/* Whether a multiply-add is one rounding: then no bit depends on the width of the vectors. */
#ifdef __FMA__
#define SN_HAS_FMA true
#else
#define SN_HAS_FMA false
#endif

/* Rows that follow each other without gaps are one long row: loops over short rows cost more than their work. */
static inline void sn_flatten(size_t *rows, size_t *cols, bool is_contiguous) {
    if (!is_contiguous) return;
    *cols *= *rows;
    *rows = 1;
}

static inline real *sn_row(sn_view view, size_t r) {
    return (real *)view.data + r * view.ld;
}

#endif
