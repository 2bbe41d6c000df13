/* Safetensors files (https://github.com/huggingface/safetensors#format): 8 bytes little-endian header length, a JSON
 * header {"NAME": {"dtype", "shape", "data_offsets"}, "__metadata__": {...}}, then the data. */
#ifndef SN_BASE_SAFETENSORS_H
#define SN_BASE_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Whole numbers are read, so that a file which holds some beside its floats can be used; nothing computes with them. */
typedef enum sn_dtype { SN_F32, SN_F64, SN_I64 } sn_dtype;

/* Bytes of one element. */
static inline size_t sn_dtype_size(sn_dtype dtype) {
    return dtype == SN_F32 ? 4 : 8;
}

enum { SN_TENSOR_MAX_RANK = 4 };

typedef struct sn_tensor {
    const char *name;
    sn_dtype dtype;
    int rank;
    int64_t shape[SN_TENSOR_MAX_RANK];
    const void *data; /* row-major, little-endian, contiguous */
} sn_tensor;

/* Its elements. */
size_t sn_tensor_count(const sn_tensor *tensor);

typedef struct sn_metadata {
    const char *key, *value;
} sn_metadata;

/* An entry of metadata that becomes the checksum of the file: the XXH3 of all its bytes, with zeros for the sixteen
 * digits of the checksum itself. */
#define SN_SEAL ((sn_metadata){"checksum", "0000000000000000"})

/* Writes tensors[0..n_tensors) and metadata[0..n_metadata) atomically; data in the order given, header padded with
 * blanks to a multiple of 8 bytes.  SN_INVALID: two tensors of one name, or a shape that is none. */
sn_status sn_safetensors_write(const char *path, const sn_tensor *tensors, size_t n_tensors,
                               const sn_metadata *metadata, size_t n_metadata, sn_error *error);

typedef struct sn_safetensors sn_safetensors;

/* Reads and checks a whole file: header length, JSON, dtypes F32, F64 or I64 for the tensors (others are kept out with
 * an error), shapes that fit their offsets, offsets inside the file, without holes or overlap, no name twice.
 * SN_IO: cannot read.  SN_INVALID: content wrong or truncated, with the path, the tensor and the byte offset.
 * The data of a tensor is aligned for its dtype, wherever the file puts it. */
sn_status sn_safetensors_read(sn_safetensors **file, const char *path, sn_error *error);

void sn_safetensors_free(sn_safetensors *file);

/* How many tensors there are, and tensor `i` in the order of the header; valid until sn_safetensors_free. */
size_t sn_safetensors_count(const sn_safetensors *file);
const sn_tensor *sn_safetensors_at(const sn_safetensors *file, size_t i);

/* The tensor of that name, NULL if there is none (found by hash or binary search: files have 20,000 tensors). */
const sn_tensor *sn_safetensors_find(const sn_safetensors *file, const char *name);

/* The value of an entry of the file's metadata, NULL if there is none of that key. */
const char *sn_safetensors_metadata(const sn_safetensors *file, const char *key);

/* Holds the content against its checksum (SN_SEAL).  SN_INVALID: other bytes than were written, or no checksum. */
sn_status sn_safetensors_check_seal(const sn_safetensors *file, const char *path, sn_error *error);

#endif
