/* What the tests of the config reader share: reading by the toy schema, and the check that every good config takes. */
#ifndef CONFIG_HELPERS_H
#define CONFIG_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "toy_schema.h"

static sn_error error;

static sn_config *parse(const char *text) {
    sn_config *config = NULL;
    sn_error_clear(&error);
    sn_status status = sn_config_parse(&config, &toy_schema, text, strlen(text), "toy", "/base", &error);
    if (status != SN_OK) fail_msg("%s", error.text);
    return config;
}

static char *text_of(const sn_config *config) {
    sn_text text = SN_TEXT_EMPTY;
    sn_config_text(config, &text);
    char *taken = sn_text_take(&text);
    assert_non_null(taken);
    return taken;
}

/* Reading what was written gives the same again, and means the same. */
static void check_fixed_point(const sn_config *config) {
    char *text = text_of(config);
    sn_config *again = parse(text);
    char *second = text_of(again);
    assert_string_equal(text, second);
    assert_true(sn_config_hash(config) == sn_config_hash(again));
    sn_config_free(again);
    free(text);
    free(second);
}

/* Tests work in a directory of their own, with a subdirectory d for the file d/c.json. */
static char directory[] = "config-XXXXXX";

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(directory) || chdir(directory) != 0) return -1;
    return mkdir("d", 0777);
}

static int tear_down(void **state) {
    (void)state;
    return unlink("d/c.json") || rmdir("d") || chdir("..") || rmdir(directory);
}

#endif
