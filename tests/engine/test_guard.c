/* Guards of checked builds: every region has them, damage is told by the slice before it, lifetimes begin as NaN, and a
 * step with an overrun ends the program. */
#include "support/check.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/guard.h"
#include "support/net.h"
#include "support/toy.h"

/* Every region is in use: states, reductions, partials, velocities, gradients, and signals in both places. */
static const char network[] =
    "{\"layers\": [{\"op\": \"linear\", \"label\": \"a\", \"units\": 5}, {\"op\": \"batch_norm\", \"label\": \"n\"}, "
    "{\"op\": \"tanh\", \"label\": \"t\"}, {\"op\": \"layer_norm\", \"label\": \"l\"}, "
    "{\"op\": \"linear\", \"label\": \"b\", \"units\": 5}, {\"op\": \"add\", \"label\": \"s\", \"inputs\": [\"a\", "
    "\"b\"]}, {\"op\": \"linear\", \"label\": \"out\", \"units\": 3}]}";

enum { SAMPLES = 40, THREADS = 2 };

static test_net net;
static sn_dataset data;

static int open_net(void **state) {
    (void)state;
    sn_engine_options options = {.momentum = 0.9, .keeps_gradients = true, .threads = THREADS};
    data = toy_classes(SAMPLES, 4, 3, 1);
    net_open(&net, network, &data, SN_F32, &options);
    net_randomize(&net, 1);
    return 0;
}

static int close_net(void **state) {
    (void)state;
    net_close(&net);
    sn_dataset_reset(&data);
    return 0;
}

static void need_guards(void) {
    if (SN_GUARD == 0) skip();
}

/* The byte `behind` bytes after the end of a slice is changed and put back; it is told by `expected`. */
static void damage(unsigned char *end, size_t behind, const char *expected) {
    sn_text text = SN_TEXT_EMPTY;
    assert_false(sn_guard_find(net.engine, &text));
    end[behind] ^= 1;
    assert_true(sn_guard_find(net.engine, &text));
    end[behind] ^= 1;
    assert_string_equal(sn_text_string(&text), expected);
    sn_text_free(&text);
    assert_false(sn_guard_find(net.engine, &text));
}

/* Past the last element of tensor `name` in a region that has tensors where the parameters have theirs. */
static unsigned char *end_of(const sn_arena *region, const char *name) {
    size_t i = net_find(&net, name);
    return region->base + (net.engine->plan.params[i].offset + net_count(&net, i)) * net.engine->real_size;
}

static void test_tensors(void **state) {
    (void)state;
    need_guards();
    sn_engine *e = net.engine;
    net_step(&net, 0.1, NULL);
    damage(end_of(&e->params, "a.weight"), 0, "something wrote 0 bytes behind the tensor a.weight");
    damage(end_of(&e->params, "out.bias"), 63, "something wrote 63 bytes behind the tensor out.bias");
    damage(end_of(&e->velocities, "b.bias"), 5, "something wrote 5 bytes behind the velocity of b.bias");
    damage(end_of(&e->gradients, "b.weight"), 1, "something wrote 1 bytes behind the gradient of b.weight");
    const sn_plan_param *entry = &e->plan.params[net_find(&net, "out.weight")];
    unsigned char *end = e->copies.base + (entry->copy + (size_t)5 * 3) * e->real_size;
    damage(end, 0, "something wrote 0 bytes behind the copy of out.weight");
    end = e->states.base + (e->plan.states[1].offset + 5) * e->real_size;
    damage(end, 0, "something wrote 0 bytes behind the state n.running_var");
}

static void test_sums(void **state) {
    (void)state;
    need_guards();
    sn_engine *e = net.engine;
    net_step(&net, 0.1, NULL);
    const sn_plan_param *gain = &e->plan.params[net_find(&net, "l.weight")];
    size_t tile = e->plan.partial_doubles;
    assert_true(e->plan.max_tiles > 1);
    damage(e->partials.base + (tile + gain->partial + 5) * sizeof(double), 0,
           "something wrote 0 bytes behind a row tile's gradient of l.weight");
    damage(e->workspaces[1].old_weight + (e->plan.max_item_elements - SN_GUARD) * e->real_size, 2,
           "something wrote 2 bytes behind a work item's old weights");
    int n = sn_graph_find(&net.graph, "n");
    size_t size = net.graph.nodes[n].op->forward_reduction.total_size * 5;
    damage((unsigned char *)(e->workspaces[1].totals + e->plan.forward_sums[n].total + size), 0,
           "something wrote 0 bytes behind sums over the batch of n");
}

/* The buffer of a node's values, which has to be in `place`. */
static const sn_buffer *buffer_of(const char *label, sn_buffer_place place) {
    const sn_buffer *b = &net.engine->plan.buffers[net.engine->plan.value[sn_graph_find(&net.graph, label)].buffer];
    assert_int_equal(b->place, place);
    return b;
}

static void test_signals(void **state) {
    (void)state;
    need_guards();
    sn_engine *e = net.engine;
    const sn_buffer *b = buffer_of("a", SN_PLACE_BATCH);
    damage(e->batch.base + (b->offset + b->width * net.batch) * e->real_size, 0,
           "something wrote 0 bytes behind the values of a");
    damage(e->batch.base, 0, "something wrote 0 bytes behind the start of all signals");
}

/* Scratch signals and those of the batch begin as NaN, for the rows of the walk; guards of scratch come and go. */
static void test_lifetimes(void **state) {
    (void)state;
    need_guards();
    sn_engine *e = net.engine;
    const sn_buffer *a = buffer_of("a", SN_PLACE_BATCH), *b = buffer_of("b", SN_PLACE_SCRATCH);
    sn_guard_lane lane = {e->workspaces[0].scratch, 8, 4};
    memset(e->batch.base + a->offset * e->real_size, 0, a->width * net.batch * e->real_size);
    memset(lane.scratch + b->offset * e->group_tiles * e->real_size, 0, e->real_size);
    sn_guard_begin(e, &lane, a->first);
    sn_guard_begin(e, &lane, b->first);
    const float *values = (const float *)(void *)e->batch.base + a->offset;
    for (size_t i = 0; i < a->width * net.batch; i++)
        assert_int_equal(isnan(values[i]) != 0, i / a->width >= lane.row && i / a->width < lane.row + lane.rows);
    const float *scratch = (const float *)(void *)lane.scratch + b->offset * e->group_tiles;
    assert_true(isnan(scratch[0]));
    sn_text text = SN_TEXT_EMPTY;
    assert_false(sn_guard_find_ended(e, &lane, b->last, &text));
    unsigned char *end = (unsigned char *)(scratch + b->width * e->plan.tile_rows * e->group_tiles);
    *end ^= 1;
    assert_true(sn_guard_find_ended(e, &lane, b->last, &text));
    assert_string_equal(sn_text_string(&text), "something wrote 0 bytes behind the values of b");
    sn_text_free(&text);
}

/* A float written behind a tensor: the program ends, and says why. */
static void test_overrun(void **state) {
    (void)state;
    need_guards();
    int out[2];
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(out[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        *(float *)(void *)end_of(&net.engine->params, "b.weight") = 0;
        sn_guard_verify(net.engine);
        _exit(0);
    }
    close(out[1]);
    char message[256] = "";
    ssize_t n = read(out[0], message, sizeof message - 1);
    close(out[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(n > 0);
    assert_string_equal(message, "skipnet: something wrote 0 bytes behind the tensor b.weight: this is a fault of the "
                                 "program\n");
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* Without guards the plan leaves no room for them. */
static void test_unchecked(void **state) {
    (void)state;
    if (SN_GUARD > 0) skip();
    sn_text text = SN_TEXT_EMPTY;
    assert_int_equal(net.engine->plan.params[0].offset, 0);
    assert_false(sn_guard_find(net.engine, &text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tensors, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_sums, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_signals, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_lifetimes, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_overrun, open_net, close_net),
        cmocka_unit_test_setup_teardown(test_unchecked, open_net, close_net),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
