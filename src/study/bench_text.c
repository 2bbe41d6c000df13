/* Owns the benchmark's figures as text: tables for people, JSON for scripts. */
#include <math.h>
#include <string.h>

#include "base/build.h"
#include "engine/backend.h"
#include "study/bench.h"

static double thread_seconds(const sn_bench *b) {
    return b->profiled_step * b->experiment->options.threads;
}

static double op_seconds(const sn_bench_op *op) {
    return op->forward + op->backward + op->param_gradient + op->update;
}

static const char *precision(const sn_bench *b) {
    return b->experiment->backend->dtype == SN_F64 ? "float64" : "float32";
}

static double gflops(const sn_bench *b) {
    return 1e-9 * b->flops / b->step_min;
}

static double arena_bytes(const sn_bench *b) {
    double sum = 0;
    for (int i = 0; i < b->n_regions; i++)
        sum += (double)b->regions[i].bytes;
    return sum;
}

/* The rows that both forms show. */
typedef struct part {
    const char *name, *key;
    double value;
} part;

enum { N_SEGMENTS = 5 };

static void list_segments(const sn_bench *b, part parts[N_SEGMENTS]) {
    const sn_bench_segments *s = &b->segments;
    const part all[N_SEGMENTS] = {{"walk forward", "walk_forward", s->forward},
                                  {"loss", "loss", s->loss},
                                  {"walk backward", "walk_backward", s->backward},
                                  {"work items", "work_items", s->work},
                                  {"waiting", "waiting", s->waiting}};
    memcpy(parts, all, sizeof all);
}

/* What the ops multiply by. */
static const char *kernel(const sn_bench *b) {
    return sn_uses_openblas(b->experiment->options.products, b->experiment->backend) ? "OpenBLAS" : "own kernel";
}

static double limit(const sn_bench *b) {
    return fmax(b->peak_gflops, b->products_gflops);
}

static void add_rate_lines(const sn_bench *b, sn_text *text) {
    int threads = b->experiment->options.threads;
    sn_text_addf(text, "%-10s %.4g GFLOP/s: %d x %.4g, OpenBLAS's best product (", "peak", b->peak_gflops, threads,
                 b->core_gflops.openblas);
    for (int i = 0; i < SN_BENCH_RATES; i++)
        sn_text_addf(text, "%s%zu: %.4g", i ? ", " : "", b->rates[i].n, b->rates[i].gflops.openblas);
    sn_text_addf(text, ")\n%-10s %.4g GFLOP/s: %d x %.4g, the ops' best product (%s ", "products", b->products_gflops,
                 threads, b->core_gflops.backend, kernel(b));
    for (int i = 0; i < SN_BENCH_RATES; i++)
        sn_text_addf(text, "%s%zu: %.4g", i ? ", " : "", b->rates[i].n, b->rates[i].gflops.backend);
    sn_text_addf(text, ")\n%-10s %.4g ms (median %.4g), of %lld steps in %lld blocks\n", "step", 1e3 * b->step_min,
                 1e3 * b->step_median, (long long)b->n_steps, (long long)b->n_blocks);
    sn_text_addf(text, "%-10s %.4g GFLOP in a step, %.4g GFLOP/s, %.1f %% of peak, %.1f %% of the limit (%s)\n", "rate",
                 1e-9 * b->flops, gflops(b), 100 * gflops(b) / b->peak_gflops, 100 * gflops(b) / limit(b),
                 b->products_gflops > b->peak_gflops ? "products" : "peak");
}

static void add_size_lines(const sn_bench *b, sn_text *text) {
    double mib = 1.0 / (1 << 20);
    sn_text_addf(text, "%-10s %.4g MiB in the arena (", "memory", mib * arena_bytes(b));
    for (int i = 0; i < b->n_regions; i++)
        sn_text_addf(text, "%s%s %.4g", i ? ", " : "", b->regions[i].name, mib * (double)b->regions[i].bytes);
    sn_text_addf(text, "), process %.4g MiB, at most %.4g\n", mib * b->resident.now, mib * b->resident.most);
    sn_text_addf(text,
                 "%-10s %.4g ms, %+.1f %% of a plain step; its rows: %.4g ms derived, %.4g ms formatted (%zu bytes)\n",
                 "observed", 1e3 * b->observed_step, 100 * (b->observed_step / b->step_min - 1), 1e3 * b->derive,
                 1e3 * b->format, b->row_bytes);
}

static void add_tables(const sn_bench *b, sn_text *text) {
    double all = thread_seconds(b);
    part parts[N_SEGMENTS];
    list_segments(b, parts);
    sn_text_addf(text, "\n%-24s %12s %8s\n", "part of a step", "thread ms", "share");
    for (int i = 0; i < N_SEGMENTS; i++)
        sn_text_addf(text, "%-24s %12.4f %7.1f%%\n", parts[i].name, 1e3 * parts[i].value, 100 * parts[i].value / all);
    sn_text_addf(text, "\n%-24s %12s %12s %12s %12s %8s\n", "op (thread ms)", "forward", "backward", "gradient",
                 "update", "share");
    for (int i = 0; i < b->n_ops; i++) {
        const sn_bench_op *op = &b->ops[i];
        sn_text_addf(text, "%-24s %12.4f %12.4f %12.4f %12.4f %7.1f%%\n", op->name, 1e3 * op->forward,
                     1e3 * op->backward, 1e3 * op->param_gradient, 1e3 * op->update, 100 * op_seconds(op) / all);
    }
}

void sn_bench_text(const sn_bench *b, sn_text *text) {
    const sn_experiment *x = b->experiment;
    char cpu[SN_CPU_NAME];
    sn_text_addf(text, "%-10s %s: %d weight layers, %zu parameters, batch %zu, %s\n", "network", x->settings.name,
                 x->graph.n_layers, x->graph.n_params, x->batch_size, precision(b));
    sn_text_addf(text, "%-10s %s, %d thread%s, %s; OpenBLAS kernels for %s (%s)\n", "machine", sn_machine_cpu(cpu),
                 x->options.threads, x->options.threads > 1 ? "s" : "", x->backend->simd, sn_blas_core(),
                 sn_blas_threading());
    add_rate_lines(b, text);
    add_size_lines(b, text);
    add_tables(b, text);
}

/* JSON: members are written with a comma in front, but for the first of their object. */

static void add_key(sn_text *text, const char *key, bool is_first) {
    sn_text_addf(text, "%s\"%s\": ", is_first ? "" : ", ", key);
}

static void add_number(sn_text *text, const char *key, double value) {
    add_key(text, key, sn_text_string(text)[text->length - 1] == '{');
    sn_text_add_json_number(text, value, 17);
}

static void add_string(sn_text *text, const char *key, const char *value) {
    add_key(text, key, sn_text_string(text)[text->length - 1] == '{');
    sn_text_add_json(text, value);
}

static void add_setting(const sn_bench *b, sn_text *text) {
    const sn_experiment *x = b->experiment;
    char cpu[SN_CPU_NAME];
    sn_text_add(text, "  \"network\": {");
    add_string(text, "name", x->settings.name);
    add_number(text, "weight_layers", x->graph.n_layers);
    add_number(text, "parameters", (double)x->graph.n_params);
    add_number(text, "batch", (double)x->batch_size);
    add_string(text, "precision", precision(b));
    sn_text_add(text, "},\n  \"machine\": {");
    add_string(text, "program", "skipnet " SN_VERSION);
    add_string(text, "commit", sn_build_commit());
    add_string(text, "cpu", sn_machine_cpu(cpu));
    add_string(text, "compiler", sn_machine_compiler());
    add_number(text, "threads", x->options.threads);
    add_string(text, "simd", x->backend->simd);
    add_string(text, "openblas", sn_blas_config());
    add_string(text, "openblas_core", sn_blas_core());
    add_string(text, "openblas_threading", sn_blas_threading());
    sn_text_add(text, "},\n");
}

/* The sizes and rates of the backend's products, or of OpenBLAS's. */
static void add_rates(const sn_bench *b, sn_text *text, bool is_backend) {
    add_key(text, "products", false);
    for (int i = 0; i < SN_BENCH_RATES; i++) {
        const sn_bench_rate *rate = &b->rates[i];
        sn_text_add(text, i ? ", {" : "[{");
        add_number(text, "n", (double)rate->n);
        add_number(text, "gflops", is_backend ? rate->gflops.backend : rate->gflops.openblas);
        sn_text_add(text, "}");
    }
    sn_text_add(text, "]},\n");
}

static void add_peak(const sn_bench *b, sn_text *text) {
    sn_text_add(text, "  \"peak\": {");
    add_number(text, "gflops", b->peak_gflops);
    add_number(text, "core_gflops", b->core_gflops.openblas);
    add_rates(b, text, false);
    sn_text_add(text, "  \"products\": {");
    add_string(text, "kernel", kernel(b));
    add_number(text, "gflops", b->products_gflops);
    add_number(text, "core_gflops", b->core_gflops.backend);
    add_number(text, "limit_gflops", limit(b));
    add_rates(b, text, true);
}

static void add_step(const sn_bench *b, sn_text *text) {
    sn_text_add(text, "  \"step\": {");
    add_number(text, "min_s", b->step_min);
    add_number(text, "median_s", b->step_median);
    add_number(text, "steps", (double)b->n_steps);
    add_number(text, "blocks", (double)b->n_blocks);
    add_number(text, "flops", b->flops);
    add_number(text, "gflops", gflops(b));
    add_number(text, "peak_share", gflops(b) / b->peak_gflops);
    add_number(text, "limit_share", gflops(b) / limit(b));
    add_number(text, "profiled_s", b->profiled_step);
    sn_text_add(text, "},\n");
}

static void add_parts(const sn_bench *b, sn_text *text) {
    part segments[N_SEGMENTS];
    list_segments(b, segments);
    sn_text_add(text, "  \"segments_thread_s\": {");
    for (int i = 0; i < N_SEGMENTS; i++)
        add_number(text, segments[i].key, segments[i].value);
    sn_text_add(text, "},\n  \"ops_thread_s\": [");
    for (int i = 0; i < b->n_ops; i++) {
        const sn_bench_op *op = &b->ops[i];
        sn_text_add(text, i ? ",\n    {" : "\n    {");
        add_string(text, "op", op->name);
        add_number(text, "forward", op->forward);
        add_number(text, "backward", op->backward);
        add_number(text, "param_gradient", op->param_gradient);
        add_number(text, "update", op->update);
        sn_text_add(text, "}");
    }
    sn_text_add(text, "\n  ],\n");
}

static void add_sizes(const sn_bench *b, sn_text *text) {
    sn_text_add(text, "  \"memory_bytes\": {");
    add_number(text, "arena", arena_bytes(b));
    add_key(text, "regions", false);
    sn_text_add(text, "{");
    for (int i = 0; i < b->n_regions; i++)
        add_number(text, b->regions[i].name, (double)b->regions[i].bytes);
    sn_text_add(text, "}");
    add_number(text, "resident", b->resident.now);
    add_number(text, "resident_most", b->resident.most);
    sn_text_add(text, "},\n");
}

static void add_observed(const sn_bench *b, sn_text *text) {
    sn_text_add(text, "  \"observed\": {");
    add_number(text, "step_s", b->observed_step);
    add_number(text, "statistics_share", b->observed_step / b->step_min - 1);
    add_number(text, "derive_s", b->derive);
    add_number(text, "format_s", b->format);
    add_number(text, "row_bytes", (double)b->row_bytes);
    sn_text_add(text, "}\n");
}

void sn_bench_json(const sn_bench *b, sn_text *text) {
    sn_text_add(text, "{\n");
    add_setting(b, text);
    add_peak(b, text);
    add_step(b, text);
    add_parts(b, text);
    add_sizes(b, text);
    add_observed(b, text);
    sn_text_add(text, "}\n");
}
