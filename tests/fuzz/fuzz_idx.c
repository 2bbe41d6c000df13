/* A byte that picks the rank, then an IDX file, plain or gzip-compressed. */
#include <stdlib.h>

#include "data/idx.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static sn_error error;
    fuzz_bytes rest = {data, size};
    int rank = 1 + fuzz_byte(&rest) % SN_IDX_MAX_RANK;
    sn_idx idx;
    sn_error_clear(&error);
    sn_status status = sn_idx_read(&idx, fuzz_file(0, rest.data, rest.size), rank, &error);
    fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    fuzz_touch(idx.data, idx.size);
    free(idx.data);
    return 0;
}
