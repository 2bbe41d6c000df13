/* Run directories and expectations: the input is cut at NUL bytes into files, each with a byte before it that says
 * which: a directory and one of the files that a run writes, or a file of expectations.  Then all that `compare` makes
 * of them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "compare/compare.h"
#include "compare/expectations.h"
#include "compare/sort.h"
#include "input.h"
#include "run/directory.h"

enum { MOST_FILES = 16, EXPECTATIONS = 252 /* and above */ };

static sn_error error;

/* The path of the expectations; NULL: there are none. */
static const char *put_files(fuzz_bytes rest) {
    const char *expectations = NULL;
    static const char *const names[] = {SN_FILE_MANIFEST,  SN_FILE_CONFIG,  SN_FILE_LOSS,
                                        SN_FILE_GRADIENTS, SN_FILE_PACKAGE, SN_FILE_FINAL};
    enum { N_NAMES = sizeof names / sizeof *names };
    for (int i = 0; i < MOST_FILES && rest.size > 0; i++) {
        fuzz_bytes content = fuzz_cut(&rest, 0);
        unsigned choice = fuzz_byte(&content);
        char path[64];
        if (choice >= EXPECTATIONS) {
            expectations = fuzz_file(0, content.data, content.size);
            continue;
        }
        snprintf(path, sizeof path, "run%u/%s", choice / N_NAMES % 3, names[choice % N_NAMES]);
        fuzz_put(path, content);
    }
    return expectations;
}

static void write_all(const sn_comparison *comparison) {
    sn_text text = SN_TEXT_EMPTY;
    sn_sort sort;
    sn_error_clear(&error);
    fuzz_require(sn_sort_find(&sort, comparison, "-test_loss", &error) == SN_OK, "no figure to sort by", error.text);
    sn_comparison_table(comparison, &(sn_table_style){.width = 60, .sort = &sort}, &text);
    sn_comparison_table(comparison, &(sn_table_style){.sort = &(sn_sort){0}}, &text);
    sn_comparison_runs_csv(comparison, &text);
    sn_comparison_points_csv(comparison, &comparison->points, &text);
    sn_comparison_points_csv(comparison, &comparison->differences, &text);
    sn_comparison_package(comparison, &text);
    sn_notes_write(&comparison->notes, &text);
    fuzz_require(!text.failed && text.length > 0, "no table", "");
    sn_text_free(&text);
}

static void expect(const sn_comparison *comparison, const char *path) {
    sn_expectations expectations = {0};
    sn_error_clear(&error);
    sn_status status = sn_expectations_read(&expectations, path, &error);
    if (!status) status = sn_expectations_check(&expectations, comparison, &error);
    fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    sn_expectations_reset(&expectations);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sn_comparison comparison = {0};
    const char *expectations = put_files((fuzz_bytes){data, size});
    sn_error_clear(&error);
    sn_status status = sn_comparison_add(&comparison, fuzz_directory(), &error);
    if (!status) status = sn_comparison_finish(&comparison, NULL, &error);
    fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    if (status == SN_OK) {
        write_all(&comparison);
        if (expectations) expect(&comparison, expectations);
    }
    sn_comparison_reset(&comparison);
    fuzz_clear();
    return 0;
}
