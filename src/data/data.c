/* Owns the loading of a dataset: picks the source, then applies what all sources have in common (limits, scaling, the
 * judgement of targets, checksum).  The table of sources is at the bottom; a source is one file and two lines here. */
#include "data/data.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/scale.h"
#include "data/source.h"
#include "data/targets.h"

/* A checksum that the source has set does not hold for fewer samples. */
static void apply_limit(sn_dataset *dataset, sn_samples *samples, const sn_value *data, const char *key) {
    if (!sn_value_get(data, key)) return;
    uint64_t limit = (uint64_t)sn_value_integer(data, key);
    if (samples->n <= limit) return;
    samples->n = (size_t)limit;
    dataset->checksum = 0;
}

static uint64_t hash_split(const sn_dataset *dataset, const sn_samples *samples, uint64_t hash) {
    uint64_t n = samples->n;
    size_t n_values = samples->n * dataset->in_dim;
    hash = sn_hash(&n, sizeof n, hash);
    if (samples->bytes) hash = sn_hash(samples->bytes, n_values, hash);
    if (samples->values) hash = sn_hash(samples->values, n_values * sizeof *samples->values, hash);
    if (samples->labels) hash = sn_hash(samples->labels, samples->n * sizeof *samples->labels, hash);
    if (samples->targets) {
        hash = sn_hash(samples->targets, samples->n * dataset->out_dim * sizeof *samples->targets, hash);
    }
    return hash;
}

/* The dimensions come first, so that equal bytes in another arrangement are other data. */
uint64_t sn_dataset_hash(const sn_dataset *dataset) {
    uint64_t shape[4] = {dataset->in_dim, dataset->out_dim, dataset->is_classes, dataset->train.bytes != NULL};
    uint64_t hash = sn_hash(shape, sizeof shape, 0);
    hash = hash_split(dataset, &dataset->train, hash);
    return hash_split(dataset, &dataset->test, hash);
}

/* What no source need care about: samples without a shape of their own are vectors, without an origin generated. */
static sn_status complete(sn_dataset *dataset, sn_error *error) {
    if (dataset->shape.rank == 0) dataset->shape = sn_shape_vector((int64_t)dataset->in_dim);
    if (!dataset->origin) dataset->origin = sn_pool_string(&dataset->pool, "generated");
    return dataset->origin ? SN_OK : sn_error_memory(error, sizeof "generated", "the data");
}

static sn_status check_scaling(const sn_dataset *dataset, const sn_config *config, const sn_value *data,
                               sn_error *error) {
    const sn_value *scaling = sn_value_get(data, "scaling");
    if (dataset->train.bytes || strcmp(sn_value_text(scaling, ""), SN_SCALING_PER_CHANNEL) != 0) return SN_OK;
    return sn_config_fault(config, scaling, error,
                           SN_SCALING_PER_CHANNEL " is for images (standardize scales every feature by itself)");
}

/* Sources of images have the key. */
static sn_status read_augment(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error) {
    if (!sn_value_get(data, "augment")) return SN_OK;
    const sn_value *padding = sn_value_get(data, "augment.crop_padding");
    int64_t height = dataset->shape.dim[0], width = dataset->shape.dim[1], n = sn_value_integer(padding, "");
    dataset->augment.crop_padding = (int)n;
    dataset->augment.flips = sn_value_bool(data, "augment.flip");
    if (n < height && n < width) return SN_OK;
    return sn_config_fault(config, padding, error,
                           "images of %lld x %lld have room for a padding of at most %lld (else nothing of one may be "
                           "left in its crop)",
                           (long long)height, (long long)width, (long long)(height < width ? height : width) - 1);
}

static const sn_source *find_source(const char *name) {
    for (size_t i = 0; sn_sources[i]; i++) {
        if (strcmp(sn_sources[i]->kind.name, name) == 0) return sn_sources[i];
    }
    return NULL;
}

sn_status sn_dataset_load(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_notes *notes,
                          sn_error *error) {
    *dataset = (sn_dataset){.notes = notes};
    const char *kind = sn_value_text(data, sn_source_choice.discriminator);
    const sn_source *source = kind ? find_source(kind) : NULL;
    if (!source) return sn_error_set(error, SN_FAILED, "no data source \"%s\"", kind ? kind : "");

    sn_status status = source->load(dataset, config, data, error);
    if (status == SN_OK) status = complete(dataset, error);
    if (status == SN_OK) status = check_scaling(dataset, config, data, error);
    if (status == SN_OK) status = read_augment(dataset, config, data, error);
    if (status == SN_OK) {
        apply_limit(dataset, &dataset->train, data, "train_limit");
        apply_limit(dataset, &dataset->test, data, "test_limit");
        status = sn_scaling_fit(dataset, sn_value_text(data, "scaling"), error);
    }
    if (status == SN_OK && !dataset->is_classes) status = sn_targets_judge(dataset, error);
    if (status != SN_OK) {
        sn_dataset_reset(dataset);
        return status;
    }
    if (dataset->checksum == 0) dataset->checksum = sn_dataset_hash(dataset);
    dataset->notes = NULL;
    return SN_OK;
}

void sn_dataset_reset(sn_dataset *dataset) {
    for (size_t i = 0; i < sizeof dataset->blocks / sizeof *dataset->blocks; i++)
        free(dataset->blocks[i]);
    sn_mapping_reset(&dataset->mapping);
    sn_pool_free(&dataset->pool);
    *dataset = (sn_dataset){0};
}

/* Of csv: then no split is drawn. */
static const sn_ruler without_draw[] = {{.key = "test_path"}, {.key = "test_fraction", .value = "0"}, {0}};

static const sn_key common_keys[] = {
    {.name = "seed",
     .types = SN_INTEGER,
     .fallback = "0",
     .min = 0,
     .max = 0x1p53,
     .ruled_by = without_draw,
     .help = "seed of generated samples and of a drawn held-out split; apart from the seed of the run"},
    {.name = "train_limit",
     .types = SN_INTEGER | SN_NULL,
     .fallback = "null",
     .min = 1,
     .max = 0x1p53,
     .help = "use at most the first n training samples; null: all"},
    {.name = "test_limit",
     .types = SN_INTEGER | SN_NULL,
     .fallback = "null",
     .min = 0,
     .max = 0x1p53,
     .help = "use at most the first n test samples; null: all"},
    {.name = "scaling",
     .types = SN_WORD,
     .fallback = "\"standardize\"",
     .words = sn_scaling_words,
     .help = "standardize: mean 0, sd 1 over the training samples used (images: one for all pixels, else per feature); "
             "per-channel: the same for each channel of images; unit: pixel/255, else min-max to [0, 1]; none: raw"},
    {0},
};

const sn_source *const sn_sources[] = {
    &sn_source_fashion_mnist, &sn_source_mnist,   &sn_source_cifar_10, &sn_source_cifar_100, &sn_source_csv,
    &sn_source_spirals,       &sn_source_teacher, &sn_source_gaussian, &sn_source_textures,  NULL,
};

static const sn_kind *const kinds[] = {
    &sn_source_fashion_mnist.kind, &sn_source_mnist.kind,
    &sn_source_cifar_10.kind,      &sn_source_cifar_100.kind,
    &sn_source_csv.kind,           &sn_source_spirals.kind,
    &sn_source_teacher.kind,       &sn_source_gaussian.kind,
    &sn_source_textures.kind,      NULL,
};

const sn_choice sn_source_choice = {
    .what = "data source", .discriminator = "kind", .kinds = kinds, .common = common_keys, .fallback = "fashion-mnist"};
