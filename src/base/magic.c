/* Owns the first bytes of formats that people take for text. */
#include "base/magic.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    const char *bytes, *what;
} formats[] = {
    {"\x1f\x8b", "gzip data (unpack it first: gunzip -c FILE >NEW)"},
    {"BZh", "bzip2 data (unpack it first: bunzip2 -c FILE >NEW)"},
    {"\xfd"
     "7zXZ",
     "xz data (unpack it first: xz -dc FILE >NEW)"},
    {"\x28\xb5\x2f\xfd", "zstd data (unpack it first: zstd -dc FILE >NEW)"},
    {"PK\x03\x04", "zip data (unpack it first; a spreadsheet is one, too: save it as CSV)"},
    {"7z\xbc\xaf", "7z data (unpack it first)"},
    {"PAR1", "Parquet data (in Python: pandas.read_parquet(FILE).to_csv(NEW, index=False))"},
    {"\x93NUMPY", "a NumPy array (in Python: numpy.savetxt(NEW, numpy.load(FILE), delimiter=\",\"))"},
    {"\x89HDF", "HDF5 data (write the table as CSV first)"},
    {"\xd0\xcf\x11\xe0", "a file of an office program (save it as CSV)"},
    {"\xff\xfe", "UTF-16 text (save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE >NEW)"},
    {"\xfe\xff", "UTF-16 text (save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE >NEW)"},
};

const char *sn_magic_describe(const char *data, size_t size) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t n = strlen(formats[i].bytes);
        if (size >= n && memcmp(data, formats[i].bytes, n) == 0) return formats[i].what;
    }
    return NULL;
}

/* torch.save writes a zip of pickles; before 1.6 a bare pickle. */
const char *sn_magic_describe_weights(const char *data, size_t size) {
    bool is_zip = size >= 4 && memcmp(data, "PK\x03\x04", 4) == 0;
    bool is_pickle = size >= 4 && memcmp(data, "\x80\x02\x8a\x0a", 4) == 0;
    bool is_gzip = size >= 2 && memcmp(data, "\x1f\x8b", 2) == 0;
    if (is_gzip) return sn_magic_describe(data, size);
    if (!is_zip && !is_pickle) return NULL;
    return "a file of torch.save (or another zip), not safetensors; in Python, with the file as FILE: "
           "import torch, safetensors.torch as s; s.save_file({k: v.contiguous() for k, v in "
           "torch.load(FILE, map_location=\"cpu\").items()}, \"weights.safetensors\")";
}
