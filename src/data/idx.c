/* Owns the reading of IDX files.  The size is checked before anything is allocated for it. */
#include "data/idx.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/gz.h"
#include "data/source.h"

typedef struct reader {
    sn_gz gz;
    sn_error *error;
} reader;

#define fault(reader, offset, ...) sn_gz_fault(&(reader)->gz, offset, (reader)->error, __VA_ARGS__)

static sn_status read_header(reader *r, sn_idx *idx, int rank) {
    unsigned char header[4 + 4 * SN_IDX_MAX_RANK] = {0};
    size_t size = 4 + 4 * (size_t)rank, n = 0;
    sn_status status = sn_gz_read(&r->gz, header, size, &n, r->error);
    if (status != SN_OK) return status;
    if (n == 0) return fault(r, 0, "the file is empty, expected an IDX header of %zu bytes", size);

    uint32_t word[1 + SN_IDX_MAX_RANK] = {0};
    for (size_t i = 0; i < n / 4 * 4; i++)
        word[i / 4] = word[i / 4] << 8 | header[i];
    uint32_t magic = 0x0800U | (uint32_t)rank; /* 0x08: unsigned bytes */
    if (n >= 4 && word[0] != magic) {
        return fault(r, 0, "magic number 0x%08x, expected 0x%08x (unsigned bytes in %d dimension%s)", word[0], magic,
                     rank, rank == 1 ? "" : "s");
    }
    if (n < size) return fault(r, n, "the file ends, expected an IDX header of %zu bytes", size);
    memcpy(idx->dims, word + 1, (size_t)rank * sizeof *word);
    return SN_OK;
}

/* "60000 x 28 x 28" */
static void describe_dims(const sn_idx *idx, int rank, sn_text *text) {
    for (int i = 0; i < rank; i++)
        sn_text_addf(text, "%s%u", i > 0 ? " x " : "", idx->dims[i]);
}

static sn_status check_size(const reader *r, sn_idx *idx, int rank, const char *dims) {
    uint64_t size = 1;
    for (int i = 0; i < rank; i++) {
        if (idx->dims[i] == 0) return fault(r, 4 + 4 * (uint64_t)i, "dimension %d of %s is 0", i + 1, dims);
        if (size > SN_DATA_MAX_BYTES / idx->dims[i]) {
            return fault(r, 4, "the header announces %s bytes, more than the limit of %llu", dims,
                         (unsigned long long)SN_DATA_MAX_BYTES);
        }
        size *= idx->dims[i];
    }
    idx->size = (size_t)size;
    return SN_OK;
}

static sn_status read_data(reader *r, sn_idx *idx, const char *dims) {
    uint64_t expected = r->gz.offset + idx->size;
    size_t n = 0;
    sn_status status = sn_gz_read_block(&r->gz, idx->size, &idx->data, &n, r->error);
    if (status != SN_OK) return status;
    if (n < idx->size) {
        return fault(r, r->gz.offset, "the file ends, expected %llu bytes (a header and %s)",
                     (unsigned long long)expected, dims);
    }
    /* The byte past the end has to be asked for in any case: it makes zlib compare the checksum. */
    unsigned char extra = 0;
    status = sn_gz_read(&r->gz, &extra, 1, &n, r->error);
    if (status == SN_OK && n > 0) {
        status = fault(r, expected, "more bytes than the header announces (%s)", dims);
    }
    return status;
}

sn_status sn_idx_read(sn_idx *idx, const char *path, int rank, sn_error *error) {
    *idx = (sn_idx){0};
    sn_text dims = SN_TEXT_EMPTY;
    reader r = {.error = error};
    sn_status status = sn_gz_open(&r.gz, path, error);
    if (status == SN_OK) status = read_header(&r, idx, rank);
    if (status == SN_OK) {
        describe_dims(idx, rank, &dims);
        status = check_size(&r, idx, rank, sn_text_string(&dims));
    }
    if (status == SN_OK) status = read_data(&r, idx, sn_text_string(&dims));
    sn_gz_close(&r.gz);
    sn_text_free(&dims);
    if (status != SN_OK) {
        free(idx->data);
        *idx = (sn_idx){0};
    }
    return status;
}
