/* Owns the table of inits.  Values are drawn in double and rounded by the engine, so that float32 and float64 runs of
 * one seed start from the same numbers. */
#include "network/init.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/normal.h"
#include "base/text.h"

static double gain_of(const sn_value *init) {
    return sn_value_number(init, "gain");
}

/* Uniform on +-bound. */
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

static sn_status uniform_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng,
                              sn_error *error) {
    (void)error;
    double low = sn_value_number(init, "low"), high = sn_value_number(init, "high");
    for (size_t i = 0; i < param->count; i++)
        values[i] = fmin(low + sn_rng_uniform(rng, i) * (high - low), high); /* the sum is rounded */
    return SN_OK;
}

static sn_status check_ascending(const sn_config *config, const sn_value *init, sn_error *error) {
    double low = sn_value_number(init, "low"), high = sn_value_number(init, "high");
    if (low < high) return SN_OK;
    return sn_config_fault(config, sn_value_get(init, "high"), error,
                           "%.9g is not above low, %.9g (take constant for one value)", high, low);
}

/* Where low and high are in standard deviations from the mean. */
typedef struct cut {
    double mean, std, low, high;
} cut;

static cut cut_of(const sn_value *init) {
    double mean = sn_value_number(init, "mean"), std = sn_value_number(init, "std");
    double low = sn_value_number(init, "low"), high = sn_value_number(init, "high");
    return (cut){mean, std, (low - mean) / std, (high - mean) / std};
}

static sn_status truncated_normal_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng,
                                       sn_error *error) {
    (void)error;
    cut c = cut_of(init);
    double low = sn_value_number(init, "low"), high = sn_value_number(init, "high");
    for (size_t i = 0; i < param->count; i++) {
        double value = c.mean + c.std * sn_normal_between(sn_rng_uniform(rng, i), c.low, c.high);
        values[i] = fmin(fmax(value, low), high); /* of what is rounded */
    }
    return SN_OK;
}

static sn_status truncated_normal_check(const sn_config *config, const sn_value *init, sn_error *error) {
    sn_status status = check_ascending(config, init, error);
    cut c = cut_of(init);
    bool is_above = c.low > SN_NORMAL_FARTHEST, is_below = c.high < -SN_NORMAL_FARTHEST;
    if (status || (!is_above && !is_below)) return status;
    const sn_value *bound = is_above ? sn_value_get(init, "low") : sn_value_get(init, "high");
    return sn_config_fault(
        config, bound, error,
        "%.3g standard deviations from the mean nothing is left of the distribution, %g are possible "
        "(move mean, or take uniform)",
        is_above ? c.low : -c.high, SN_NORMAL_FARTHEST);
}

/* A column has a permutation of its own: its first places are zero.  A bias is one column. */
static sn_status sparse_fill(double *values, const sn_param *param, const sn_value *init, sn_rng rng, sn_error *error) {
    size_t rows = param->rank == 1 ? param->count : param->rows, cols = param->count / rows;
    size_t n_zeros = (size_t)ceil(sn_value_number(init, "sparsity") * (double)rows);
    uint32_t *places = malloc(rows * sizeof *places);
    if (!places) return sn_error_memory(error, rows * sizeof *places, "a sparse matrix");
    fill_normal(values, param->count, sn_value_number(init, "std"), rng);
    for (size_t c = 0; c < cols; c++) {
        sn_rng_permutation(sn_rng_stream(rng.key, "sparse", "", c), places, (uint32_t)rows);
        for (size_t k = 0; k < n_zeros; k++)
            values[places[k] * cols + c] = 0;
    }
    free(places);
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

static const sn_init *row_of(const sn_value *init) {
    const char *kind = sn_value_text(init, "kind");
    const sn_init *const *row = sn_inits;
    while (*row && strcmp((*row)->kind.name, kind) != 0)
        row++;
    return *row;
}

sn_status sn_init_check(const sn_config *config, const sn_value *init, sn_error *error) {
    const sn_init *row = init ? row_of(init) : NULL;
    return row && row->check ? row->check(config, init, error) : SN_OK;
}

sn_status sn_init_fill(double *values, const sn_node *node, const sn_param *param, uint64_t seed, sn_error *error) {
    if (!param->init) {
        for (size_t i = 0; i < param->count; i++)
            values[i] = param->start;
        return SN_OK;
    }
    const sn_init *row = row_of(param->init);
    if (!row) return sn_error_set(error, SN_FAILED, "an init of \"%s\" is not in the table", node->label);
    sn_text label = SN_TEXT_EMPTY;
    sn_text_addf(&label, "%s.%s", node->label, param->name);
    if (label.failed) return sn_error_memory(error, strlen(node->label), "a label");
    sn_rng rng = sn_rng_stream(seed, "init", sn_text_string(&label), 0);
    sn_text_free(&label);
    return row->fill(values, param, param->init, rng, error);
}

#define GAIN_KEY                                                                                                       \
    { .name = "gain", .types = SN_NUMBER, .fallback = "1", .help = "multiplies the standard deviation" }

static const sn_key gain_keys[] = {GAIN_KEY, {0}};
static const sn_key normal_keys[] = {
    {.name = "std", .types = SN_NUMBER, .fallback = "0.01", .min = 0, .max = 1e300, .help = "standard deviation"},
    GAIN_KEY,
    {0},
};
#define BOUND_KEY .types = SN_NUMBER, .min = -1e300, .max = 1e300

static const sn_key uniform_keys[] = {
    {BOUND_KEY, .name = "low", .fallback = "-0.05", .help = "least value"},
    {BOUND_KEY, .name = "high", .fallback = "0.05", .help = "greatest value"},
    {0},
};
static const sn_key truncated_normal_keys[] = {
    {BOUND_KEY, .name = "mean", .fallback = "0", .help = "of what is cut"},
    {.name = "std",
     .types = SN_NUMBER,
     .flags = SN_ABOVE_MIN,
     .fallback = "0.02",
     .min = 0,
     .max = 1e300,
     .help = "standard deviation of what is cut"},
    {BOUND_KEY, .name = "low", .fallback = "-2", .help = "least value, as it is (not in standard deviations)"},
    {BOUND_KEY, .name = "high", .fallback = "2", .help = "greatest value, likewise"},
    {0},
};
static const sn_key sparse_keys[] = {
    {.name = "sparsity",
     .types = SN_NUMBER,
     .flags = SN_REQUIRED,
     .min = 0,
     .max = 1,
     .help = "share of the rows (outputs) that is zero in every column, rounded up"},
    {.name = "std", .types = SN_NUMBER, .fallback = "0.01", .min = 0, .max = 1e300, .help = "of all other elements"},
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

#define CHECKED_INIT(variable, name_, fill_, check_, keys_, help_, formula_, source_)                                  \
    static const sn_init variable = {                                                                                  \
        {.name = name_, .help = help_, .keys = keys_, .formula = formula_, .source = source_}, fill_, check_}
#define INIT(variable, name, fill, keys, help, formula, source)                                                        \
    CHECKED_INIT(variable, name, fill, NULL, keys, help, formula, source)

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
CHECKED_INIT(uniform_init, "uniform", uniform_fill, check_ascending, uniform_keys, "a uniform distribution",
             "U(low, high)", "as torch.nn.init.uniform_");
CHECKED_INIT(truncated_normal_init, "truncated_normal", truncated_normal_fill, truncated_normal_check,
             truncated_normal_keys, "a normal distribution cut off at low and high",
             "N(mean, std^2) given low <= w <= high", "as torch.nn.init.trunc_normal_, where low is a and high is b");
INIT(sparse_init, "sparse", sparse_fill, sparse_keys, "normal, with as many zeros in every column",
     "N(0, std^2), ceil(sparsity rows) of a column 0", "Martens 2010; as torch.nn.init.sparse_");
INIT(orthogonal_init, "orthogonal", orthogonal_fill, gain_keys, "orthonormal rows (columns where there are more rows)",
     "W W^T = gain^2 I", "Saxe et al. 2013, arXiv 1312.6120");
INIT(constant_init, "constant", constant_fill, constant_keys, "one value everywhere", "w = value", NULL);
INIT(zeros_init, "zeros", zeros_fill, NULL, "zero everywhere", "w = 0", NULL);
INIT(identity_init, "identity", identity_fill, identity_keys, "ones on the diagonal", "w_ij = gain [i = j]",
     "Le et al. 2015, arXiv 1504.00941");

const sn_init *const sn_inits[] = {
    &pytorch_init,        &lecun_normal_init,
    &lecun_uniform_init,  &xavier_normal_init,
    &xavier_uniform_init, &he_normal_init,
    &he_uniform_init,     &normal_init,
    &uniform_init,        &truncated_normal_init,
    &sparse_init,         &orthogonal_init,
    &constant_init,       &zeros_init,
    &identity_init,       NULL,
};

static const sn_kind *const kinds[] = {
    &pytorch_init.kind,        &lecun_normal_init.kind,
    &lecun_uniform_init.kind,  &xavier_normal_init.kind,
    &xavier_uniform_init.kind, &he_normal_init.kind,
    &he_uniform_init.kind,     &normal_init.kind,
    &uniform_init.kind,        &truncated_normal_init.kind,
    &sparse_init.kind,         &orthogonal_init.kind,
    &constant_init.kind,       &zeros_init.kind,
    &identity_init.kind,       NULL,
};

const sn_ruler sn_ruled_by_weights[] = {{.key = "network.weights"}, {0}};
const sn_choice sn_init_choice = {.what = "init", .discriminator = "kind", .kinds = kinds, .fallback = "pytorch"};
