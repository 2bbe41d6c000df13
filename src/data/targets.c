/* Owns the judgement of regression targets. */
#include "data/targets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Beyond these the targets are far from mean 0 and sd 1. */
static const double far_mean = 3, large_sd = 3, small_sd = 0.1;

typedef struct scale {
    double mean, sd;
} scale;

/* Of target j over the training split; two passes, so that nothing cancels. */
static scale measure(const sn_dataset *dataset, size_t j) {
    const sn_samples *train = &dataset->train;
    scale s = {0, 0};
    for (size_t i = 0; i < train->n; i++)
        s.mean += train->targets[i * dataset->out_dim + j] / (double)train->n;
    for (size_t i = 0; i < train->n; i++) {
        double difference = train->targets[i * dataset->out_dim + j] - s.mean;
        s.sd += difference * difference / (double)train->n;
    }
    s.sd = sqrt(s.sd);
    return s;
}

static bool is_far(scale s) {
    return fabs(s.mean) > far_mean || s.sd > large_sd || s.sd < small_sd;
}

sn_status sn_targets_judge(sn_dataset *dataset, sn_error *error) {
    size_t n_far = 0;
    char text[128];
    for (size_t j = 0; j < dataset->out_dim; j++) {
        scale s = measure(dataset, j);
        if (!is_far(s) || n_far++ > 0) continue;
        int n = snprintf(text, sizeof text, "mean %.6g, sd %.6g", s.mean, s.sd);
        if (dataset->out_dim > 1) snprintf(text + n, sizeof text - (size_t)n, " of t%zu", j);
    }
    if (n_far == 0) return SN_OK;
    size_t n = strlen(text);
    if (n_far > 1) snprintf(text + n, sizeof text - n, ", and %zu more", n_far - 1);
    dataset->target_scale = sn_pool_string(&dataset->pool, text);
    if (!dataset->target_scale) return sn_error_memory(error, sizeof text, "the targets");
    sn_note_always(dataset->notes,
                   "%s: regression targets far from mean 0, sd 1 (%s) are not scaled: subtract the mean and divide by "
                   "the sd in the data, or take a train.lr to match",
                   dataset->origin, text);
    return SN_OK;
}
