/* A safetensors file, through each reader of such files.
 *
 * The engine that loads it is made once; its tensors are named and shaped so that a file can fit. */
#include "engine/backend.h"
#include "engine/engine.h"
#include "input.h"
#include "ops/table.h"
#include "run/language.h"

static sn_error error;

static const char network[] =
    "{\"network\": {\"layers\": [{\"op\": \"linear\", \"label\": \"a\", \"units\": 2}, {\"op\": \"batch_norm\", "
    "\"label\": \"n\"}, {\"op\": \"linear\", \"label\": \"b\", \"units\": 1}]}}";

static sn_engine *make_engine(void) {
    static sn_config *config;
    static sn_graph graph;
    const sn_backend *backend = NULL;
    sn_engine *engine = NULL;
    sn_status status = sn_config_parse(&config, &sn_language, network, sizeof network - 1, "fuzz", "", &error);
    if (!status) status = sn_backend_select(&backend, SN_F32, &error);
    if (status || !backend) {
        fuzz_require(false, "no network", error.text);
        return NULL;
    }
    sn_graph_request request = {.config = config,
                                .network = sn_value_get(sn_config_root(config), "network"),
                                .ops = sn_ops,
                                .input = {.rank = 1, .dim = {2}},
                                .out_dim = 1};
    sn_engine_options options = {.batch = 2, .threads = 1, .objective = {.loss = sn_loss_find("mean_squared_error")}};
    status = sn_graph_build(&graph, &request, &error);
    if (!status) status = sn_engine_new(&engine, &graph, backend, &options, &error);
    fuzz_require(status == SN_OK, "no engine", error.text);
    return engine;
}

/* Every tensor that a file offers can be found by its name, and its bytes can be read. */
static sn_status read_tensors(const char *path) {
    sn_safetensors *file = NULL;
    sn_status status = sn_safetensors_read(&file, path, &error);
    if (status) return status;
    for (size_t i = 0; i < sn_safetensors_count(file); i++) {
        const sn_tensor *tensor = sn_safetensors_at(file, i);
        size_t size = sn_dtype_size(tensor->dtype);
        for (int d = 0; d < tensor->rank; d++)
            size *= (size_t)tensor->shape[d];
        fuzz_touch(tensor->data, size);
        fuzz_require(sn_safetensors_find(file, tensor->name) == tensor, "a tensor that is not found", tensor->name);
    }
    sn_safetensors_free(file);
    return SN_OK;
}

static sn_status load_weights(const char *path) {
    static sn_engine *engine;
    if (!engine) engine = make_engine();
    return sn_engine_load_weights(engine, path, &error);
}

static sn_status (*const readers[])(const char *path) = {read_tensors, load_weights};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(0, data, size);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        sn_error_clear(&error);
        sn_status status = readers[i](path);
        fuzz_require((status == SN_OK) == (error.length == 0), "a status that its message belies", error.text);
    }
    return 0;
}
