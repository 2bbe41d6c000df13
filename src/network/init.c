/* Owns the table of inits.  Values are drawn in double and rounded by the engine, so that float32 and float64 runs of
 * one seed start from the same numbers. */
#include "network/init.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static double gain_of(const sn_value *init) {
    return sn_value_number(init, "gain");
}

static void fill_uniform(double *values, size_t n, double bound, sn_rng rng) {
    for (size_t i = 0; i < n; i++)
        values[i] = (2.0 * sn_rng_uniform(rng, i) - 1.0) * bound;
}

static void fill_normal(double *values, size_t n, double std, sn_rng rng) {
    for (size_t i = 0; i < n; i++)
        values[i] = std * sn_rng_normal(rng, i);
}

/* The variance that the scheme asks for: 1/fan_in (lecun), 2/(fan_in+fan_out) (xavier), 2/fan_in (he). */
static double named_std(const char *name, const sn_param *param) {
    double fan_in = (double)param->fan_in, fan_out = (double)param->fan_out;
    if (strncmp(name, "lecun", 5) == 0) return sqrt(1.0 / fan_in);
    if (strncmp(name, "xavier", 6) == 0) return sqrt(2.0 / (fan_in + fan_out));
    return sqrt(2.0 / fan_in);
}

static sn_status pytorch_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng,
                              sn_error *error) {
    (void)error;
    fill_uniform(values, param->count, gain_of(init) / sqrt((double)param->fan_in), rng);
    return SN_OK;
}

static sn_status scheme_normal_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng,
                                    sn_error *error) {
    (void)error;
    fill_normal(values, param->count, gain_of(init) * named_std(sn_value_text(init, "kind"), param), rng);
    return SN_OK;
}

static sn_status scheme_uniform_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng,
                                     sn_error *error) {
    (void)error;
    double bound = sqrt(3.0) * gain_of(init) * named_std(sn_value_text(init, "kind"), param);
    fill_uniform(values, param->count, bound, rng);
    return SN_OK;
}

static sn_status normal_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng, sn_error *error) {
    (void)error;
    fill_normal(values, param->count, gain_of(init) * sn_value_number(init, "std"), rng);
    return SN_OK;
}

static sn_status constant_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng,
                               sn_error *error) {
    (void)rng, (void)error;
    double value = sn_value_number(init, "value");
    for (size_t i = 0; i < param->count; i++)
        values[i] = value;
    return SN_OK;
}

static sn_status zeros_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng, sn_error *error) {
    (void)init, (void)rng, (void)error;
    memset(values, 0, param->count * sizeof *values);
    return SN_OK;
}

static sn_status identity_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng,
                               sn_error *error) {
    (void)rng, (void)error;
    double gain = gain_of(init);
    memset(values, 0, param->count * sizeof *values);
    for (size_t i = 0; i < param->rows && i < param->cols; i++)
        values[i * param->cols + i] = gain;
    return SN_OK;
}

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* row i of (n, dim) minus its parts along the rows before it, scaled to length 1. */
static void orthonormalize_row(double *rows, size_t i, size_t dim) {
    double *row = rows + i * dim;
    for (size_t j = 0; j < i; j++) {
        double overlap = dot(row, rows + j * dim, dim);
        for (size_t k = 0; k < dim; k++)
            row[k] -= overlap * rows[j * dim + k];
    }
    double length = sqrt(dot(row, row, dim));
    for (size_t k = 0; k < dim; k++)
        row[k] /= length;
}

/* Gram-Schmidt on the rows of (n, dim), n <= dim; each row twice ("twice is enough", Giraud et al. 2005), so that the
 * rows are orthonormal to rounding. */
static void orthonormalize(double *rows, size_t n, size_t dim) {
    for (size_t i = 0; i < n; i++) {
        orthonormalize_row(rows, i, dim);
        orthonormalize_row(rows, i, dim);
    }
}

/* Orthonormal rows, or columns where there are more rows than columns (Saxe et al. 2013). */
static sn_status orthogonal_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng,
                                 sn_error *error) {
    bool tall = param->rows > param->cols;
    double gain = gain_of(init);
    size_t n = tall ? param->cols : param->rows, dim = tall ? param->rows : param->cols;
    double *rows = calloc(param->count, sizeof *rows);
    if (!rows) return sn_error_memory(error, param->count * sizeof *rows, "an orthogonal matrix");
    fill_normal(rows, param->count, 1.0, rng);
    orthonormalize(rows, n, dim);
    for (size_t r = 0; r < param->rows; r++) {
        for (size_t c = 0; c < param->cols; c++) {
            values[r * param->cols + c] = gain * (tall ? rows[c * dim + r] : rows[r * dim + c]);
        }
    }
    free(rows);
    return SN_OK;
}

sn_status sn_init_fill(double *values, const sn_node *node, const sn_param *param, uint64_t seed, sn_error *error) {
    if (!param->init) {
        for (size_t i = 0; i < param->count; i++)
            values[i] = param->start;
        return SN_OK;
    }
    const char *kind = sn_value_text(param->init, "kind");
    sn_text label = SN_TEXT_EMPTY;
    sn_text_addf(&label, "%s.%s", node->label, param->name);
    if (label.failed) return sn_error_memory(error, strlen(node->label), "a label");
    sn_rng rng = sn_rng_stream(seed, "init", sn_text_string(&label), 0);
    sn_text_free(&label);
    for (const sn_init *const *row = sn_inits; *row; row++) {
        if (strcmp((*row)->kind.name, kind) == 0) return (*row)->fill(values, param, param->init, rng, error);
    }
    return sn_error_set(error, SN_FAILED, "init \"%s\" is not in the table", kind);
}

#define GAIN_KEY                                                                                                       \
    { .name = "gain", .types = SN_NUMBER, .fallback = "1", .help = "multiplies the standard deviation" }

static const sn_key gain_keys[] = {GAIN_KEY, {0}};
static const sn_key normal_keys[] = {
    {.name = "std", .types = SN_NUMBER, .fallback = "0.01", .min = 0, .max = 1e300, .help = "standard deviation"},
    GAIN_KEY,
    {0},
};
static const sn_key constant_keys[] = {
    {.name = "value", .types = SN_NUMBER, .flags = SN_REQUIRED, .help = "the value of every element"},
    {0},
};
static const sn_key identity_keys[] = {
    {.name = "gain", .types = SN_NUMBER, .fallback = "1", .help = "the value on the diagonal"},
    {0},
};

#define INIT(variable, name_, fill_, keys_, help_, formula_, source_)                                                  \
    static const sn_init variable = {                                                                                  \
        {.name = name_, .help = help_, .keys = keys_, .formula = formula_, .source = source_}, fill_}

INIT(pytorch_init, "pytorch", pytorch_fill, gain_keys, "what nn.Linear does by default, biases too",
     "U(-b, b), b = gain/sqrt(fan_in)", "PyTorch documentation of torch.nn.Linear");
INIT(lecun_normal_init, "lecun_normal", scheme_normal_fill, gain_keys, "keeps the variance of linear units",
     "N(0, gain^2/fan_in)", "LeCun et al. 1998, Efficient BackProp");
INIT(lecun_uniform_init, "lecun_uniform", scheme_uniform_fill, gain_keys, "as lecun_normal, uniform",
     "U(-b, b), b = gain sqrt(3/fan_in)", "LeCun et al. 1998, Efficient BackProp");
INIT(xavier_normal_init, "xavier_normal", scheme_normal_fill, gain_keys, "between forward and backward (Glorot)",
     "N(0, 2 gain^2/(fan_in + fan_out))", "Glorot & Bengio 2010");
INIT(xavier_uniform_init, "xavier_uniform", scheme_uniform_fill, gain_keys, "as xavier_normal, uniform",
     "U(-b, b), b = gain sqrt(6/(fan_in + fan_out))", "Glorot & Bengio 2010");
INIT(he_normal_init, "he_normal", scheme_normal_fill, gain_keys, "keeps the variance of relu units",
     "N(0, 2 gain^2/fan_in)", "He et al. 2015, arXiv 1502.01852");
INIT(he_uniform_init, "he_uniform", scheme_uniform_fill, gain_keys, "as he_normal, uniform",
     "U(-b, b), b = gain sqrt(6/fan_in)", "He et al. 2015, arXiv 1502.01852");
INIT(normal_init, "normal", normal_fill, normal_keys, "a normal distribution of given width", "N(0, (gain std)^2)",
     NULL);
INIT(orthogonal_init, "orthogonal", orthogonal_fill, gain_keys, "orthonormal rows (columns where there are more rows)",
     "W W^T = gain^2 I", "Saxe et al. 2013, arXiv 1312.6120");
INIT(constant_init, "constant", constant_fill, constant_keys, "one value everywhere", "w = value", NULL);
INIT(zeros_init, "zeros", zeros_fill, NULL, "zero everywhere", "w = 0", NULL);
INIT(identity_init, "identity", identity_fill, identity_keys, "ones on the diagonal", "w_ij = gain [i = j]",
     "Le et al. 2015, arXiv 1504.00941");

const sn_init *const sn_inits[] = {
    &pytorch_init,
    &lecun_normal_init,
    &lecun_uniform_init,
    &xavier_normal_init,
    &xavier_uniform_init,
    &he_normal_init,
    &he_uniform_init,
    &normal_init,
    &orthogonal_init,
    &constant_init,
    &zeros_init,
    &identity_init,
    NULL,
};

static const sn_kind *const kinds[] = {
    &pytorch_init.kind,
    &lecun_normal_init.kind,
    &lecun_uniform_init.kind,
    &xavier_normal_init.kind,
    &xavier_uniform_init.kind,
    &he_normal_init.kind,
    &he_uniform_init.kind,
    &normal_init.kind,
    &orthogonal_init.kind,
    &constant_init.kind,
    &zeros_init.kind,
    &identity_init.kind,
    NULL,
};

const sn_ruler sn_ruled_by_weights[] = {{.key = "network.weights"}, {0}};
const sn_choice sn_init_choice = {.what = "init", .discriminator = "kind", .kinds = kinds, .fallback = "pytorch"};
