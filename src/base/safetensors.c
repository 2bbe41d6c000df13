/* Owns the safetensors format: what is written, and the checks of what is read.
 *
 * A file that was read is one block of memory; the tensors point into it (or to an aligned copy where the file puts
 * them at odd places).  Every message about a file says "PATH: byte N", and the tensor where there is one. */
#include "base/safetensors.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/magic.h"
#include "base/pool.h"
#include "base/text.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are written and read as they are in memory");

enum { PREFIX_BYTES = 8, SEAL_DIGITS = 16 };
static const char METADATA[] = "__metadata__";

static const char *const dtype_names[] = {"F32", "F64", "I64"};

size_t sn_tensor_count(const sn_tensor *tensor) {
    size_t count = 1;
    for (int d = 0; d < tensor->rank; d++)
        count *= (size_t)tensor->shape[d];
    return count;
}

/* The bytes of the data of a tensor; false where that is more than an int64_t can say. */
static bool data_size(const sn_tensor *tensor, int64_t *size) {
    *size = (int64_t)sn_dtype_size(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++) {
        if (__builtin_mul_overflow(*size, tensor->shape[i], size)) return false;
    }
    return true;
}

/* ---- writing ---- */

static int compare_strings(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static sn_status check_names(const char *path, const sn_tensor *tensors, size_t n_tensors, sn_error *error) {
    const char **names = malloc((n_tensors + 1) * sizeof *names);
    if (!names) return sn_error_memory(error, (n_tensors + 1) * sizeof *names, "tensor names");
    names[0] = METADATA; /* not free for a tensor */
    for (size_t i = 0; i < n_tensors; i++)
        names[i + 1] = tensors[i].name;
    qsort(names, n_tensors + 1, sizeof *names, compare_strings);
    sn_status status = SN_OK;
    for (size_t i = 0; i < n_tensors && status == SN_OK; i++) {
        if (strcmp(names[i], names[i + 1]) == 0)
            status = sn_error_set(error, SN_INVALID, "%s: two tensors cannot both be called \"%s\"", path, names[i]);
    }
    free(names);
    return status;
}

static sn_status add_tensor_header(sn_text *header, const char *path, const sn_tensor *tensor, int64_t *offset,
                                   sn_error *error) {
    bool fits = tensor->rank >= 0 && tensor->rank <= SN_TENSOR_MAX_RANK;
    for (int i = 0; fits && i < tensor->rank; i++)
        fits = tensor->shape[i] >= 0;
    int64_t size, end;
    if (!fits || !data_size(tensor, &size) || __builtin_add_overflow(*offset, size, &end))
        return sn_error_set(error, SN_INVALID, "%s: tensor \"%s\" has a shape that cannot be written", path,
                            tensor->name);
    sn_text_add_json(header, tensor->name);
    sn_text_addf(header, ":{\"dtype\":\"%s\",\"shape\":[", dtype_names[tensor->dtype]);
    for (int i = 0; i < tensor->rank; i++)
        sn_text_addf(header, i > 0 ? ",%lld" : "%lld", (long long)tensor->shape[i]);
    sn_text_addf(header, "],\"data_offsets\":[%lld,%lld]}", (long long)*offset, (long long)end);
    *offset = end;
    return SN_OK;
}

static bool is_seal(const sn_metadata *metadata) {
    return strcmp(metadata->key, SN_SEAL.key) == 0 && strcmp(metadata->value, SN_SEAL.value) == 0;
}

/* Returns where the digits of the checksum belong, 0 where there is none. */
static size_t add_metadata_header(sn_text *header, const sn_metadata *metadata, size_t n_metadata) {
    size_t seal = 0;
    sn_text_addf(header, "\"%s\":{", METADATA);
    for (size_t i = 0; i < n_metadata; i++) {
        if (i > 0) sn_text_add(header, ",");
        sn_text_add_json(header, metadata[i].key);
        sn_text_add(header, ":");
        if (is_seal(&metadata[i])) seal = header->length + 1;
        sn_text_add_json(header, metadata[i].value);
    }
    sn_text_add(header, "}");
    return seal;
}

/* Pads the header and puts its length into the first eight bytes, which were left open. */
static void finish_header(sn_text *header) {
    while (header->length % 8 != 0 && !header->failed)
        sn_text_add(header, " ");
    uint64_t length = header->length - PREFIX_BYTES;
    if (!header->failed) memcpy(header->data, &length, PREFIX_BYTES);
}

/* Puts the checksum of the pieces, the first of which is the header, to its place in the header. */
static sn_status seal_pieces(const sn_piece *pieces, size_t n, char *digits, sn_error *error) {
    sn_hasher hasher;
    char text[SEAL_DIGITS + 1];
    if (!sn_hasher_init(&hasher)) return sn_error_memory(error, 0, "a checksum");
    for (size_t i = 0; i < n; i++)
        sn_hasher_add(&hasher, pieces[i].data, pieces[i].size);
    snprintf(text, sizeof text, "%016" PRIx64, sn_hasher_digest(&hasher));
    memcpy(digits, text, SEAL_DIGITS);
    sn_hasher_reset(&hasher);
    return SN_OK;
}

/* The data go from where they are into the file: a copy of all weights would be as large as they.  `seal`: where the
 * header wants the checksum, 0: nowhere. */
static sn_status write_tensors(const char *path, const sn_text *header, size_t seal, const sn_tensor *tensors,
                               size_t n_tensors, sn_error *error) {
    sn_piece *pieces = malloc((n_tensors + 1) * sizeof *pieces);
    if (!pieces || header->failed) {
        free(pieces);
        return sn_error_memory(error, header->length + n_tensors * sizeof *pieces, path);
    }
    pieces[0] = (sn_piece){header->data, header->length};
    for (size_t i = 0; i < n_tensors; i++) {
        int64_t size = 0;
        pieces[i + 1] = (sn_piece){tensors[i].data, data_size(&tensors[i], &size) ? (size_t)size : 0};
    }
    sn_status status = seal ? seal_pieces(pieces, n_tensors + 1, header->data + seal, error) : SN_OK;
    if (status == SN_OK) status = sn_file_write_pieces(path, pieces, n_tensors + 1, error);
    free(pieces);
    return status;
}

sn_status sn_safetensors_write(const char *path, const sn_tensor *tensors, size_t n_tensors,
                               const sn_metadata *metadata, size_t n_metadata, sn_error *error) {
    sn_status status = check_names(path, tensors, n_tensors, error);
    if (status != SN_OK) return status;
    sn_text header = SN_TEXT_EMPTY;
    int64_t offset = 0;
    size_t seal = 0;
    sn_text_add(&header, "........{");
    if (n_metadata > 0) seal = add_metadata_header(&header, metadata, n_metadata);
    for (size_t i = 0; i < n_tensors; i++) {
        if (i > 0 || n_metadata > 0) sn_text_add(&header, ",");
        status = add_tensor_header(&header, path, &tensors[i], &offset, error);
        if (status != SN_OK) goto out;
    }
    sn_text_add(&header, "}");
    finish_header(&header);
    status = write_tensors(path, &header, seal, tensors, n_tensors, error);
out:
    sn_text_free(&header);
    return status;
}

/* ---- reading ---- */

typedef struct entry {
    sn_tensor tensor;
    int64_t begin, end;  /* of the data, counted from the end of the header */
    sn_json_token label; /* the name as the header has it, quotes included */
} entry;

/* The newest entry of the metadata first. */
typedef struct note {
    sn_metadata entry;
    size_t at; /* of the value, its quote included */
    struct note *before;
} note;

struct sn_safetensors {
    char *content;
    size_t size;
    size_t data_start;
    note *notes;
    entry *entries; /* in the order of the header */
    size_t n_entries, capacity;
    entry **by_name;
    sn_pool pool;
};

typedef struct reader {
    sn_safetensors *file;
    const char *path;
    const entry *entry; /* the one being read or checked, for messages; NULL: none */
    bool has_metadata;
    sn_json_scanner scanner;
    sn_json_token token;
    sn_error *error;
} reader;

/* How much of a token a message shows. */
static int shown_length(const sn_json_token *token) {
    return token->length < 200 ? (int)token->length : 200;
}

__attribute__((format(printf, 3, 4))) static sn_status fault(const reader *r, size_t at, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (!r->entry) return sn_error_set(r->error, SN_INVALID, "%s: byte %zu: %s", r->path, at, message);
    const sn_json_token *label = &r->entry->label;
    return sn_error_set(r->error, SN_INVALID, "%s: byte %zu: tensor %.*s: %s", r->path, at, shown_length(label),
                        label->start, message);
}

static size_t offset_of(const reader *r, const sn_json_token *token) {
    return (size_t)(token->start - r->file->content);
}

/* A fault at the current token; `expected` says what should stand there. */
static sn_status unexpected(const reader *r, const char *expected) {
    return fault(r, offset_of(r, &r->token), "%s expected, found %.*s", expected, shown_length(&r->token),
                 r->token.start);
}

static sn_status next(reader *r) {
    return sn_json_next(&r->scanner, &r->token, r->error);
}

static sn_status next_is(reader *r, sn_json_kind kind, const char *expected) {
    sn_status status = next(r);
    if (status == SN_OK && r->token.kind != kind) status = unexpected(r, expected);
    return status;
}

/* The current token as an exact count: digits only, no sign, point or exponent. */
static sn_status read_count(const reader *r, const char *expected, int64_t *value) {
    *value = 0;
    if (r->token.kind != SN_JSON_NUMBER) return unexpected(r, expected);
    for (size_t i = 0; i < r->token.length; i++) {
        char c = r->token.start[i];
        if (c < '0' || c > '9') return unexpected(r, expected);
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, c - '0', value))
            return fault(r, offset_of(r, &r->token), "a number beyond 2^63");
    }
    return SN_OK;
}

static sn_status read_dtype(reader *r, entry *e) {
    static const char expected[] = "dtype: \"F32\", \"F64\" or \"I64\"";
    sn_status status = next_is(r, SN_JSON_STRING, expected);
    if (status != SN_OK) return status;
    for (sn_dtype dtype = SN_F32; dtype <= SN_I64; dtype++) {
        bool is_it = r->token.length == 5 && memcmp(r->token.start + 1, dtype_names[dtype], 3) == 0;
        if (!is_it) continue;
        e->tensor.dtype = dtype;
        return SN_OK;
    }
    return unexpected(r, expected);
}

static sn_status read_shape(reader *r, entry *e) {
    sn_status status = next_is(r, SN_JSON_ARRAY_OPEN, "shape: a list of whole numbers");
    while (status == SN_OK && (status = next(r)) == SN_OK && r->token.kind != SN_JSON_ARRAY_CLOSE) {
        if (e->tensor.rank == SN_TENSOR_MAX_RANK)
            return fault(r, offset_of(r, &r->token), "shape: more than %d dimensions", SN_TENSOR_MAX_RANK);
        status = read_count(r, "shape: a whole number, 0 or more,", &e->tensor.shape[e->tensor.rank++]);
    }
    return status;
}

static sn_status read_offsets(reader *r, entry *e) {
    static const char expected[] = "data_offsets: a list of two whole numbers";
    sn_status status = next_is(r, SN_JSON_ARRAY_OPEN, expected);
    size_t at = offset_of(r, &r->token);
    if (status == SN_OK) status = next(r);
    if (status == SN_OK) status = read_count(r, expected, &e->begin);
    if (status == SN_OK) status = next(r);
    if (status == SN_OK) status = read_count(r, expected, &e->end);
    if (status == SN_OK) status = next_is(r, SN_JSON_ARRAY_CLOSE, expected);
    if (status == SN_OK && e->begin > e->end)
        status =
            fault(r, at, "data_offsets: the end %lld is before the begin %lld", (long long)e->end, (long long)e->begin);
    return status;
}

/* The keys of a tensor; all of them must be there. */
static const struct field {
    const char *name;
    sn_status (*read)(reader *r, entry *e);
} FIELDS[] = {{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};
enum { N_FIELDS = sizeof FIELDS / sizeof FIELDS[0] };

static int find_field(const sn_json_token *key) {
    for (int i = 0; i < N_FIELDS; i++) {
        size_t n = strlen(FIELDS[i].name);
        if (key->length == n + 2 && memcmp(key->start + 1, FIELDS[i].name, n) == 0) return i;
    }
    return -1;
}

static sn_status read_fields(reader *r, entry *e) {
    bool seen[N_FIELDS] = {false};
    sn_status status = next_is(r, SN_JSON_OBJECT_OPEN, "an object with dtype, shape and data_offsets");
    while (status == SN_OK && (status = next(r)) == SN_OK && r->token.kind != SN_JSON_OBJECT_CLOSE) {
        int i = find_field(&r->token);
        if (i < 0) return unexpected(r, "dtype, shape or data_offsets");
        if (seen[i]) return fault(r, offset_of(r, &r->token), "%s stands twice", FIELDS[i].name);
        seen[i] = true;
        status = FIELDS[i].read(r, e);
    }
    for (int i = 0; i < N_FIELDS && status == SN_OK; i++) {
        if (!seen[i]) status = fault(r, offset_of(r, &e->label), "%s is missing", FIELDS[i].name);
    }
    return status;
}

/* The size of the data against shape, dtype and the end of the file. */
static sn_status check_entry(const reader *r, const entry *e) {
    int64_t size;
    size_t at = offset_of(r, &e->label), room = r->file->size - r->file->data_start;
    if (!data_size(&e->tensor, &size)) return fault(r, at, "shape: more elements than memory can hold");
    if (size != e->end - e->begin)
        return fault(r, at, "data_offsets span %lld bytes, but dtype and shape make %lld",
                     (long long)(e->end - e->begin), (long long)size);
    if ((uint64_t)e->end > room)
        return fault(r, at, "its data should end %llu bytes after the end of the file (byte %zu): truncated?",
                     (unsigned long long)e->end - room, r->file->size);
    return SN_OK;
}

/* NULL when out of memory. */
static entry *add_entry(sn_safetensors *file) {
    if (file->n_entries == file->capacity) {
        size_t capacity = file->capacity ? 2 * file->capacity : 64;
        entry *grown = realloc(file->entries, capacity * sizeof *grown);
        if (!grown) return NULL;
        file->entries = grown;
        file->capacity = capacity;
    }
    entry *e = &file->entries[file->n_entries++];
    *e = (entry){.begin = 0};
    return e;
}

/* The current token is the name. */
static sn_status read_tensor(reader *r) {
    entry *e = add_entry(r->file);
    if (!e) return sn_error_memory(r->error, 2 * r->file->capacity * sizeof *e, "tensors");
    char *name = sn_pool_alloc(&r->file->pool, r->token.length);
    if (!name) return sn_error_memory(r->error, r->token.length, "a tensor name");
    sn_json_string(&r->token, name, r->token.length);
    e->tensor.name = name;
    e->label = r->token;
    r->entry = e;
    sn_status status = read_fields(r, e);
    if (status == SN_OK) status = check_entry(r, e);
    r->entry = NULL;
    return status;
}

/* The current token, a string, in the file's pool; NULL when out of memory. */
static char *keep_string(reader *r) {
    char *string = sn_pool_alloc(&r->file->pool, r->token.length);
    if (string) sn_json_string(&r->token, string, r->token.length);
    return string;
}

static sn_status read_note(reader *r) {
    note *made = sn_pool_alloc(&r->file->pool, sizeof *made);
    if (!made || !(made->entry.key = keep_string(r))) return sn_error_memory(r->error, sizeof *made, METADATA);
    sn_status status = next_is(r, SN_JSON_STRING, "__metadata__: a string");
    if (status != SN_OK) return status;
    made->at = offset_of(r, &r->token);
    if (!(made->entry.value = keep_string(r))) return sn_error_memory(r->error, r->token.length, METADATA);
    made->before = r->file->notes;
    r->file->notes = made;
    return SN_OK;
}

/* Text for text. */
static sn_status read_metadata(reader *r) {
    if (r->has_metadata) return fault(r, offset_of(r, &r->token), "%s stands twice", METADATA);
    r->has_metadata = true;
    sn_status status = next_is(r, SN_JSON_OBJECT_OPEN, "__metadata__: an object");
    while (status == SN_OK && (status = next(r)) == SN_OK && r->token.kind != SN_JSON_OBJECT_CLOSE)
        status = read_note(r);
    return status;
}

static bool is_metadata(const sn_json_token *key) {
    return key->length == sizeof METADATA + 1 && memcmp(key->start + 1, METADATA, sizeof METADATA - 1) == 0;
}

static sn_status read_header(reader *r) {
    sn_status status = next_is(r, SN_JSON_OBJECT_OPEN, "an object of tensors");
    while (status == SN_OK && (status = next(r)) == SN_OK && r->token.kind != SN_JSON_OBJECT_CLOSE)
        status = is_metadata(&r->token) ? read_metadata(r) : read_tensor(r);
    return status == SN_OK ? next(r) : status;
}

static int compare_positions(const entry *x, const entry *y) {
    return (x->label.start > y->label.start) - (x->label.start < y->label.start);
}

static int compare_names(const void *a, const void *b) {
    const entry *x = *(entry *const *)a, *y = *(entry *const *)b;
    int order = strcmp(x->tensor.name, y->tensor.name);
    return order != 0 ? order : compare_positions(x, y);
}

static int compare_offsets(const void *a, const void *b) {
    const entry *x = *(entry *const *)a, *y = *(entry *const *)b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return compare_positions(x, y);
}

static sn_status check_duplicates(reader *r, entry **by_name) {
    for (size_t i = 1; i < r->file->n_entries; i++) {
        if (strcmp(by_name[i - 1]->tensor.name, by_name[i]->tensor.name) != 0) continue;
        r->entry = by_name[i];
        return fault(r, offset_of(r, &r->entry->label), "the name stands twice, first at byte %zu",
                     offset_of(r, &by_name[i - 1]->label));
    }
    return SN_OK;
}

/* Every byte of the data belongs to exactly one tensor. */
static sn_status check_layout(reader *r, entry **by_offset) {
    const sn_safetensors *file = r->file;
    size_t at = 0, room = file->size - file->data_start;
    for (size_t i = 0; i < file->n_entries; i++) {
        const entry *e = by_offset[i];
        size_t begin = (size_t)e->begin;
        r->entry = e;
        if (begin < at)
            return fault(r, offset_of(r, &e->label), "its data, from byte %zu, overlaps that of tensor %.*s",
                         file->data_start + begin, shown_length(&by_offset[i - 1]->label),
                         by_offset[i - 1]->label.start);
        if (begin > at)
            return fault(r, offset_of(r, &e->label), "before its data, from byte %zu, %zu bytes belong to no tensor",
                         file->data_start + at, begin - at);
        at = (size_t)e->end;
    }
    r->entry = NULL;
    if (at < room) return fault(r, file->data_start + at, "%zu bytes after the data of the last tensor", room - at);
    return SN_OK;
}

static sn_status make_index(reader *r) {
    sn_safetensors *file = r->file;
    size_t n = file->n_entries, bytes = (n + 1) * sizeof(entry *); /* not 0 where there are no tensors */
    file->by_name = malloc(bytes);
    if (!file->by_name) return sn_error_memory(r->error, bytes, "an index of tensors");
    for (size_t i = 0; i < n; i++)
        file->by_name[i] = &file->entries[i];
    qsort(file->by_name, n, sizeof(entry *), compare_offsets);
    sn_status status = check_layout(r, file->by_name);
    if (status != SN_OK) return status;
    qsort(file->by_name, n, sizeof(entry *), compare_names);
    return check_duplicates(r, file->by_name);
}

/* The format promises no alignment; whoever reads floats from memory needs it. */
static sn_status place_data(sn_safetensors *file, sn_error *error) {
    for (size_t i = 0; i < file->n_entries; i++) {
        entry *e = &file->entries[i];
        const char *data = file->content + file->data_start + e->begin;
        size_t size = (size_t)(e->end - e->begin);
        e->tensor.data = data;
        if ((uintptr_t)data % sn_dtype_size(e->tensor.dtype) == 0) continue;
        void *copy = sn_pool_alloc(&file->pool, size);
        if (!copy) return sn_error_memory(error, size, e->tensor.name);
        memcpy(copy, data, size);
        e->tensor.data = copy;
    }
    return SN_OK;
}

static sn_status find_header(reader *r, uint64_t *length) {
    sn_safetensors *file = r->file;
    *length = 0;
    if (file->size < PREFIX_BYTES)
        return fault(r, file->size, "the file ends within the 8 bytes of the header's length");
    memcpy(length, file->content, PREFIX_BYTES);
    if (*length > file->size - PREFIX_BYTES)
        return fault(r, 0, "a header of %llu bytes, but only %zu follow: truncated, or no safetensors file",
                     (unsigned long long)*length, file->size - PREFIX_BYTES);
    file->data_start = PREFIX_BYTES + (size_t)*length;
    return SN_OK;
}

static sn_status parse(sn_safetensors *file, const char *path, sn_error *error) {
    reader r = {.file = file, .path = path, .error = error};
    uint64_t length;
    sn_status status = find_header(&r, &length);
    if (status != SN_OK) return status;
    sn_text name = SN_TEXT_EMPTY; /* the scanner's lines and columns count from the start of the header */
    sn_text_addf(&name, "%s: header at byte 8", path);
    if (name.failed) return sn_error_memory(error, strlen(path), "a file name");
    sn_json_init(&r.scanner, file->content + PREFIX_BYTES, (size_t)length, name.data);
    status = read_header(&r);
    sn_text_free(&name);
    if (status == SN_OK) status = make_index(&r);
    if (status == SN_OK) status = place_data(file, error);
    return status;
}

static sn_status check_format(const sn_safetensors *file, const char *path, sn_error *error) {
    const char *other = sn_magic_describe_weights(file->content, file->size);
    return other ? sn_error_set(error, SN_INVALID, "%s: %s", path, other) : SN_OK;
}

sn_status sn_safetensors_read(sn_safetensors **file, const char *path, sn_error *error) {
    *file = NULL;
    sn_safetensors *made = calloc(1, sizeof *made);
    if (!made) return sn_error_memory(error, sizeof *made, "a weights file");
    sn_status status = sn_file_read_regular(path, SIZE_MAX / 4, &made->content, &made->size, error);
    if (status == SN_OK) status = check_format(made, path, error);
    if (status == SN_OK) status = parse(made, path, error);
    if (status != SN_OK) {
        sn_safetensors_free(made);
        return status;
    }
    *file = made;
    return SN_OK;
}

void sn_safetensors_free(sn_safetensors *file) {
    if (!file) return;
    sn_pool_free(&file->pool);
    free(file->by_name);
    free(file->entries);
    free(file->content);
    free(file);
}

size_t sn_safetensors_count(const sn_safetensors *file) {
    return file->n_entries;
}

const sn_tensor *sn_safetensors_at(const sn_safetensors *file, size_t i) {
    return &file->entries[i].tensor;
}

const sn_tensor *sn_safetensors_find(const sn_safetensors *file, const char *name) {
    size_t low = 0, high = file->n_entries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, file->by_name[middle]->tensor.name);
        if (order == 0) return &file->by_name[middle]->tensor;
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static const note *find_note(const sn_safetensors *file, const char *key) {
    for (const note *n = file->notes; n; n = n->before) {
        if (strcmp(n->entry.key, key) == 0) return n;
    }
    return NULL;
}

const char *sn_safetensors_metadata(const sn_safetensors *file, const char *key) {
    const note *found = find_note(file, key);
    return found ? found->entry.value : NULL;
}

sn_status sn_safetensors_check_seal(const sn_safetensors *file, const char *path, sn_error *error) {
    const note *seal = find_note(file, SN_SEAL.key);
    if (!seal || strlen(seal->entry.value) != SEAL_DIGITS)
        return sn_error_set(error, SN_INVALID, "%s: no checksum among its metadata", path);
    sn_hasher hasher;
    if (!sn_hasher_init(&hasher)) return sn_error_memory(error, 0, "a checksum");
    size_t digits = seal->at + 1, after = digits + SEAL_DIGITS;
    sn_hasher_add(&hasher, file->content, digits);
    sn_hasher_add(&hasher, SN_SEAL.value, SEAL_DIGITS);
    sn_hasher_add(&hasher, file->content + after, file->size - after);
    uint64_t found = sn_hasher_digest(&hasher);
    sn_hasher_reset(&hasher);
    char text[SEAL_DIGITS + 1];
    snprintf(text, sizeof text, "%016" PRIx64, found);
    if (strcmp(text, seal->entry.value) == 0) return SN_OK;
    return sn_error_set(error, SN_INVALID, "%s: its bytes do not fit its checksum (%s, they have %s)", path,
                        seal->entry.value, text);
}
