/* IDX files and the sources fashion-mnist and mnist: malformed files of every sort, where files are looked for, and
 * the real Fashion-MNIST where Debian's package is installed. */
#include "data_fixture.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/clock.h"
#include "data/idx.h"

/* A set of 3 training and 2 test images of 2 x 2 pixels. */
typedef struct file {
    const char *name, *bytes;
    size_t size;
} file;

#define FILE_OF(name_, bytes_)                                                                                         \
    { name_, bytes_, sizeof bytes_ - 1 }

#define IMAGES "\0\0\x8\x3\0\0\0\x3\0\0\0\x2\0\0\0\x2"
#define LABELS "\0\0\x8\x1\0\0\0\x3"
#define PIXELS "abcdefghijkl"

static const file valid_set[] = {
    FILE_OF("train-images-idx3-ubyte", IMAGES PIXELS),
    FILE_OF("train-labels-idx1-ubyte", LABELS "\x0\x9\x4"),
    FILE_OF("t10k-images-idx3-ubyte", "\0\0\x8\x3\0\0\0\x2\0\0\0\x2\0\0\0\x2"
                                      "ABCDEFGH"),
    FILE_OF("t10k-labels-idx1-ubyte", "\0\0\x8\x1\0\0\0\x2\x1\x2"),
};

static void write_gzip(const char *name, const char *bytes, size_t size) {
    gzFile out = gzopen(fixture_path(name), "wb");
    assert_non_null(out);
    assert_int_equal(gzwrite(out, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(out), Z_OK);
}

/* Puts the valid set into a subdirectory, gzip-compressed files with the suffix .gz. */
static void write_valid_set(const char *dir, bool as_gzip) {
    char name[128];
    int made = mkdir(fixture_path(dir), 0777);
    assert_true(made == 0 || errno == EEXIST);
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s/%s%s", dir, valid_set[i].name, as_gzip ? ".gz" : "");
        if (as_gzip) {
            write_gzip(name, valid_set[i].bytes, valid_set[i].size);
        } else {
            fixture_write(name, valid_set[i].bytes, valid_set[i].size);
        }
    }
}

static void remove_files(const char *dir) {
    char name[128];
    for (size_t i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "%s/%s%s", dir, valid_set[i % 4].name, i < 4 ? "" : ".gz");
        remove(fixture_path(name));
    }
}

static void check_valid_set(const sn_dataset *d) {
    static const uint32_t labels[] = {0, 9, 4}, test_labels[] = {1, 2};
    assert_int_equal(d->train.n, 3);
    assert_int_equal(d->test.n, 2);
    assert_int_equal(d->in_dim, 4);
    assert_int_equal(d->out_dim, 10);
    assert_true(d->is_classes);
    assert_int_equal(d->shape.dim[0], 2);
    assert_int_equal(d->shape.dim[1], 2);
    assert_int_equal(d->shape.dim[2], 1);
    assert_memory_equal(d->train.bytes, PIXELS, 12);
    assert_memory_equal(d->test.bytes, "ABCDEFGH", 8);
    assert_memory_equal(d->train.labels, labels, sizeof labels);
    assert_memory_equal(d->test.labels, test_labels, sizeof test_labels);
    assert_null(d->train.values);
    assert_null(d->train.targets);
}

static void test_plain_and_gzip(void **state) {
    (void)state;
    char expected[512];
    uint64_t checksum = 0;
    for (int as_gzip = 0; as_gzip < 2; as_gzip++) {
        write_valid_set("set", as_gzip);
        sn_dataset d = fixture_load_ok("{\"kind\": \"mnist\", \"path\": \"set\"}");
        check_valid_set(&d);
        snprintf(expected, sizeof expected, "%s/set", fixture_dir);
        assert_string_equal(d.origin, expected);
        if (as_gzip) assert_int_equal(d.checksum, checksum);
        checksum = d.checksum;
        sn_dataset_reset(&d);
        remove_files("set");
    }
    assert_int_not_equal(checksum, 0);
}

/* A gzip file without the suffix, and a plain file with it: both occur in the wild. */
static void test_suffix_does_not_matter(void **state) {
    (void)state;
    write_valid_set("set", false);
    write_gzip("set/train-images-idx3-ubyte", valid_set[0].bytes, valid_set[0].size);
    remove(fixture_path("set/train-labels-idx1-ubyte"));
    fixture_write("set/train-labels-idx1-ubyte.gz", valid_set[1].bytes, valid_set[1].size);
    sn_dataset d = fixture_load_ok("{\"kind\": \"fashion-mnist\", \"path\": \"set\"}");
    check_valid_set(&d);
    sn_dataset_reset(&d);
    remove_files("set");
}

static void test_limits_and_checksum(void **state) {
    (void)state;
    write_valid_set("set", false);
    static const char *const configs[] = {
        "{\"kind\": \"mnist\", \"path\": \"set\"}",
        "{\"kind\": \"mnist\", \"path\": \"set\", \"train_limit\": 2}",
        "{\"kind\": \"mnist\", \"path\": \"set\", \"test_limit\": 1}",
        "{\"kind\": \"mnist\", \"path\": \"set\", \"test_limit\": 0}",
    };
    static const size_t n_train[] = {3, 2, 3, 3}, n_test[] = {2, 2, 1, 0};
    uint64_t checksums[4];
    for (int i = 0; i < 4; i++) {
        sn_dataset d = fixture_load_ok(configs[i]);
        assert_int_equal(d.train.n, n_train[i]);
        assert_int_equal(d.test.n, n_test[i]);
        checksums[i] = d.checksum;
        for (int j = 0; j < i; j++)
            assert_int_not_equal(checksums[i], checksums[j]);
        sn_dataset_reset(&d);
    }
    sn_dataset d = fixture_load_ok("{\"kind\": \"fashion-mnist\", \"path\": \"set\", \"train_limit\": 99, "
                                   "\"test_limit\": 2, \"scaling\": \"none\"}");
    assert_int_equal(d.checksum, checksums[0]); /* the same samples */
    sn_dataset_reset(&d);
    remove_files("set");
}

/* The file is replaced by these bytes. */
typedef struct bad_file {
    const char *title;
    int which;
    file content;
    const char *message;
} bad_file;

#define BAD(title_, which_, bytes_, message_)                                                                          \
    { title_, which_, {NULL, bytes_, sizeof bytes_ - 1}, message_ }
#define TI "$DIR/set/train-images-idx3-ubyte: byte offset "
#define TL "$DIR/set/train-labels-idx1-ubyte: byte offset "
#define EI "$DIR/set/t10k-images-idx3-ubyte: byte offset "
#define EL "$DIR/set/t10k-labels-idx1-ubyte: byte offset "

static const bad_file bad_files[] = {
    BAD("empty images", 0, "", TI "0: the file is empty, expected an IDX header of 16 bytes"),
    BAD("empty labels", 3, "", EL "0: the file is empty, expected an IDX header of 8 bytes"),
    BAD("three bytes", 0, "\0\0\x8", TI "3: the file ends, expected an IDX header of 16 bytes"),
    BAD("half a header", 0, "\0\0\x8\x3\0\0\0\x3\0\0", TI "10: the file ends, expected an IDX header of 16 bytes"),
    BAD("text", 0, "hello, world",
        TI "0: magic number 0x68656c6c, expected 0x00000803 (unsigned bytes in 3 dimensions)"),
    BAD("labels for images", 0, LABELS "\0\x9\x4",
        TI "0: magic number 0x00000801, expected 0x00000803 (unsigned bytes in 3 dimensions)"),
    BAD("images for labels", 1, IMAGES PIXELS,
        TL "0: magic number 0x00000803, expected 0x00000801 (unsigned bytes in 1 dimension)"),
    BAD("float images", 0, "\0\0\xd\x3\0\0\0\x3\0\0\0\x2\0\0\0\x2" PIXELS,
        TI "0: magic number 0x00000d03, expected 0x00000803 (unsigned bytes in 3 dimensions)"),
    BAD("no images", 0, "\0\0\x8\x3\0\0\0\0\0\0\0\x2\0\0\0\x2", TI "4: dimension 1 of 0 x 2 x 2 is 0"),
    BAD("no width", 2, "\0\0\x8\x3\0\0\0\x2\0\0\0\x2\0\0\0\0", EI "12: dimension 3 of 2 x 2 x 0 is 0"),
    BAD("no labels", 1, "\0\0\x8\x1\0\0\0\0", TL "4: dimension 1 of 0 is 0"),
    BAD("2^31 + 1 bytes", 1, "\0\0\x8\x1\x80\0\0\x1",
        TL "4: the header announces 2147483649 bytes, more than the limit of 2147483648"),
    BAD("2^96 bytes", 0, "\0\0\x8\x3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        TI "4: the header announces 4294967295 x 4294967295 x 4294967295 bytes, more than the limit of 2147483648"),
    BAD("a header only", 0, IMAGES, TI "16: the file ends, expected 28 bytes (a header and 3 x 2 x 2)"),
    BAD("truncated images", 0, IMAGES "abcdefghijk",
        TI "27: the file ends, expected 28 bytes (a header and 3 x 2 x 2)"),
    BAD("truncated labels", 1, LABELS "\0\x9", TL "10: the file ends, expected 11 bytes (a header and 3)"),
    BAD("one byte more", 0, IMAGES PIXELS "m", TI "28: more bytes than the header announces (3 x 2 x 2)"),
    BAD("one label more", 3, "\0\0\x8\x1\0\0\0\x2\x1\x2\x3", EL "10: more bytes than the header announces (2)"),
    BAD("label 10", 1, LABELS "\0\x9\xa", TL "10: label 10, expected 0 to 9"),
    BAD("label 255", 3, "\0\0\x8\x1\0\0\0\x2\xff\x2", EL "8: label 255, expected 0 to 9"),
    BAD("fewer labels", 1, "\0\0\x8\x1\0\0\0\x2\0\x9",
        TL "4: 2 labels, but $DIR/set/train-images-idx3-ubyte has 3 images"),
    BAD("more labels", 3, LABELS "\0\x9\x4", EL "4: 3 labels, but $DIR/set/t10k-images-idx3-ubyte has 2 images"),
    BAD("another size of test images", 2,
        "\0\0\x8\x3\0\0\0\x2\0\0\0\x1\0\0\0\x4"
        "ABCDEFGH",
        EI "8: images of 1 x 4, but those of $DIR/set/train-images-idx3-ubyte are 2 x 2"),
};

static void test_malformed(void **state) {
    (void)state;
    char name[128];
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        const bad_file *bad = &bad_files[i];
        write_valid_set("set", false);
        snprintf(name, sizeof name, "set/%s", valid_set[bad->which].name);
        fixture_write(name, bad->content.bytes, bad->content.size);
        fixture_expect_fault("{\"kind\": \"mnist\", \"path\": \"set\"}", SN_INVALID, bad->message);
    }
    remove_files("set");
}

#undef TI
#define TI "$DIR/set/train-images-idx3-ubyte.gz: "

/* The same of compressed files; then what can happen to the compression itself. */
static void test_malformed_gzip(void **state) {
    (void)state;
    static const char *const name = "set/train-images-idx3-ubyte.gz";
    static const char *const config = "{\"kind\": \"mnist\", \"path\": \"set\"}";
    write_valid_set("set", true);
    write_gzip(name, IMAGES "abc", 19);
    fixture_expect_fault(config, SN_INVALID,
                         TI "byte offset 19 (uncompressed): the file ends, expected 28 bytes (a header and 3 x 2 x 2)");
    write_gzip(name, "", 0);
    fixture_expect_fault(config, SN_INVALID,
                         TI "byte offset 0 (uncompressed): the file is empty, expected an IDX header of 16 bytes");

    char *packed = NULL;
    size_t size = 0;
    write_gzip(name, valid_set[0].bytes, valid_set[0].size);
    assert_int_equal(sn_file_read(fixture_path(name), 1 << 20, &packed, &size, &fixture_error), SN_OK);
    assert_true(size > 20);
    fixture_write(name, packed, size - 5);
    fixture_expect_fault(config, SN_INVALID,
                         TI "the gzip data are damaged after byte offset 28 (uncompressed): unexpected end of file");
    packed[size - 8] ^= 1; /* the first byte of the CRC */
    fixture_write(name, packed, size);
    fixture_expect_fault(config, SN_INVALID,
                         TI "the gzip data are damaged after byte offset 0 (uncompressed): incorrect data check");
    packed[size - 8] ^= 1;
    packed[10] |= 7; /* a last block of the reserved type */
    fixture_write(name, packed, size);
    fixture_expect_fault(config, SN_INVALID,
                         TI "the gzip data are damaged after byte offset 0 (uncompressed): invalid block type");
    free(packed);
    remove_files("set");
}

#define REMEDY                                                                                                         \
    "name a directory that holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "        \
    "t10k-labels-idx1-ubyte, plain or with .gz, by the key data.path or in the environment variable SKIPNET_DATA"

static void test_not_found(void **state) {
    (void)state;
    fixture_expect_fault("{\"kind\": \"fashion-mnist\", \"path\": \"nowhere\"}", SN_IO,
                         "fashion-mnist: not found (looked for train-images-idx3-ubyte in $DIR/nowhere); "
                         "install the Debian package dataset-fashion-mnist, or " REMEDY);
    fixture_expect_fault("\"mnist\"", SN_IO,
                         "mnist: not found (looked for nothing: there was no directory to look into); " REMEDY);
    write_valid_set("set", false);
    remove(fixture_path("set/t10k-labels-idx1-ubyte"));
    char dirs[600];
    snprintf(dirs, sizeof dirs, ":%s/set:%s/other:", fixture_dir, fixture_dir);
    setenv("SKIPNET_DATA", dirs, 1);
    fixture_expect_fault("{\"kind\": \"mnist\"}", SN_IO,
                         "mnist: not found (looked for train-images-idx3-ubyte in $DIR/set/mnist; "
                         "t10k-labels-idx1-ubyte in $DIR/set; train-images-idx3-ubyte in $DIR/other/mnist; "
                         "train-images-idx3-ubyte in $DIR/other); " REMEDY);
    unsetenv("SKIPNET_DATA");
    remove_files("set");
}

static void test_unreadable(void **state) {
    (void)state;
    write_valid_set("set", false);
    remove(fixture_path("set/train-images-idx3-ubyte"));
    assert_int_equal(mkdir(fixture_path("set/train-images-idx3-ubyte"), 0777), 0);
    fixture_expect_fault("{\"kind\": \"mnist\", \"path\": \"set\"}", SN_IO,
                         "cannot read $DIR/set/train-images-idx3-ubyte: Is a directory");
    remove_files("set");
}

/* The subdirectory of the kind goes before the directory, a data.path before both, and earlier before later. */
static void test_search_path(void **state) {
    (void)state;
    char dirs[600], expected[512];
    write_valid_set("two", false);
    snprintf(dirs, sizeof dirs, "%s/one:%s/two", fixture_dir, fixture_dir);
    setenv("SKIPNET_DATA", dirs, 1);
    assert_int_equal(mkdir(fixture_path("one"), 0777), 0);
    const char *const found[] = {"two", "one", "one/mnist"};
    for (int i = 0; i < 3; i++) {
        if (i > 0) write_valid_set(found[i], i == 2);
        sn_dataset d = fixture_load_ok("\"mnist\"");
        snprintf(expected, sizeof expected, "%s/%s", fixture_dir, found[i]);
        assert_string_equal(d.origin, expected);
        check_valid_set(&d);
        sn_dataset_reset(&d);
    }
    sn_dataset d = fixture_load_ok("{\"kind\": \"mnist\", \"path\": \"two\"}");
    snprintf(expected, sizeof expected, "%s/two", fixture_dir);
    assert_string_equal(d.origin, expected);
    sn_dataset_reset(&d);
    d = fixture_load_ok("\"fashion-mnist\"");
    snprintf(expected, sizeof expected, "%s/one", fixture_dir); /* not its subdirectory mnist */
    assert_string_equal(d.origin, expected);
    sn_dataset_reset(&d);
    unsetenv("SKIPNET_DATA");
}

static void check_scaling(const char *scaling, double mean, double factor) {
    char config[256];
    snprintf(config, sizeof config, "{\"kind\": \"mnist\", \"path\": \"set\", \"scaling\": \"%s\", \"train_limit\": 2}",
             scaling);
    sn_dataset d = fixture_load_ok(config);
    assert_int_equal(d.n_scales, 1);
    assert_true(fabs(d.mean[0] - mean) <= 1e-15 * mean);
    assert_true(fabs(d.factor[0] - factor) <= 1e-15 * factor);
    sn_dataset_reset(&d);
}

/* The first two images have the pixels 97 to 104: mean 100.5, variance (8^2 - 1) / 12. */
static void test_scaling(void **state) {
    (void)state;
    write_valid_set("set", false);
    check_scaling("standardize", 100.5, 1 / sqrt(63.0 / 12));
    check_scaling("unit", 0, 1.0 / 255);
    check_scaling("none", 0, 1);
    fixture_write("set/train-images-idx3-ubyte", IMAGES "aaaaaaaabbbb", 28);
    check_scaling("standardize", 97, 1); /* constant where it is used */
    remove_files("set");
}

static const char *const debian_file = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";

static uint64_t sum_bytes(const uint8_t *bytes, size_t n) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += bytes[i];
    return sum;
}

/* The numbers are those of the data set as its authors publish it, from an independent program. */
static void test_fashion_mnist(void **state) {
    (void)state;
    static const uint32_t first[] = {9, 0, 0, 3, 0, 2, 7, 2, 5, 5}, first_test[] = {9, 2, 1, 1, 6, 1, 4, 6, 5, 7};
    if (!sn_path_exists(debian_file)) {
        print_message("SKIPPED: %s is missing (install dataset-fashion-mnist)\n", debian_file);
        skip();
    }
    setenv("SKIPNET_DATA", fixture_dir, 1); /* nothing there: on to Debian's place */
    double start = sn_clock_seconds();
    sn_dataset d = fixture_load_ok("{}");
    unsetenv("SKIPNET_DATA");
    print_message("Fashion-MNIST loaded in %.3f s\n", sn_clock_seconds() - start);
    assert_string_equal(d.origin, "/usr/share/datasets/fashion-mnist");
    assert_int_equal(d.train.n, 60000);
    assert_int_equal(d.test.n, 10000);
    assert_int_equal(d.in_dim, 784);
    assert_int_equal(d.shape.dim[0], 28);
    assert_int_equal(d.shape.dim[1], 28);
    assert_int_equal(sum_bytes(d.train.bytes, d.train.n * 784), 3431114169);
    assert_int_equal(sum_bytes(d.test.bytes, d.test.n * 784), 573469082);
    assert_memory_equal(d.train.labels, first, sizeof first);
    assert_memory_equal(d.test.labels, first_test, sizeof first_test);
    size_t counts[10] = {0};
    for (size_t i = 0; i < d.train.n; i++)
        counts[d.train.labels[i]]++;
    for (int i = 0; i < 10; i++)
        assert_int_equal(counts[i], 6000);
    assert_true(fabs(d.mean[0] / 255 - .2860405969887955) < 1e-16);
    assert_true(fabs(1 / (255 * d.factor[0]) - .35302424451492237) < 2e-16);
    sn_dataset_reset(&d);
    sn_dataset_reset(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_gzip),
        cmocka_unit_test(test_suffix_does_not_matter),
        cmocka_unit_test(test_limits_and_checksum),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_malformed_gzip),
        cmocka_unit_test(test_not_found),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_search_path),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_fashion_mnist),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
