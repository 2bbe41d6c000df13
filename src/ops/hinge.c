/* The multi-class hinge of Weston & Watkins, in double: every class that comes nearer to the label's output than the
 * margin costs what it lacks, to the power p; the mean is over all classes, the label's own 0 among them. */
#include "ops/objective.h"
#include "ops/row.h"

typedef struct hinge_attributes {
    double margin;
    bool squares; /* p is 2 */
    const double *class_weights;
} hinge_attributes;

#if SN_DESCRIBES
static sn_status hinge_build(sn_objective *objective, const sn_loss_request *request, sn_error *error) {
    hinge_attributes *attributes = sn_pool_alloc(request->pool, sizeof *attributes);
    if (!attributes) return sn_error_memory(error, sizeof *attributes, "a hinge");
    attributes->margin = sn_value_number(request->loss, "margin");
    attributes->squares = sn_value_integer(request->loss, "p") == 2;
    objective->attributes = attributes;
    return sn_class_weights(&attributes->class_weights, request, error);
}

static const sn_key hinge_keys[] = {
    {.name = "p", .types = SN_INTEGER, .fallback = "1", .min = 1, .max = 2, .help = "power: 1, or 2 for its square"},
    {.name = "margin",
     .types = SN_NUMBER,
     .fallback = "1",
     .min = 0,
     .max = 1e100,
     .help = "by which the label's output has to be above all others"},
    {SN_KEY_CLASS_WEIGHTS,
     .help = "w, one number for each class in the order of the classes, or \"balanced\": n / (n_classes count_c) over "
             "the training split; null: all 1; the mean over the batch stays that of all samples"},
    {0},
};

const sn_loss sn_loss_hinge = {
    .kind = {.name = "hinge",
             .help =
                 "classes: what others lack to be below the label's output by the margin, mean over batch and classes",
             .keys = hinge_keys,
             .formula = "loss = w_label / n_classes sum_(j != label) max(0, margin - z_label + z_j)^p",
             .source = "Weston & Watkins 1999, ESANN, 219-224; as torch.nn.MultiMarginLoss"},
    .accepts = SN_LABELS,
    .bends = true,
    .build = hinge_build,
};
#else
#include "ops/targets.h"

/* Of the lanes: the label and its output, what their loss is multiplied by, the loss, and its slopes by all other
 * outputs together. */
typedef struct margins {
    uint64_t label[SN_PANEL];
    double own[SN_PANEL], factor[SN_PANEL], loss[SN_PANEL], slopes[SN_PANEL];
} margins;

static void set_margins(margins *m, const sn_loss_call *call) {
    const hinge_attributes *a = call->attributes;
    for (size_t l = 0; l < call->lanes; l++) {
        m->label[l] = call->samples->labels[sn_sample_of(call, l)];
        m->own[l] = (double)sn_lanes_of(call->y, 0, m->label[l])[l];
        m->factor[l] = (a->class_weights ? a->class_weights[m->label[l]] : 1) / (double)call->width;
    }
}

/* What output j lacks to be below those of the labels by the margin. */
SN_ALWAYS_INLINE void add_output(margins *m, const sn_loss_call *call, size_t j, size_t lanes) {
    const hinge_attributes *a = call->attributes;
    const real *z = sn_lanes_of(call->y, 0, j);
    real *dz = call->dy.data ? sn_lanes_of(call->dy, 0, j) : NULL;
    double slope[SN_PANEL];
    SN_SIMD for (size_t l = 0; l < lanes; l++) {
        double lacks = a->margin - m->own[l] + (double)z[l];
        bool counts = j != m->label[l] && !(lacks <= 0); /* NaN counts, so that it is seen */
        double counted = counts ? lacks : 0;
        m->loss[l] += counted * (a->squares ? counted : 1);
        slope[l] = a->squares ? 2 * counted : counts;
        m->slopes[l] += slope[l];
    }
    if (!dz) return;
    SN_SIMD for (size_t l = 0; l < lanes; l++) dz[l] = (real)(call->weight * m->factor[l] * slope[l]);
}

SN_ALWAYS_INLINE sn_loss_sums evaluate(const sn_loss_call *call, size_t lanes) {
    margins m = {0};
    sn_largest best;
    sn_set_largest(&best, call, lanes);
    set_margins(&m, call);
    for (size_t j = 0; j < call->width; j++)
        add_output(&m, call, j, lanes);
    for (size_t l = 0; l < lanes; l++) {
        m.loss[l] *= m.factor[l];
        if (call->dy.data) sn_lanes_of(call->dy, 0, m.label[l])[l] = (real)(-call->weight * m.factor[l] * m.slopes[l]);
    }
    return sn_sums_of(call, m.loss, &best);
}

static sn_loss_sums hinge(const sn_loss_call *call) {
    sn_loss_sums sums = call->lanes == SN_PANEL ? evaluate(call, SN_PANEL) : evaluate(call, call->lanes);
    sn_clear_idle(call);
    return sums;
}

const sn_loss_kernels SN_V(sn_kernels_hinge) = {.evaluate = hinge};
#endif
