/* Owns the files of the fuzz targets.  They never leave memory: a file system on a disk would be most of the time. */
#include "input.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/data.h"

enum { N_FILES = 2, MOST_WRITTEN = 64, PATH_SIZE = 512 };

static char directory[PATH_SIZE];
static char written[MOST_WRITTEN][PATH_SIZE];
static int n_written;

void fuzz_require(bool holds, const char *what, const char *message) {
    if (holds) return;
    fprintf(stderr, "fuzz: %s\n%s\n", what, message);
    abort();
}

void fuzz_touch(const void *data, size_t size) {
    const volatile uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        (void)bytes[i];
}

static void fill(int fd, const void *data, size_t size) {
    bool done = fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size;
    fuzz_require(done, "no room for the input", "");
}

const char *fuzz_file(int number, const void *data, size_t size) {
    static int fds[N_FILES];
    static char paths[N_FILES][32];
    if (!paths[number][0]) {
        fds[number] = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(paths[number], sizeof paths[number], "/proc/self/fd/%d", fds[number]);
    }
    fill(fds[number], data, size);
    return paths[number];
}

fuzz_bytes fuzz_cut(fuzz_bytes *rest, uint8_t end) {
    const uint8_t *at = rest->size > 0 ? memchr(rest->data, end, rest->size) : NULL;
    fuzz_bytes piece = {rest->data, at ? (size_t)(at - rest->data) : rest->size};
    size_t taken = piece.size + (at ? 1 : 0);
    if (taken > 0) *rest = (fuzz_bytes){rest->data + taken, rest->size - taken};
    return piece;
}

uint8_t fuzz_byte(fuzz_bytes *rest) {
    if (rest->size == 0) return 0;
    rest->size--;
    return *rest->data++;
}

char *fuzz_string(fuzz_bytes bytes) {
    char *string = malloc(bytes.size + 1);
    fuzz_require(string != NULL, "out of memory", "");
    if (bytes.size > 0) memcpy(string, bytes.data, bytes.size);
    string[bytes.size] = '\0';
    return string;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static void remove_directory(void) {
    nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_directory(void) {
    if (directory[0]) return directory;
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/skipnet-fuzz-XXXXXX", base && *base ? base : "/dev/shm");
    fuzz_require(mkdtemp(directory) != NULL, "no directory for the input", directory);
    atexit(remove_directory);
    return directory;
}

void fuzz_put(const char *name, fuzz_bytes content) {
    fuzz_require(n_written < MOST_WRITTEN, "too many files", name);
    char *path = written[n_written++];
    int n = snprintf(path, PATH_SIZE, "%s/%s", fuzz_directory(), name);
    fuzz_require(n > 0 && n < PATH_SIZE, "a path too long", name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    mkdir(path, 0777);
    *slash = '/';
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    fill(fd, content.data, content.size);
    close(fd);
}

void fuzz_clear(void) {
    while (n_written > 0)
        unlink(written[--n_written]);
}

/* Labels are below the number of classes: what the loss relies on. */
static void check_labels(const sn_dataset *set, const sn_samples *samples) {
    for (size_t i = 0; samples->labels && i < samples->n; i++)
        fuzz_require(samples->labels[i] < set->out_dim, "a label that is no class", "");
}

void fuzz_load_data(const sn_text *text) {
    static sn_error error;
    static const sn_key keys[] = {
        {.name = "data", .types = SN_KIND, .fallback = "{}", .choice = &sn_source_choice, .help = "the data"},
        {0},
    };
    static const sn_schema schema = {.title = "fuzz", .keys = keys};
    sn_config *config = NULL;
    sn_dataset set;
    sn_error_clear(&error);
    if (sn_config_parse(&config, &schema, text->data, text->length, "fuzz", "", &error) != SN_OK) return;
    sn_notes notes = SN_NOTES_EMPTY;
    sn_status status = sn_dataset_load(&set, config, sn_value_get(sn_config_root(config), "data"), &notes, &error);
    fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    check_labels(&set, &set.train);
    check_labels(&set, &set.test);
    sn_notes_reset(&notes);
    sn_dataset_reset(&set);
    sn_config_free(config);
}
