/* The sources cifar-10 and cifar-100: files and archives as they are downloaded, what is in them, and malformed ones of
 * every sort. */
#include "data_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <zlib.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, MOST_RECORDS = 4, MOST_FILES = 7, RECORD_10 = 1 + PIXELS };

static uint8_t pixel(size_t image, size_t channel, size_t position) {
    return (uint8_t)(image * 31 + channel * 77 + position * 13 + position / 97);
}

/* A file in memory; `name` is that in an archive or a directory. */
typedef struct file {
    const char *name;
    uint8_t bytes[MOST_RECORDS * (2 + PIXELS)];
    size_t size;
} file;

/* Appends an image with its labels; the number says what is in it. */
static void add_record(file *f, const uint8_t *labels, size_t n_labels, size_t image) {
    memcpy(f->bytes + f->size, labels, n_labels);
    uint8_t *planes = f->bytes + f->size + n_labels;
    for (size_t c = 0; c < 3; c++) {
        for (size_t p = 0; p < PLANE; p++)
            planes[c * PLANE + p] = pixel(image, c, p);
    }
    f->size += n_labels + PIXELS;
}

/* The files of CIFAR-10 with one image each, but the second with two and the last, of the test images, with three; in
 * the order of the official archive, with what else is in that. */
static file files[MOST_FILES + 1];
enum { N_TRAIN = 6, N_TEST = 3 };

static void make_files(void) {
    static const char *const names[MOST_FILES] = {"data_batch_1.bin", "batches.meta.txt", "data_batch_3.bin",
                                                  "data_batch_4.bin", "test_batch.bin",   "data_batch_5.bin",
                                                  "data_batch_2.bin"};
    static const size_t first[MOST_FILES] = {0, 0, 3, 4, 6, 5, 1}, count[MOST_FILES] = {1, 0, 1, 1, 3, 1, 2};
    memset(files, 0, sizeof files);
    for (size_t i = 0; i < MOST_FILES; i++) {
        files[i].name = names[i];
        for (size_t image = first[i]; image < first[i] + count[i]; image++)
            add_record(&files[i], &(uint8_t){(uint8_t)((3 * image + 2) % 10)}, 1, image);
    }
    memcpy(files[1].bytes, "airplane\n", 9);
    files[1].size = 9;
}

static void check_split(const sn_samples *samples, size_t first, size_t n) {
    assert_int_equal(samples->n, n);
    assert_null(samples->values);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(samples->labels[i], (3 * (first + i) + 2) % 10);
        for (size_t p = 0; p < PLANE; p++) {
            for (size_t c = 0; c < 3; c++)
                assert_int_equal(samples->bytes[i * PIXELS + p * 3 + c], pixel(first + i, c, p));
        }
    }
}

static void check_set(const sn_dataset *d) {
    check_split(&d->train, 0, N_TRAIN);
    check_split(&d->test, N_TRAIN, N_TEST);
    assert_true(sn_shape_equal(&d->shape, &(sn_shape){3, {SIDE, SIDE, 3}}));
    assert_int_equal(d->in_dim, PIXELS);
    assert_int_equal(d->out_dim, 10);
    assert_true(d->is_classes);
}

/* ---- archives ---- */

/* A header of the first tar: what is not written is zero. */
static void set_tar_header(uint8_t header[512], const char *path, size_t size, char type) {
    memset(header, 0, 512);
    snprintf((char *)header, 100, "%s", path);
    snprintf((char *)header + 100, 8, "0000644");
    snprintf((char *)header + 124, 12, "%011zo", size);
    snprintf((char *)header + 136, 12, "00000000000");
    memset(header + 148, ' ', 8);
    header[156] = (uint8_t)type;
    memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum & 0777777);
}

static void add_entry(gzFile out, const char *path, const uint8_t *bytes, size_t size, char type) {
    static const uint8_t zeros[512];
    uint8_t header[512];
    set_tar_header(header, path, size, type);
    assert_int_equal(gzwrite(out, header, 512), 512);
    if (size == 0) return;
    assert_int_equal(gzwrite(out, bytes, (unsigned)size), size);
    size_t rest = (512 - size % 512) % 512;
    if (rest > 0) assert_int_equal(gzwrite(out, zeros, (unsigned)rest), rest);
}

/* `mode` is zlib's: "wb" packs, "wbT" does not. */
static void write_archive(const char *name, const char *folder, const file *of, size_t n, const char *mode) {
    static const uint8_t end[1024];
    char path[64];
    gzFile out = gzopen(fixture_path(name), mode);
    assert_non_null(out);
    snprintf(path, sizeof path, "%s/", folder);
    add_entry(out, path, NULL, 0, '5');
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, of[i].name);
        add_entry(out, path, of[i].bytes, of[i].size, '0');
    }
    assert_int_equal(gzwrite(out, end, sizeof end), sizeof end);
    assert_int_equal(gzclose(out), Z_OK);
}

static void write_folder(const char *dir, const file *of, size_t n) {
    char name[128];
    int made = mkdir(fixture_path(dir), 0777);
    assert_true(made == 0 || errno == EEXIST);
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s/%s", dir, of[i].name);
        fixture_write(name, of[i].bytes, of[i].size);
    }
}

static void remove_folder(const char *dir, const file *of, size_t n) {
    char name[128];
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s/%s", dir, of[i].name);
        remove(fixture_path(name));
    }
}

/* ---- sound ones ---- */

/* Loads the set and holds it to its images; where it says that it comes from. */
static uint64_t expect_set(const char *config, const char *origin) {
    char expected[512];
    sn_dataset d = fixture_load_ok(config);
    check_set(&d);
    snprintf(expected, sizeof expected, "%s/%s", fixture_dir, origin);
    assert_string_equal(d.origin, expected);
    uint64_t checksum = d.checksum;
    sn_dataset_reset(&d);
    return checksum;
}

/* Files, an archive, and directories with either: the same data. */
static void test_forms(void **state) {
    (void)state;
    make_files();
    write_folder("plain", files, MOST_FILES);
    uint64_t checksum = expect_set("{\"kind\": \"cifar-10\", \"path\": \"plain\"}", "plain");
    assert_int_not_equal(checksum, 0);
    assert_int_equal(mkdir(fixture_path("outer"), 0777), 0);
    write_folder("outer/cifar-10-batches-bin", files, MOST_FILES);
    assert_int_equal(expect_set("{\"kind\": \"cifar-10\", \"path\": \"outer\"}", "outer/cifar-10-batches-bin"),
                     checksum);
    remove_folder("outer/cifar-10-batches-bin", files, MOST_FILES);
    write_archive("outer/cifar-10-binary.tar.gz", "cifar-10-batches-bin", files, MOST_FILES, "wb");
    assert_int_equal(expect_set("{\"kind\": \"cifar-10\", \"path\": \"outer\"}", "outer"), checksum);
    assert_int_equal(expect_set("{\"kind\": \"cifar-10\", \"path\": \"outer/cifar-10-binary.tar.gz\"}",
                                "outer/cifar-10-binary.tar.gz"),
                     checksum);
    write_archive("unpacked", ".", files, MOST_FILES, "wbT");
    assert_int_equal(expect_set("{\"kind\": \"cifar-10\", \"path\": \"unpacked\"}", "unpacked"), checksum);
    remove_folder("plain", files, MOST_FILES);
}

/* Below the directories of SKIPNET_DATA: as it was downloaded, or as it was unpacked. */
static void test_search(void **state) {
    (void)state;
    char dirs[1024];
    make_files();
    assert_int_equal(mkdir(fixture_path("sets"), 0777), 0);
    assert_int_equal(mkdir(fixture_path("sets/cifar-10"), 0777), 0);
    snprintf(dirs, sizeof dirs, "%s/nowhere:%s/sets", fixture_dir, fixture_dir);
    setenv("SKIPNET_DATA", dirs, 1);
    write_archive("sets/cifar-10-binary.tar.gz", "cifar-10-batches-bin", files, MOST_FILES, "wb");
    expect_set("{\"kind\": \"cifar-10\"}", "sets");
    write_archive("sets/cifar-10/cifar-10-binary.tar.gz", "cifar-10-batches-bin", files, MOST_FILES, "wb");
    expect_set("{\"kind\": \"cifar-10\"}", "sets/cifar-10");
    write_folder("sets/cifar-10/cifar-10-batches-bin", files, MOST_FILES);
    expect_set("{\"kind\": \"cifar-10\"}", "sets/cifar-10/cifar-10-batches-bin");
    write_folder("sets/cifar-10-batches-bin", files, MOST_FILES);
    expect_set("{\"kind\": \"cifar-10\"}", "sets/cifar-10-batches-bin");
    unsetenv("SKIPNET_DATA");
    remove_folder("sets/cifar-10/cifar-10-batches-bin", files, MOST_FILES);
    remove_folder("sets/cifar-10-batches-bin", files, MOST_FILES);
}

/* The coarse label comes first in a record.  The cache keeps both sorts apart. */
static void test_cifar_100(void **state) {
    (void)state;
    static file of[2];
    static const uint8_t labels[3][2] = {{19, 99}, {4, 0}, {0, 57}};
    of[0] = (file){.name = "train.bin"};
    of[1] = (file){.name = "test.bin"};
    add_record(&of[0], labels[0], 2, 8);
    add_record(&of[0], labels[1], 2, 9);
    add_record(&of[1], labels[2], 2, 10);
    write_archive("hundred.tgz", "cifar-100-binary", of, 2, "wb");
    setenv("SKIPNET_CACHE", fixture_path("cache"), 1);
    for (int i = 0; i < 4; i++) {
        bool is_fine = i % 2 == 0;
        sn_dataset d =
            fixture_load_ok(is_fine ? "{\"kind\": \"cifar-100\", \"path\": \"hundred.tgz\"}"
                                    : "{\"kind\": \"cifar-100\", \"path\": \"hundred.tgz\", \"labels\": \"coarse\"}");
        assert_int_equal(d.out_dim, is_fine ? 100 : 20);
        assert_int_equal(d.train.n, 2);
        assert_int_equal(d.test.n, 1);
        assert_int_equal(d.train.labels[0], labels[0][is_fine]);
        assert_int_equal(d.train.labels[1], labels[1][is_fine]);
        assert_int_equal(d.test.labels[0], labels[2][is_fine]);
        assert_int_equal(d.train.bytes[PIXELS + 3 * 40 + 2], pixel(9, 2, 40));
        assert_int_equal(d.shape.dim[2], 3);
        assert_true((d.mapping.data != NULL) == (i >= 2));
        sn_dataset_reset(&d);
    }
    setenv("SKIPNET_CACHE", "", 1);
    DIR *cache = opendir(fixture_path("cache"));
    assert_non_null(cache);
    int n_kept = 0;
    for (struct dirent *entry; (entry = readdir(cache));) {
        if (entry->d_name[0] == '.') continue;
        n_kept++;
        assert_int_equal(unlinkat(dirfd(cache), entry->d_name, 0), 0);
    }
    closedir(cache);
    assert_int_equal(n_kept, 2);
}

/* Mean and standard deviation of each channel of the training samples used, by plain sums; all rows are scaled alike.
 */
static void check_channels(const sn_dataset *d) {
    assert_int_equal(d->n_scales, SIDE * 3);
    for (size_t c = 0; c < 3; c++) {
        long double n = (long double)d->train.n * PLANE, sum = 0, squares = 0;
        for (size_t i = c; i < d->train.n * PIXELS; i += 3)
            sum += d->train.bytes[i];
        for (size_t i = c; i < d->train.n * PIXELS; i += 3)
            squares += (d->train.bytes[i] - sum / n) * (d->train.bytes[i] - sum / n);
        for (size_t j = c; j < d->n_scales; j += 3) {
            assert_true(fabsl(d->mean[j] - sum / n) < 1e-11L);
            assert_true(fabsl(d->factor[j] - 1 / sqrtl(squares / n)) < 1e-14L);
        }
    }
    assert_true(d->mean[0] != d->mean[1] && d->mean[1] != d->mean[2]);
}

static void test_scaling_per_channel(void **state) {
    (void)state;
    make_files();
    for (size_t i = 0; i < MOST_FILES; i++) { /* planes of different brightness */
        for (size_t at = 1 + PLANE; i != 1 && at < files[i].size; at++) {
            size_t plane = at % RECORD_10 / PLANE;
            if (at % RECORD_10 > 0) files[i].bytes[at] = (uint8_t)(files[i].bytes[at] >> plane);
        }
    }
    write_folder("bright", files, MOST_FILES);
    sn_dataset d = fixture_load_ok("{\"kind\": \"cifar-10\", \"path\": \"bright\", \"scaling\": \"per-channel\"}");
    check_channels(&d);
    sn_dataset few = fixture_load_ok(
        "{\"kind\": \"cifar-10\", \"path\": \"bright\", \"scaling\": \"per-channel\", \"train_limit\": 2}");
    check_channels(&few);
    assert_true(few.mean[0] != d.mean[0]);
    sn_dataset_reset(&few);
    sn_dataset_reset(&d);
    remove_folder("bright", files, MOST_FILES);
}

/* Of one channel that is the scale of all pixels, to the bit; a channel of one value becomes 0; vectors have none. */
static void test_other_channels(void **state) {
    (void)state;
    sn_dataset a = fixture_load_ok("{\"kind\": \"textures\", \"samples\": 50, \"scaling\": \"per-channel\"}");
    sn_dataset b = fixture_load_ok("{\"kind\": \"textures\", \"samples\": 50, \"scaling\": \"standardize\"}");
    assert_int_equal(a.n_scales, 1);
    assert_memory_equal(a.mean, b.mean, sizeof *a.mean);
    assert_memory_equal(a.factor, b.factor, sizeof *a.factor);
    sn_dataset_reset(&a);
    sn_dataset_reset(&b);
    static file flat[2];
    flat[0] = (file){.name = "train.bin"};
    flat[1] = (file){.name = "test.bin"};
    for (int i = 0; i < 2; i++) {
        add_record(&flat[i], (const uint8_t[]){1, 1}, 2, 0);
        memset(flat[i].bytes + 2 + PLANE, 77, PLANE);
    }
    write_folder("flat", flat, 2);
    a = fixture_load_ok("{\"kind\": \"cifar-100\", \"path\": \"flat\", \"scaling\": \"per-channel\"}");
    assert_true(a.mean[4] == 77 && a.factor[4] == 1 && a.factor[3] != 1 && a.factor[5] != 1);
    sn_dataset_reset(&a);
    remove_folder("flat", flat, 2);
    fixture_expect_fault("{\"kind\": \"spirals\", \"scaling\": \"per-channel\"}", SN_INVALID,
                         "c.json:1:41: data.scaling: per-channel is for images (standardize scales every feature by "
                         "itself)");
}

/* ---- malformed ones ---- */

#define WHERE                                                                                                          \
    "; name by the key data.path or in the environment variable SKIPNET_DATA the archive cifar-10-binary.tar.gz (the " \
    "binary version at https://www.cs.toronto.edu/~kriz/cifar.html) or a directory that holds it or, unpacked, "       \
    "data_batch_1.bin to data_batch_5.bin and test_batch.bin"

static void test_absent(void **state) {
    (void)state;
    make_files();
    assert_int_equal(mkdir(fixture_path("bare"), 0777), 0);
    fixture_expect_fault("{\"kind\": \"cifar-10\", \"path\": \"bare\"}", SN_IO,
                         "cifar-10: not found (looked for data_batch_1.bin in $DIR/bare; data_batch_1.bin in "
                         "$DIR/bare/cifar-10-batches-bin; cifar-10-binary.tar.gz in $DIR/bare)" WHERE);
    fixture_expect_fault("{\"kind\": \"cifar-10\", \"path\": \"gone\"}", SN_IO,
                         "cifar-10: not found (looked for data_batch_1.bin in $DIR/gone; data_batch_1.bin in "
                         "$DIR/gone/cifar-10-batches-bin; cifar-10-binary.tar.gz in $DIR/gone)" WHERE);
    fixture_expect_fault("{\"kind\": \"cifar-10\"}", SN_IO,
                         "cifar-10: not found (looked for nothing: there was no directory to look into)" WHERE);
    write_folder("bare", files, 4); /* neither test_batch.bin nor data_batch_2.bin */
    fixture_expect_fault("{\"kind\": \"cifar-10\", \"path\": \"bare\"}", SN_IO,
                         "cifar-10: not found (looked for data_batch_2.bin in $DIR/bare; data_batch_1.bin in "
                         "$DIR/bare/cifar-10-batches-bin; cifar-10-binary.tar.gz in $DIR/bare)" WHERE);
    remove_folder("bare", files, 4);
}

static void test_damaged_files(void **state) {
    (void)state;
    static const char config[] = "{\"kind\": \"cifar-10\", \"path\": \"spoiled\"}";
    make_files();
    write_folder("spoiled", files, MOST_FILES);
    fixture_write("spoiled/data_batch_4.bin", files[3].bytes, RECORD_10 - 1);
    fixture_expect_fault(config, SN_INVALID,
                         "$DIR/spoiled/data_batch_4.bin: 3072 bytes, expected a whole number of records of 3073 bytes "
                         "(a label and 32 x 32 x 3 pixels)");
    fixture_write("spoiled/data_batch_4.bin", "", 0);
    fixture_expect_fault(config, SN_INVALID,
                         "$DIR/spoiled/data_batch_4.bin: 0 bytes, expected a whole number of records of 3073 bytes (a "
                         "label and 32 x 32 x 3 pixels)");
    fixture_write("spoiled/data_batch_4.bin", files[3].bytes, files[3].size);
    files[4].bytes[2 * RECORD_10] = 10;
    fixture_write("spoiled/test_batch.bin", files[4].bytes, files[4].size);
    fixture_expect_fault(config, SN_INVALID,
                         "$DIR/spoiled/test_batch.bin: byte offset 6146: label 10, expected 0 to 9");
    remove_folder("spoiled", files, MOST_FILES);
}

/* A file of CIFAR-100 taken for one of CIFAR-10 has another length of records; labels of both sorts are looked at. */
static void test_other_set(void **state) {
    (void)state;
    static file of[2];
    of[0] = (file){.name = "train.bin"};
    of[1] = (file){.name = "test.bin"};
    add_record(&of[0], (const uint8_t[]){20, 5}, 2, 0);
    add_record(&of[1], (const uint8_t[]){5, 100}, 2, 0);
    write_folder("hundred", of, 2);
    fixture_expect_fault("{\"kind\": \"cifar-100\", \"path\": \"hundred\"}", SN_INVALID,
                         "$DIR/hundred/train.bin: byte offset 0: label 20, expected 0 to 19");
    of[0].bytes[0] = 19;
    write_folder("hundred", of, 2);
    fixture_expect_fault("{\"kind\": \"cifar-100\", \"path\": \"hundred\", \"labels\": \"coarse\"}", SN_INVALID,
                         "$DIR/hundred/test.bin: byte offset 1: label 100, expected 0 to 99");
    fixture_write("hundred/train.bin", of[0].bytes, RECORD_10);
    fixture_expect_fault("{\"kind\": \"cifar-100\", \"path\": \"hundred\"}", SN_INVALID,
                         "$DIR/hundred/train.bin: 3073 bytes, expected a whole number of records of 3074 bytes (two "
                         "labels and 32 x 32 x 3 pixels)");
    remove_folder("hundred", of, 2);
}

static size_t slurp(const char *path, uint8_t *bytes, size_t most) {
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t n = fread(bytes, 1, most, in);
    assert_true(n > 0 && n < most);
    fclose(in);
    return n;
}

static const char archive[] = "{\"kind\": \"cifar-10\", \"path\": \"set.tar.gz\"}";

static void expect_damaged(const char *part) {
    sn_dataset d;
    assert_int_equal(fixture_load(&d, archive), SN_INVALID);
    if (!strstr(fixture_error.text, part)) fail_msg("expected %s, found: %s", part, fixture_error.text);
    assert_non_null(strstr(fixture_error.text, "/set.tar.gz: "));
}

/* Cut anywhere, or with another bit anywhere, an archive is not believed: gzip's checksum sees what tar's do not. */
static void test_damaged_archives(void **state) {
    (void)state;
    static uint8_t bytes[1 << 17];
    make_files();
    write_archive("set.tar.gz", "cifar-10-batches-bin", files, MOST_FILES, "wb");
    size_t n = slurp(fixture_path("set.tar.gz"), bytes, sizeof bytes);
    for (size_t part = 1; part < 8; part++) {
        fixture_write("set.tar.gz", bytes, n * part / 8);
        expect_damaged("the gzip data are damaged");
    }
    fixture_write("set.tar.gz", bytes, n - 4); /* all but the length behind the last byte */
    expect_damaged("the gzip data are damaged");
    size_t n_found = 0;
    for (size_t at = 20; at < n; at += n / 40) {
        bytes[at] ^= 1;
        fixture_write("set.tar.gz", bytes, n);
        bytes[at] ^= 1;
        expect_damaged(": ");
        n_found++;
    }
    assert_true(n_found >= 39);
    fixture_write("set.tar.gz", bytes, n);
    expect_set(archive, "set.tar.gz");
}

static void test_other_archives(void **state) {
    (void)state;
    make_files();
    fixture_write("set.tar.gz", "a letter to a friend, and no archive at all", 43);
    expect_damaged("not a tar archive, or a damaged one: ");
    fixture_write("set.tar.gz", "", 0);
    expect_damaged("not a tar archive, or a damaged one: ");
    fixture_write("set.tar.gz", files[0].bytes, files[0].size); /* a file of the set itself */
    expect_damaged("not a tar archive, or a damaged one: ");
    write_archive("set.tar.gz", "cifar-10-batches-bin", files, 4, "wb");
    fixture_expect_fault(archive, SN_INVALID,
                         "$DIR/set.tar.gz: holds no file data_batch_2.bin; expected is what cifar-10-binary.tar.gz "
                         "holds, of it data_batch_1.bin to data_batch_5.bin and test_batch.bin");
    files[MOST_FILES] = files[0];
    write_archive("set.tar.gz", "cifar-10-batches-bin", files, MOST_FILES + 1, "wb");
    fixture_expect_fault(archive, SN_INVALID,
                         "$DIR/set.tar.gz: holds 2 files that are called data_batch_1.bin, expected one");
    files[2].size--;
    write_archive("set.tar.gz", "cifar-10-batches-bin", files, MOST_FILES, "wb");
    fixture_expect_fault(archive, SN_INVALID,
                         "$DIR/set.tar.gz: data_batch_3.bin: 3072 bytes, expected a whole number of records of 3073 "
                         "bytes (a label and 32 x 32 x 3 pixels)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_cifar_100),
        cmocka_unit_test(test_scaling_per_channel),
        cmocka_unit_test(test_other_channels),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_other_set),
        cmocka_unit_test(test_damaged_archives),
        cmocka_unit_test(test_other_archives),
    };
    return cmocka_run_group_tests_name("cifar", tests, fixture_setup, fixture_teardown);
}
