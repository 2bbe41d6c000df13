/* The interface that a loss fulfils. */
#ifndef SN_OPS_LOSS_H
#define SN_OPS_LOSS_H

#include "base/notes.h"
#include "base/pool.h"
#include "base/view.h"
#include "config/config.h"
#include "data/data.h"

struct sn_loss;

/* A loss made ready for one config and its data. */
typedef struct sn_objective {
    const struct sn_loss *loss;  /* a row of sn_losses */
    const void *attributes;      /* the loss's own record, made by `build`; NULL: all its keys are at their defaults */
    const double *class_weights; /* (out_dim), what a sample weighs in the mean, by its label; NULL: every sample 1 */
    const double *one_hot;       /* labels of a loss that takes targets, too: see sn_loss_call */
} sn_objective;

/* What an objective is built from. */
typedef struct sn_loss_request {
    const sn_config *config; /* that `loss` is part of, for errors */
    const sn_value *loss;    /* the resolved {"kind": NAME, ...} */
    const sn_dataset *data;
    sn_pool *pool;   /* owns what is built */
    sn_notes *notes; /* may be NULL */
} sn_loss_request;

/* A loss over a panel, or the last one. */
typedef struct sn_loss_call {
    const void *attributes; /* of the objective */
    const double *one_hot; /* (2 width - 1), 1 in the middle and 0 elsewhere: from width - 1 - label on it is the target
                            * of a label; NULL: there are targets, or the loss takes none */
    size_t rows, width;    /* samples, outputs */
    size_t lanes;          /* of dy that are to be written: behind those of the samples zeros */
    sn_view y;             /* a block (width, SN_PANEL): logits or predictions, see base/panel.h */
    const sn_samples *samples;
    const uint32_t *indices; /* (rows): the samples of the lanes */
    sn_view dy;              /* a block, written; data NULL: not wanted */
    double weight;           /* of one unit of loss in the mean: 1 / batch, with class weights 1 / their sum */
} sn_loss_call;

typedef struct sn_loss_sums {
    double loss;    /* sum of the samples' losses, each times its weight */
    double correct; /* samples whose largest output is their label, none where an output is NaN; 0 for targets */
} sn_loss_sums;

/* What the samples of a loss may have: see sn_samples. */
enum { SN_LABELS = 1 << 0, SN_TARGETS = 1 << 1 };

/* A row of the table of losses: what a user may write. */
typedef struct sn_loss {
    sn_kind kind;
    unsigned accepts; /* SN_LABELS, SN_TARGETS, or-ed; with both a label stands for a one-hot target */
    bool bends;       /* its first or second derivative jumps, and not only at infinity */

    /* Checks what keys and data are together, sets attributes and class_weights; NULL: there is nothing to do. */
    sn_status (*build)(sn_objective *objective, const sn_loss_request *request, sn_error *error);

    /* (n) outputs as probabilities of the classes; NULL: they are none. */
    void (*probabilities)(double *p, const double *z, size_t n);
} sn_loss;

/* Its function, compiled once per precision and instruction set. */
typedef struct sn_loss_kernels {
    sn_loss_sums (*evaluate)(const sn_loss_call *call);
} sn_loss_kernels;

#endif
