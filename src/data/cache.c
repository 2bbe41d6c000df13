/* Owns the cache of decoded images: where it is, what a file in it looks like, when one is believed.
 *
 * A file is a header, the labels of both splits, the images of both splits.  It is written under another name, for this
 * user to read alone, and renamed: a reader finds it whole or not at all, and what is mapped never changes. */
#include "data/cache.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/text.h"
#include "data/cache_room.h"
#include "data/scale.h"
#include "data/source.h"

static const char magic[24] = "skipnet decoded images\n";
enum { FORMAT = 2 }; /* raised where the header or what it stands for becomes another */

typedef struct header {
    char magic[sizeof magic];
    uint64_t source;
    uint64_t n_train, n_test, height, width, channels;
    uint64_t checksum;     /* sn_dataset_hash */
    uint64_t sum, squares; /* of the pixels of the training split */
    uint64_t own_hash;     /* of all fields before this one */
} header;

/* ---- the place ---- */

/* The directory (free()); NULL: none is wanted, or there is no memory.  XDG's variable counts only with an absolute
 * path. */
static char *find_directory(bool *is_asked_for) {
    const char *own = getenv("SKIPNET_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    *is_asked_for = own != NULL;
    if (own) return *own ? sn_path_absolute(own) : NULL;
    if (xdg && xdg[0] == '/') return sn_path_join(xdg, "skipnet");
    return home && home[0] == '/' ? sn_path_join(home, ".cache/skipnet") : NULL;
}

static bool add_file(sn_hasher *hasher, const char *path) {
    sn_error ignored;
    char block[1 << 16];
    uint64_t size = 0;
    if (sn_file_check_regular(path, &ignored)) return false; /* what a pipe holds can be read only once */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0) {
        sn_hasher_add(hasher, block, (size_t)n);
        size += (size_t)n;
    }
    close(fd);
    sn_hasher_add(hasher, &size, sizeof size);
    return n == 0;
}

/* Over the content of the files; the format and the order of bytes belong to it, so that programs that would not
 * understand each other's files have different ones. */
static bool hash_source(const sn_image_cache *cache, uint64_t *hash) {
    const uint64_t form = (uint64_t)FORMAT << 32 | sizeof(header);
    sn_hasher hasher;
    bool is_read = sn_hasher_init(&hasher);
    if (is_read) sn_hasher_add(&hasher, &form, sizeof form);
    for (size_t i = 0; i < cache->n_files && is_read; i++)
        is_read = add_file(&hasher, cache->files[i]);
    if (is_read) *hash = sn_hasher_digest(&hasher);
    sn_hasher_reset(&hasher);
    return is_read;
}

void sn_image_cache_open(sn_image_cache *cache, const char *name, const char *const *files, size_t n_files,
                         sn_notes *notes) {
    *cache = (sn_image_cache){.files = files, .n_files = n_files, .notes = notes};
    char *dir = find_directory(&cache->is_asked_for);
    if (dir && hash_source(cache, &cache->source)) {
        sn_text path = SN_TEXT_EMPTY;
        sn_text_addf(&path, "%s/%s-%016" PRIx64 SN_CACHE_SUFFIX, dir, name, cache->source);
        cache->path = sn_text_take(&path);
    }
    free(dir);
}

void sn_image_cache_reset(sn_image_cache *cache) {
    free(cache->path);
    *cache = (sn_image_cache){0};
}

/* ---- reading ---- */

/* The bytes of a whole file; 0 where no image set is that large. */
static uint64_t file_size(const header *h) {
    uint64_t n = 0, pixels = 0, images = 0;
    bool is_absurd = __builtin_add_overflow(h->n_train, h->n_test, &n) ||
                     __builtin_mul_overflow(h->height, h->width, &pixels) ||
                     __builtin_mul_overflow(pixels, h->channels, &pixels) ||
                     __builtin_mul_overflow(n, pixels, &images) || images > 2 * SN_DATA_MAX_BYTES || n > images;
    return is_absurd ? 0 : sizeof *h + n * sizeof(uint32_t) + images;
}

static uint64_t hash_header(const header *h) {
    return sn_hash(h, offsetof(header, own_hash), 0);
}

/* Points the samples at what lies behind the header. */
static void point_at(sn_dataset *dataset, const header *h, const void *file) {
    const uint32_t *labels = (const uint32_t *)((const char *)file + sizeof *h);
    const uint8_t *images = (const uint8_t *)(labels + h->n_train + h->n_test);
    dataset->shape = (sn_shape){3, {(int64_t)h->height, (int64_t)h->width, (int64_t)h->channels}};
    dataset->in_dim = sn_shape_size(&dataset->shape);
    dataset->train = (sn_samples){.n = h->n_train, .bytes = images, .labels = labels};
    dataset->test =
        (sn_samples){.n = h->n_test, .bytes = images + h->n_train * dataset->in_dim, .labels = labels + h->n_train};
    dataset->sums = (sn_pixel_sums){dataset->train.n * dataset->in_dim, h->sum, h->squares};
    dataset->checksum = h->checksum;
}

/* What is wrong with a file, in a few words; NULL: nothing, and the dataset has it. */
static const char *take_content(sn_dataset *dataset, const sn_mapping *mapping, uint64_t source) {
    header h;
    if (mapping->size < sizeof h) return "too short";
    memcpy(&h, mapping->data, sizeof h);
    if (memcmp(h.magic, magic, sizeof magic) != 0) return "not decoded images";
    if (h.own_hash != hash_header(&h)) return "the header is damaged";
    if (h.source != source) return "the images of another source";
    if (mapping->size != file_size(&h)) return "too short or too long";
    sn_dataset found = *dataset;
    point_at(&found, &h, mapping->data);
    if (sn_dataset_hash(&found) != h.checksum) return "the images are damaged";
    found.mapping = *mapping;
    *dataset = found;
    return NULL;
}

bool sn_image_cache_load(sn_image_cache *cache, sn_dataset *dataset) {
    sn_error error;
    sn_mapping mapping;
    if (!cache->path) return false;
    sn_status status = sn_mapping_open(&mapping, cache->path, &error);
    if (status == SN_IO) return false; /* most likely it is not there yet */
    const char *fault = status ? NULL : take_content(dataset, &mapping, cache->source);
    if (!status && !fault) return true;
    if (fault) sn_error_set(&error, SN_INVALID, "%s: %s", cache->path, fault);
    sn_note_aside(cache->notes, "a file of the cache is not used, and made anew: %s", error.text);
    sn_mapping_reset(&mapping);
    cache->is_unsound = true;
    return false;
}

/* ---- writing ---- */

static sn_status write_content(sn_file_writer *writer, const header *h, const sn_dataset *dataset, sn_error *error) {
    const sn_samples *train = &dataset->train, *test = &dataset->test;
    const sn_piece pieces[] = {
        {h, sizeof *h},
        {train->labels, train->n * sizeof *train->labels},
        {test->labels, test->n * sizeof *test->labels},
        {train->bytes, train->n * dataset->in_dim},
        {test->bytes, test->n * dataset->in_dim},
    };
    sn_status status = fchmod(writer->fd, S_IRUSR) == 0 ? SN_OK : sn_error_io(error, "protect", writer->path);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces && status == SN_OK; i++)
        status = sn_file_writer_add(writer, pieces[i].data, pieces[i].size, error);
    return status;
}

static sn_status write_file(const sn_image_cache *cache, const sn_dataset *dataset, sn_error *error) {
    header h = {.source = cache->source,
                .n_train = dataset->train.n,
                .n_test = dataset->test.n,
                .height = (uint64_t)dataset->shape.dim[0],
                .width = (uint64_t)dataset->shape.dim[1],
                .channels = (uint64_t)dataset->shape.dim[2],
                .checksum = dataset->checksum,
                .sum = dataset->sums.sum,
                .squares = dataset->sums.squares};
    memcpy(h.magic, magic, sizeof magic);
    h.own_hash = hash_header(&h);
    uint64_t size = file_size(&h);
    if (size == 0 || size > SN_CACHE_MAX_BYTES) return SN_OK;
    sn_file_writer writer;
    sn_status status = sn_file_writer_open(&writer, cache->path, error);
    if (status != SN_OK) return status;
    status = write_content(&writer, &h, dataset, error);
    if (status == SN_OK) return sn_file_writer_commit(&writer, error);
    sn_file_writer_drop(&writer);
    return status;
}

/* The lock keeps two processes from writing the same: who does not get it leaves it to the other. */
static sn_status write_alone(const sn_image_cache *cache, const sn_dataset *dataset, sn_error *error) {
    sn_lock lock = SN_LOCK_NONE;
    sn_text path = SN_TEXT_EMPTY;
    sn_text_addf(&path, "%s.lock", cache->path);
    sn_status status =
        path.failed ? sn_error_memory(error, path.length, "a path") : sn_lock_take(&lock, sn_text_string(&path), error);
    sn_text_free(&path);
    if (status == SN_INVALID) return SN_OK;
    bool is_wanted = cache->is_unsound || !sn_path_exists(cache->path);
    if (status == SN_OK && is_wanted) status = write_file(cache, dataset, error);
    if (status == SN_OK) sn_cache_make_room(cache->path);
    sn_lock_release(&lock);
    return status;
}

void sn_image_cache_store(sn_image_cache *cache, const sn_dataset *dataset) {
    sn_error error;
    uint64_t source = 0;
    if (!cache->path) return;
    /* The name stands for what was read before; it may have become another while it was decoded. */
    if (!hash_source(cache, &source) || source != cache->source) return;
    char *dir = sn_path_dir(cache->path);
    sn_status status = dir ? sn_dir_make_private(dir, &error) : sn_error_memory(&error, 0, "a path");
    if (status == SN_OK) status = write_alone(cache, dataset, &error);
    if (status != SN_OK && cache->is_asked_for)
        sn_note_aside(cache->notes, "nothing is kept in SKIPNET_CACHE: %s", error.text);
    free(dir);
}

/* ---- a source ---- */

static void keep(sn_image_cache *cache, sn_dataset *dataset) {
    if (!cache->path) return;
    dataset->checksum = sn_dataset_hash(dataset);
    dataset->sums = sn_scaling_sum(&dataset->train, dataset->in_dim);
    sn_image_cache_store(cache, dataset);
}

sn_status sn_image_cache_decode(sn_dataset *dataset, const sn_image_files *files, size_t n_classes, sn_error *error) {
    sn_image_cache cache;
    sn_status status = SN_OK;
    dataset->out_dim = n_classes;
    dataset->is_classes = true;
    sn_image_cache_open(&cache, files->name, files->files, files->n_files, dataset->notes);
    if (!sn_image_cache_load(&cache, dataset)) {
        status = files->decode(dataset, files, error);
        if (status == SN_OK) keep(&cache, dataset);
    }
    sn_image_cache_reset(&cache);
    return status;
}
