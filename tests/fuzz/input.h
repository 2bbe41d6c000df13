/* What the fuzz targets share: bytes as files in memory, a directory of files, and how a target gives up.
 *
 * A target is a function of its input: it takes everything back that it took, and where the project promises more than
 * "no crash" it holds the promise (fuzz_require). */
#ifndef SN_FUZZ_INPUT_H
#define SN_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* What libFuzzer calls; 0, or -1 where the input is not worth keeping. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program with `what` and the message where `holds` is false: a finding. */
void fuzz_require(bool holds, const char *what, const char *message);

/* Reads every byte, so that a sanitizer sees what may not be read. */
void fuzz_touch(const void *data, size_t size);

/* The path of file number 0 or 1, with this content until the next call for it. */
const char *fuzz_file(int number, const void *data, size_t size);

/* Cuts the next piece off *rest: what stands before the next byte `end`, or all of it; that byte is dropped. */
typedef struct fuzz_bytes {
    const uint8_t *data;
    size_t size;
} fuzz_bytes;
fuzz_bytes fuzz_cut(fuzz_bytes *rest, uint8_t end);

/* The next byte of *rest, 0 where there is none. */
uint8_t fuzz_byte(fuzz_bytes *rest);

/* A string of these bytes (free()). */
char *fuzz_string(fuzz_bytes bytes);

/* A directory in memory that is removed at exit, with whatever fuzz_put made below it. */
const char *fuzz_directory(void);

/* Writes a file below the directory, NAME or FOLDER/NAME; the folder is made. */
void fuzz_put(const char *name, fuzz_bytes content);

/* Removes all that fuzz_put wrote since the last call. */
void fuzz_clear(void);

/* Loads the data set that the text of a config of the one key "data" asks for; labels have to be below the number of
 * classes, which the loss relies on. */
void fuzz_load_data(const sn_text *text);

#endif
