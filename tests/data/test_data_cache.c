/* The cache of decoded images as a process sees it: what is mapped, that all is checked, how large it becomes.
 * tests/run/run_cache_test.sh shows the same from outside, with many processes. */
#include "data_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "data/cache_room.h"

static const char config[] = "{\"kind\": \"mnist\", \"path\": \"set\"}";

#define IMAGES "\0\0\x08\x03\0\0\0\x03\0\0\0\x02\0\0\0\x02" /* 3 of 2 x 2 */
#define LABELS "\0\0\x08\x01\0\0\0\x03"

static void write_set(void) {
    assert_int_equal(mkdir(fixture_path("set"), 0777), 0);
    fixture_write("set/train-images-idx3-ubyte", IMAGES "abcdefghijkl", 28);
    fixture_write("set/train-labels-idx1-ubyte", LABELS "\7\0\x09", 11);
    fixture_write("set/t10k-images-idx3-ubyte", IMAGES "ABCDEFGHIJKL", 28);
    fixture_write("set/t10k-labels-idx1-ubyte", LABELS "\1\2\3", 11);
    setenv("SKIPNET_CACHE", fixture_path("cache"), 1);
}

/* The only file in the cache. */
static const char *find_file(void) {
    char found[330] = "";
    DIR *dir = opendir(fixture_path("cache"));
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        assert_string_equal(found, "");
        snprintf(found, sizeof found, "cache/%s", entry->d_name);
    }
    closedir(dir);
    assert_string_not_equal(found, "");
    return fixture_path(found);
}

static void expect_equal(const sn_dataset *a, const sn_dataset *b) {
    assert_int_equal(a->train.n, 3);
    assert_int_equal(a->train.n, b->train.n);
    assert_int_equal(a->test.n, b->test.n);
    assert_memory_equal(a->train.bytes, b->train.bytes, 12);
    assert_memory_equal(a->test.bytes, b->test.bytes, 12);
    assert_memory_equal(a->train.labels, b->train.labels, 3 * sizeof(uint32_t));
    assert_memory_equal(a->test.labels, b->test.labels, 3 * sizeof(uint32_t));
    assert_true(sn_shape_equal(&a->shape, &b->shape));
    assert_int_equal(a->in_dim, b->in_dim);
    assert_int_equal(a->out_dim, b->out_dim);
    assert_true(a->is_classes && b->is_classes);
    assert_true(a->checksum == b->checksum && a->checksum != 0);
    assert_memory_equal(a->mean, b->mean, sizeof(double));
    assert_memory_equal(a->factor, b->factor, sizeof(double));
    assert_string_equal(a->origin, b->origin);
}

static bool is_within(const void *at, const sn_mapping *mapping) {
    const char *begin = mapping->data;
    return (const char *)at > begin && (const char *)at < begin + mapping->size;
}

/* Decoded first, mapped from then on; the file may go while it is in use. */
static void test_mapped(void **state) {
    (void)state;
    write_set();
    sn_dataset decoded = fixture_load_ok(config), mapped = fixture_load_ok(config);
    assert_null(decoded.mapping.data);
    assert_non_null(mapped.mapping.data);
    assert_true(is_within(mapped.train.bytes, &mapped.mapping));
    assert_true(is_within(mapped.test.bytes, &mapped.mapping));
    assert_true(is_within(mapped.train.labels, &mapped.mapping));
    assert_int_equal(remove(find_file()), 0);
    expect_equal(&decoded, &mapped);
    assert_int_equal(fixture_notes.asides.length, 0);
    sn_dataset_reset(&mapped);
    assert_null(mapped.mapping.data);
    sn_dataset_reset(&decoded);
}

/* Every byte of the file matters: no flipped bit is believed, and what is made anew is right. */
static void test_every_byte(void **state) {
    (void)state;
    unsigned char sound[512];
    sn_dataset expected = fixture_load_ok(config);
    const char *path = find_file();
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(sound, 1, sizeof sound, file);
    fclose(file);
    assert_int_equal(size, 104 + 6 * sizeof(uint32_t) + 24);
    for (size_t i = 0; i < size; i++) {
        sound[i] ^= (unsigned char)(1 << i % 8);
        assert_int_equal(remove(path), 0);
        fixture_write(path + strlen(fixture_dir) + 1, sound, size);
        sound[i] ^= (unsigned char)(1 << i % 8);
        sn_dataset found = fixture_load_ok(config);
        assert_null(found.mapping.data);
        assert_non_null(strstr(sn_text_string(&fixture_notes.asides), "is not used, and made anew"));
        assert_int_equal(fixture_notes.text.length, 0);
        expect_equal(&expected, &found);
        sn_dataset_reset(&found);
    }
    sn_dataset last = fixture_load_ok(config);
    assert_non_null(last.mapping.data);
    sn_dataset_reset(&last);
    sn_dataset_reset(&expected);
}

/* The checksum of fewer samples is another, and so is their scaling. */
static void test_limits(void **state) {
    (void)state;
    char few[128];
    const char *const limits[] = {"\"train_limit\": 2", "\"test_limit\": 0", "\"train_limit\": 3"};
    sn_dataset whole = fixture_load_ok(config);
    assert_non_null(whole.mapping.data);
    for (int i = 0; i < 3; i++) {
        snprintf(few, sizeof few, "{\"kind\": \"mnist\", \"path\": \"set\", %s}", limits[i]);
        sn_dataset kept = fixture_load_ok(few);
        setenv("SKIPNET_CACHE", "", 1);
        sn_dataset decoded = fixture_load_ok(few);
        setenv("SKIPNET_CACHE", fixture_path("cache"), 1);
        assert_non_null(kept.mapping.data);
        assert_null(decoded.mapping.data);
        assert_true(kept.checksum == decoded.checksum);
        assert_true((kept.checksum == whole.checksum) == (i == 2));
        assert_memory_equal(kept.mean, decoded.mean, sizeof(double));
        assert_memory_equal(kept.factor, decoded.factor, sizeof(double));
        assert_true((kept.mean[0] == whole.mean[0]) == (i > 0));
        sn_dataset_reset(&kept);
        sn_dataset_reset(&decoded);
    }
    sn_dataset_reset(&whole);
    assert_int_equal(remove(find_file()), 0);
}

/* A file of `size` bytes, which takes no room, as old as `age` seconds. */
static void plant(const char *name, off_t size, time_t age) {
    int fd = open(fixture_path(name), O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - age}};
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static void test_room(void **state) {
    (void)state;
    const off_t third = (off_t)(SN_CACHE_MAX_BYTES / 3);
    plant("cache/a.images", third, 50);
    plant("cache/b.images", third, 70); /* the oldest */
    plant("cache/c.images", third, 60);
    plant("cache/stranger", 4 * third, 100);
    plant("cache/a.images.1-0.tmp", third, 10);
    plant("cache/a.images.2-0.tmp", third, 7200);
    sn_cache_make_room(fixture_path("cache/a.images"));
    assert_true(sn_path_exists(fixture_path("cache/b.images"))); /* these three fit */
    plant("cache/d.images", third, 10);
    sn_cache_make_room(fixture_path("cache/d.images"));
    assert_false(sn_path_exists(fixture_path("cache/b.images")));
    assert_true(sn_path_exists(fixture_path("cache/a.images")));
    assert_true(sn_path_exists(fixture_path("cache/c.images")));
    assert_true(sn_path_exists(fixture_path("cache/d.images")));
    plant("cache/b.images", 2 * third, 0);
    sn_cache_make_room(fixture_path("cache/c.images")); /* is the oldest, but the one to be kept */
    assert_false(sn_path_exists(fixture_path("cache/a.images")));
    assert_false(sn_path_exists(fixture_path("cache/d.images")));
    assert_true(sn_path_exists(fixture_path("cache/b.images")));
    assert_true(sn_path_exists(fixture_path("cache/c.images")));
    assert_true(sn_path_exists(fixture_path("cache/stranger")));
    assert_true(sn_path_exists(fixture_path("cache/a.images.1-0.tmp")));
    assert_false(sn_path_exists(fixture_path("cache/a.images.2-0.tmp")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapped),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
