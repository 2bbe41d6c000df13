/* Owns the drawing of whole configs.  Activations and inits are those of the program; of what is listed here,
 * test_draws tells which of the program's are missing. */
#include <string.h>

#include "network/init.h"
#include "support/check.h"
#include "support/random_graph.h"

enum { IMAGES_EVERY = 4 }; /* graphs: one of so many has images, made of the features where the data are none */

/* A config under construction. */
typedef struct draft {
    sn_text text;
    random_draws draws;
    uint64_t seed;
    random_limits limits; /* `in` and `out` are those of the data */
    bool is_classes;
    bool goes_round; /* the labels of its samples do, so that there are all where there are enough samples */
} draft;

static int draw(draft *d, int n) {
    return random_below(&d->draws, n);
}

static int between(draft *d, int least, int most) {
    return least + draw(d, most - least + 1);
}

/* Appends ', "KEY": VALUE'; one draw for each call, so that no order of evaluation is left to the compiler. */
static void add_integer(draft *d, const char *key, int value) {
    sn_text_addf(&d->text, ", \"%s\": %d", key, value);
}

/* The same with one of the values: JSON, up to a NULL. */
static void add_one_of(draft *d, const char *key, const char *const *values) {
    int n = 0;
    while (values[n])
        n++;
    sn_text_addf(&d->text, ", \"%s\": %s", key, values[draw(d, n)]);
}

static const char *const flags[] = {"false", "true", NULL};

static void add_teacher(draft *d) {
    sn_text_add(&d->text, "{\"kind\": \"teacher\", \"noise\": 0.1");
    d->limits.out = between(d, 1, 4);
    add_integer(d, "in_dim", d->limits.in);
    add_integer(d, "width", between(d, 1, 20));
    add_integer(d, "out_dim", d->limits.out);
}

static void add_spirals(draft *d) {
    sn_text_add(&d->text, "{\"kind\": \"spirals\", \"noise\": 0.05");
    d->limits.in = 2;
    d->goes_round = true;
    d->limits.out = between(d, 2, 7);
    add_integer(d, "arms", d->limits.out);
}

static void add_gaussian(draft *d) {
    sn_text_add(&d->text, "{\"kind\": \"gaussian\"");
    d->limits.out = between(d, 2, 7);
    add_integer(d, "in_dim", d->limits.in);
    add_integer(d, "classes", d->limits.out);
    add_one_of(d, "normalize", flags);
}

/* Images, as vectors to what looks at no positions. */
static void add_textures(draft *d) {
    static const char *const paddings[] = {"0", "1", "2", NULL};
    sn_text_add(&d->text, "{\"kind\": \"textures\"");
    d->limits.out = between(d, 2, 7);
    int height = between(d, 3, 9), width = between(d, 3, 9), channels = between(d, 1, 3);
    d->limits.in = height * width * channels;
    d->limits.image = (sn_shape){3, {height, width, channels}};
    d->goes_round = true;
    add_integer(d, "classes", d->limits.out);
    add_integer(d, "height", height);
    add_integer(d, "width", width);
    add_integer(d, "channels", channels);
    if (draw(d, 2)) return;
    sn_text_add(&d->text, ", \"augment\": {\"flip\": true");
    add_one_of(d, "crop_padding", paddings);
    sn_text_add(&d->text, "}");
}

static void add_data(draft *d, int samples) {
    static const char *const scalings[] = {"\"standardize\"", "\"unit\"", "\"none\"", NULL};
    static const char *const image_scalings[] = {"\"per-channel\"", "\"standardize\"", NULL};
    static void (*const kinds[])(draft *) = {add_teacher, add_spirals, add_gaussian, add_gaussian, add_textures};
    enum { TEXTURES = 4 };
    int kind = draw(d, 5);
    d->limits.in = draw(d, 4) ? between(d, 1, 40) : between(d, 41, 400);
    d->is_classes = kind > 0;
    sn_text_add(&d->text, ",\n\"data\": ");
    kinds[kind](d);
    add_integer(d, "samples", samples);
    add_integer(d, "test_samples", between(d, 0, 70));
    add_one_of(d, "scaling", kind == TEXTURES ? image_scalings : scalings);
    sn_text_add(&d->text, "}");
}

static void add_skip(draft *d, const char *kind) {
    static const char *const branches[] = {
        "1", "0.5", "\"inverse_sqrt_blocks\"", "\"inverse_blocks\"", "{\"learned\": 0.3}", NULL};
    static const char *const shortcuts[] = {"1", "0.9", NULL};
    sn_text_addf(&d->text, ", \"skip\": {\"kind\": \"%s\"", kind);
    if (strcmp(kind, "none") != 0) add_integer(d, "layers_per_block", between(d, 1, 3));
    if (strcmp(kind, "concat") == 0) add_integer(d, "growth", between(d, 1, 20));
    if (strcmp(kind, "add") == 0) {
        add_one_of(d, "branch_scale", branches);
        add_one_of(d, "shortcut_scale", shortcuts);
    }
    sn_text_add(&d->text, "}");
}

static void add_activation(draft *d) {
    const function *f = random_function(&d->draws, false);
    char keys[FUNCTION_KEYS];
    function_keys(f, keys);
    sn_text_addf(&d->text, ", \"activation\": {\"kind\": \"%s\"%s}", f->op, keys);
}

/* Any init, with the keys that it must have. */
static void add_init(draft *d) {
    int n = 0;
    while (sn_init_choice.kinds[n])
        n++;
    const sn_kind *kind = sn_init_choice.kinds[draw(d, n)];
    sn_text_addf(&d->text, ", \"init\": {\"kind\": \"%s\"", kind->name);
    for (const sn_key *key = kind->keys; key && key->name; key++) {
        if (!(key->flags & SN_REQUIRED)) continue;
        if (!(key->types & SN_NUMBER))
            fail_msg("random_config.c has no value for the key %s.%s", kind->name, key->name);
        sn_text_addf(&d->text, ", \"%s\": 0.1", key->name);
    }
    sn_text_add(&d->text, "}");
}

/* Networks of images, small enough for a moment. */
static void add_resnet(draft *d) {
    static const char *const blocks[] = {"\"basic\"", "\"bottleneck\"", NULL};
    static const char *const shortcuts[] = {"\"A\"", "\"B\"", "\"C\"", NULL};
    static const char *const orders[] = {"\"post\"", "\"pre\"", NULL};
    static const char *const drops[] = {"{\"rate\": 0}", "{\"rate\": 0.2}",
                                        "{\"rate\": 0.3, \"rule\": \"uniform\", \"per\": \"batch\"}", NULL};
    static const char *const skips[] = {"\"add\"", "\"add\"", "\"none\"", NULL};
    int block = draw(d, 2);
    sn_text_addf(&d->text, "{\"family\": \"resnet\", \"depth\": %d, \"block\": %s", block ? 8 : 6, blocks[block]);
    sn_text_addf(&d->text, ", \"widths\": [%d, %d]", 1 + draw(d, 3), 4 + draw(d, 3));
    add_one_of(d, "shortcut", shortcuts);
    add_one_of(d, "order", orders);
    int skip = draw(d, 3);
    sn_text_addf(&d->text, ", \"skip\": %s", skips[skip]);
    if (skip < 2) add_one_of(d, "drop_path", drops);
    sn_text_add(&d->text, "}");
}

static void add_densenet(draft *d) {
    static const char *const compressions[] = {"1", "0.5", NULL}, *const rates[] = {"0", "0.2", NULL};
    sn_text_add(&d->text, "{\"family\": \"densenet\", \"depth\": 10");
    add_integer(d, "growth", between(d, 1, 4));
    add_one_of(d, "bottleneck", flags);
    add_one_of(d, "compression", compressions);
    add_one_of(d, "dropout", rates);
    sn_text_add(&d->text, "}");
}

static void add_family(draft *d) {
    static const char *const kinds[] = {"none", "add", "concat", "highway"};
    static const char *const orders[] = {"\"pre\"", "\"inside\"", "\"post\"", NULL};
    static const char *const unshared[] = {"\"pre\"", "\"inside\"", NULL}; /* post needs a sum */
    static const char *const norms[] = {"\"none\"", "\"none\"", "\"layer\"", "\"rms\"", "\"batch\"", NULL};
    int kind = draw(d, 4);
    sn_text_add(&d->text, "{\"family\": \"mlp\"");
    add_integer(d, "depth", between(d, 1, 12));
    add_integer(d, "width", between(d, 1, d->limits.most_units));
    add_activation(d);
    add_one_of(d, "norm", norms);
    add_init(d);
    add_one_of(d, "order", kind < 2 ? orders : unshared);
    add_skip(d, kinds[kind]);
    sn_text_add(&d->text, "}");
}

static void add_network(draft *d) {
    sn_text_add(&d->text, ",\n\"network\": ");
    d->limits.most_units = draw(d, 6) ? 40 : 600;
    d->limits.most_width = 2 * d->limits.most_units;
    sn_shape image = d->limits.image;
    if (draw(d, image.rank ? 2 : 3) == 0) {
        int kind = image.rank ? draw(d, 4) : 0;
        bool is_halved = kind == 3 && image.dim[0] >= 4 && image.dim[1] >= 4; /* twice */
        (kind == 0 ? add_family : is_halved ? add_densenet : add_resnet)(d);
        return;
    }
    if (d->seed % IMAGES_EVERY == 0) d->limits.images = d->limits.image.rank ? RANDOM_OF_INPUT : RANDOM_MADE;
    sn_text graph = random_graph(d->seed, &d->limits);
    sn_text_add(&d->text, sn_text_string(&graph));
    sn_text_free(&graph);
}

static void add_class_weights(draft *d) {
    static const char *const weights[] = {"0", "0.25", "1", "3", NULL};
    if (draw(d, 2)) {
        sn_text_add(&d->text, ", \"class_weights\": \"balanced\"");
        return;
    }
    sn_text_add(&d->text, ", \"class_weights\": [0.5");
    for (int c = 1; c < d->limits.out; c++)
        sn_text_addf(&d->text, ", %s", weights[draw(d, 4)]);
    sn_text_add(&d->text, "]");
}

/* The common loss of such data for half of them.  Targets of a teacher are no shares, as a binary cross-entropy wants
 * them. */
static void add_loss(draft *d, int samples) {
    static const char *const smoothings[] = {"0", "0.1", "0.4", NULL}, *const powers[] = {"1", "2", NULL};
    static const char *const margins[] = {"1", "0.3", NULL};
    int kind = d->is_classes ? draw(d, 8) : 1;
    const char *name = kind == 1   ? "mean_squared_error"
                       : kind == 2 ? "binary_cross_entropy"
                       : kind == 3 ? "hinge"
                                   : NULL;
    bool has_weights = (!name || kind == 3) && draw(d, 2) && d->goes_round && samples >= d->limits.out;
    sn_text_addf(&d->text, ",\n\"train\": {\"loss\": {\"kind\": \"%s\"", name ? name : "softmax_cross_entropy");
    if (!name) add_one_of(d, "label_smoothing", smoothings);
    if (kind == 3) {
        add_one_of(d, "p", powers);
        add_one_of(d, "margin", margins);
    }
    if (has_weights) add_class_weights(d);
    sn_text_add(&d->text, "}");
}

static void add_train(draft *d, int samples, int batch, int steps) {
    static const char *const optimizers[] = {"\"sgd\"",
                                             "{\"momentum\": 0.9}",
                                             "{\"momentum\": 0.8, \"nesterov\": true, \"weight_decay\": 0.01}",
                                             "{\"weight_decay\": 0.001}",
                                             "\"adam\"",
                                             "{\"kind\": \"adamw\", \"amsgrad\": true, \"decays\": \"all\"}",
                                             "{\"kind\": \"rmsprop\", \"centered\": true, \"momentum\": 0.5}",
                                             "\"lion\"",
                                             NULL};
    static const char *const rates[] = {"0.001", "0.01", "0.05", "0.2", NULL};
    static const char *const schedules[] = {"\"constant\"",
                                            "\"cosine\"",
                                            "{\"kind\": \"step\", \"every\": 2, \"warmup_steps\": 2}",
                                            "{\"kind\": \"linear\", \"final\": 0.2}",
                                            "{\"kind\": \"milestones\", \"at\": [2, 5], \"factor\": 0.5}",
                                            "{\"kind\": \"milestones\", \"at\": [1], \"unit\": \"epochs\"}",
                                            NULL};
    static const char *const clips[] = {"null", "null", "0.1", "2", NULL};
    add_loss(d, samples);
    add_integer(d, "batch_size", batch);
    add_integer(d, "steps", steps);
    add_one_of(d, "optimizer", optimizers);
    add_one_of(d, "lr", rates);
    add_one_of(d, "lr_schedule", schedules);
    add_one_of(d, "clip_norm", clips);
    add_one_of(d, "shuffle", flags);
    sn_text_add(&d->text, "}");
}

sn_text random_config(uint64_t seed) {
    static const char *const precisions[] = {"\"float32\"", "\"float32\"", "\"float64\"", NULL};
    draft d = {.draws = random_begin(seed, "config"), .seed = seed};
    /* Two rows or more, because of batch_norm; the last batch of an epoch has what is left. */
    int batch = between(&d, 2, draw(&d, 3) ? 200 : 17), whole = between(&d, 1, 3);
    int samples = batch * whole + draw(&d, batch);
    sn_text_addf(&d.text, "{\"name\": \"random%d\"", (int)seed);
    add_integer(&d, "seed", draw(&d, 1000));
    add_one_of(&d, "precision", precisions);
    add_data(&d, samples);
    add_network(&d);
    add_train(&d, samples, batch, whole + 2 + draw(&d, 3));
    sn_text_add(&d.text, ",\n\"report\": {\"schedule\": {\"kind\": \"linear\", \"every\": 2}");
    add_integer(&d, "train_eval", between(&d, 0, 150));
    sn_text_add(&d.text, "}}\n");
    assert_false(d.text.failed);
    return d.text;
}
