/* Safetensors files: the layout against bytes built by hand, round trips, and files that are wrong in every way the
 * format allows to be wrong, each with its exact message. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/rng.h"
#include "base/safetensors.h"
#include "base/text.h"

static char dir[64], path[96];
static sn_error error;

static int set_up(void **state) {
    (void)state;
    strcpy(dir, "test_safetensors.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/w", dir);
    sn_error_clear(&error);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void write_bytes(const void *bytes, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* A file of this header and `n_data` bytes 0, 1, 2, ...; `out` owns it. */
static void build(sn_text *out, const char *header, size_t n_data) {
    uint64_t length = strlen(header);
    sn_text_add_bytes(out, &length, 8);
    sn_text_add(out, header);
    for (size_t i = 0; i < n_data; i++)
        sn_text_add_bytes(out, &(char){(char)i}, 1);
    assert_false(out->failed);
}

static void write_file(const char *header, size_t n_data) {
    sn_text content = SN_TEXT_EMPTY;
    build(&content, header, n_data);
    write_bytes(content.data, content.length);
    sn_text_free(&content);
}

/* ---- what is right ---- */

static void test_layout(void **state) {
    (void)state;
    const float w[6] = {1, 2, 3, 4, 5, 6};
    const double b[1] = {-0.5};
    const sn_tensor tensors[] = {
        {"hidden1.weight", SN_F32, 2, {2, 3}, w},
        {"say \"b\"", SN_F64, 0, {0}, b},
    };
    const sn_metadata metadata[] = {{"format", "pt"}, {"by", "x\n"}};
    assert_int_equal(sn_safetensors_write(path, tensors, 2, metadata, 2, &error), SN_OK);

    const char *header = "{\"__metadata__\":{\"format\":\"pt\",\"by\":\"x\\n\"},"
                         "\"hidden1.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                         "\"say \\\"b\\\"\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[24,32]}}";
    sn_text expected = SN_TEXT_EMPTY;
    size_t padded = (strlen(header) + 7) / 8 * 8;
    unsigned char prefix[8] = {(unsigned char)(padded % 256), (unsigned char)(padded / 256)};
    sn_text_add_bytes(&expected, prefix, 8);
    sn_text_addf(&expected, "%-*s", (int)padded, header);
    const unsigned char data[] = {0, 0, 0x80, 0x3f, 0, 0, 0,    0x40, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40,
                                  0, 0, 0xa0, 0x40, 0, 0, 0xc0, 0x40, 0, 0, 0,    0,    0, 0, 0xe0, 0xbf};
    sn_text_add_bytes(&expected, data, sizeof data);

    char *got;
    size_t size;
    assert_int_equal(sn_file_read(path, 10000, &got, &size, &error), SN_OK);
    assert_int_equal(size, expected.length);
    assert_memory_equal(got, expected.data, size);
    free(got);
    sn_text_free(&expected);
}

static void test_round_trip(void **state) {
    (void)state;
    const float f[4] = {0x1p-149f, -0.0f, FLT_MAX, 1e-25f};
    const double d[6] = {DBL_TRUE_MIN, -DBL_MAX, 1e-300, 0.1, (double)NAN, (double)INFINITY};
    const sn_tensor tensors[] = {
        {"f", SN_F32, 1, {3}, f}, /* 12 bytes: what follows is not aligned to 8 in the file */
        {"d", SN_F64, 4, {1, 2, 1, 3}, d}, {"empty", SN_F64, 2, {0, 5}, d},
        {"scalar", SN_F32, 0, {0}, f + 3}, {"\xc3\xa9.weight", SN_F64, 1, {1}, d + 3},
    };
    enum { N = sizeof tensors / sizeof tensors[0] };
    assert_int_equal(sn_safetensors_write(path, tensors, N, NULL, 0, &error), SN_OK);
    sn_safetensors *file;
    assert_int_equal(sn_safetensors_read(&file, path, &error), SN_OK);
    assert_int_equal(sn_safetensors_count(file), N);
    for (size_t i = 0; i < N; i++) {
        const sn_tensor *t = sn_safetensors_at(file, i);
        size_t n = sn_dtype_size(tensors[i].dtype);
        assert_string_equal(t->name, tensors[i].name);
        assert_int_equal(t->dtype, tensors[i].dtype);
        assert_int_equal(t->rank, tensors[i].rank);
        for (int k = 0; k < t->rank; k++) {
            assert_int_equal(t->shape[k], tensors[i].shape[k]);
            n *= (size_t)t->shape[k];
        }
        assert_int_equal((uintptr_t)t->data % sn_dtype_size(t->dtype), 0);
        if (n > 0) assert_memory_equal(t->data, tensors[i].data, n);
        assert_ptr_equal(sn_safetensors_find(file, tensors[i].name), t);
    }
    assert_null(sn_safetensors_find(file, "g"));
    assert_null(sn_safetensors_find(file, ""));
    assert_null(sn_safetensors_find(file, "zzz"));
    sn_safetensors_free(file);
    sn_safetensors_free(NULL);
}

/* Files of others: any order of keys and of data, white space, metadata at the end, a header of odd length. */
static void test_foreign_files(void **state) {
    (void)state;
    write_file("{ \"b\" : {\"data_offsets\":[4,8], \"shape\":[1], \"dtype\":\"F32\"},\n"
               "\"a\\u0041\":{\"shape\":[1,1],\"dtype\":\"F32\",\"data_offsets\":[0,4]},"
               "\"z\":{\"dtype\":\"F64\",\"shape\":[3,0],\"data_offsets\":[4,4]}, \"__metadata__\":{\"k\":\"v\"}}  \n",
               8);
    sn_safetensors *file;
    assert_int_equal(sn_safetensors_read(&file, path, &error), SN_OK);
    assert_int_equal(sn_safetensors_count(file), 3);
    const sn_tensor *b = sn_safetensors_find(file, "b"), *a = sn_safetensors_find(file, "aA");
    assert_ptr_equal(b, sn_safetensors_at(file, 0)); /* the order is that of the header */
    assert_ptr_equal(a, sn_safetensors_at(file, 1));
    assert_memory_equal(b->data, "\4\5\6\7", 4);
    assert_memory_equal(a->data, "\0\1\2\3", 4);
    assert_int_equal(sn_safetensors_find(file, "z")->shape[1], 0);
    sn_safetensors_free(file);

    write_file("{}", 0);
    assert_int_equal(sn_safetensors_read(&file, path, &error), SN_OK);
    assert_int_equal(sn_safetensors_count(file), 0);
    assert_null(sn_safetensors_find(file, "a"));
    sn_safetensors_free(file);
}

/* 20,000 tensors, each found by name: well below a second where nothing is quadratic. */
static void test_many_tensors(void **state) {
    (void)state;
    enum { N = 20000 };
    sn_tensor *tensors = calloc(N, sizeof *tensors);
    char(*names)[32] = calloc(N, sizeof *names);
    float *values = calloc(N, sizeof *values);
    assert_true(tensors && names && values);
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "hidden%d.weight", (i * 7919) % N);
        values[i] = (float)i;
        tensors[i] = (sn_tensor){names[i], SN_F32, 1, {1}, &values[i]};
    }
    clock_t start = clock();
    assert_int_equal(sn_safetensors_write(path, tensors, N, NULL, 0, &error), SN_OK);
    sn_safetensors *file;
    assert_int_equal(sn_safetensors_read(&file, path, &error), SN_OK);
    assert_int_equal(sn_safetensors_count(file), N);
    for (int i = 0; i < N; i++) {
        const sn_tensor *t = sn_safetensors_find(file, names[i]);
        assert_non_null(t);
        assert_memory_equal(t->data, &values[i], sizeof values[i]);
    }
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 5); /* room for sanitizers and valgrind */
    sn_safetensors_free(file);
    free(tensors);
    free(names);
    free(values);
}

static void test_write_refuses(void **state) {
    (void)state;
    const float w[4] = {0};
    const struct {
        sn_tensor tensors[2];
        size_t n;
        const char *message;
    } cases[] = {
        {{{"a", SN_F32, 1, {1}, w}, {"a", SN_F32, 1, {1}, w}}, 2, "two tensors cannot both be called \"a\""},
        {{{"__metadata__", SN_F32, 1, {1}, w}}, 1, "two tensors cannot both be called \"__metadata__\""},
        {{{"a", SN_F32, 1, {-1}, w}}, 1, "tensor \"a\" has a shape that cannot be written"},
        {{{"a", SN_F32, 5, {1, 1, 1, 1}, w}}, 1, "tensor \"a\" has a shape that cannot be written"},
        {{{"a", SN_F64, 2, {INT64_MAX, 2}, w}}, 1, "tensor \"a\" has a shape that cannot be written"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[200];
        snprintf(expected, sizeof expected, "%s: %s", path, cases[i].message);
        sn_status status = sn_safetensors_write(path, cases[i].tensors, cases[i].n, NULL, 0, &error);
        assert_int_equal(status, SN_INVALID);
        assert_string_equal(error.text, expected);
        assert_false(sn_path_exists(path));
    }
    char missing[160];
    snprintf(missing, sizeof missing, "%s/none/w", dir);
    assert_int_equal(sn_safetensors_write(missing, cases[0].tensors, 1, NULL, 0, &error), SN_IO);
}

/* ---- what is wrong ---- */

#define F32_A(shape, offsets) "{\"a\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define F32_AB(a_offsets, b_offsets)                                                                                   \
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":" a_offsets                                              \
    "},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":" b_offsets "}}"

static const struct {
    const char *header;
    size_t n_data;
    const char *message; /* after "PATH: " */
} MALFORMED[] = {
    {"[]", 0, "byte 8: an object of tensors expected, found ["},
    {"{\"a\":1}", 0, "byte 13: tensor \"a\": an object with dtype, shape and data_offsets expected, found 1"},
    {"{\"a\":{}}", 0, "byte 9: tensor \"a\": dtype is missing"},
    {"{\"a\":{\"dtype\":\"F32\"}}", 0, "byte 9: tensor \"a\": shape is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0, "byte 9: tensor \"a\": data_offsets is missing"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "byte 9: tensor \"a\": dtype is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, "byte 28: tensor \"a\": dtype stands twice"},
    {"{\"a\":{\"kind\":1}}", 0, "byte 14: tensor \"a\": dtype, shape or data_offsets expected, found \"kind\""},
    {"{\"a\":{\"dtype\":\"BF16\"}}", 0,
     "byte 22: tensor \"a\": dtype: \"F32\", \"F64\" or \"I64\" expected, found \"BF16\""},
    {"{\"a\":{\"dtype\":\"f32\"}}", 0,
     "byte 22: tensor \"a\": dtype: \"F32\", \"F64\" or \"I64\" expected, found \"f32\""},
    {"{\"a\":{\"dtype\":32}}", 0, "byte 22: tensor \"a\": dtype: \"F32\", \"F64\" or \"I64\" expected, found 32"},
    {F32_A("4", "[0,4]"), 4, "byte 36: tensor \"a\": shape: a list of whole numbers expected, found 4"},
    {F32_A("[-1]", "[0,4]"), 4, "byte 37: tensor \"a\": shape: a whole number, 0 or more, expected, found -1"},
    {F32_A("[1.0]", "[0,4]"), 4, "byte 37: tensor \"a\": shape: a whole number, 0 or more, expected, found 1.0"},
    {F32_A("[1e0]", "[0,4]"), 4, "byte 37: tensor \"a\": shape: a whole number, 0 or more, expected, found 1e0"},
    {F32_A("[\"1\"]", "[0,4]"), 4, "byte 37: tensor \"a\": shape: a whole number, 0 or more, expected, found \"1\""},
    {F32_A("[[1]]", "[0,4]"), 4, "byte 37: tensor \"a\": shape: a whole number, 0 or more, expected, found ["},
    {F32_A("[1,1,1,1,1]", "[0,4]"), 4, "byte 45: tensor \"a\": shape: more than 4 dimensions"},
    {F32_A("[9223372036854775808]", "[0,4]"), 4, "byte 37: tensor \"a\": a number beyond 2^63"},
    {F32_A("[18446744073709551617]", "[0,4]"), 4, "byte 37: tensor \"a\": a number beyond 2^63"},
    {F32_A("[4294967296,4294967296]", "[0,0]"), 0, "byte 9: tensor \"a\": shape: more elements than memory can hold"},
    {F32_A("[4611686018427387905]", "[0,4]"), 4, "byte 9: tensor \"a\": shape: more elements than memory can hold"},
    {F32_A("[1]", "[0]"), 4, "byte 57: tensor \"a\": data_offsets: a list of two whole numbers expected, found ]"},
    {F32_A("[1]", "[]"), 4, "byte 56: tensor \"a\": data_offsets: a list of two whole numbers expected, found ]"},
    {F32_A("[1]", "[0,4,8]"), 4, "byte 60: tensor \"a\": data_offsets: a list of two whole numbers expected, found 8"},
    {F32_A("[1]", "{}"), 4, "byte 55: tensor \"a\": data_offsets: a list of two whole numbers expected, found {"},
    {F32_A("[1]", "[0,-4]"), 4, "byte 58: tensor \"a\": data_offsets: a list of two whole numbers expected, found -4"},
    {F32_A("[1]", "[4,0]"), 4, "byte 55: tensor \"a\": data_offsets: the end 0 is before the begin 4"},
    {F32_A("[2]", "[0,4]"), 4, "byte 9: tensor \"a\": data_offsets span 4 bytes, but dtype and shape make 8"},
    {F32_A("[0]", "[0,4]"), 4, "byte 9: tensor \"a\": data_offsets span 4 bytes, but dtype and shape make 0"},
    {F32_A("[2]", "[0,8]"), 5,
     "byte 9: tensor \"a\": its data should end 3 bytes after the end of the file (byte 67): truncated?"},
    {F32_A("[1]", "[9223372036854775803,9223372036854775807]"), 4,
     "byte 9: tensor \"a\": its data should end 9223372036854775803 bytes after the end of the file (byte 102): "
     "truncated?"},
    {F32_A("[1]", "[0,4]"), 6, "byte 66: 2 bytes after the data of the last tensor"},
    {F32_A("[1]", "[2,6]"), 6, "byte 9: tensor \"a\": before its data, from byte 62, 2 bytes belong to no tensor"},
    {"{}", 1, "byte 10: 1 bytes after the data of the last tensor"},
    {F32_AB("[0,4]", "[2,6]"), 8, "byte 62: tensor \"b\": its data, from byte 117, overlaps that of tensor \"a\""},
    {F32_AB("[0,4]", "[0,4]"), 4, "byte 62: tensor \"b\": its data, from byte 115, overlaps that of tensor \"a\""},
    {F32_AB("[4,8]", "[2,6]"), 8, "byte 62: tensor \"b\": before its data, from byte 115, 2 bytes belong to no tensor"},
    {F32_AB("[0,4]", "[5,9]"), 9, "byte 62: tensor \"b\": before its data, from byte 119, 1 bytes belong to no tensor"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"z\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]}}",
     8, "byte 62: tensor \"z\": its data, from byte 119, overlaps that of tensor \"a\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
     8, "byte 62: tensor \"\\u0061\": the name stands twice, first at byte 9"},
    {"{\"__metadata__\":1}", 0, "byte 24: __metadata__: an object expected, found 1"},
    {"{\"__metadata__\":{\"k\":1}}", 0, "byte 29: __metadata__: a string expected, found 1"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "byte 27: __metadata__ stands twice"},
};

static void test_malformed(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof MALFORMED / sizeof MALFORMED[0]; i++) {
        char expected[500];
        snprintf(expected, sizeof expected, "%s: %s", path, MALFORMED[i].message);
        write_file(MALFORMED[i].header, MALFORMED[i].n_data);
        sn_safetensors *file;
        assert_int_equal(sn_safetensors_read(&file, path, &error), SN_INVALID);
        assert_string_equal(error.text, expected);
        assert_int_equal(error.status, SN_INVALID);
        assert_null(file);
    }
}

/* Faults in the JSON itself are worded by the scanner; the place is what matters here. */
static void test_header_is_no_json(void **state) {
    (void)state;
    static const struct {
        const char *header, *place;
    } cases[] = {
        {"", "1:1"},
        {"{", "1:2"},
        {"{}x", "1:3"},
        {"{\"__metadata__\":{}\n,}", "2:2"},
        {"{'a':1}", "1:2"},
        {"{\"a\":{\"shape\":[01]}}", "1:16"},
        {"{\"\xff\":1}", "1:"},
        {"{\"a\":{\"shape\":[1e999]}}", "1:16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[200];
        int n = snprintf(expected, sizeof expected, "%s: header at byte 8:%s", path, cases[i].place);
        write_file(cases[i].header, 4);
        sn_safetensors *file;
        assert_int_equal(sn_safetensors_read(&file, path, &error), SN_INVALID);
        assert_true(strlen(error.text) > (size_t)n);
        error.text[n] = '\0';
        assert_string_equal(error.text, expected);
    }
}

static void test_wrong_lengths(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } cases[] = {
        {"", 0, "byte 0: the file ends within the 8 bytes of the header's length"},
        {"\2\0\0\0\0\0\0", 7, "byte 7: the file ends within the 8 bytes of the header's length"},
        {"\2\0\0\0\0\0\0\0", 8, "byte 0: a header of 2 bytes, but only 0 follow: truncated, or no safetensors file"},
        {"\3\0\0\0\0\0\0\0{}", 10, "byte 0: a header of 3 bytes, but only 2 follow: truncated, or no safetensors file"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff{}", 10,
         "byte 0: a header of 18446744073709551615 bytes, but only 2 follow: truncated, or no safetensors file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[300];
        snprintf(expected, sizeof expected, "%s: %s", path, cases[i].message);
        write_bytes(cases[i].bytes, cases[i].size);
        sn_safetensors *file;
        assert_int_equal(sn_safetensors_read(&file, path, &error), SN_INVALID);
        assert_string_equal(error.text, expected);
    }
}

/* However much of the end is missing, it shows. */
static void test_every_truncation(void **state) {
    (void)state;
    sn_text content = SN_TEXT_EMPTY;
    build(&content, F32_AB("[0,4]", "[4,8]"), 8);
    sn_safetensors *file;
    write_bytes(content.data, content.length);
    assert_int_equal(sn_safetensors_read(&file, path, &error), SN_OK);
    sn_safetensors_free(file);
    for (size_t n = 0; n < content.length; n++) {
        write_bytes(content.data, n);
        assert_int_equal(sn_safetensors_read(&file, path, &error), SN_INVALID);
    }
    sn_text_free(&content);
}

static void test_missing_file(void **state) {
    (void)state;
    char expected[200];
    sn_safetensors *file;
    assert_int_equal(sn_safetensors_read(&file, path, &error), SN_IO);
    snprintf(expected, sizeof expected, "cannot open %s: No such file or directory", path);
    assert_string_equal(error.text, expected);
    assert_null(file);
}

/* ---- mutations ---- */

static const char SOUND[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                            "\"h1.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]},"
                            "\"h1.bias\":{\"dtype\":\"F64\",\"shape\":[3],\"data_offsets\":[24,48]},"
                            "\"none\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[48,48]}}";

static sn_rng mutation_rng(uint64_t round) {
    return sn_rng_stream(1, "mutation", "safetensors", round);
}

/* One to four bytes changed, put in or taken out; or the end cut off. */
static void mutate(sn_text *content, uint64_t round) {
    sn_rng rng = mutation_rng(round);
    static const char alphabet[] = "{}[]\",:0123456789-eE.\\untrflsaF\xc3 ";
    uint64_t n_changes = 1 + sn_rng_below(rng, 0, 4);
    for (uint64_t k = 1; k <= n_changes && content->length > 1; k++) {
        size_t at = (size_t)sn_rng_below(rng, 10 * k, content->length);
        char byte = alphabet[sn_rng_below(rng, 10 * k + 1, sizeof alphabet - 1)];
        uint64_t kind = sn_rng_below(rng, 10 * k + 2, 10);
        char *p = content->data + at;
        if (kind < 4) {
            *p = byte;
        } else if (kind < 5) {
            *p = (char)sn_rng_bits(rng, 10 * k + 3);
        } else if (kind < 7) {
            memmove(p, p + 1, --content->length - at);
        } else if (kind < 9) {
            sn_text_add_bytes(content, "x", 1);
            p = content->data + at; /* it may have moved */
            memmove(p + 1, p, content->length - 1 - at);
            *p = byte;
        } else {
            content->length = at + 1;
        }
    }
}

static uint64_t sum_bytes(const sn_safetensors *file) {
    uint64_t sum = 0;
    for (size_t i = 0; i < sn_safetensors_count(file); i++) {
        const sn_tensor *t = sn_safetensors_at(file, i);
        assert_non_null(sn_safetensors_find(file, t->name));
        size_t n = sn_dtype_size(t->dtype);
        for (int k = 0; k < t->rank; k++)
            n *= (size_t)t->shape[k];
        for (size_t k = 0; k < n; k++)
            sum += ((const unsigned char *)t->data)[k];
    }
    return sum;
}

/* Whatever happens to a file, it is read or refused; what it takes from memory is for the sanitizer to see.  The
 * length in front is put right in half of the rounds, so that the header is reached. */
static void test_mutations(void **state) {
    (void)state;
    int n_read = 0, n_refused = 0;
    for (uint64_t round = 0; round < 20000; round++) {
        sn_text content = SN_TEXT_EMPTY;
        build(&content, SOUND, 48);
        mutate(&content, round);
        uint64_t length = content.length - 48 - 8;
        if (round % 2 && content.length > 56) memcpy(content.data, &length, 8);
        write_bytes(content.data, content.length);
        sn_text_free(&content);
        sn_safetensors *file;
        sn_status status = sn_safetensors_read(&file, path, &error);
        if (status == SN_OK) {
            assert_true(sum_bytes(file) <= 255 * 1000);
            n_read++;
        } else {
            assert_int_equal(status, SN_INVALID);
            assert_memory_equal(error.text, path, strlen(path));
            n_refused++;
        }
        sn_safetensors_free(file);
    }
    assert_true(n_read > 500);
    assert_true(n_refused > 10000);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_layout),           CASE(test_round_trip),   CASE(test_foreign_files),     CASE(test_many_tensors),
        CASE(test_write_refuses),    CASE(test_malformed),    CASE(test_header_is_no_json), CASE(test_wrong_lengths),
        CASE(test_every_truncation), CASE(test_missing_file), CASE(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
