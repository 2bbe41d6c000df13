/* How signals lie in memory: in panels, samples innermost.
 *
 * A panel holds SN_PANEL samples.  A signal is [panel][position][feature][SN_PANEL]: a *block*, one position of one
 * panel, is a matrix (features, SN_PANEL) whose rows follow each other without gaps, and the columns of a wider buffer
 * are rows of its blocks.  Of a view of a signal `data` is the first block and `ld` the elements from one block to the
 * next.  A sample is a *lane* of its panel.
 *
 * Vectors run along the samples, so no op sums over a vector's lanes but for what is summed over the batch, and every
 * value of a sample is the same chain of operations whatever the width of the vectors is.
 *
 * The last panel of a batch may have idle lanes.  In values they repeat the last sample, so that they are finite where
 * the samples are; in gradients they are zero.  Whole vectors of idle lanes are not computed at all: a call says how
 * many lanes of its panels are.  No sum over samples sees an idle lane, but as a zero.
 *
 * Only kernels, and what hands them their signals, know of this: nodes, files and the outside have a row per sample. */
#ifndef SN_BASE_PANEL_H
#define SN_BASE_PANEL_H

#include <stddef.h>

enum { SN_PANEL = 16 };

static inline size_t sn_panels(size_t samples) {
    return (samples + SN_PANEL - 1) / SN_PANEL;
}

/* Samples that panel `panel` has, of `samples` in all. */
static inline size_t sn_panel_samples(size_t samples, size_t panel) {
    size_t left = samples - panel * SN_PANEL;
    return left < SN_PANEL ? left : SN_PANEL;
}

/* Some features of a signal with a row for every position of every sample: what the product of a weight gradient reads.
 * Room of a thread, which keeps what it holds from one tile of a weight to the next. */
enum { SN_STRIPE_COLS = 64, SN_STRIPE_ROWS = 1024 };

typedef struct sn_stripe {
    void *data;        /* (SN_STRIPE_ROWS, SN_STRIPE_COLS), or as much as an op asks for (gradient_room) */
    const void *holds; /* the first element of the signal's features that lie here; NULL: nothing */
    size_t cols;       /* how many of them */
} sn_stripe;

#endif
