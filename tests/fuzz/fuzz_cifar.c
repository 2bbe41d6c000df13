/* A byte that picks the source and its labels, then an archive; or a byte more that says where the files of a directory
 * part, and their bytes: the last file has what is behind, all others what is before. */
#include "base/text.h"
#include "input.h"

static void put(const char *const *names, size_t n, fuzz_bytes bytes) {
    for (size_t i = 0; i < n; i++)
        fuzz_put(names[i], bytes);
}

static const char *put_files(bool is_10, fuzz_bytes rest) {
    static const char *const train_10[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                           "data_batch_4.bin", "data_batch_5.bin"};
    size_t begin = (size_t)fuzz_byte(&rest) * rest.size / 255;
    put(is_10 ? train_10 : (const char *const[]){"train.bin"}, is_10 ? 5 : 1, (fuzz_bytes){rest.data, begin});
    fuzz_put(is_10 ? "test_batch.bin" : "test.bin", (fuzz_bytes){rest.data + begin, rest.size - begin});
    return fuzz_directory();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_bytes rest = {data, size};
    uint8_t choice = fuzz_byte(&rest);
    bool is_10 = choice & 1, is_archive = choice & 2;
    const char *path = is_archive ? fuzz_file(0, rest.data, rest.size) : put_files(is_10, rest);
    sn_text text = SN_TEXT_EMPTY;
    sn_text_addf(&text, "{\"data\": {\"kind\": \"cifar-%s\", \"path\": \"%s\"", is_10 ? "10" : "100", path);
    if (!is_10) sn_text_addf(&text, ", \"labels\": \"%s\"", choice & 4 ? "coarse" : "fine");
    sn_text_add(&text, "}}");
    fuzz_load_data(&text);
    sn_text_free(&text);
    fuzz_clear();
    return 0;
}
