/* Guards of checked builds: a kernel that writes behind, or before, what it was given ends the program, which
 * names the slice; so every region is held to have guards where they belong.  Signals begin as NaN.
 *
 * The saboteurs are a backend whose kernels do what they should and one thing more. */
#include "support/check.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/backend.h"
#include "ops/table.h"
#include "support/backends.h"
#include "support/net.h"
#include "support/rules.h"
#include "support/toy.h"

/* Every region is in use: states, reductions, partials, slots, gradients, and signals in both places. */
static const char network[] =
    "{\"layers\": [{\"op\": \"linear\", \"label\": \"a\", \"units\": 5}, {\"op\": \"batch_norm\", \"label\": \"n\"}, "
    "{\"op\": \"tanh\", \"label\": \"t\"}, {\"op\": \"layer_norm\", \"label\": \"l\"}, "
    "{\"op\": \"linear\", \"label\": \"b\", \"units\": 5}, {\"op\": \"add\", \"label\": \"s\", \"inputs\": [\"a\", "
    "\"b\"]}, {\"op\": \"linear\", \"label\": \"out\", \"units\": 3}]}";

#define MOMENTUM "{\"momentum\": 0.9}"

enum { SAMPLES = 40, THREADS = 2, WIDTH = 5, LARGEST = WIDTH * WIDTH };

static sn_dataset data;

/* The backend under test, and what of it is damaged. */
static loose_backend loose;
static sn_optimizer_kernels optimizer;
static const sn_optimizer_kernels *optimizers[] = {&optimizer};
static const sn_form_kernels *sound_rule; /* of gradient descent with momentum */
static sn_form_kernels *crooked_rule;
static const sn_plan *plan; /* of the engine that runs */

static void hit(void *end, ptrdiff_t behind) {
    ((unsigned char *)end)[behind] = 0;
}

static const sn_op_kernels *sound_kernels(const sn_node *node) {
    return loose.sound->ops[sn_op_index(node->op)];
}

static bool is_called(const sn_node *node, const char *label) {
    return strcmp(node->label, label) == 0;
}

/* ---- saboteurs ---- */

static void *end_of_tile(sn_view view, size_t rows, size_t cols) {
    return (float *)view.data + (rows - 1) * view.ld + cols;
}

static bool update_weight(const sn_update_call *call) {
    bool is_finite = sound_rule->update(call);
    if (call->rows * call->cols == 3) hit(end_of_tile(call->weight, call->rows, call->cols), 63);
    return is_finite;
}

static bool update_slot(const sn_update_call *call) {
    bool is_finite = sound_rule->update(call);
    if (call->rows * call->cols == LARGEST) hit(end_of_tile(call->slots[0], call->rows, call->cols), 5);
    return is_finite;
}

/* Copies before an update lie in memory of the thread, with room for the largest item. */
static sn_change_sums change_sums(const sn_change_call *call) {
    bool is_largest = call->update->rows * call->update->cols == LARGEST;
    if (is_largest) hit((float *)call->old_weight.data + sn_round_up(LARGEST, 16), 2);
    return sound_rule->change_sums(call);
}

static bool param_gradient(const sn_gradient_call *call) {
    bool is_finite = sound_kernels(call->node)->param_gradient(call);
    bool is_meant = is_called(call->node, "b") && call->param == 0;
    if (is_meant) hit(end_of_tile(call->gradient, call->rows, call->cols), 1);
    return is_finite;
}

static void update_states(const sn_op_call *call) {
    sound_kernels(call->node)->update_states(call);
    hit((float *)call->states[1] + WIDTH, 0);
}

static void backward_of_norm(const sn_op_call *call) {
    sound_kernels(call->node)->backward(call);
    hit(call->partials[0] + WIDTH, 0);
}

static void forward_part(const sn_op_call *call) {
    sound_kernels(call->node)->forward_reduction.part(call);
    hit(call->part + 2 * (size_t)WIDTH, 7);
}

static void forward_merge(const sn_merge_call *call) {
    sound_kernels(call->node)->forward_reduction.merge(call);
    hit(call->total + 3 * (size_t)WIDTH, 0);
}

static void *end_of_panels(sn_view view, size_t panels) {
    return end_of_tile(view, panels, WIDTH * SN_PANEL);
}

/* A signal of the batch ends with its last panel. */
static void forward_of_batch(const sn_op_call *call) {
    sound_kernels(call->node)->forward(call);
    bool is_last = call->pass->samples[call->samples - 1] == SAMPLES - 1;
    if (is_called(call->node, "a") && is_last) hit(end_of_panels(call->y, call->blocks), 0);
}

/* One in scratch has room for a whole group of panels. */
static void forward_of_scratch(const sn_op_call *call) {
    sound_kernels(call->node)->forward(call);
    bool is_first = call->pass->samples[0] == 0;
    if (is_called(call->node, "b") && is_first) hit(end_of_panels(call->y, sn_plan_group_panels(plan, THREADS)), 0);
}

/* The input is the first signal of all. */
static void gather(const sn_gather_call *call) {
    loose.sound->gather(call);
    if (call->indices[0] == 0) hit(call->x.data, -1);
}

/* ---- steps with them ---- */

static sn_op_kernels *kernels_of(const char *op) {
    return &loose.kernels[sn_op_index(sn_op_find(sn_ops, op))];
}

static void make_sound(void) {
    make_loose(&loose, SN_F32);
    sn_update_rule rule = rule_of(MOMENTUM);
    assert_ptr_equal(rule.optimizer, sn_optimizers[0]);
    sound_rule = sn_rule_kernels(loose.sound, &rule);
    optimizer = *loose.sound->optimizers[0];
    crooked_rule = &optimizer.forms[rule.form];
    loose.backend.optimizers = optimizers;
}

/* Observed steps on the crooked backend: states change at the end of one, and are looked at in the next. */
enum { STEPS = 2 };

static void run_steps(void) {
    test_net net;
    sn_error error;
    sn_observation seen;
    sn_engine_options options = {.rule = rule_of(MOMENTUM), .keeps_gradients = true, .threads = THREADS};
    net_open_with(&net, network, &data, &(test_tables){sn_ops, &loose.backend}, &options);
    plan = sn_engine_plan(net.engine);
    net_randomize(&net, 1);
    assert_int_equal(sn_observation_new(&seen, &net.graph, &error), SN_OK);
    for (int i = 0; i < STEPS; i++)
        net_step(&net, 0.1, &seen);
    sn_observation_reset(&seen);
    net_close(&net);
}

/* Steps in a process of its own end it, and say why; each thread that finds something may. */
static void expect_end(const char *expected) {
    int out[2];
    char message[512] = "", whole[256];
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(out[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        run_steps();
        _exit(0);
    }
    close(out[1]);
    ssize_t n = read(out[0], message, sizeof message - 1);
    close(out[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (n <= 0) fail_msg("nobody found: %s", expected);
    snprintf(whole, sizeof whole, "skipnet: something wrote %s: this is a fault of the program\n", expected);
    message[strlen(whole)] = '\0';
    assert_string_equal(message, whole);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void need_guards(void) {
    if (SN_GUARD == 0) skip();
}

static void test_tensors(void **state) {
    (void)state;
    need_guards();
    make_sound();
    crooked_rule->update = update_weight;
    expect_end("63 bytes behind the tensor out.bias");
    crooked_rule->update = update_slot;
    expect_end("5 bytes behind the tensor b.weight.momentum_buffer");
    crooked_rule->update = sound_rule->update;
    crooked_rule->change_sums = change_sums;
    expect_end("2 bytes behind a work item's old weights");
    make_sound();
    kernels_of("linear")->param_gradient = param_gradient;
    expect_end("1 bytes behind the gradient of b.weight");
}

static void test_sums(void **state) {
    (void)state;
    need_guards();
    make_sound();
    kernels_of("layer_norm")->backward = backward_of_norm;
    expect_end("0 bytes behind a panel's gradient of l.weight");
    make_sound();
    kernels_of("batch_norm")->forward_reduction.part = forward_part;
    expect_end("7 bytes behind sums over the batch of n");
    make_sound();
    kernels_of("batch_norm")->forward_reduction.merge = forward_merge;
    expect_end("0 bytes behind sums over the batch of n");
    make_sound();
    kernels_of("batch_norm")->update_states = update_states;
    expect_end("0 bytes behind the state n.running_var");
}

static void test_signals(void **state) {
    (void)state;
    need_guards();
    make_sound();
    kernels_of("linear")->forward = forward_of_batch;
    expect_end("0 bytes behind the values of a");
    kernels_of("linear")->forward = forward_of_scratch;
    expect_end("0 bytes behind the values of b");
    make_sound();
    loose.backend.gather = gather;
    expect_end("63 bytes behind the start of all signals");
}

/* ---- lifetimes ---- */

static atomic_size_t n_fresh, n_stale;

static void count_fresh(const sn_op_call *call) {
    for (size_t i = 0; i < call->samples * WIDTH && !is_called(call->node, "out"); i++) {
        size_t sample = i / WIDTH, at = i % WIDTH * SN_PANEL + sample % SN_PANEL;
        bool is_fresh = isnan(((float *)call->y.data)[sample / SN_PANEL * call->y.ld + at]);
        atomic_fetch_add(is_fresh ? &n_fresh : &n_stale, 1);
    }
    sound_kernels(call->node)->forward(call);
}

/* `a` has room for every sample, `b` lives in scratch, which other signals have used. */
static void test_lifetimes(void **state) {
    (void)state;
    need_guards();
    make_sound();
    kernels_of("linear")->forward = count_fresh;
    run_steps();
    assert_int_equal(atomic_load(&n_fresh), STEPS * 2 * SAMPLES * WIDTH);
    assert_int_equal(atomic_load(&n_stale), 0);
}

/* Where the signals of that test are, so that it means what it says. */
static void test_places(void **state) {
    (void)state;
    test_net net;
    net_open(&net, network, &data, SN_F32, NULL);
    const sn_plan *own = sn_engine_plan(net.engine);
    int a = own->value[sn_graph_find(&net.graph, "a")].buffer, b = own->value[sn_graph_find(&net.graph, "b")].buffer;
    assert_int_equal(own->buffers[a].place, SN_PLACE_BATCH);
    assert_int_equal(own->buffers[b].place, SN_PLACE_SCRATCH);
    assert_true(own->max_panels > 1);
    if (SN_GUARD == 0) assert_int_equal(own->params[0].offset, 0); /* no room for guards */
    net_close(&net);
}

static int make_data(void **state) {
    (void)state;
    data = toy_classes(SAMPLES, 4, 3, 1);
    return 0;
}

static int drop_data(void **state) {
    (void)state;
    sn_dataset_reset(&data);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensors),   cmocka_unit_test(test_sums),   cmocka_unit_test(test_signals),
        cmocka_unit_test(test_lifetimes), cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, make_data, drop_data);
}
