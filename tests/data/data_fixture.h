/* What the tests of src/data share: a temporary directory, and datasets loaded through a config of one key, "data".
 *
 * In expected messages "$DIR" stands for the temporary directory. */
#ifndef SN_TESTS_DATA_FIXTURE_H
#define SN_TESTS_DATA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "data/data.h"

static char fixture_dir[256];
static char fixture_files[128][320];
static size_t n_fixture_files;
static sn_error fixture_error;
static sn_notes fixture_notes; /* of the last dataset */

static int fixture_setup(void **state) {
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(fixture_dir, sizeof fixture_dir, "%s/skipnet-data-XXXXXX", base && *base ? base : "/tmp");
    unsetenv("SKIPNET_DATA");
    setenv("SKIPNET_CACHE", "", 1);
    return mkdtemp(fixture_dir) ? 0 : -1;
}

static int fixture_teardown(void **state) {
    (void)state;
    sn_notes_reset(&fixture_notes);
    while (n_fixture_files > 0)
        remove(fixture_files[--n_fixture_files]); /* in reverse: directories after what is in them */
    return rmdir(fixture_dir);
}

/* The path of a name in the temporary directory, which teardown removes. */
static const char *fixture_path(const char *name) {
    char path[320];
    int n = snprintf(path, sizeof path, "%s/%s", fixture_dir, name);
    assert_true(n > 0 && (size_t)n < sizeof path);
    for (size_t i = 0; i < n_fixture_files; i++) {
        if (strcmp(fixture_files[i], path) == 0) return fixture_files[i];
    }
    assert_true(n_fixture_files < sizeof fixture_files / sizeof *fixture_files);
    return memcpy(fixture_files[n_fixture_files++], path, sizeof path);
}

static inline const char *fixture_write(const char *name, const void *bytes, size_t size) {
    const char *path = fixture_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

/* Loads what the JSON object `data` asks for; relative paths lie in the temporary directory. */
static sn_status fixture_load(sn_dataset *dataset, const char *data) {
    static const sn_key keys[] = {
        {.name = "data", .types = SN_KIND, .fallback = "{}", .choice = &sn_source_choice, .help = "the data"},
        {0},
    };
    static const sn_schema schema = {.title = "test", .keys = keys};
    char text[2048];
    int n = snprintf(text, sizeof text, "{\"data\": %s}", data);
    assert_true(n > 0 && (size_t)n < sizeof text);

    *dataset = (sn_dataset){0};
    sn_error_clear(&fixture_error);
    sn_notes_reset(&fixture_notes);
    sn_config *config = NULL;
    sn_status status = sn_config_parse(&config, &schema, text, (size_t)n, "c.json", fixture_dir, &fixture_error);
    if (status == SN_OK) {
        const sn_value *wanted = sn_value_get(sn_config_root(config), "data");
        status = sn_dataset_load(dataset, config, wanted, &fixture_notes, &fixture_error);
    }
    sn_config_free(config);
    return status;
}

static inline sn_dataset fixture_load_ok(const char *data) {
    sn_dataset dataset;
    if (fixture_load(&dataset, data) != SN_OK) {
        fail_msg("%s: %s", data, fixture_error.text);
        abort(); /* never: for the static analyser */
    }
    return dataset;
}

static inline void fixture_expect_message(const char *title, const char *expected) {
    char text[4096];
    size_t n = 0;
    for (const char *at = expected; *at;) {
        bool is_dir = strncmp(at, "$DIR", 4) == 0;
        n += (size_t)snprintf(text + n, sizeof text - n, "%.*s", is_dir ? 256 : 1, is_dir ? fixture_dir : at);
        at += is_dir ? 4 : 1;
        assert_true(n < sizeof text);
    }
    if (strcmp(fixture_error.text, text) != 0) {
        fail_msg("%s\n  expected: %s\n  found:    %s", title, text, fixture_error.text);
    }
}

/* Loading fails with this status and exactly this message, and leaves nothing behind. */
static inline void fixture_expect_fault(const char *data, sn_status status, const char *message) {
    sn_dataset dataset;
    assert_int_equal(fixture_load(&dataset, data), status);
    fixture_expect_message(data, message);
    assert_null(dataset.train.labels);
    assert_null(dataset.origin);
}

#endif
