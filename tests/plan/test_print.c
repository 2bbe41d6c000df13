/* The plan in words, of random graphs: every time of the walk, every buffer with its lifetime and all who live in it,
 * and every work item stand in it once, as they stand in the plan.  The exact text of three networks is the matter of
 * cli/cli_plan_test.sh. */
#include "plan/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/net.h"
#include "support/random_graph.h"
#include "support/toy.h"

enum { GRAPHS = 300, IN = 4, OUT = 3, SAMPLES = 90 };

/* What the texts of all graphs had in them. */
typedef struct tally {
    int visits, ends, merges, buffers, tenants, items, companions, together;
    int waits, bases, same, added, copied, apart, grown; /* parts of that kind */
} tally;

static int occurrences(const char *text, const char *word) {
    int n = 0;
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        n++;
    return n;
}

/* The node that is visited at a time of the walk, -1: none is. */
static int visited_at(const sn_plan *plan, int time) {
    int n = plan->graph->n_nodes;
    if (time < n) return time;
    if (time == n) return n - 1;
    return plan->graph->nodes[2 * n - time].needs_gradient ? 2 * n - time : -1;
}

static const char *pass_at(const sn_plan *plan, int time) {
    int n = plan->graph->n_nodes;
    if (time == 0) return "gather";
    return time < n ? "forward" : time == n ? "loss" : "backward";
}

/* Reads the walk up to the line of the work; the line behind it. */
static char *check_walk(const sn_plan *plan, char *line, tally *t) {
    int expected = 0, time;
    char pass[16], label[64], *rest;
    for (; sscanf(line, "%d %15s %63s", &time, pass, label) != 3 || strcmp(pass, "work") != 0; line = rest + 1) {
        rest = strchr(line, '\n');
        assert_non_null(rest);
        if (strncmp(line, "        -- segment", 18) == 0) t->ends++;
        if (sscanf(line, "%d %15s %63s", &time, pass, label) != 3) continue;
        if (strcmp(pass, "merge") == 0) {
            const sn_node *node = sn_plan_reduces_at(plan, time);
            assert_string_equal(label, node->label);
            t->merges++;
            continue;
        }
        while (visited_at(plan, expected) < 0)
            expected++;
        assert_int_equal(time, expected++);
        assert_string_equal(pass, pass_at(plan, time));
        assert_string_equal(label, plan->graph->nodes[visited_at(plan, time)].label);
        t->visits++;
    }
    while (expected < sn_time_walk_end(plan) && visited_at(plan, expected) < 0)
        expected++;
    assert_int_equal(expected, sn_time_walk_end(plan));
    assert_int_equal(time, sn_time_work(plan));
    return strchr(line, '\n') + 1;
}

/* The lines of the buffers; the text behind them. */
static char *check_buffers(const sn_plan *plan, char *line, tally *t) {
    line = strchr(line + 1, '\n') + 1; /* an empty line, the header */
    for (int b = 0; b < plan->n_buffers; b++) {
        const sn_buffer *buffer = &plan->buffers[b];
        int number, first, last, n_wanted = 0;
        size_t width;
        char place[16];
        assert_int_equal(sscanf(line, "b%d %zu %15s %d %d", &number, &width, place, &first, &last), 5);
        assert_int_equal(number, b);
        assert_int_equal(width, buffer->width);
        assert_int_equal(first, buffer->first);
        assert_int_equal(last, buffer->last);
        assert_string_equal(place, buffer->place == SN_PLACE_BATCH ? "batch" : "scratch");
        for (int i = 0; i < plan->graph->n_nodes; i++)
            n_wanted += (plan->value[i].buffer == b) + (plan->gradient[i].buffer == b);
        char *next = strstr(line, b + 1 < plan->n_buffers ? "\nb" : "\n\n");
        assert_non_null(next);
        *next = '\0';
        assert_int_equal(occurrences(line, ",") + 1, n_wanted);
        t->tenants += n_wanted;
        t->buffers++;
        line = next + 1;
    }
    return line;
}

/* The line of a task's item, where it is its first part; the line behind it. */
static const char *check_task(const sn_task *task, const char *line) {
    int item;
    if (task->part > 0) return line;
    if (strncmp(line, "        -- after", 16) == 0) line = strchr(line, '\n') + 1;
    assert_int_equal(sscanf(line, "%d", &item), 1);
    assert_int_equal(item, task->item);
    return strchr(line, '\n') + 1;
}

static void check_items(const sn_plan *plan, const char *text, tally *t) {
    const char *line = strchr(text + 1, '\n') + 1; /* an empty line, the header */
    for (int g = 0; g < plan->first_group[plan->n_segments + 1]; g++) {
        for (int k = 0; k < plan->groups[g].n; k++)
            line = check_task(&plan->tasks[plan->groups[g].first + k], line);
        t->together += plan->groups[g].n > 1;
    }
    int companions = occurrences(text, ", then ");
    assert_int_equal(companions, plan->n_items - plan->n_updates);
    assert_int_equal(occurrences(line, "after all updates"), plan->n_states);
    t->items += plan->n_updates;
    t->companions += companions;
}

static void check_text(const sn_plan *plan, tally *t) {
    sn_text text = SN_TEXT_EMPTY, again = SN_TEXT_EMPTY;
    sn_plan_text(plan, 2, sizeof(float), &text);
    sn_plan_text(plan, 2, sizeof(float), &again);
    assert_false(text.failed);
    assert_string_equal(sn_text_string(&text), sn_text_string(&again));
    t->waits += occurrences(text.data, ": waits in ");
    t->bases += occurrences(text.data, " + dx");
    t->same += occurrences(text.data, ": same memory");
    t->added += occurrences(text.data, " += dx");
    t->copied += occurrences(text.data, " copied");
    t->apart += occurrences(text.data, "is not needed whole");
    t->grown += occurrences(text.data, "goes on from ");
    int ends = t->ends;
    char *line = strchr(strstr(text.data, "  time  "), '\n') + 1;
    line = check_walk(plan, line, t);
    assert_int_equal(t->ends - ends, plan->n_segments);
    line = check_buffers(plan, line, t);
    check_items(plan, line, t);
    sn_text_free(&text);
    sn_text_free(&again);
}

static void check_graph(const sn_dataset *data, uint64_t seed, tally *t) {
    random_limits limits = {.in = IN, .out = OUT, .most_units = 300, .most_width = 400, .is_dense = seed % 4 == 3};
    sn_text network = random_graph(seed, &limits);
    sn_config *config = NULL;
    sn_graph graph;
    sn_error error;
    assert_int_equal(net_build(&config, &graph, sn_text_string(&network), data, &error), SN_OK);
    sn_plan_options options = {
        .batch = SAMPLES, .is_reference = seed % 7 == 0, .cut_every = seed % 3 ? 0 : 1 + (int)(seed % 5)};
    sn_plan plan;
    assert_int_equal(sn_plan_build(&plan, &graph, &options, &error), SN_OK);
    check_text(&plan, t);
    sn_plan_reset(&plan);
    sn_graph_reset(&graph);
    sn_config_free(config);
    sn_text_free(&network);
}

static void test_random_plans(void **state) {
    (void)state;
    sn_dataset data = toy_classes(SAMPLES, IN, OUT, 6);
    tally t = {0};
    for (uint64_t seed = 1; seed <= GRAPHS; seed++)
        check_graph(&data, seed, &t);
    print_message("%d visits, %d ends, %d merges, %d buffers of %d signals, %d items, %d companions\n", t.visits,
                  t.ends, t.merges, t.buffers, t.tenants, t.items, t.companions);
    assert_true(t.visits > 10 * GRAPHS && t.ends > GRAPHS && t.merges > 50 && t.tenants > t.buffers);
    assert_true(t.items > GRAPHS && t.companions > GRAPHS && t.together > 50);
    assert_true(t.waits > 50 && t.bases > 50 && t.same > 50 && t.added > 50 && t.copied > 50);
    assert_true(t.grown > 50 && t.apart == 2 * t.grown);
    sn_dataset_reset(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_plans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
