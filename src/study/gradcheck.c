/* Owns the gradient check: the noise of the loss, the choice of coordinates, the ladder of steps at each of them. */
#include "study/gradcheck.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* Of the limit, what noise and what the disagreement of two steps may each take: a gradient that is right stays within
 * the limit with both of them. */
static const double SHARE = SN_GRADCHECK_LIMIT / 4;

/* R scatters by 0.75 noise/h, a difference of one-sided slopes by 2.4 noise/h. */
static const double SURE = 4, SURE_OF_BEND = 12;

/* A gradient is wrong by an error that three differences tell alike up to this part of it. */
static const double STEADY = 1e-3;

enum { N_RUNGS = 10, COARSEST = -6, N_NOISE = 16 };

typedef enum outcome { PENDING, AGREES, DISAGREES, KINK, BELOW } outcome;

/* A tensor under check. */
typedef struct subject {
    const sn_gradcheck *check;
    size_t tensor, count;
    double *values; /* the weights as they are */
} subject;

/* The ladder at one coordinate. */
typedef struct ladder {
    double gradient;        /* under check */
    double h[N_RUNGS];      /* the step */
    double slope[N_RUNGS];  /* D */
    double bend[N_RUNGS];   /* the slope to the right less the slope to the left */
    double fourth[N_RUNGS]; /* R, from rung 1 on */
    int n;
} ladder;

/* NAN where the loss is not finite. */
static double loss_of(const sn_gradcheck *check) {
    sn_step step = {.batch = check->request.batch, .only_loss = true};
    sn_step_result result;
    return sn_engine_step(check->request.engine, &step, &result) == SN_OK ? result.loss : (double)NAN;
}

static double *copy_of(const sn_tensor *tensor, sn_error *error) {
    size_t bytes = sn_tensor_count(tensor) * sizeof(double);
    double *values = malloc(bytes);
    if (values) {
        memcpy(values, tensor->data, bytes);
    } else {
        sn_error_memory(error, bytes, "weights");
    }
    return values;
}

/* Moves tensor `i` by `times` a few of its last bits, up or down; `values` are its weights, `nudged` is room. */
static void nudge(sn_engine *engine, size_t i, const double *values, double *nudged, int times) {
    sn_tensor tensor;
    sn_engine_tensor(engine, i, &tensor);
    size_t count = sn_tensor_count(&tensor);
    double largest = 0;
    for (size_t k = 0; k < count; k++)
        largest = fmax(largest, fabs(values[k]));
    double unit = 4 * DBL_EPSILON * (largest > 0 ? largest : 1);
    sn_rng rng = sn_rng_stream(0, "gradcheck noise", tensor.name, 0);
    for (size_t k = 0; k < count; k++)
        nudged[k] = values[k] + (sn_rng_bits(rng, k) & 1 ? times : -times) * unit;
    sn_engine_set_tensor(engine, i, nudged);
}

static void nudge_all(sn_engine *engine, const double *weights, double *nudged, int times) {
    for (size_t i = 0; i < sn_engine_tensor_count(engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(engine, i, &tensor);
        nudge(engine, i, weights, nudged, times);
        weights += sn_tensor_count(&tensor);
    }
}

/* Copies the weights of all tensors to `weights`, where that is not NULL; how many they are. */
static size_t take_weights(const sn_engine *engine, double *weights) {
    size_t total = 0;
    for (size_t i = 0; i < sn_engine_tensor_count(engine); i++) {
        sn_tensor tensor;
        sn_engine_tensor(engine, i, &tensor);
        if (weights) memcpy(weights + total, tensor.data, sn_tensor_count(&tensor) * sizeof *weights);
        total += sn_tensor_count(&tensor);
    }
    return total;
}

static double scatter_of(double *losses, int n) {
    double squares = 0;
    for (int order = 0; order < 4; order++, n--) {
        for (int k = 0; k + 1 < n; k++)
            losses[k] = losses[k + 1] - losses[k];
    }
    for (int k = 0; k < n; k++)
        squares += losses[k] * losses[k];
    return sqrt(squares / n / 70); /* 70 = 1 + 16 + 36 + 16 + 1 */
}

/* The noise: over so short a way the loss is linear, so in fourth differences of losses at equal distances nothing but
 * rounding is left (Hamming's difference table; Moré & Wild, "Estimating computational noise", 2011). */
static sn_status measure_noise(sn_gradcheck *check, sn_error *error) {
    sn_engine *engine = check->request.engine;
    size_t total = take_weights(engine, NULL);
    double losses[N_NOISE], *weights = calloc(total + 1, sizeof *weights), *nudged = calloc(total + 1, sizeof *nudged);
    bool ok = weights && nudged;
    if (ok) {
        take_weights(engine, weights);
        for (int k = 0; k < N_NOISE; k++) {
            nudge_all(engine, weights, nudged, k);
            losses[k] = loss_of(check);
        }
        nudge_all(engine, weights, nudged, 0);
        check->noise = fmax(scatter_of(losses, N_NOISE), DBL_EPSILON * fabs(check->loss));
    }
    free(weights);
    free(nudged);
    return ok ? SN_OK : sn_error_memory(error, 2 * total * sizeof *weights, "weights");
}

sn_status sn_gradcheck_open(sn_gradcheck *check, const sn_gradcheck_request *request, const sn_graph *graph,
                            sn_error *error) {
    *check = (sn_gradcheck){.request = *request};
    sn_step step = {.batch = request->batch};
    sn_step_result result;
    char text[SN_FAULT_TEXT];
    if (sn_engine_step(request->engine, &step, &result) != SN_OK) {
        return sn_error_set(error, SN_DIVERGED, "no gradient to check: %s is not finite",
                            sn_fault_text(&result.fault, graph, text));
    }
    check->loss = result.loss;
    return measure_noise(check, error);
}

static double shifted_loss(const subject *s, size_t at, double value) {
    double kept = s->values[at];
    s->values[at] = value;
    sn_engine_set_tensor(s->check->request.engine, s->tensor, s->values);
    s->values[at] = kept;
    return loss_of(s->check);
}

/* The next step of the ladder.  What w + h really is decides, not what it was meant to be. */
static void climb(const subject *s, size_t at, ladder *l) {
    int k = l->n++;
    double w = s->values[at], middle = s->check->loss;
    l->h[k] = ldexp(1, COARSEST - 2 * k);
    double right = w + l->h[k], left = w - l->h[k];
    double above = shifted_loss(s, at, right), below = shifted_loss(s, at, left);
    l->slope[k] = (above - below) / (right - left);
    l->bend[k] = (above - middle) / (right - w) - (middle - below) / (w - left);
    l->fourth[k] = k > 0 ? (16 * l->slope[k] - l->slope[k - 1]) / 15 : (double)NAN;
}

static double scale_of(const ladder *l) {
    return fmax(fabs(l->gradient), fabs(l->fourth[l->n - 1]));
}

/* Whether the slopes beside w differ by what a smaller step does not make smaller: by h f'' they would differ by a
 * quarter of what they did at the step before. */
static bool is_bent(const ladder *l, double noise) {
    int k = l->n - 1;
    double bend = fabs(l->bend[k]);
    bool stands_out = bend > SURE_OF_BEND * noise / l->h[k] && bend > SN_GRADCHECK_LIMIT * scale_of(l);
    return stands_out && bend > 0.5 * fabs(l->bend[k - 1]);
}

/* Whether the differences stay away from the gradient by `error` whatever the step.  Those of a smooth loss come 256
 * times closer to each other at each step.  Kinks between the points scatter them, and one at w bends the loss: that of
 * a sample by twice the error, that of a batch by a sum in which terms may cancel. */
static bool is_settled(const ladder *l, double error, double noise) {
    int k = l->n - 1;
    if (k < 3 || is_bent(l, noise)) return false;
    double near = fabs(l->fourth[k] - l->fourth[k - 1]), before = fabs(l->fourth[k - 1] - l->fourth[k - 2]);
    return near <= error * STEADY && before <= error * STEADY && fabs(l->bend[k]) <= error / 2;
}

/* What is left to say when no finer step can tell more: with a loss that is smooth at the coarsest steps, could the
 * gradient have been verified there? */
static outcome unverified(const ladder *l, double noise) {
    return SHARE * scale_of(l) > SURE * noise / l->h[1] ? KINK : BELOW;
}

static outcome judge(const ladder *l, double noise) {
    int k = l->n - 1;
    if (k < 1) return PENDING;
    double scale = scale_of(l), error = fabs(l->fourth[k] - l->gradient), unresolved = SURE * noise / l->h[k];
    if (SHARE * scale > unresolved && error <= SN_GRADCHECK_LIMIT * scale) return is_bent(l, noise) ? PENDING : AGREES;
    bool shows_errors = STEADY * error > unresolved;
    if (shows_errors && is_settled(l, error, noise)) return DISAGREES;
    return shows_errors || SHARE * scale > unresolved ? PENDING : unverified(l, noise);
}

static void keep_worst(sn_gradcheck_row *row, const ladder *l, size_t at) {
    double difference = l->fourth[l->n - 1], error = fabs(difference - l->gradient) / scale_of(l);
    if (error <= row->worst) return; /* NAN is none */
    row->worst = error;
    row->worst_at = at;
    row->worst_gradient = l->gradient;
    row->worst_difference = difference;
}

static void check_coordinate(const subject *s, size_t at, double gradient, sn_gradcheck_row *row) {
    double noise = s->check->noise;
    ladder l = {.gradient = gradient};
    outcome found = PENDING;
    while (found == PENDING && l.n < N_RUNGS) {
        climb(s, at, &l);
        found = judge(&l, noise);
    }
    if (found == PENDING) found = unverified(&l, noise);
    row->checked++;
    row->agreeing += found == AGREES;
    row->disagreeing += found == DISAGREES;
    row->kinks += found == KINK;
    row->below += found == BELOW;
    if (found == AGREES || found == DISAGREES) keep_worst(row, &l, at);
}

typedef struct coordinate {
    double magnitude;
    size_t at;
} coordinate;

/* Larger gradients first, equal ones in the order of the tensor. */
static int by_magnitude(const void *a, const void *b) {
    const coordinate *x = a, *y = b;
    if (x->magnitude != y->magnitude) return x->magnitude < y->magnitude ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The `wanted` coordinates to check come to the front: the first half by magnitude, the others drawn from the rest. */
static void choose_coordinates(coordinate *all, size_t count, size_t wanted, sn_rng rng) {
    qsort(all, count, sizeof *all, by_magnitude);
    for (size_t k = (wanted + 1) / 2; k < wanted; k++) {
        size_t other = k + (size_t)sn_rng_below(rng, k, count - k);
        coordinate kept = all[k];
        all[k] = all[other];
        all[other] = kept;
    }
}

static void check_coordinates(const subject *s, const double *gradient, coordinate *all, sn_gradcheck_row *row) {
    const sn_gradcheck_request *request = &s->check->request;
    size_t wanted = request->samples > 0 && request->samples < s->count ? request->samples : s->count;
    for (size_t k = 0; k < s->count; k++)
        all[k] = (coordinate){fabs(gradient[k]), k};
    if (wanted < s->count) {
        choose_coordinates(all, s->count, wanted, sn_rng_stream(request->seed, "gradcheck", row->tensor.name, 0));
    }
    for (size_t k = 0; k < wanted; k++)
        check_coordinate(s, all[k].at, gradient[all[k].at], row);
    sn_engine_set_tensor(request->engine, s->tensor, s->values);
}

sn_status sn_gradcheck_tensor(const sn_gradcheck *check, size_t i, sn_gradcheck_row *row, sn_error *error) {
    const sn_gradcheck_request *request = &check->request;
    *row = (sn_gradcheck_row){.worst = (double)NAN};
    sn_engine_tensor(request->engine, i, &row->tensor);
    row->elements = sn_tensor_count(&row->tensor);
    coordinate *all = malloc((row->elements + 1) * sizeof *all);
    if (!all) return sn_error_memory(error, row->elements * sizeof *all, "coordinates");
    subject s = {.check = check, .tensor = i, .count = row->elements, .values = copy_of(&row->tensor, error)};
    const double *gradient = request->gradients ? request->gradients[i] : sn_engine_gradient(request->engine, i);
    sn_status status = s.values ? SN_OK : SN_FAILED;
    if (!status) check_coordinates(&s, gradient, all, row);
    free(all);
    free(s.values);
    return status;
}

sn_gradcheck_verdict sn_gradcheck_judge(const sn_gradcheck_row *row) {
    if (row->disagreeing > 0) return SN_GRADCHECK_FAIL;
    return row->agreeing > 0 ? SN_GRADCHECK_PASS : SN_GRADCHECK_UNVERIFIED;
}

void sn_gradcheck_count(sn_gradcheck_totals *totals, const sn_gradcheck_row *row) {
    sn_gradcheck_verdict verdict = sn_gradcheck_judge(row);
    totals->tensors++;
    totals->passing += verdict == SN_GRADCHECK_PASS;
    totals->failing += verdict == SN_GRADCHECK_FAIL;
    totals->unverified += verdict == SN_GRADCHECK_UNVERIFIED;
    totals->checked += row->checked;
    totals->agreeing += row->agreeing;
    totals->disagreeing += row->disagreeing;
    totals->kinks += row->kinks;
    totals->below += row->below;
}

sn_status sn_gradcheck_conclude(const sn_gradcheck_totals *totals, sn_error *error) {
    if (totals->failing > 0) {
        return sn_error_set(error, SN_FAILED, "the gradients of %zu of %zu tensors are wrong", totals->failing,
                            totals->tensors);
    }
    if (totals->passing == 0) {
        return sn_error_set(error, SN_FAILED,
                            "nothing was verified: every coordinate is at a kink or below resolution");
    }
    return SN_OK;
}
