/* Two bytes that pick the keys of the data source, then a CSV file and, after a NUL byte, a test file. */
#include <string.h>

#include "base/text.h"
#include "input.h"

/* The "data" object that the two bytes stand for; `test` NULL: no test file. */
static void write_data(sn_text *text, unsigned choice, const char *path, const char *test) {
    static const char *const targets[] = {"-1", "0", "\"y\"", "[\"y\", \"z\"]", "[0, -1]", "[]", "7", "\"\""};
    static const char *const delimiters[] = {",", ";", "\\t", " "};
    static const char *const fractions[] = {"0.2", "0", "0.5", "0.99"};
    static const char *const scalings[] = {"standardize", "unit", "none", "standardize"};
    sn_text_addf(text, "{\"data\": {\"kind\": \"csv\", \"path\": \"%s\"", path);
    sn_text_addf(text, ", \"header\": %s", choice & 1 ? "false" : "true");
    sn_text_addf(text, ", \"task\": \"%s\"", choice & 2 ? "regression" : "classes");
    sn_text_addf(text, ", \"target\": %s", targets[choice >> 2 & 7]);
    sn_text_addf(text, ", \"delimiter\": \"%s\"", delimiters[choice >> 5 & 3]);
    sn_text_addf(text, ", \"test_fraction\": %s", fractions[choice >> 8 & 3]);
    sn_text_addf(text, ", \"scaling\": \"%s\"", scalings[choice >> 10 & 3]);
    if (test) sn_text_addf(text, ", \"test_path\": \"%s\"", test);
    sn_text_add(text, "}}");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_bytes rest = {data, size};
    unsigned choice = fuzz_byte(&rest);
    choice |= (unsigned)fuzz_byte(&rest) << 8;
    fuzz_bytes train = rest;
    bool has_test = choice & 1 << 12;
    if (has_test) train = fuzz_cut(&rest, 0);
    const char *path = fuzz_file(0, train.data, train.size);
    const char *test = has_test ? fuzz_file(1, rest.data, rest.size) : NULL;
    sn_text text = SN_TEXT_EMPTY;
    write_data(&text, choice, path, test);
    fuzz_load_data(&text);
    sn_text_free(&text);
    return 0;
}
