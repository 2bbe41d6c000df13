/* Softmax and cross-entropy from the logits, in double: loss = log sum_j exp(z_j) - z_label.
 *
 * With m the largest logit, e_j = exp(z_j - m) and s the sum of e_j without that of the largest, log sum_j exp(z_j) -
 * z_c is m - z_c + log1p(s), and what other classes than c have of the sum is 1 + (s - e_c), of the largest s: so
 * neither loss nor gradient loses its digits when the network is right by far.
 *
 * Label smoothing and class weights make it a cross-entropy to several classes of masses q_c:
 *
 *     loss = sum_c q_c l_c,  l_c = log sum_j exp(z_j) - z_c,  q_c = epsilon / n_classes w_c (+ (1 - epsilon) w_label)
 *     dz_c = (sum of the other q) p_c - q_c (1 - p_c) */
#include <math.h>

#include "ops/objective.h"
#include "ops/row.h"

typedef struct cross_entropy_attributes {
    double label_mass;           /* 1 - epsilon */
    double spread_mass;          /* epsilon / n_classes */
    double total_weight;         /* of all classes */
    const double *class_weights; /* (out_dim) */
} cross_entropy_attributes;

#if SN_DESCRIBES
static const double *ones(size_t n, sn_pool *pool) {
    double *values = sn_pool_alloc(pool, n * sizeof *values);
    for (size_t i = 0; i < n && values; i++)
        values[i] = 1;
    return values;
}

static sn_status cross_entropy_build(sn_objective *objective, const sn_loss_request *request, sn_error *error) {
    double epsilon = sn_value_number(request->loss, "label_smoothing");
    size_t n = request->data->out_dim;
    sn_status status = sn_class_weights(&objective->class_weights, request, error);
    if (status || (epsilon == 0 && !objective->class_weights)) return status;
    cross_entropy_attributes *attributes = sn_pool_alloc(request->pool, sizeof *attributes);
    const double *weights = objective->class_weights ? objective->class_weights : ones(n, request->pool);
    if (!attributes || !weights) return sn_error_memory(error, n * sizeof *weights, "a cross-entropy");
    attributes->label_mass = 1 - epsilon;
    attributes->spread_mass = epsilon / (double)n;
    attributes->class_weights = weights;
    for (size_t c = 0; c < n; c++)
        attributes->total_weight += weights[c];
    objective->attributes = attributes;
    return SN_OK;
}

/* exp(z_j) over their sum, from differences to the largest output, so that nothing overflows. */
static void softmax(double *p, const double *z, size_t n) {
    double most = z[0], sum = 0;
    for (size_t j = 1; j < n; j++)
        most = fmax(most, z[j]);
    for (size_t j = 0; j < n; j++)
        sum += exp(z[j] - most);
    for (size_t j = 0; j < n; j++)
        p[j] = exp(z[j] - most) / sum;
}

static const sn_key cross_entropy_keys[] = {
    {.name = "label_smoothing",
     .types = SN_NUMBER,
     .flags = SN_LATER,
     .fallback = "0",
     .min = 0,
     .max = 1,
     .help = "epsilon: the share of a sample's weight that goes to all classes alike"},
    {SN_KEY_CLASS_WEIGHTS, .flags = SN_LATER,
     .help = "w, one number for each class in the order of the classes, or \"balanced\": n / (n_classes count_c) over "
             "the training split; null: all 1; means are divided by the sum of their samples' weights (0 where they "
             "have none)"},
    {0},
};

const sn_loss sn_loss_softmax_cross_entropy = {
    .kind = {.name = "softmax_cross_entropy",
             .help = "classification: cross-entropy of the softmax of the outputs, mean over the batch",
             .keys = cross_entropy_keys,
             .formula =
                 "loss = (1 - epsilon) w_label l_label + epsilon / n_classes sum_c w_c l_c, l_c = log sum_j exp(z_j) "
                 "- z_c",
             .source = "Szegedy et al. 2016, arXiv 1512.00567; as torch.nn.CrossEntropyLoss"},
    .accepts = SN_LABELS,
    .build = cross_entropy_build,
    .probabilities = softmax,
};
#else
#include "kernels/exponential.h"
#include "ops/targets.h"

enum { KEPT = 32 }; /* outputs whose e_j is kept for the gradient; that of others is worked out again */

/* Of the lanes: the label, the largest output, s, and log(1 + s). */
typedef struct softmax_lanes {
    size_t label[SN_PANEL];
    sn_largest best;
    double rest[SN_PANEL], log_total[SN_PANEL];
    double e[KEPT][SN_PANEL];
} softmax_lanes;

/* exp(z_j - m).  NaN stays. */
SN_ALWAYS_INLINE void set_exponentials(double *e, const softmax_lanes *s, const real *z, size_t lanes) {
    SN_SIMD for (size_t l = 0; l < lanes; l++) e[l] = sn_double_exp_minus((double)s->best.value[l] - (double)z[l]);
}

/* NaN among the logits makes s NaN. */
SN_ALWAYS_INLINE void set_lanes(softmax_lanes *s, const sn_loss_call *call, size_t lanes) {
    double rest[SN_PANEL] = {0}, spare[SN_PANEL];
    sn_set_largest(&s->best, call, lanes);
    for (size_t j = 0; j < call->width; j++) {
        double *e = j < KEPT ? s->e[j] : spare;
        sn_count own = (sn_count)j;
        set_exponentials(e, s, sn_lanes_of(call->y, 0, j), lanes);
        SN_SIMD for (size_t l = 0; l < lanes; l++) rest[l] += own == s->best.output[l] ? 0 : e[l];
    }
    for (size_t l = 0; l < lanes; l++)
        s->label[l] = call->samples->labels[sn_sample_of(call, l)];
    SN_SIMD for (size_t l = 0; l < lanes; l++) {
        s->rest[l] = rest[l];
        s->log_total[l] = sn_double_log1p(rest[l]);
    }
}

/* e_j, from where it is kept or in `spare`. */
SN_ALWAYS_INLINE const double *exponentials_of(const softmax_lanes *s, const sn_loss_call *call, size_t j,
                                               double *spare, size_t lanes) {
    if (j < KEPT) return s->e[j];
    set_exponentials(spare, s, sn_lanes_of(call->y, 0, j), lanes);
    return spare;
}

SN_ALWAYS_INLINE void set_gradient(const softmax_lanes *s, const sn_loss_call *call, size_t lanes) {
    double share[SN_PANEL], spare[SN_PANEL];
    SN_SIMD for (size_t l = 0; l < lanes; l++) share[l] = call->weight / (1 + s->rest[l]);
    for (size_t j = 0; j < call->width; j++) {
        const double *e = exponentials_of(s, call, j, spare, lanes);
        real *dz = sn_lanes_of(call->dy, 0, j);
        SN_SIMD for (size_t l = 0; l < lanes; l++) dz[l] = (real)(share[l] * e[l]);
    }
    for (size_t l = 0; l < lanes; l++) {
        size_t j = s->label[l];
        double e = exponentials_of(s, call, j, spare, lanes)[l];
        double others = j == s->best.output[l] ? s->rest[l] : 1 + (s->rest[l] - e);
        sn_lanes_of(call->dy, 0, j)[l] = (real)(-share[l] * others);
    }
}

SN_ALWAYS_INLINE sn_loss_sums plain(const sn_loss_call *call, size_t lanes) {
    softmax_lanes s;
    double loss[SN_PANEL] = {0};
    set_lanes(&s, call, lanes);
    for (size_t l = 0; l < lanes; l++) {
        double gap = (double)s.best.value[l] - (double)sn_lanes_of(call->y, 0, s.label[l])[l];
        loss[l] = gap + s.log_total[l];
    }
    if (call->dy.data) set_gradient(&s, call, lanes);
    return sn_sums_of(call, loss, &s.best);
}

/* The masses of class c and of all others; `own` is what the labels have beside that. */
SN_ALWAYS_INLINE void set_masses(double *mass, double *others, const sn_loss_call *call, const softmax_lanes *s,
                                 const double *own, size_t c) {
    const cross_entropy_attributes *a = call->attributes;
    double weight = a->class_weights[c], spread = a->spread_mass * weight;
    double rest = a->spread_mass * (a->total_weight - weight);
    for (size_t l = 0; l < call->lanes; l++) {
        mass[l] = spread + (c == s->label[l] ? own[l] : 0);
        others[l] = rest + (c == s->label[l] ? 0 : own[l]);
    }
}

SN_ALWAYS_INLINE sn_loss_sums weighted(const sn_loss_call *call, size_t lanes) {
    const cross_entropy_attributes *a = call->attributes;
    softmax_lanes s;
    double loss[SN_PANEL] = {0}, own[SN_PANEL], mass[SN_PANEL], others[SN_PANEL], spare[SN_PANEL];
    set_lanes(&s, call, lanes);
    for (size_t l = 0; l < lanes; l++)
        own[l] = a->label_mass * a->class_weights[s.label[l]];
    for (size_t c = 0; c < call->width; c++) {
        const double *e = exponentials_of(&s, call, c, spare, lanes);
        const real *z = sn_lanes_of(call->y, 0, c);
        real *dz = call->dy.data ? sn_lanes_of(call->dy, 0, c) : NULL;
        set_masses(mass, others, call, &s, own, c);
        SN_SIMD for (size_t l = 0; l < lanes; l++) loss[l] +=
            mass[l] * ((double)s.best.value[l] - (double)z[l] + s.log_total[l]);
        for (size_t l = 0; l < lanes && dz; l++) {
            double left = c == s.best.output[l] ? s.rest[l] : 1 + (s.rest[l] - e[l]);
            dz[l] = (real)(call->weight * ((others[l] * e[l] - mass[l] * left) / (1 + s.rest[l])));
        }
    }
    return sn_sums_of(call, loss, &s.best);
}

SN_ALWAYS_INLINE sn_loss_sums evaluate(const sn_loss_call *call, size_t lanes) {
    return call->attributes ? weighted(call, lanes) : plain(call, lanes);
}

static sn_loss_sums softmax_cross_entropy(const sn_loss_call *call) {
    sn_loss_sums sums = call->lanes == SN_PANEL ? evaluate(call, SN_PANEL) : evaluate(call, call->lanes);
    sn_clear_idle(call);
    return sums;
}

const sn_loss_kernels SN_V(sn_kernels_softmax_cross_entropy) = {.evaluate = softmax_cross_entropy};
#endif
