/* Runs a fuzz target over the files of a directory, each once, in order: the regression test of what was found. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "input.h"

enum { MOST_BYTES = 1 << 20 };

static int replay(const char *directory, const char *name) {
    char *path = sn_path_join(directory, name), *data = NULL;
    size_t size = 0;
    sn_error error;
    sn_error_clear(&error);
    sn_status status = path ? sn_file_read(path, MOST_BYTES, &data, &size, &error) : SN_FAILED;
    if (status) {
        printf("%s: %s\n", name, error.text);
    } else {
        /* In a block of exactly its size, so that the sanitizer sees a read beyond it. */
        char *exact = size > 0 ? malloc(size) : NULL;
        for (size_t i = 0; exact && i < size; i++)
            exact[i] = data[i];
        LLVMFuzzerTestOneInput((const uint8_t *)exact, exact ? size : 0);
        free(exact);
    }
    free(data);
    free(path);
    return status != SN_OK;
}

int main(int argc, char **argv) {
    struct dirent **entries = NULL;
    int n = argc == 2 ? scandir(argv[1], &entries, NULL, alphasort) : -1, n_run = 0, n_failed = 0;
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            n_failed += replay(argv[1], entries[i]->d_name);
            n_run++;
        }
        free(entries[i]);
    }
    free(entries);
    printf("%d files, %d could not be read\n", n_run, n_failed);
    return n_run > 0 && n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
