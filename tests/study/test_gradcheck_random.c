/* The gradient check over random networks: of a right gradient it says "wrong" nowhere, however ill-conditioned the
 * network; in well-conditioned ones it verifies nearly all of it, and finds what was planted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/gradcheck.h"
#include "support/check.h"
#include "support/net.h"
#include "support/random_graph.h"
#include "support/toy.h"

/* Under sanitizers, without optimisation, a sample has to do. */
enum { ALL_NETWORKS = 240 };
#ifdef SN_CHECKED
enum { NETWORKS = 120 };
#else
enum { NETWORKS = ALL_NETWORKS };
#endif
enum { SAMPLES = 20, IN = 5, OUT = 3, TAKEN = 8, MOST_TENSORS = 2 * RANDOM_MOST_NODES };

static sn_error error;

/* A seed's network.  A third of them has no ops with a bend, a fifth has images. */
static void open_network(test_net *net, const sn_dataset *data, uint64_t seed, bool is_ill) {
    random_limits limits = {
        IN, OUT, 6, 20, seed % 3 == 0, seed % 4 == 3, is_ill, seed % 5 == 1 ? RANDOM_MADE : RANDOM_NO_IMAGES, {0}};
    sn_text text = random_graph(seed, &limits);
    net_open(net, sn_text_string(&text), data, SN_F64, NULL);
    net_randomize(net, seed);
    sn_text_free(&text);
}

static void scale_tensor(test_net *net, size_t i, double factor) {
    double *values = net_values(net, i);
    for (size_t k = 0; k < net_count(net, i); k++)
        values[k] *= factor;
    sn_engine_set_tensor(net->engine, i, values);
    free(values);
}

/* Makes weights so small, a third of the tensors, that what they compute is nearly constant. */
static void flatten(test_net *net, uint64_t seed) {
    random_draws draws = random_begin(seed, "flat");
    for (size_t i = 0; i < sn_engine_tensor_count(net->engine); i++) {
        int power = random_below(&draws, 3) ? 0 : 1 + random_below(&draws, 10);
        scale_tensor(net, i, pow(10, -power));
    }
}

/* Checks all tensors against what is claimed; NULL: the engine's own. */
static void check_net(test_net *net, const double *const *claimed, sn_gradcheck_row *rows,
                      sn_gradcheck_totals *totals) {
    sn_gradcheck check;
    sn_gradcheck_request request = {.engine = net->engine,
                                    .loss = net->options.objective.loss,
                                    .batch = {net->data, &net->data->train, net->indices, net->batch},
                                    .seed = 1,
                                    .samples = TAKEN,
                                    .gradients = claimed};
    sn_error_clear(&error);
    assert_int_equal(sn_gradcheck_open(&check, &request, &net->graph, &error), SN_OK);
    for (size_t i = 0; i < sn_engine_tensor_count(net->engine); i++) {
        assert_int_equal(sn_gradcheck_tensor(&check, i, &rows[i], &error), SN_OK);
        sn_gradcheck_count(totals, &rows[i]);
    }
}

static void tell(const char *what, const sn_gradcheck_totals *t) {
    print_message("%s: %zu tensors, %zu pass, %zu fail, %zu unverified; %zu coordinates, %zu agree, %zu differ, "
                  "%zu at kinks (%zu unsure), %zu below\n",
                  what, t->tensors, t->passing, t->failing, t->unverified, t->checked, t->agreeing, t->disagreeing,
                  t->kinks, t->unsure, t->below);
}

typedef void visit(test_net *net, uint64_t seed, sn_gradcheck_totals *totals);

/* Classes and targets by turns. */
static sn_gradcheck_totals visit_networks(visit *visit_one, bool is_ill) {
    sn_dataset data[] = {toy_classes(SAMPLES, IN, OUT, 1), toy_targets(SAMPLES, IN, OUT, 2)};
    sn_gradcheck_totals totals = {0};
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        test_net net;
        open_network(&net, &data[seed % 2], seed, is_ill);
        visit_one(&net, seed, &totals);
        net_close(&net);
    }
    sn_dataset_reset(&data[0]);
    sn_dataset_reset(&data[1]);
    return totals;
}

static void check_own(test_net *net, uint64_t seed, sn_gradcheck_totals *totals) {
    sn_gradcheck_row rows[MOST_TENSORS];
    check_net(net, NULL, rows, totals);
    if (totals->disagreeing > 0) fail_msg("network %d: a right gradient is called wrong", (int)seed);
}

static void check_flattened(test_net *net, uint64_t seed, sn_gradcheck_totals *totals) {
    flatten(net, seed);
    check_own(net, seed, totals);
}

/* Dropout, bends and norms of usual eps: all but what other norms cancel is verified. */
static void test_well_conditioned(void **state) {
    (void)state;
    sn_gradcheck_totals totals = visit_networks(check_own, false);
    tell("well-conditioned", &totals);
    assert_true(totals.tensors > 8 * NETWORKS);
    assert_true(totals.agreeing > totals.checked * 99 / 100);
    assert_true(totals.passing > totals.tensors * 99 / 100);
}

/* Norms upon norms over features that hardly differ: most is verified all the same. */
static void test_ill_conditioned(void **state) {
    (void)state;
    sn_gradcheck_totals totals = visit_networks(check_flattened, true);
    tell("ill-conditioned", &totals);
    assert_true(totals.unsure > 0 || (int)NETWORKS < (int)ALL_NETWORKS); /* they are rare */
    assert_true(totals.unverified > 0);
    assert_true(totals.agreeing > totals.checked * 8 / 10);
    assert_true(totals.passing > totals.tensors * 8 / 10);
}

/* Plants a thousandth in all that was verified, a tensor at a time: each coordinate that was in reach is found. */
static void plant(test_net *net, uint64_t seed, sn_gradcheck_totals *totals) {
    size_t n = sn_engine_tensor_count(net->engine), wrong = (size_t)(seed * 7) % n, count = net_count(net, wrong);
    double *claimed[MOST_TENSORS];
    sn_gradcheck_row right[MOST_TENSORS], rows[MOST_TENSORS];
    sn_gradcheck_totals own = {0}, planted = {0};
    check_net(net, NULL, right, &own);
    for (size_t i = 0; i < n; i++)
        claimed[i] = net_gradient(net, i);
    for (size_t k = 0; k < count; k++)
        claimed[wrong][k] *= 1.001;
    check_net(net, (const double *const *)claimed, rows, &planted);
    if (sn_gradcheck_judge(&right[wrong]) == SN_GRADCHECK_PASS && right[wrong].worst > 0) {
        assert_int_equal(sn_gradcheck_judge(&rows[wrong]), SN_GRADCHECK_FAIL);
        assert_int_equal(planted.failing, 1);
        totals->checked += right[wrong].agreeing;
        totals->disagreeing += rows[wrong].disagreeing;
        totals->tensors++;
    }
    for (size_t i = 0; i < n; i++)
        free(claimed[i]);
}

static void test_planted(void **state) {
    (void)state;
    sn_gradcheck_totals totals = visit_networks(plant, false);
    print_message("planted: %zu tensors, all found; of %zu coordinates %zu\n", totals.tensors, totals.checked,
                  totals.disagreeing);
    assert_true(totals.tensors > NETWORKS * 9 / 10);
    assert_true(totals.disagreeing > totals.checked * 95 / 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_well_conditioned), cmocka_unit_test(test_ill_conditioned),
                                       cmocka_unit_test(test_planted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
