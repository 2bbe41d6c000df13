/* The interface that a loss fulfils. */
#ifndef SN_OPS_LOSS_H
#define SN_OPS_LOSS_H

#include "base/view.h"
#include "config/config.h"
#include "data/data.h"

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

/* A row of the table of losses: what a user may write. */
typedef struct sn_loss {
    sn_kind kind;
    bool needs_classes; /* labels, else targets */
} sn_loss;

/* Its function, compiled once per precision and instruction set. */
typedef struct sn_loss_kernels {
    sn_loss_sums (*evaluate)(const sn_loss_call *call);
} sn_loss_kernels;

#endif
