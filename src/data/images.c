/* Owns the sources fashion-mnist and mnist: where their four IDX files are looked for, and that they fit together.
 * What they hold is kept decoded for the next process. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/search.h"
#include "data/cache.h"
#include "data/idx.h"
#include "data/source.h"

enum { N_FILES = 4, N_CLASSES = 10 };

static const char *const file_names[N_FILES] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                                "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

typedef struct image_set {
    const char *name;       /* also the subdirectory that is looked into */
    const char *system_dir; /* where the package puts it; NULL: there is none */
    const char *package;    /* Debian's */
} image_set;

static const image_set fashion_mnist = {"fashion-mnist", "/usr/share/datasets/fashion-mnist", "dataset-fashion-mnist"};
static const image_set mnist = {"mnist", NULL, NULL};

static sn_status report_absent(const image_set *set, const sn_search *s, sn_error *error) {
    const char *package = set->package;
    bool looked = s->absent.length > 0;
    return sn_error_set(error, SN_IO,
                        "%s: not found (looked for %s); %s%s%sname a directory that holds %s, %s, %s and %s, plain or "
                        "with .gz, by the key data.path or in the environment variable SKIPNET_DATA",
                        set->name, looked ? s->absent.data : "nothing: there was no directory to look into",
                        package ? "install the Debian package " : "", package ? package : "", package ? ", or " : "",
                        file_names[0], file_names[1], file_names[2], file_names[3]);
}

/* A data.path is final; SKIPNET_DATA is a search path that goes before the system's place.  The subdirectory named as
 * the set comes first: mnist and fashion-mnist have the same file names. */
static sn_status find_files(const image_set *set, sn_search *s, const char *path, sn_error *error) {
    const char *dirs = getenv("SKIPNET_DATA");
    if (path && sn_path_exists(path) && !sn_path_is_dir(path))
        return sn_error_set(error, SN_IO,
                            "%s: %s is a file, where data.path names the directory of the IDX files (for a table set "
                            "data.kind to \"csv\")",
                            set->name, path);
    if (path) {
        sn_search_dir(s, path);
    } else {
        if (dirs) sn_search_path(s, dirs, (const char *const[]){set->name, NULL});
        if (set->system_dir) sn_search_dir(s, set->system_dir);
    }
    if (s->failed) return sn_error_memory(error, 4096, "the names of data files");
    return s->dir ? SN_OK : report_absent(set, s, error);
}

static sn_status check_pair(const sn_idx *images, const sn_idx *labels, const char *const *files, sn_error *error) {
    if (labels->dims[0] != images->dims[0]) {
        return sn_error_set(error, SN_INVALID, "%s: byte offset 4: %u labels, but %s has %u images", files[1],
                            labels->dims[0], files[0], images->dims[0]);
    }
    for (size_t i = 0; i < labels->size; i++) {
        if (labels->data[i] >= N_CLASSES) {
            return sn_error_set(error, SN_INVALID, "%s: byte offset %zu: label %u, expected 0 to %d", files[1], 8 + i,
                                labels->data[i], N_CLASSES - 1);
        }
    }
    return SN_OK;
}

/* One split out of files[0] (images) and files[1] (labels); *shape is that of its images. */
static sn_status load_split(sn_dataset *dataset, sn_samples *samples, const char *const *files, sn_shape *shape,
                            sn_error *error) {
    sn_idx images = {0}, labels = {0};
    uint32_t *numbers = NULL;
    sn_status status = sn_idx_read(&images, files[0], 3, error);
    if (status == SN_OK) status = sn_idx_read(&labels, files[1], 1, error);
    if (status == SN_OK) status = check_pair(&images, &labels, files, error);
    if (status != SN_OK) goto out;

    numbers = sn_dataset_block(dataset, labels.size, sizeof *numbers, "labels", error);
    if (!numbers) {
        status = SN_FAILED;
        goto out;
    }
    for (size_t i = 0; i < labels.size; i++)
        numbers[i] = labels.data[i];
    *samples = (sn_samples){.n = images.dims[0], .bytes = images.data, .labels = numbers};
    *shape = (sn_shape){.rank = 3, .dim = {images.dims[1], images.dims[2], 1}};
    sn_dataset_adopt(dataset, images.data);
    images.data = NULL;
out:
    free(images.data);
    free(labels.data);
    return status;
}

static sn_status decode_set(sn_dataset *dataset, const sn_image_files *set, sn_error *error) {
    const char *const *files = set->files;
    sn_shape *shape = &dataset->shape, test = {0};
    sn_status status = load_split(dataset, &dataset->train, files, shape, error);
    if (status == SN_OK) status = load_split(dataset, &dataset->test, files + 2, &test, error);
    if (status != SN_OK) return status;
    if (!sn_shape_equal(&test, shape)) {
        return sn_error_set(error, SN_INVALID,
                            "%s: byte offset 8: images of %lld x %lld, but those of %s are %lld x %lld", files[2],
                            (long long)test.dim[0], (long long)test.dim[1], files[0], (long long)shape->dim[0],
                            (long long)shape->dim[1]);
    }
    dataset->in_dim = sn_shape_size(shape);
    return SN_OK;
}

static sn_status load_images(const image_set *set, sn_dataset *dataset, const sn_value *data, sn_error *error) {
    static const char *const suffixes[] = {"", ".gz", NULL};
    sn_search s = {.names = file_names, .n = N_FILES, .suffixes = suffixes, .pool = &dataset->pool};
    sn_status status = find_files(set, &s, sn_value_text(data, "path"), error);
    if (status == SN_OK && s.files) {
        dataset->origin = s.dir;
        sn_image_files files = {set->name, (const char *const *)s.files, N_FILES, decode_set, NULL};
        status = sn_image_cache_decode(dataset, &files, N_CLASSES, error);
    }
    sn_search_reset(&s);
    return status;
}

static sn_status load_fashion_mnist(sn_dataset *dataset, const sn_config *config, const sn_value *data,
                                    sn_error *error) {
    (void)config;
    return load_images(&fashion_mnist, dataset, data, error);
}

static sn_status load_mnist(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error) {
    (void)config;
    return load_images(&mnist, dataset, data, error);
}

static const sn_key keys[] = {
    {.name = "path",
     .types = SN_PATH | SN_NULL,
     .flags = SN_NO_MEANING,
     .fallback = "null",
     .help = "directory of the IDX files; null: the directories of SKIPNET_DATA and their subdirectories named as the "
             "kind, then Debian's place"},
    {SN_KEY_AUGMENT},
    {0},
};

static const char *const ignored[] = {"seed", NULL}; /* nothing is drawn */

const sn_source sn_source_fashion_mnist = {
    .kind = {.name = "fashion-mnist",
             .help = "60000 + 10000 images of clothes, 28 x 28, 10 classes (IDX files, gzip or plain)",
             .keys = keys,
             .ignores = ignored,
             .source = "Xiao, Rasul & Vollgraf 2017, arXiv 1708.07747"},
    .load = load_fashion_mnist,
};

const sn_source sn_source_mnist = {
    .kind = {.name = "mnist",
             .help = "60000 + 10000 images of handwritten digits, 28 x 28, 10 classes (IDX files, gzip or plain)",
             .keys = keys,
             .ignores = ignored,
             .source = "LeCun, Bottou, Bengio & Haffner 1998, Proc. IEEE 86 (11)"},
    .load = load_mnist,
};
