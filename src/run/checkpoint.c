/* Owns the format of checkpoints. */
#include "run/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/build.h"
#include "base/file.h"
#include "engine/backend.h"
#include "run/machine.h"

static const char FORMAT[] = "skipnet checkpoint";

/* The tensors beside the engine's, whose names have a dot. */
enum { POSITIONS, SUMMARY, TIMINGS, N_OWN };
static const char *const own_names[N_OWN] = {"positions", "summary", "timings"};
static const char WARMUP[] = "warmup"; /* one more, where the learning rate warms up by result */

enum { N_TIMINGS = 11, MAX_MARKS = 2, MAX_INTEGERS = 1 + 2 * SN_SINK_FILES };

sn_status sn_checkpoint_init(sn_checkpoint *checkpoint, int n_hidden, sn_error *error) {
    *checkpoint = (sn_checkpoint){0};
    sn_status status = sn_mark_init(&checkpoint->marks[0], n_hidden, error);
    return status ? status : sn_mark_init(&checkpoint->marks[1], n_hidden, error);
}

void sn_checkpoint_reset(sn_checkpoint *checkpoint) {
    sn_mark_reset(&checkpoint->marks[0]);
    sn_mark_reset(&checkpoint->marks[1]);
    *checkpoint = (sn_checkpoint){0};
}

/* ---- what it belongs to ---- */

enum { FACT_TEXT = 512 };

/* One entry of the metadata that decides whether the bits would be the same. */
typedef struct fact {
    const char *key;
    void (*tell)(const sn_experiment *x, char out[FACT_TEXT]);
    const char *remedy; /* NULL: there is none but to start anew */
    const char *before; /* what it was before checkpoints told it; NULL: unknown */
} fact;

static void tell_program(const sn_experiment *x, char out[FACT_TEXT]) {
    (void)x;
    snprintf(out, FACT_TEXT, "skipnet %s", SN_VERSION);
}

/* Where it may, a compiler joins a product and a sum into one rounding. */
static void tell_build(const sn_experiment *x, char out[FACT_TEXT]) {
    (void)x;
    snprintf(out, FACT_TEXT, "%s, %s", sn_machine_compiler(), SN_BUILD_TYPE);
}

/* Where a multiply-add is one rounding the width of the vectors changes no bit. */
static void tell_simd(const sn_experiment *x, char out[FACT_TEXT]) {
    snprintf(out, FACT_TEXT, "%s", x->backend->has_fma ? "avx2 or avx512" : x->backend->simd);
}

/* Own products make the bits the same with every OpenBLAS. */
static void tell_products(const sn_experiment *x, char out[FACT_TEXT]) {
    if (!sn_uses_openblas(x->options.products, x->backend)) {
        snprintf(out, FACT_TEXT, "own");
    } else {
        snprintf(out, FACT_TEXT, "%s, core %s", sn_blas_config(), sn_blas_core());
    }
}

static void tell_value(const sn_experiment *x, const char *key, char out[FACT_TEXT]) {
    sn_text text = SN_TEXT_EMPTY;
    sn_value_text_compact(sn_value_get(sn_config_root(x->config), key), &text);
    snprintf(out, FACT_TEXT, "%s", sn_text_string(&text));
    sn_text_free(&text);
}

static void tell_schedule(const sn_experiment *x, char out[FACT_TEXT]) {
    tell_value(x, "report.schedule", out);
}

static void tell_train_eval(const sn_experiment *x, char out[FACT_TEXT]) {
    tell_value(x, "report.train_eval", out);
}

static void tell_exponents(const sn_experiment *x, char out[FACT_TEXT]) {
    tell_value(x, "report.exponents", out);
}

static const fact facts[] = {
    {"program", tell_program, "take that version", NULL},
    {"build", tell_build, "take the program that was built so", NULL},
    {"simd", tell_simd, "set SKIPNET_SIMD to that", NULL},
    {"products", tell_products, "take that OpenBLAS, with OPENBLAS_CORETYPE set to that core", NULL},
    {"report.schedule", tell_schedule, "take that value", NULL},
    {"report.train_eval", tell_train_eval, "take that value", NULL},
    {"report.exponents", tell_exponents, "take that value", "false"},
};
enum { N_FACTS = sizeof facts / sizeof *facts };

sn_status sn_checkpoint_fits(const sn_safetensors *file, const char *path, const sn_experiment *experiment,
                             sn_error *error) {
    for (int i = 0; i < N_FACTS; i++) {
        char here[FACT_TEXT];
        facts[i].tell(experiment, here);
        const char *there = sn_safetensors_metadata(file, facts[i].key);
        if (!there) there = facts[i].before;
        if (there && strcmp(there, here) == 0) continue;
        sn_error_add(
            error, SN_INVALID,
            "%s was saved with %s %s, here it is %s: the run would not go on to the same bytes (%s, or --force "
            "to train anew)",
            path, facts[i].key, there ? there : "unknown", here, facts[i].remedy);
    }
    return error->status;
}

/* ---- writing ---- */

static void list_timings(sn_timings *t, double *list[N_TIMINGS - 3], int64_t *counts[3]) {
    double *const seconds[] = {&t->total,    &t->evaluate, &t->first,  &t->plain,
                               &t->observed, &t->last,     &t->format, &t->checkpoint};
    int64_t *const numbers[] = {&t->n_plain, &t->n_observed, &t->n_checkpoints};
    memcpy(list, seconds, sizeof seconds);
    memcpy(counts, numbers, sizeof numbers);
}

static void encode_timings(const sn_timings *timings, double out[N_TIMINGS]) {
    sn_timings copy = *timings;
    double *seconds[N_TIMINGS - 3];
    int64_t *counts[3];
    list_timings(&copy, seconds, counts);
    for (int i = 0; i < N_TIMINGS; i++)
        out[i] = i < N_TIMINGS - 3 ? *seconds[i] : (double)*counts[i - (N_TIMINGS - 3)];
}

/* False where a number is no count.  `data` may lie at any address. */
static bool decode_timings(sn_timings *timings, const void *data) {
    double in[N_TIMINGS];
    memcpy(in, data, sizeof in);
    double *seconds[N_TIMINGS - 3];
    int64_t *counts[3];
    list_timings(timings, seconds, counts);
    for (int i = 0; i < N_TIMINGS - 3; i++)
        *seconds[i] = in[i];
    for (int i = 0; i < 3; i++) {
        double count = in[N_TIMINGS - 3 + i];
        if (!(count >= 0 && count <= SN_LARGEST_COUNT)) return false;
        *counts[i] = (int64_t)count;
    }
    return true;
}

/* Metadata with the memory of its values. */
enum { N_METADATA = N_FACTS + 9 };
typedef struct labels {
    char facts[N_FACTS][FACT_TEXT];
    char version[16], hash_but_length[32], step[32], steps[32], cpu[SN_CPU_NAME];
    sn_metadata entries[N_METADATA];
} labels;

static void fill_labels(labels *l, const sn_checkpoint *checkpoint, const sn_experiment *x) {
    snprintf(l->version, sizeof l->version, "%d", SN_CHECKPOINT_VERSION);
    snprintf(l->hash_but_length, sizeof l->hash_but_length, "%016" PRIx64, x->hash_but_length);
    snprintf(l->step, sizeof l->step, "%" PRId64, checkpoint->marks[0].step);
    snprintf(l->steps, sizeof l->steps, "%" PRId64, checkpoint->steps);
    const sn_metadata first[] = {{"format", FORMAT},
                                 {"format_version", l->version},
                                 SN_SEAL,
                                 {"name", x->settings.name},
                                 {"config_hash_but_length", l->hash_but_length},
                                 {"step", l->step},
                                 {"planned_steps", l->steps},
                                 {"cpu", sn_machine_cpu(l->cpu)},
                                 {"commit", sn_build_commit()}};
    memcpy(l->entries, first, sizeof first);
    for (int i = 0; i < N_FACTS; i++) {
        facts[i].tell(x, l->facts[i]);
        l->entries[N_METADATA - N_FACTS + i] = (sn_metadata){facts[i].key, l->facts[i]};
    }
}

/* The numbers beside the engine's tensors. */
typedef struct figures {
    int64_t positions[MAX_MARKS * MAX_INTEGERS]; /* (marks, integers) */
    size_t integers;                             /* sn_mark_integers */
    double timings[N_TIMINGS];
    double warmup[SN_WARMUP_DOUBLES];
    double *summary; /* (marks, sn_mark_doubles) */
} figures;

static sn_status fill_figures(figures *f, const sn_checkpoint *checkpoint, int n_hidden, sn_error *error) {
    size_t n = sn_mark_doubles(n_hidden);
    f->summary = malloc(MAX_MARKS * n * sizeof *f->summary);
    if (!f->summary) return sn_error_memory(error, MAX_MARKS * n * sizeof *f->summary, "a summary");
    encode_timings(&checkpoint->timings, f->timings);
    sn_warmup_encode(&checkpoint->warmup, f->warmup);
    f->integers = sn_mark_integers(checkpoint->marks[0].position.n_files);
    for (size_t i = 0; i < (size_t)checkpoint->n_marks; i++)
        sn_mark_encode(&checkpoint->marks[i], f->positions + i * f->integers, f->summary + i * n);
    return SN_OK;
}

static void list_own(const figures *f, int n_marks, int n_hidden, sn_tensor own[N_OWN]) {
    int64_t n = (int64_t)sn_mark_doubles(n_hidden);
    own[POSITIONS] = (sn_tensor){own_names[POSITIONS], SN_I64, 2, {n_marks, (int64_t)f->integers}, f->positions};
    own[SUMMARY] = (sn_tensor){own_names[SUMMARY], SN_F64, 2, {n_marks, n}, f->summary};
    own[TIMINGS] = (sn_tensor){own_names[TIMINGS], SN_F64, 1, {N_TIMINGS}, f->timings};
}

static sn_status keep_previous(const sn_run_directory *directory, const char *path, sn_error *error) {
    if (!sn_path_exists(path)) return SN_OK;
    char *previous = sn_run_directory_file(directory, SN_FILE_PREVIOUS);
    sn_status status = previous ? sn_file_keep(path, previous, error) : sn_error_memory(error, 0, "a path");
    free(previous);
    return status;
}

sn_status sn_checkpoint_write(const sn_checkpoint *checkpoint, const sn_experiment *experiment,
                              const sn_run_directory *directory, sn_error *error) {
    int n_hidden = experiment->graph.n_hidden;
    size_t n_own = N_OWN + sn_lr_schedule_by_result(&experiment->lr_schedule),
           n = n_own + sn_engine_snapshot_count(experiment->engine);
    sn_tensor *tensors = malloc(n * sizeof *tensors);
    labels *l = malloc(sizeof *l);
    char *path = sn_run_directory_file(directory, SN_FILE_CHECKPOINT);
    figures f = {.summary = NULL};
    sn_status status = SN_OK;
    if (!tensors || !l || !path) {
        status = sn_error_memory(error, n * sizeof *tensors, "a checkpoint");
        goto out;
    }
    status = fill_figures(&f, checkpoint, n_hidden, error);
    if (status) goto out;
    fill_labels(l, checkpoint, experiment);
    list_own(&f, checkpoint->n_marks, n_hidden, tensors);
    if (n_own > N_OWN) tensors[N_OWN] = (sn_tensor){WARMUP, SN_F64, 1, {SN_WARMUP_DOUBLES}, f.warmup};
    sn_engine_snapshot(experiment->engine, tensors + n_own);
    status = keep_previous(directory, path, error);
    if (!status) status = sn_safetensors_write(path, tensors, n, l->entries, N_METADATA, error);
out:
    free(f.summary);
    free(path);
    free(l);
    free(tensors);
    return status;
}

/* ---- reading ---- */

static sn_status check_labels(const sn_safetensors *file, const char *path, const sn_experiment *x, sn_error *error) {
    const char *format = sn_safetensors_metadata(file, "format");
    if (!format || strcmp(format, FORMAT) != 0) return sn_error_set(error, SN_INVALID, "%s: no checkpoint", path);
    sn_status status = sn_safetensors_check_seal(file, path, error);
    if (status) return status;
    const char *version = sn_safetensors_metadata(file, "format_version");
    if (!version || strtol(version, NULL, 10) != SN_CHECKPOINT_VERSION) {
        return sn_error_set(error, SN_INVALID, "%s: a checkpoint of format version %s, this program knows %d", path,
                            version ? version : "unknown", SN_CHECKPOINT_VERSION);
    }
    const char *hash_but_length = sn_safetensors_metadata(file, "config_hash_but_length");
    if (hash_but_length && strtoull(hash_but_length, NULL, 16) == x->hash_but_length) return SN_OK;
    return sn_error_set(error, SN_INVALID, "%s: a checkpoint of another run", path);
}

static bool has_shape(const sn_tensor *tensor, sn_dtype dtype, int64_t rows, int64_t columns) {
    if (!tensor || tensor->dtype != dtype) return false;
    if (tensor->rank == 1) return tensor->shape[0] == columns && rows == 1;
    return tensor->rank == 2 && tensor->shape[0] == rows && tensor->shape[1] == columns;
}

/* How many files of the sink the positions tell of; 0: no run has written so many. */
static int count_files(const sn_tensor *positions) {
    for (int n = SN_SINK_EXPONENTS; n <= SN_SINK_FILES && positions && positions->rank == 2; n++) {
        if (positions->shape[1] == (int64_t)sn_mark_integers(n)) return n;
    }
    return 0;
}

static sn_status read_figures(sn_checkpoint *checkpoint, const sn_safetensors *file, const char *path, int n_hidden,
                              sn_error *error) {
    const sn_tensor *own[N_OWN];
    for (int i = 0; i < N_OWN; i++)
        own[i] = sn_safetensors_find(file, own_names[i]);
    size_t n = sn_mark_doubles(n_hidden);
    int64_t n_marks = own[POSITIONS] ? own[POSITIONS]->shape[0] : 0;
    const char *steps = sn_safetensors_metadata(file, "planned_steps");
    int n_files = count_files(own[POSITIONS]);
    size_t integers = sn_mark_integers(n_files);
    if (!steps || n_marks < 1 || n_marks > MAX_MARKS || n_files == 0 ||
        !has_shape(own[POSITIONS], SN_I64, n_marks, (int64_t)integers) ||
        !has_shape(own[SUMMARY], SN_F64, n_marks, (int64_t)n) || !has_shape(own[TIMINGS], SN_F64, 1, N_TIMINGS))
        return sn_error_set(error, SN_INVALID, "%s: not all of a checkpoint is there", path);
    checkpoint->n_marks = (int)n_marks;
    checkpoint->steps = strtoll(steps, NULL, 10);
    bool is_sound = decode_timings(&checkpoint->timings, own[TIMINGS]->data);
    const char *positions = own[POSITIONS]->data, *summary = own[SUMMARY]->data;
    for (size_t i = 0; i < (size_t)n_marks; i++) {
        is_sound &= sn_mark_decode(&checkpoint->marks[i], n_files, positions + i * integers * sizeof(int64_t),
                                   summary + i * n * sizeof(double));
    }
    return is_sound ? SN_OK : sn_error_set(error, SN_INVALID, "%s: a count in it is no whole number", path);
}

/* Nothing to read where the warm-up ends by steps: the schedule knows when. */
static sn_status read_warmup(sn_checkpoint *checkpoint, const sn_safetensors *file, const char *path,
                             const sn_experiment *x, sn_error *error) {
    sn_warmup_init(&checkpoint->warmup, &x->lr_schedule);
    if (!sn_lr_schedule_by_result(&x->lr_schedule)) return SN_OK;
    const sn_tensor *tensor = sn_safetensors_find(file, WARMUP);
    bool is_sound = has_shape(tensor, SN_F64, 1, SN_WARMUP_DOUBLES) &&
                    sn_warmup_decode(&checkpoint->warmup, tensor->data, checkpoint->marks[0].step);
    return is_sound ? SN_OK : sn_error_set(error, SN_INVALID, "%s: no warm-up of its run", path);
}

sn_status sn_checkpoint_read(sn_checkpoint *checkpoint, sn_safetensors **file, const char *path,
                             const sn_experiment *experiment, sn_error *error) {
    sn_status status = sn_safetensors_read(file, path, error);
    if (!status) status = check_labels(*file, path, experiment, error);
    if (!status) status = read_figures(checkpoint, *file, path, experiment->graph.n_hidden, error);
    if (!status) status = read_warmup(checkpoint, *file, path, experiment, error);
    if (!status && (checkpoint->marks[0].step < 0 || checkpoint->marks[0].step > checkpoint->steps ||
                    checkpoint->marks[0].step > experiment->steps))
        status = sn_error_set(error, SN_INVALID, "%s: no step of its run", path);
    if (status) {
        sn_safetensors_free(*file);
        *file = NULL;
    }
    return status;
}
