/* Loops over signals, which lie in panels (base/panel.h). */
#ifndef SN_KERNELS_LANES_H
#define SN_KERNELS_LANES_H

#include "base/panel.h"
#include "kernels/variant.h"

/* Lanes that are computed at once, so that those of a panel with fewer samples come in such steps: those of a vector,
 * SN_PANEL at most. */
enum { SN_LANE_STEP = SN_PANEL * sizeof(real) <= SN_VECTOR_BYTES ? SN_PANEL : SN_VECTOR_BYTES / sizeof(real) };

/* The row of a feature in a block: its lanes. */
static inline real *sn_lanes_of(sn_view view, size_t block, size_t feature) {
    return (real *)view.data + block * view.ld + feature * SN_PANEL;
}

/* Element by element: `cols` elements in a row of a block.  Where all lanes are computed the features of a block are
 * one row, and blocks without gaps are one block. */
typedef struct sn_lane_rows {
    size_t blocks, rows, cols;
} sn_lane_rows;

static inline sn_lane_rows sn_lane_rows_of(size_t blocks, size_t width, size_t lanes, bool is_contiguous) {
    if (lanes < SN_PANEL) return (sn_lane_rows){blocks, width, lanes};
    if (is_contiguous) return (sn_lane_rows){1, 1, blocks * width * SN_PANEL};
    return (sn_lane_rows){blocks, 1, width * SN_PANEL};
}

/* Row `r` of block `b`, for all of an extent. */
#define SN_FOR_ROWS(extent)                                                                                            \
    for (size_t b = 0; b < (extent).blocks; b++)                                                                       \
        for (size_t r = 0; r < (extent).rows; r++)

/* The sum over the lanes of a panel, by halves: in one order for vectors of any width.  Written out, as gcc 12 leaves a
 * loop over the halves in memory. */
static inline double sn_sum_lanes(const double lanes[SN_PANEL]) {
    double half[SN_PANEL / 2], quarter[SN_PANEL / 4];
    for (int l = 0; l < SN_PANEL / 2; l++)
        half[l] = lanes[l] + lanes[l + SN_PANEL / 2];
    for (int l = 0; l < SN_PANEL / 4; l++)
        quarter[l] = half[l] + half[l + SN_PANEL / 4];
    return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}

/* Whether blocks of `width` features follow each other without gaps. */
static inline bool sn_is_contiguous(sn_view view, size_t width) {
    return view.ld == width * SN_PANEL;
}

#endif
