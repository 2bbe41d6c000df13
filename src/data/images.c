/* Owns the sources fashion-mnist and mnist: where their four IDX files are looked for, and that they fit together. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
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

typedef struct search {
    const image_set *set;
    sn_pool *pool; /* owns dir and files */
    char *dir;     /* the first directory that holds all files; NULL: not found (yet) */
    char *files[N_FILES];
    sn_text path;   /* scratch */
    sn_text absent; /* "NAME in DIR; NAME in DIR": what was looked for in vain */
    bool failed;    /* out of memory */
} search;

static char *keep(search *s, const char *string) {
    char *copy = sn_pool_string(s->pool, string);
    if (!copy) s->failed = true;
    return copy;
}

/* Whether DIR/NAME or DIR/NAME.gz exists; its path is then in s->path. */
static bool find_file(search *s, const char *dir, const char *name) {
    static const char *const suffixes[] = {"", ".gz"};
    for (size_t i = 0; i < 2; i++) {
        sn_text_clear(&s->path);
        sn_text_addf(&s->path, "%s/%s%s", dir, name, suffixes[i]);
        if (sn_path_exists(sn_text_string(&s->path))) return true;
    }
    return false;
}

static void look_in(search *s, const char *dir) {
    if (s->dir) return;
    for (int i = 0; i < N_FILES; i++) {
        if (!find_file(s, dir, file_names[i])) {
            sn_text_addf(&s->absent, "%s%s in %s", s->absent.length > 0 ? "; " : "", file_names[i], dir);
            return;
        }
        s->files[i] = keep(s, sn_text_string(&s->path));
    }
    char *absolute = sn_path_absolute(dir);
    s->dir = keep(s, absolute ? absolute : dir);
    free(absolute);
}

/* The subdirectory comes first: mnist and fashion-mnist have the same file names. */
static void look_in_search_path(search *s, const char *dirs) {
    sn_text dir = SN_TEXT_EMPTY;
    while (*dirs) {
        size_t n = strcspn(dirs, ":");
        if (n > 0) {
            sn_text_clear(&dir);
            sn_text_addf(&dir, "%.*s/%s", (int)n, dirs, s->set->name);
            look_in(s, sn_text_string(&dir));
            sn_text_clear(&dir);
            sn_text_add_bytes(&dir, dirs, n);
            look_in(s, sn_text_string(&dir));
        }
        dirs += n + (dirs[n] == ':');
    }
    s->failed |= dir.failed;
    sn_text_free(&dir);
}

static sn_status report_absent(const search *s, sn_error *error) {
    const char *package = s->set->package;
    bool looked = s->absent.length > 0;
    return sn_error_set(error, SN_IO,
                        "%s: not found (looked for %s); %s%s%sname a directory that holds %s, %s, %s and %s, plain or "
                        "with .gz, by the key data.path or in the environment variable SKIPNET_DATA",
                        s->set->name, looked ? s->absent.data : "nothing: there was no directory to look into",
                        package ? "install the Debian package " : "", package ? package : "", package ? ", or " : "",
                        file_names[0], file_names[1], file_names[2], file_names[3]);
}

/* A data.path is final; SKIPNET_DATA is a search path that goes before the system's place. */
static sn_status find_files(search *s, const char *path, sn_error *error) {
    const char *dirs = getenv("SKIPNET_DATA");
    if (path) {
        look_in(s, path);
    } else {
        if (dirs) look_in_search_path(s, dirs);
        if (s->set->system_dir) look_in(s, s->set->system_dir);
    }
    if (s->failed || s->path.failed || s->absent.failed) return sn_error_memory(error, 4096, "the names of data files");
    return s->dir ? SN_OK : report_absent(s, error);
}

static sn_status check_pair(const sn_idx *images, const sn_idx *labels, char *const *files, sn_error *error) {
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

/* One split out of files[0] (images) and files[1] (labels); *height and *width are those of its images. */
static sn_status load_split(sn_dataset *dataset, sn_samples *samples, char *const *files, int64_t shape[2],
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
    shape[0] = images.dims[1];
    shape[1] = images.dims[2];
    sn_dataset_adopt(dataset, images.data);
    images.data = NULL;
out:
    free(images.data);
    free(labels.data);
    return status;
}

static sn_status load_set(sn_dataset *dataset, char *const *files, sn_error *error) {
    int64_t test_shape[2] = {0};
    sn_status status = load_split(dataset, &dataset->train, files, dataset->shape, error);
    if (status == SN_OK) status = load_split(dataset, &dataset->test, files + 2, test_shape, error);
    if (status != SN_OK) return status;
    if (memcmp(test_shape, dataset->shape, sizeof test_shape) != 0) {
        return sn_error_set(error, SN_INVALID,
                            "%s: byte offset 8: images of %lld x %lld, but those of %s are %lld x %lld", files[2],
                            (long long)test_shape[0], (long long)test_shape[1], files[0], (long long)dataset->shape[0],
                            (long long)dataset->shape[1]);
    }
    dataset->shape[2] = 1;
    dataset->in_dim = (size_t)(dataset->shape[0] * dataset->shape[1]);
    dataset->out_dim = N_CLASSES;
    dataset->is_classes = true;
    return SN_OK;
}

static sn_status load(const image_set *set, sn_dataset *dataset, const sn_value *data, sn_error *error) {
    search s = {.set = set, .pool = &dataset->pool};
    sn_status status = find_files(&s, sn_value_text(data, "path"), error);
    if (status == SN_OK) {
        dataset->origin = s.dir;
        status = load_set(dataset, s.files, error);
    }
    sn_text_free(&s.path);
    sn_text_free(&s.absent);
    return status;
}

static sn_status load_fashion_mnist(sn_dataset *dataset, const sn_config *config, const sn_value *data,
                                    sn_error *error) {
    (void)config;
    return load(&fashion_mnist, dataset, data, error);
}

static sn_status load_mnist(sn_dataset *dataset, const sn_config *config, const sn_value *data, sn_error *error) {
    (void)config;
    return load(&mnist, dataset, data, error);
}

static const sn_key keys[] = {
    {.name = "path",
     .types = SN_PATH | SN_NULL,
     .flags = SN_NO_MEANING,
     .fallback = "null",
     .help = "directory of the IDX files; null: the directories of SKIPNET_DATA and their subdirectories named as the "
             "kind, then Debian's place"},
    {0},
};

const sn_source sn_source_fashion_mnist = {
    .kind = {.name = "fashion-mnist",
             .help = "60000 + 10000 images of clothes, 28 x 28, 10 classes (IDX files, gzip or plain)",
             .keys = keys,
             .source = "Xiao, Rasul & Vollgraf 2017, arXiv 1708.07747"},
    .load = load_fashion_mnist,
};

const sn_source sn_source_mnist = {
    .kind = {.name = "mnist",
             .help = "60000 + 10000 images of handwritten digits, 28 x 28, 10 classes (IDX files, gzip or plain)",
             .keys = keys,
             .source = "LeCun, Bottou, Bengio & Haffner 1998, Proc. IEEE 86 (11)"},
    .load = load_mnist,
};
