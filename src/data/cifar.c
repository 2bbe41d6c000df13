/* Owns the sources cifar-10 and cifar-100: where their files or the archive with them are looked for, and what is in
 * them (https://www.cs.toronto.edu/~kriz/cifar.html, "binary version").
 *
 * A file is records of the same length without a header: one or two labels, then an image of 32 x 32, plane by plane
 * (red, green, blue).  Here images have their channels innermost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/search.h"
#include "data/archive.h"
#include "data/cache.h"
#include "data/gz.h"
#include "data/source.h"

enum {
    MOST_FILES = 6,
    MOST_LABELS = 2,
    SIDE = 32,
    CHANNELS = 3,
    POSITIONS = SIDE * SIDE,
    PIXELS = POSITIONS * CHANNELS
};

typedef struct cifar {
    const char *name;                /* of the source; a subdirectory that is looked into */
    const char *folder, *archive;    /* as they are called where they come from */
    const char *all_files;           /* for people */
    const char *files[MOST_FILES];   /* the last has the test images */
    size_t n_files, n_labels;        /* n_labels: of a record, the finest last */
    uint32_t n_classes[MOST_LABELS]; /* by label of a record */
} cifar;

static const cifar cifar_10 = {
    .name = "cifar-10",
    .folder = "cifar-10-batches-bin",
    .archive = "cifar-10-binary.tar.gz",
    .all_files = "data_batch_1.bin to data_batch_5.bin and test_batch.bin",
    .files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin",
              "test_batch.bin"},
    .n_files = 6,
    .n_labels = 1,
    .n_classes = {10},
};

static const cifar cifar_100 = {
    .name = "cifar-100",
    .folder = "cifar-100-binary",
    .archive = "cifar-100-binary.tar.gz",
    .all_files = "train.bin and test.bin",
    .files = {"train.bin", "test.bin"},
    .n_files = 2,
    .n_labels = 2,
    .n_classes = {20, 100},
};

/* ---- where the files are ---- */

/* What is decoded: the files, or the archive alone. */
typedef struct finding {
    const cifar *set;
    size_t label;     /* which of a record */
    const char *path; /* data.path; NULL: none */
    bool is_archive;
    sn_search files, archive;
} finding;

static sn_status report_absent(const finding *f, sn_error *error) {
    const sn_text *files = &f->files.absent, *archive = &f->archive.absent;
    bool looked = files->length > 0;
    return sn_error_set(error, SN_IO,
                        "%s: not found (looked for %s%s%s); name by the key data.path or in the environment variable "
                        "SKIPNET_DATA the archive %s (the binary version at "
                        "https://www.cs.toronto.edu/~kriz/cifar.html) or a directory that holds it or, unpacked, %s",
                        f->set->name, looked ? files->data : "nothing: there was no directory to look into",
                        looked ? "; " : "", looked ? archive->data : "", f->set->archive, f->set->all_files);
}

/* The directory, and what is in it when the archive was unpacked there. */
static void look_into(finding *f, const char *dir) {
    char *folder = sn_path_join(dir, f->set->folder);
    sn_search_dir(&f->files, dir);
    if (folder) sn_search_dir(&f->files, folder);
    f->files.failed |= !folder;
    if (!f->files.dir) sn_search_dir(&f->archive, dir);
    free(folder);
}

static void look_around(finding *f, const char *dirs) {
    char *unpacked = sn_path_join(f->set->name, f->set->folder);
    f->files.failed |= !unpacked;
    sn_search_path(&f->files, dirs, (const char *const[]){f->set->name, f->set->folder, unpacked, NULL});
    if (!f->files.dir) sn_search_path(&f->archive, dirs, (const char *const[]){f->set->name, NULL});
    free(unpacked);
}

/* A file that data.path names is taken for the archive, whatever its name is. */
static void take_archive(finding *f) {
    char *absolute = sn_path_absolute(f->path);
    f->archive.dir = sn_pool_string(f->archive.pool, absolute ? absolute : f->path);
    f->archive.files = &f->archive.dir;
    f->archive.failed = !f->archive.dir;
    free(absolute);
}

/* Afterwards one of the searches has found what it looks for. */
static sn_status find(finding *f, sn_error *error) {
    const char *dirs = f->path ? NULL : getenv("SKIPNET_DATA");
    if (f->path && sn_path_exists(f->path) && !sn_path_is_dir(f->path)) {
        take_archive(f);
    } else if (f->path) {
        look_into(f, f->path);
    } else if (dirs) {
        look_around(f, dirs);
    }
    if (f->files.failed || f->archive.failed) return sn_error_memory(error, 4096, "the names of data files");
    f->is_archive = !f->files.dir;
    return f->files.dir || f->archive.dir ? SN_OK : report_absent(f, error);
}

/* ---- what is in them ---- */

static size_t record_size(const cifar *set) {
    return set->n_labels + PIXELS;
}

/* "PATH" or "ARCHIVE: NAME", for messages. */
static void add_name(const finding *f, size_t i, sn_text *text) {
    sn_text_add(text, f->is_archive ? f->archive.files[0] : f->files.files[i]);
    if (f->is_archive) sn_text_addf(text, ": %s", f->set->files[i]);
}

static sn_status check_found(const finding *f, size_t i, const sn_member *file, sn_error *error) {
    const char *archive = f->is_archive ? f->archive.files[0] : NULL;
    if (!archive || file->count == 1) return SN_OK;
    if (file->count > 1) {
        return sn_error_set(error, SN_INVALID, "%s: holds %d files that are called %s, expected one", archive,
                            file->count, f->set->files[i]);
    }
    return sn_error_set(error, SN_INVALID, "%s: holds no file %s; expected is what %s holds, of it %s", archive,
                        f->set->files[i], f->set->archive, f->set->all_files);
}

static sn_status check_labels(const finding *f, const char *name, const sn_member *file, sn_error *error) {
    for (size_t at = 0; at < file->size; at += record_size(f->set)) {
        for (size_t k = 0; k < f->set->n_labels; k++) {
            if (file->data[at + k] < f->set->n_classes[k]) continue;
            return sn_error_set(error, SN_INVALID, "%s: byte offset %zu: label %u, expected 0 to %u", name, at + k,
                                file->data[at + k], f->set->n_classes[k] - 1);
        }
    }
    return SN_OK;
}

static sn_status check_records(const finding *f, size_t i, const sn_member *file, sn_error *error) {
    const size_t size = record_size(f->set);
    sn_text name = SN_TEXT_EMPTY;
    add_name(f, i, &name);
    sn_status status = SN_OK;
    if (file->size == 0 || file->size % size != 0) {
        status = sn_error_set(error, SN_INVALID,
                              "%s: %zu bytes, expected a whole number of records of %zu bytes (%s and %d x %d x %d "
                              "pixels)",
                              sn_text_string(&name), file->size, size, f->set->n_labels == 1 ? "a label" : "two labels",
                              SIDE, SIDE, CHANNELS);
    } else {
        status = check_labels(f, sn_text_string(&name), file, error);
    }
    sn_text_free(&name);
    return status;
}

/* From a plane for each channel to positions with the channels of each side by side. */
static void put_image(uint8_t *restrict image, const uint8_t *restrict planes) {
    for (size_t p = 0; p < POSITIONS; p++) {
        for (size_t c = 0; c < CHANNELS; c++)
            image[p * CHANNELS + c] = planes[c * POSITIONS + p];
    }
}

/* The records of `n` files as one split; their memory is given back on the way. */
static sn_status decode_split(const finding *f, sn_dataset *dataset, sn_samples *samples, sn_member *files, size_t n,
                              sn_error *error) {
    const size_t size = record_size(f->set);
    size_t n_images = 0;
    for (size_t i = 0; i < n; i++)
        n_images += files[i].size / size;
    uint8_t *images = sn_dataset_block(dataset, n_images, PIXELS, "images", error);
    uint32_t *labels = images ? sn_dataset_block(dataset, n_images, sizeof *labels, "labels", error) : NULL;
    if (!labels) return SN_FAILED;
    *samples = (sn_samples){.n = n_images, .bytes = images, .labels = labels};
    for (size_t i = 0; i < n; i++) {
        for (const uint8_t *record = files[i].data; record < files[i].data + files[i].size; record += size) {
            *labels++ = record[f->label];
            put_image(images, record + f->set->n_labels);
            images += PIXELS;
        }
        free(files[i].data);
        files[i].data = NULL;
    }
    return SN_OK;
}

static sn_status read_file(const char *path, sn_member *file, sn_error *error) {
    sn_gz gz;
    sn_status status = sn_gz_open(&gz, path, error);
    if (status == SN_OK) status = sn_gz_read_block(&gz, SN_DATA_MAX_BYTES, &file->data, &file->size, error);
    sn_gz_close(&gz);
    return status;
}

static sn_status read_files(const finding *f, sn_member *files, sn_error *error) {
    sn_status status = SN_OK;
    if (f->is_archive) return sn_archive_read(f->archive.files[0], files, f->set->n_files, error);
    for (size_t i = 0; i < f->set->n_files && status == SN_OK; i++)
        status = read_file(f->files.files[i], &files[i], error);
    return status;
}

static sn_status decode(sn_dataset *dataset, const sn_image_files *set, sn_error *error) {
    const finding *f = set->context;
    sn_member files[MOST_FILES] = {{0}};
    size_t n = f->set->n_files;
    for (size_t i = 0; i < n; i++)
        files[i].name = f->set->files[i];
    sn_status status = read_files(f, files, error);
    for (size_t i = 0; i < n && status == SN_OK; i++)
        status = check_found(f, i, &files[i], error);
    for (size_t i = 0; i < n && status == SN_OK; i++)
        status = check_records(f, i, &files[i], error);
    if (status == SN_OK) status = decode_split(f, dataset, &dataset->train, files, n - 1, error);
    if (status == SN_OK) status = decode_split(f, dataset, &dataset->test, files + n - 1, 1, error);
    for (size_t i = 0; i < n; i++)
        free(files[i].data);
    dataset->shape = (sn_shape){.rank = 3, .dim = {SIDE, SIDE, CHANNELS}};
    dataset->in_dim = PIXELS;
    return status;
}

/* ---- the sources ---- */

static sn_status load_found(finding *f, sn_dataset *dataset, sn_error *error) {
    const sn_search *found = f->is_archive ? &f->archive : &f->files;
    char name[32]; /* in the cache: by one label the set is another than by the other */
    snprintf(name, sizeof name, "%s%s", f->set->name, f->label + 1 < f->set->n_labels ? "-coarse" : "");
    sn_image_files files = {name, (const char *const *)found->files, f->is_archive ? 1 : f->set->n_files, decode, f};
    dataset->origin = found->dir;
    return sn_image_cache_decode(dataset, &files, f->set->n_classes[f->label], error);
}

static sn_status load(const cifar *set, size_t label, sn_dataset *dataset, const sn_value *data, sn_error *error) {
    static const char *const packed[] = {"", ".gz", NULL}, *const as_it_is[] = {"", NULL};
    finding f = {.set = set,
                 .label = label,
                 .path = sn_value_text(data, "path"),
                 .files = {.names = set->files, .n = set->n_files, .suffixes = packed, .pool = &dataset->pool},
                 .archive = {.names = &set->archive, .n = 1, .suffixes = as_it_is, .pool = &dataset->pool}};
    sn_status status = find(&f, error);
    if (status == SN_OK) status = load_found(&f, dataset, error);
    sn_search_reset(&f.files);
    sn_search_reset(&f.archive);
    return status;
}

static sn_status load_cifar_10(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error) {
    (void)config;
    return load(&cifar_10, 0, dataset, data, error);
}

static sn_status load_cifar_100(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error) {
    (void)config;
    bool is_fine = strcmp(sn_value_text(data, "labels"), "fine") == 0;
    return load(&cifar_100, is_fine ? 1 : 0, dataset, data, error);
}

#define PATH_KEY                                                                                                       \
    .name = "path", .types = SN_PATH | SN_NULL, .flags = SN_NO_MEANING, .fallback = "null",                            \
    .help = "the archive of the binary version as downloaded, or a directory that holds it or what is in it; null: "   \
            "the directories of SKIPNET_DATA and their subdirectories named as the kind"

static const sn_key keys_10[] = {{PATH_KEY}, {SN_KEY_AUGMENT}, {0}};

static const char *const label_words[] = {"fine", "coarse", NULL};
static const sn_key keys_100[] = {
    {PATH_KEY},
    {.name = "labels",
     .types = SN_WORD,
     .fallback = "\"fine\"",
     .words = label_words,
     .help = "fine: the 100 classes; coarse: the 20 groups of five that they form"},
    {SN_KEY_AUGMENT},
    {0},
};

static const char *const ignored[] = {"seed", NULL}; /* nothing is drawn */

const sn_source sn_source_cifar_10 = {
    .kind = {.name = "cifar-10",
             .help = "50000 + 10000 photographs, 32 x 32 in colour, 10 classes (the binary version; its archive, too)",
             .keys = keys_10,
             .ignores = ignored,
             .source = "Krizhevsky 2009, Learning multiple layers of features from tiny images"},
    .load = load_cifar_10,
};

const sn_source sn_source_cifar_100 = {
    .kind = {.name = "cifar-100",
             .help = "50000 + 10000 photographs, 32 x 32 in colour, 100 classes in 20 groups (the binary version; its "
                     "archive, too)",
             .keys = keys_100,
             .ignores = ignored,
             .source = "Krizhevsky 2009, Learning multiple layers of features from tiny images"},
    .load = load_cifar_100,
};
