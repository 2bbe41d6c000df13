/* Owns the verb bench. */
#include "study/bench.h"

#include "cli/cli.h"
#include "run/language.h"

typedef struct bench_options {
    sn_words set;
    int64_t threads, steps;
    double seconds;
    bool json;
} bench_options;

static const sn_option option_rows[] = {
    SN_OPTION_SET(bench_options),
    SN_OPTION_THREADS(bench_options, SN_THREADS_AVAILABLE),
    {.name = "steps",
     .argument = "N",
     .help = "measure exactly so many training steps",
     SN_OPTION_COUNT(bench_options, steps, 1000000000)},
    {.name = "seconds",
     .argument = "S",
     .help = "measure for about so many seconds; default: 2",
     SN_OPTION_NUMBER(bench_options, seconds, 86400)},
    SN_OPTION_JSON(bench_options),
};

static sn_status read_standard(sn_config **config, const sn_words *sets, sn_error *error) {
    sn_config_source source = {
        .path = "the standard case of bench", .text = sn_bench_standard, .sets = sets->items, .n_sets = sets->n};
    return sn_config_read(config, &sn_language, &source, error);
}

static sn_status bench_with(const bench_options *chosen, const sn_config *config, sn_error *error) {
    sn_experiment experiment;
    sn_status status = sn_open_experiment(&experiment, config, sn_threads(chosen->threads), error);
    if (status) return status;
    sn_bench bench = {0};
    sn_bench_options length = {.steps = chosen->steps, .seconds = chosen->seconds};
    sn_text text = SN_TEXT_EMPTY;
    status = sn_experiment_start(&experiment, error);
    if (!status) status = sn_bench_run(&bench, &experiment, &length, error);
    if (!status) {
        if (chosen->json) {
            sn_bench_json(&bench, &text);
        } else {
            sn_bench_text(&bench, &text);
        }
        status = sn_print(&text, error);
    }
    sn_text_free(&text);
    sn_bench_reset(&bench);
    sn_experiment_reset(&experiment);
    return status;
}

static sn_status run_bench(const sn_arguments *arguments, sn_error *error) {
    const bench_options *chosen = arguments->record;
    if (chosen->steps && chosen->seconds > 0) {
        return sn_error_set(error, SN_INVALID, "skipnet bench: give --steps or --seconds, not both");
    }
    sn_config *config = NULL;
    sn_status status = arguments->n_operands ? sn_read_config(&config, arguments->operands[0], &chosen->set, error)
                                             : read_standard(&config, &chosen->set, error);
    if (!status) status = bench_with(chosen, config, error);
    sn_config_free(config);
    return status;
}

const sn_verb sn_verb_bench = {
    .name = "bench",
    .operands = "[CONFIG]",
    .max_operands = 1,
    SN_VERB_OPTIONS(option_rows, bench_options),
    .help = "how fast training steps run here, and where their time goes",
    .details =
        "Without CONFIG: 50 residual blocks of 64 on 784 generated inputs, batch 128.  Nothing is written.\n\n"
        "peak is OpenBLAS's best rate on one thread over square products of 64 to 1024, times the threads; products\n"
        "is the same of what the ops multiply by (train.products), on AVX2 and AVX-512 a kernel of skipnet's own: a\n"
        "step may come to more than 100 % of peak.  --set train.products=openblas tells what OpenBLAS would come to\n"
        "in the same steps.  The limit is the better of both.  A step's GFLOP are those of its matrix products.\n"
        "step is the fastest block of whole training steps.  Parts and ops are measured in steps apart, as time\n"
        "summed over the threads: parts add up to threads times the step.\n"
        "moved is a model: every pass reads its operands and writes its result once.  observed is a step with the\n"
        "statistics of all columns; what its rows cost is told apart.",
    .run = run_bench};
