/* Softmax and cross-entropy from the logits, in double: loss = log sum_j exp(z_j) - z_label.
 *
 * With m the largest logit and e_j = exp(z_j - m), the rest s = sum of e_j without the label's: when the label has the
 * largest logit the loss is log1p(s), and the gradient at the label is -s / (s + e_label), so neither loses its digits
 * when the network is right by far.
 *
 * Label smoothing and class weights make it a cross-entropy to several classes of masses q_c:
 *
 *     loss = sum_c q_c l_c,  l_c = log sum_j exp(z_j) - z_c,  q_c = epsilon / n_classes w_c (+ (1 - epsilon) w_label)
 *     dz_c = (sum of the other q) p_c - q_c (1 - p_c)
 *
 * where l_c and 1 - p_c are had from the sum of e_j without the largest, so that they keep theirs. */
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
#include "ops/targets.h"

/* The sum of e_j without that of one class; NaN among the logits makes it NaN. */
static double rest_sum(const real *z, size_t n, size_t without, double max) {
    double rest = 0;
    for (size_t j = 0; j < n; j++)
        rest += j == without ? 0 : exp((double)z[j] - max);
    return rest;
}

static void write_gradient(const sn_loss_call *call, size_t r, size_t label, double max, double rest) {
    const real *z = sn_row(call->y, r);
    real *dz = sn_row(call->dy, r);
    double own = exp((double)z[label] - max), total = rest + own;
    for (size_t j = 0; j < call->width; j++)
        dz[j] = (real)(call->weight * (exp((double)z[j] - max) / total));
    dz[label] = (real)(-call->weight * (rest / total));
}

static sn_loss_sums plain(const sn_loss_call *call) {
    sn_loss_sums sums = {0, 0};
    for (size_t r = 0; r < call->rows; r++) {
        const real *z = sn_row(call->y, r);
        size_t label = call->samples->labels[call->indices[r]], best = sn_largest(z, call->width);
        double max = (double)z[best], rest = rest_sum(z, call->width, label, max), gap = max - (double)z[label];
        sums.loss += best == label ? log1p(rest) : gap + log(rest + exp(-gap));
        sums.correct += best == label && rest == rest;
        if (call->dy.data) write_gradient(call, r, label, max, rest);
    }
    return sums;
}

/* q_c, and what the other classes have of the mass. */
static double mass_of(const cross_entropy_attributes *a, size_t class, size_t label, double *others) {
    double weight = a->class_weights[class], own = a->label_mass * a->class_weights[label];
    *others = a->spread_mass * (a->total_weight - weight) + (class == label ? 0 : own);
    return a->spread_mass * weight + (class == label ? own : 0);
}

static sn_loss_sums weighted(const sn_loss_call *call, const cross_entropy_attributes *a) {
    sn_loss_sums sums = {0, 0};
    for (size_t r = 0; r < call->rows; r++) {
        const real *z = sn_row(call->y, r);
        real *dz = call->dy.data ? sn_row(call->dy, r) : NULL;
        size_t label = call->samples->labels[call->indices[r]], best = sn_largest(z, call->width);
        double max = (double)z[best], rest = rest_sum(z, call->width, best, max), log_total = log1p(rest), loss = 0;
        for (size_t c = 0; c < call->width; c++) {
            double gap = max - (double)z[c], e = exp(-gap), left = c == best ? rest : 1 + (rest - e), others;
            double mass = mass_of(a, c, label, &others);
            loss += mass * (gap + log_total);
            if (dz) dz[c] = (real)(call->weight * ((others * e - mass * left) / (1 + rest)));
        }
        sums.loss += loss;
        sums.correct += best == label && rest == rest;
    }
    return sums;
}

static sn_loss_sums softmax_cross_entropy(const sn_loss_call *call) {
    return call->attributes ? weighted(call, call->attributes) : plain(call);
}

const sn_loss_kernels SN_V(sn_kernels_softmax_cross_entropy) = {.evaluate = softmax_cross_entropy};
#endif
