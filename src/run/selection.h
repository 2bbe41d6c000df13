/* Patterns of labels: which parameters train.freeze holds, and which have a learning rate of their own. */
#ifndef SN_RUN_SELECTION_H
#define SN_RUN_SELECTION_H

#include "base/error.h"
#include "base/notes.h"
#include "config/config.h"
#include "network/graph.h"

/* Elements of the key "train.lr_scale". */
extern const sn_key sn_lr_scale_key;

/* Marks the parameters of the graph.  A pattern is one of the shell (*, ?, [...]) and stands for every parameter of the
 * nodes whose label it matches, or for those whose name it matches with the label ("*.bias").  One that matches
 * none is a fault; where several of lr_scale match, the last counts.  Notes if nothing is left that moves, and entries
 * of lr_scale that decide nothing. */
sn_status sn_selection_apply(sn_graph *graph, const sn_config *config, sn_notes *notes, sn_error *error);

/* Elements of parameters that are held. */
size_t sn_selection_held(const sn_graph *graph);

#endif
