/* Owns the gradient check of tensors: the choice of coordinates, what became of them, and what that comes to. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "study/coordinate.h"

/* Roundings of the loss that its noise comes to where rounding is magnified; networks in good order make less than ten.
 */
static const double NOISY = 100;

bool sn_gradcheck_bends(const sn_graph *graph) {
    static const char *const bent[] = {"relu", "leaky_relu", "elu", "selu"};
    for (int i = 1; i < graph->n_nodes; i++) {
        for (size_t k = 0; k < sizeof bent / sizeof *bent; k++) {
            if (strcmp(graph->nodes[i].op->kind.name, bent[k]) == 0) return true;
        }
    }
    return false;
}

sn_status sn_gradcheck_open(sn_gradcheck *check, const sn_gradcheck_request *request, const sn_graph *graph,
                            sn_error *error) {
    *check = (sn_gradcheck){.request = *request, .has_bends = request->loss->bends || sn_gradcheck_bends(graph)};
    sn_step step = {.batch = request->batch};
    sn_step_result result;
    char text[SN_FAULT_TEXT];
    if (sn_engine_step(request->engine, &step, &result) != SN_OK) {
        return sn_error_set(error, SN_DIVERGED, "no gradient to check: %s is not finite",
                            sn_fault_text(&result.fault, graph, text));
    }
    check->loss = result.loss;
    sn_weights weights;
    sn_status status = sn_weights_take(&weights, request->engine, error);
    if (!status) check->noise = sn_coordinate_noise(check, &weights);
    sn_weights_reset(&weights);
    return status;
}

static void keep_worst(sn_gradcheck_row *row, size_t at, double gradient, const sn_coordinate_finding *found) {
    if (found->error <= row->worst) return; /* NAN is none */
    row->worst = found->error;
    row->worst_at = at;
    row->worst_gradient = gradient;
    row->worst_difference = found->difference;
}

static void check_coordinate(const sn_coordinate_subject *s, size_t at, double gradient, sn_gradcheck_row *row) {
    sn_coordinate_finding found = sn_coordinate_check(s, at, gradient);
    bool agrees = found.outcome == SN_COORDINATE_AGREES, disagrees = found.outcome == SN_COORDINATE_DISAGREES;
    row->checked++;
    row->agreeing += agrees;
    row->disagreeing += disagrees;
    row->kinks += found.outcome == SN_COORDINATE_KINK || found.outcome == SN_COORDINATE_UNSURE;
    row->unsure += found.outcome == SN_COORDINATE_UNSURE;
    row->below += found.outcome == SN_COORDINATE_BELOW;
    if (agrees || disagrees) keep_worst(row, at, gradient, &found);
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
static void choose(coordinate *all, size_t count, size_t wanted, sn_rng rng) {
    qsort(all, count, sizeof *all, by_magnitude);
    for (size_t k = (wanted + 1) / 2; k < wanted; k++) {
        size_t other = k + (size_t)sn_rng_below(rng, k, count - k);
        coordinate kept = all[k];
        all[k] = all[other];
        all[other] = kept;
    }
}

/* Of the gradient of a tensor: which coordinates are checked, `gradient` and room for all of them. */
typedef struct selection {
    size_t count, wanted;
    double *gradient; /* a copy: the engine's own changes while it is checked */
    coordinate *all;  /* the first `wanted` are checked */
} selection;

/* For selection_reset, also after a failure. */
static sn_status selection_init(selection *chosen, const sn_gradcheck_request *request, size_t i, size_t count,
                                sn_error *error) {
    const double *gradient = request->gradients ? request->gradients[i] : sn_engine_gradient(request->engine, i);
    *chosen = (selection){.count = count,
                          .wanted = request->samples > 0 && request->samples < count ? request->samples : count,
                          .gradient = malloc((count + 1) * sizeof *chosen->gradient),
                          .all = calloc(count + 1, sizeof *chosen->all)};
    if (!chosen->gradient || !chosen->all) {
        sn_error_memory(error, count * sizeof *chosen->all, "coordinates");
        return SN_FAILED;
    }
    memcpy(chosen->gradient, gradient, count * sizeof *gradient);
    for (size_t k = 0; k < count; k++)
        chosen->all[k] = (coordinate){fabs(gradient[k]), k};
    return SN_OK;
}

static void selection_reset(selection *chosen) {
    free(chosen->gradient);
    free(chosen->all);
}

static void check_coordinates(const sn_coordinate_subject *s, const selection *chosen, sn_gradcheck_row *row) {
    const sn_gradcheck_request *request = &s->check->request;
    if (chosen->wanted < chosen->count) {
        choose(chosen->all, chosen->count, chosen->wanted,
               sn_rng_stream(request->seed, "gradcheck", row->tensor.name, 0));
    }
    for (size_t k = 0; k < chosen->wanted; k++) {
        size_t at = chosen->all[k].at;
        check_coordinate(s, at, chosen->gradient[at], row);
        if (request->progress) request->progress(request->context, row, chosen->wanted);
    }
    sn_engine_set_tensor(request->engine, s->tensor, s->values);
}

/* Where tensor `i` begins in the weights of all. */
static size_t begin_of(const sn_engine *engine, size_t i) {
    size_t begin = 0;
    for (size_t k = 0; k < i; k++) {
        sn_tensor tensor;
        sn_engine_tensor(engine, k, &tensor);
        begin += sn_weights_count(&tensor);
    }
    return begin;
}

sn_status sn_gradcheck_tensor(const sn_gradcheck *check, size_t i, sn_gradcheck_row *row, sn_error *error) {
    const sn_gradcheck_request *request = &check->request;
    *row = (sn_gradcheck_row){.worst = (double)NAN};
    sn_engine_tensor(request->engine, i, &row->tensor);
    row->elements = sn_weights_count(&row->tensor);
    selection chosen = {0};
    sn_weights weights;
    sn_status status = sn_weights_take(&weights, request->engine, error);
    if (!status) status = selection_init(&chosen, request, i, row->elements, error);
    if (!status) {
        sn_coordinate_subject subject = {check, i, &weights, weights.values + begin_of(request->engine, i)};
        check_coordinates(&subject, &chosen, row);
    }
    selection_reset(&chosen);
    sn_weights_reset(&weights);
    return status;
}

bool sn_gradcheck_is_noisy(const sn_gradcheck *check) {
    return check->noise > NOISY * DBL_EPSILON * fabs(check->loss);
}

const char *sn_gradcheck_reason(const sn_gradcheck *check, const sn_gradcheck_row *row) {
    if (row->kinks >= row->below) {
        if (2 * row->unsure > row->kinks) return "ill-conditioned: the gradient is not steady about the weights";
        return check->has_bends ? "kinks: differences of different steps do not agree"
                                : "ill-conditioned: differences of different steps do not agree";
    }
    return sn_gradcheck_is_noisy(check) ? "ill-conditioned: the noise of the loss hides the gradient"
                                        : "too small a gradient for the loss to show";
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
    totals->unsure += row->unsure;
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
