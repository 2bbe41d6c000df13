/* Every key that the program looks up by name exists.  A missing member reads as NAN, 0 or NULL, so that a misspelt key
 * would go unseen; hence this test reads the source: all calls of the accessors of config/config.h, each against the
 * key tables, or against a run.json as the program writes it.
 *
 * What an object of a call is, and what a key that is no literal stands for, is told by the tables below.  A look-up
 * that they do not know is a failure, and so is a row that no look-up needs any more. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "compare/collect.h"
#include "run/language.h"
#include "run/manifest.h"
#include "support/c_calls.h"
#include "support/check.h"

#define SOURCE_DIR SN_SOURCE_DIR "/src/"

static sn_error error;

/* ---- what the source says ---- */

/* Functions that look a key up.  All take the object before the key; those of a file hand a key on that they are
 * given. */
typedef struct accessor {
    const char *file; /* NULL: everywhere */
    const char *name;
    int object; /* number of the argument */
    int n_uses;
} accessor;

static accessor accessors[] = {
    {NULL, "sn_value_get", 0, 0},           {NULL, "sn_value_number", 0, 0},
    {NULL, "sn_value_integer", 0, 0},       {NULL, "sn_value_bool", 0, 0},
    {NULL, "sn_value_text", 0, 0},          {"data/data.c", "apply_limit", 2, 0},
    {"network/family.c", "json_of", 1, 0},  {"run/checkpoint.c", "tell_value", 0, 0},
    {"run/manifest.c", "hash_of", 0, 0},    {"run/manifest.c", "measure_of", 0, 0},
    {"run/manifest.c", "read_count", 0, 0},
};

/* Where an object stands: a dotted path in the config, kinds in parentheses where only one can be meant; behind
 * "run.json:" the path in a run.json. */
typedef struct place {
    const char *file, *object, *path;
    int n_uses;
} place;

static place places[] = {
    {"data/cifar.c", "data", "data(cifar-100)", 0},
    {"data/csv.c", "j->data", "data(csv)", 0},
    {"data/data.c", "data", "data", 0},
    {"data/gaussian.c", "data", "data(gaussian)", 0},
    {"data/images.c", "data", "data(fashion-mnist)", 0},
    {"data/source.c", "data", "data(spirals)", 0},
    {"data/spirals.c", "data", "data(spirals)", 0},
    {"data/teacher.c", "data", "data(teacher)", 0},
    {"data/textures.c", "data", "data(textures)", 0},
    {"network/densenet.c", "network", "network(densenet)", 0},
    {"network/family.c", "given", "network(mlp).skip", 0},
    {"network/family.c", "network", "network(mlp)", 0},
    {"network/family.c", "scale", "network(mlp).skip(add).branch_scale", 0},
    {"network/graph.c", "layer->config", "network(layers).layers", 0},
    {"network/graph.c", "request->network", "network", 0},
    {"network/graph.c", "sn_config_root(config)", "network(layers)", 0}, /* the expansion of a family */
    {"network/init.c", "init", "network(mlp).init", 0},
    {"network/layers.c", "entry", "network(layers).layers", 0},
    {"network/layers.c", "layer->config", "network(layers).layers", 0},
    {"network/mlp.c", "network", "network(mlp)", 0},
    {"network/resnet.c", "drop", "network(resnet).drop_path", 0},
    {"network/resnet.c", "network", "network(resnet)", 0},
    {"network/resnet.c", "r->network", "network(resnet)", 0},
    {"network/resnet.c", "request->network", "network(resnet)", 0},
    {"ops/adam.c", "given", "train.optimizer(adam)", 0},
    {"ops/add.c", "node->config", "network(layers).layers(add)", 0},
    {"ops/avg_pool.c", "node->config", "network(layers).layers(avg_pool)", 0},
    {"ops/batch_norm.c", "node->config", "network(layers).layers(batch_norm)", 0},
    {"ops/binary_cross_entropy.c", "sn_config_root(request->config)", "", 0},
    {"ops/conv.h", "node->config", "network(layers).layers(conv2d)", 0},
    {"ops/conv2d.c", "node->config", "network(layers).layers(conv2d)", 0},
    {"ops/conv_transpose2d.c", "node->config", "network(layers).layers(conv_transpose2d)", 0},
    {"ops/group_norm.c", "node->config", "network(layers).layers(group_norm)", 0},
    {"ops/hinge.c", "request->loss", "train.loss(hinge)", 0},
    {"ops/lion.c", "given", "train.optimizer(lion)", 0},
    {"ops/linear.c", "node->config", "network(layers).layers(linear)", 0},
    {"ops/mask.h", "node->config", "network(layers).layers(drop_path)", 0},
    {"ops/mean_squared_error.c", "sn_config_root(request->config)", "", 0},
    {"ops/objective.c", "request->loss", "train.loss(hinge)", 0},
    {"ops/optimizer.c", "given", "train.optimizer(adam)", 0},
    {"ops/pooling.h", "node->config", "network(layers).layers(avg_pool)", 0},
    {"ops/rmsprop.c", "given", "train.optimizer(rmsprop)", 0},
    {"ops/row_norm.h", "node->config", "network(layers).layers(rms_norm)", 0},
    {"ops/scale.c", "factor", "network(layers).layers(scale).factor", 0},
    {"ops/scale.c", "node->config", "network(layers).layers(scale)", 0},
    {"ops/sgd.c", "given", "train.optimizer(sgd)", 0},
    {"ops/subsample.c", "node->config", "network(layers).layers(subsample)", 0},
    {"ops/upsample.c", "node->config", "network(layers).layers(upsample)", 0},
    {"ops/softmax_cross_entropy.c", "request->loss", "train.loss(softmax_cross_entropy)", 0},
    {"ops/table.c", "given", "train.optimizer", 0},
    {"ops/weights.h", "init", "network(layers).layers(conv2d).init", 0},
    {"ops/weights.h", "node->config", "network(layers).layers(conv2d)", 0},
    {"run/checkpoint.c", "x", "", 0},
    {"run/directory.c", "sn_config_root(config)", "", 0},
    {"run/experiment.c", "root", "", 0},
    {"run/experiment.c", "sn_config_root(config)", "", 0},
    {"run/experiment.c", "sn_config_root(x->config)", "", 0},
    {"run/finished.c", "sn_config_root(own)", "", 0},
    {"run/finished.c", "sn_config_root(run->manifest)", "run.json:", 0},
    {"run/lr_final.h", "given", "train.lr_schedule(cosine)", 0},
    {"run/lr_milestones.c", "given", "train.lr_schedule(milestones)", 0},
    {"run/lr_schedule.c", "given", "train.lr_schedule", 0},
    {"run/lr_schedule.c", "sn_config_root(config)", "", 0},
    {"run/lr_schedule.c", "train", "train", 0},
    {"run/lr_step.c", "given", "train.lr_schedule(step)", 0},
    {"run/manifest.c", "root", "run.json:", 0},
    {"run/manifest.c", "s", "run.json:summary", 0},
    {"run/manifest.c", "sn_config_root(manifest)", "run.json:", 0},
    {"run/manifest.c", "v", "run.json:summary.layers", 0},
    {"run/schedule.c", "checkpoint", "train.checkpoint", 0},
    {"run/schedule.c", "report", "report", 0},
    {"run/schedule.c", "train", "train", 0},
    {"run/selection.c", "sn_config_root(config)", "", 0},
    {"run/selection.c", "train", "train", 0},
    {"run/selection.c", "v", "train.lr_scale", 0},
    {"run/settings.c", "report", "report", 0},
    {"run/settings.c", "root", "", 0},
    {"run/settings.c", "train", "train", 0},
    {"study/gradcheck_advice.c", "sn_config_root(config)", "", 0},
    {"study/gradcheck_advice.c", "network", "network", 0},
    {"sweep/cells.c", "sn_config_root(config)", "", 0},
    {"sweep/estimate.c", "sn_config_root(config)", "", 0},
    {"sweep/growth.c", "is", "", 0},
    {"sweep/growth.c", "was", "", 0},
    {"sweep/reuse.c", "sn_config_root(config)", "", 0},
};

/* Keys that are no literals, with what makes sure that they exist. */
typedef struct computed {
    const char *file, *key, *reason;
    int n_uses;
} computed;

static computed computed_keys[] = {
    {"compare/collect.c", "sn_origin_names[i]", "test_origins looks at each of them", 0},
    {"config/guess.c", "path", "a resolved config names it; nothing comes of one that is no key", 0},
    {"config/reader.c", "ruler->key", "cli_told_test tries each ruler of the tables", 0},
    {"data/data.c", "key", "handed on by apply_limit", 0},
    {"data/data.c", "sn_source_choice.discriminator", "it is the table's own", 0},
    {"network/families.c", "sn_network_choice.discriminator", "it is the table's own", 0},
    {"network/family.c", "key", "handed on by json_of", 0},
    {"ops/activation.c", "key->name", "it is the table's own", 0},
    {"run/checkpoint.c", "key", "handed on by tell_value", 0},
    {"run/shipped.c", "sn_comment_key.name", "it is the table's own", 0},
    {"run/manifest.c", "figure->key", "test_figures reads each of them from what was written", 0},
    {"run/manifest.c", "key", "handed on by hash_of, measure_of, read_count", 0},
};

/* What runs in every step: records are filled before, and nothing is looked up by name. */
static const char *const of_steps[] = {"engine/", "kernels/", "report/", "run/trainer.c"};

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

/* ---- what exists ---- */

/* A component of a path: "skip(add)" is the name "skip", to be of the kind "add". */
typedef struct component {
    char name[64], kind[64];
    const char *rest;
} component;

static component split(const char *path) {
    component c = {.name = "", .kind = ""};
    size_t whole = strcspn(path, "."), name = strcspn(path, ".(");
    assert_true(whole < sizeof c.name);
    memcpy(c.name, path, name);
    if (name < whole) memcpy(c.kind, path + name + 1, whole - name - 2);
    c.rest = path + whole + (path[whole] == '.');
    return c;
}

static bool exists_among(const sn_key *keys, const char *path);

static bool exists_in_choice(const sn_choice *choice, const char *kind, const char *path) {
    bool is_kind = *kind == '\0';
    for (const sn_kind *const *k = choice->kinds; *k; k++) {
        if (*kind && strcmp((*k)->name, kind) != 0) continue;
        is_kind = true;
        if (exists_among((*k)->keys, path)) return true;
    }
    return is_kind && (*path == '\0' || strcmp(path, choice->discriminator) == 0 || exists_among(choice->common, path));
}

/* Whether the key can have something at `path`, of the kind where one is given. */
static bool exists_below(const sn_key *key, const char *kind, const char *path) {
    if (key->element) return exists_below(key->element, kind, path);
    if (key->choice) return exists_in_choice(key->choice, kind, path);
    return *kind == '\0' && (*path == '\0' || exists_among(key->keys, path));
}

static bool exists_among(const sn_key *keys, const char *path) {
    component c = split(path);
    for (const sn_key *key = keys; key && key->name; key++)
        if (strcmp(key->name, c.name) == 0) return exists_below(key, c.kind, c.rest);
    return false;
}

static sn_config *manifest; /* a run.json with all that one can have */

static const sn_value *member(const sn_value *object, const char *name) {
    for (const sn_value *v = sn_value_first(object); v; v = sn_value_next(v))
        if (sn_value_name(v) && strcmp(sn_value_name(v), name) == 0) return v;
    return NULL;
}

/* Null counts: what is not known yet is written so. */
static bool exists_in_manifest(const char *path) {
    const sn_value *value = sn_config_root(manifest);
    while (*path && value) {
        component c = split(path);
        value = member(sn_value_is_list(value) ? sn_value_first(value) : value, c.name);
        path = c.rest;
    }
    return value != NULL;
}

static bool exists(const char *path) {
    static const char of_manifest[] = "run.json:";
    size_t n = strlen(of_manifest);
    return strncmp(path, of_manifest, n) == 0 ? exists_in_manifest(path + n) : exists_among(sn_language.keys, path);
}

/* ---- the check ---- */

typedef struct checker {
    const char *file; /* below src */
    sn_text faults;   /* a line each */
    int n_literals;
} checker;

static void fault(checker *c, const c_call *call, const char *what, const char *of) {
    sn_text_addf(&c->faults, "src/%s:%d: %s: %s\n", c->file, call->line, of, what);
}

static accessor *find_accessor(const char *file, const char *word) {
    for (size_t i = 0; i < COUNT(accessors); i++) {
        accessor *a = &accessors[i];
        if ((!a->file || strcmp(a->file, file) == 0) && strcmp(a->name, word) == 0) return a;
    }
    return NULL;
}

static place *find_place(const char *file, const char *object) {
    for (size_t i = 0; i < COUNT(places); i++) {
        if (strcmp(places[i].file, file) == 0 && strcmp(places[i].object, object) == 0) return &places[i];
    }
    return NULL;
}

static computed *find_computed(const char *file, const char *key) {
    for (size_t i = 0; i < COUNT(computed_keys); i++) {
        if (strcmp(computed_keys[i].file, file) == 0 && strcmp(computed_keys[i].key, key) == 0)
            return &computed_keys[i];
    }
    return NULL;
}

/* `key` without its quotes, where it is one literal. */
static bool is_literal(const char *key, char out[C_CALL_TEXT]) {
    size_t n = strlen(key);
    if (n < 2 || key[0] != '"' || strchr(key + 1, '"') != key + n - 1) return false;
    memcpy(out, key + 1, n - 2);
    out[n - 2] = '\0';
    return true;
}

static void check_literal(checker *c, const c_call *call, const char *object, const char *key) {
    c->n_literals++;
    if (*key == '\0') return; /* the object itself */
    place *p = find_place(c->file, object);
    if (!p) {
        fault(c, call, "an object that the table of places does not know", object);
        return;
    }
    p->n_uses++;
    char path[2 * C_CALL_TEXT];
    bool is_top = *p->path == '\0' || p->path[strlen(p->path) - 1] == ':';
    snprintf(path, sizeof path, "%s%s%s", p->path, is_top ? "" : ".", key);
    if (!exists(path)) fault(c, call, "no such key", path);
}

static void check_call(checker *c, accessor *a, const c_call *call) {
    if (!call->is_call || call->n_arguments < a->object + 2) {
        fault(c, call, "named, not called: its look-ups cannot be seen", a->name);
        return;
    }
    const char *object = call->arguments[a->object], *key = call->arguments[a->object + 1];
    if (strncmp(key, "const char *", 12) == 0) return; /* where it is declared or defined */
    a->n_uses++;
    for (size_t i = 0; i < COUNT(of_steps); i++) {
        if (strncmp(c->file, of_steps[i], strlen(of_steps[i])) == 0) fault(c, call, "a look-up within a step", key);
    }
    char literal[C_CALL_TEXT];
    computed *known = find_computed(c->file, key);
    if (is_literal(key, literal)) {
        check_literal(c, call, object, literal);
    } else if (known) {
        known->n_uses++;
    } else {
        fault(c, call, "a key that is no literal, nor in the table of computed keys", key);
    }
}

static void check_text(checker *c, char *text) {
    c_blank_comments(text);
    char word[C_CALL_TEXT];
    for (size_t position = 0; c_next_word(text, &position, word);) {
        accessor *a = find_accessor(c->file, word);
        if (!a) continue;
        c_call call;
        c_read_call(text, position, &call);
        check_call(c, a, &call);
    }
}

static void check_file(checker *c, const char *path) {
    char *text = NULL;
    size_t size = 0;
    assert_int_equal(sn_file_read(path, (size_t)1 << 20, &text, &size, &error), SN_OK);
    c->file = path + strlen(SOURCE_DIR);
    if (strcmp(c->file, "config/value.c") != 0) check_text(c, text); /* the accessors themselves */
    free(text);
}

/* ---- tests ---- */

static void add_unused_rows(sn_text *faults) {
    for (size_t i = 0; i < COUNT(accessors); i++)
        if (accessors[i].n_uses == 0) sn_text_addf(faults, "accessors: %s is not called\n", accessors[i].name);
    for (size_t i = 0; i < COUNT(places); i++)
        if (places[i].n_uses == 0)
            sn_text_addf(faults, "places: src/%s has no look-up in %s\n", places[i].file, places[i].object);
    for (size_t i = 0; i < COUNT(computed_keys); i++)
        if (computed_keys[i].n_uses == 0)
            sn_text_addf(faults, "computed_keys: src/%s has no %s (%s)\n", computed_keys[i].file, computed_keys[i].key,
                         computed_keys[i].reason);
}

static void test_source(void **state) {
    (void)state;
    glob_t found;
    checker c = {.faults = SN_TEXT_EMPTY};
    assert_int_equal(glob(SOURCE_DIR "*/*.[ch]", 0, NULL, &found), 0);
    assert_int_equal(glob(SOURCE_DIR "*.c", GLOB_APPEND, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_file(&c, found.gl_pathv[i]);
    assert_true(found.gl_pathc > 150 && c.n_literals > 100);
    globfree(&found);
    add_unused_rows(&c.faults);
    if (c.faults.length > 0) fail_msg("\n%s", c.faults.data);
    sn_text_free(&c.faults);
}

/* What comparisons tell apart by run.json. */
static void test_origins(void **state) {
    (void)state;
    for (int i = 0; i < SN_N_ORIGINS; i++)
        if (!exists_in_manifest(sn_origin_names[i])) fail_msg("run.json has no \"%s\"", sn_origin_names[i]);
}

/* Planted look-ups: each that cannot be right is found, and nothing else is. */
static const struct {
    const char *file, *text, *fault;
} planted[] = {
    {"run/settings.c", "sn_value_number(train, \"clip_norm\")", ""},
    {"run/settings.c", "sn_value_number(train, \"clip_nrom\")", "src/run/settings.c:1: train.clip_nrom: no such key\n"},
    {"run/settings.c", "x =\n sn_value_number( train,\n  \"optimizer.rate\")",
     "src/run/settings.c:2: train.optimizer.rate: no such key\n"},
    {"run/settings.c", "/* sn_value_number(train, \"x\") */ \"sn_value_get(train, y)\"", ""},
    {"run/settings.c", "sn_value_get(train, word)",
     "src/run/settings.c:1: word: a key that is no literal, nor in the table of computed keys\n"},
    {"run/settings.c", "sn_value_get(train, \"a\" SUFFIX)",
     "src/run/settings.c:1: \"a\" SUFFIX: a key that is no literal, nor in the table of computed keys\n"},
    {"run/settings.c", "sn_value_get(f(a, b), \"lr\")",
     "src/run/settings.c:1: f(a, b): an object that the table of places does not know\n"},
    {"run/settings.c", "look_up = sn_value_get;",
     "src/run/settings.c:1: sn_value_get: named, not called: its look-ups cannot be seen\n"},
    {"run/trainer.c", "sn_value_bool(v, \"\")", "src/run/trainer.c:1: \"\": a look-up within a step\n"},
    {"network/family.c", "json_of(&w->init, network, \"inti\", \"null\")",
     "src/network/family.c:1: network(mlp).inti: no such key\n"},
    {"network/family.c", "json_of(&w->init, network, \"layers\", \"null\")",
     "src/network/family.c:1: network(mlp).layers: no such key\n"},
    {"ops/linear.c", "sn_value_get(node->config, \"label\")", ""},
    {"ops/linear.c", "sn_value_get(node->config, \"eps\")",
     "src/ops/linear.c:1: network(layers).layers(linear).eps: no such key\n"},
    {"data/csv.c", "sn_value_get(j->data, \"kind\"), sn_value_get(j->data, \"arms\")",
     "src/data/csv.c:1: data(csv).arms: no such key\n"},
    {"run/manifest.c", "measure_of(v, \"frozen\"), measure_of(v, \"forzen\")",
     "src/run/manifest.c:1: run.json:summary.layers.forzen: no such key\n"},
    {"run/manifest.c", "hash_of(root, \"weights_hash\"), hash_of(root, \"wieghts_hash\")",
     "src/run/manifest.c:1: run.json:wieghts_hash: no such key\n"},
};

static void test_planted(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(planted); i++) {
        checker c = {.file = planted[i].file, .faults = SN_TEXT_EMPTY};
        char *text = sn_string_copy(planted[i].text);
        assert_non_null(text);
        check_text(&c, text);
        assert_string_equal(sn_text_string(&c.faults), planted[i].fault);
        free(text);
        sn_text_free(&c.faults);
    }
}

/* ---- a run.json ---- */

static void write_manifest(const sn_experiment *x, const char *path) {
    sn_summary_layer layer = {.layer = 1};
    const sn_summary summary = {.name = "n", .status = "diverged", .fault = "x", .layers = &layer, .n_hidden = 1};
    const sn_manifest all = {.experiment = x, .status = "diverged", .has_weights = true, .summary = &summary};
    if (sn_manifest_write(&all, path, &error)) fail_msg("%s", error.text);
}

static int set_up(void **state) {
    (void)state;
    static const char text[] = "{\"data\": {\"kind\": \"spirals\", \"samples\": 8}, \"network\": {\"depth\": 1}}";
    char path[] = "test_look_ups.XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) return -1;
    close(fd);
    sn_error_clear(&error);
    sn_config *config = NULL;
    sn_experiment x;
    if (sn_config_parse(&config, &sn_language, text, strlen(text), "text", "", &error)) return -1;
    if (sn_experiment_open(&x, config, 1, &error)) return -1;
    static const char *const names[] = {"a", "b", "c"};
    assert_in_range(x.data.out_dim, 1, 3);
    x.data.class_names = names;
    write_manifest(&x, path);
    sn_experiment_reset(&x);
    sn_config_free(config);
    sn_status status = sn_manifest_parse(&manifest, path, &error);
    unlink(path);
    return status ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    sn_config_free(manifest);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_planted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
