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

static sn_loss_sums hinge(const sn_loss_call *call) {
    const hinge_attributes *a = call->attributes;
    sn_loss_sums sums = {0, 0};
    for (size_t r = 0; r < call->rows; r++) {
        const real *z = sn_row(call->y, r);
        real *dz = call->dy.data ? sn_row(call->dy, r) : NULL;
        size_t label = call->samples->labels[call->indices[r]];
        double factor = (a->class_weights ? a->class_weights[label] : 1) / (double)call->width;
        double sum = 0, slopes = 0;
        for (size_t j = 0; j < call->width; j++) {
            double lacks = a->margin - (double)z[label] + (double)z[j];
            bool counts = j != label && !(lacks <= 0); /* NaN counts, so that it is seen */
            double slope = !counts ? 0 : a->squares ? 2 * lacks : 1;
            if (counts) sum += a->squares ? lacks * lacks : lacks;
            if (dz) dz[j] = (real)(call->weight * factor * slope);
            slopes += slope;
        }
        if (dz) dz[label] = (real)(-call->weight * factor * slopes);
        sums.loss += factor * sum;
        sums.correct += sn_is_right(call, r, sum);
    }
    return sums;
}

const sn_loss_kernels SN_V(sn_kernels_hinge) = {.evaluate = hinge};
#endif
