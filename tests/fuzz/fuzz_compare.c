/* Run directories: the input is cut at NUL bytes into files, each with a byte before it that says which: a directory
 * and one of the files that a run writes.  Then all that `compare` makes of them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "input.h"
#include "run/directory.h"
#include "study/compare.h"

enum { MOST_FILES = 16 };

static sn_error error;

static void put_files(fuzz_bytes rest) {
    static const char *const names[] = {SN_FILE_MANIFEST,  SN_FILE_CONFIG,  SN_FILE_LOSS,
                                        SN_FILE_GRADIENTS, SN_FILE_PACKAGE, SN_FILE_FINAL};
    enum { N_NAMES = sizeof names / sizeof *names };
    for (int i = 0; i < MOST_FILES && rest.size > 0; i++) {
        fuzz_bytes content = fuzz_cut(&rest, 0);
        unsigned choice = fuzz_byte(&content);
        char path[64];
        snprintf(path, sizeof path, "run%u/%s", choice / N_NAMES % 3, names[choice % N_NAMES]);
        fuzz_put(path, content);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sn_comparison comparison = {0};
    put_files((fuzz_bytes){data, size});
    sn_error_clear(&error);
    sn_status status = sn_comparison_add(&comparison, fuzz_directory(), &error);
    fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    if (status == SN_OK) {
        sn_text text = SN_TEXT_EMPTY;
        sn_comparison_table(&comparison, &text);
        sn_comparison_csv(&comparison, &text);
        fuzz_require(!text.failed && text.length > 0, "no table", "");
        sn_text_free(&text);
    }
    sn_comparison_reset(&comparison);
    fuzz_clear();
    return 0;
}
