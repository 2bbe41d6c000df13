/* What the files of the probe share; not for other rooms. */
#ifndef SN_ENGINE_PROBE_STATE_H
#define SN_ENGINE_PROBE_STATE_H

#include "engine/internal.h"
#include "engine/probe.h"

struct sn_probe {
    sn_graph graph; /* the network's, with nodes of its own: every one wants its gradient */
    sn_engine *engine;
    sn_step step;        /* of the last run */
    bool is_trained;     /* that was one in training mode */
    bool has_work;       /* the gradients by the weights belong to the last backward walk */
    int begin;           /* the node that it began at */
    int *passed;         /* per node: the input that is handed on; -1: none */
    sn_arena room, sums; /* of one pull or push: the signals of a node and its inputs; its sums */
    sn_view *views;      /* per input of a node */
    sn_flow *flows;
};

/* A signal over the whole batch: its blocks have no gaps, since nothing shares a buffer. */
static inline sn_view sn_probe_view(const sn_probe *probe, sn_slot slot) {
    return sn_batch_view(probe->engine, slot, 0);
}

/* A signal of a node from doubles, a row per sample and position, and back; `values` NULL: zeros.  Idle lanes are 0. */
void sn_probe_bring(const sn_probe *probe, sn_view to, int node, const double *values);
void sn_probe_fetch(const sn_probe *probe, double *values, int node, sn_view from);

/* The call by which a passed node hands on its input, its forward and its backward: that of `identity`. */
void sn_probe_pass_forward(sn_probe *probe, int node);
void sn_probe_pass_backward(sn_probe *probe, int node);

/* Room for one pull or push of any node. */
sn_status sn_probe_take_room(sn_probe *probe, sn_error *error);

#endif
