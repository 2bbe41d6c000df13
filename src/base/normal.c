/* Owns the quantiles of the normal distribution.  Coefficients as published, highest power first. */
#include "base/normal.h"

#include <math.h>

enum { N_COEFFICIENTS = 8 };

typedef struct fraction {
    double numerator[N_COEFFICIENTS], denominator[N_COEFFICIENTS];
} fraction;

/* |p - 1/2| <= 0.425, in 0.425^2 - (p - 1/2)^2. */
static const fraction central = {
    {2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
     1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0},
    {5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
     5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0},
};

/* sqrt(-log p) <= 5, in that less 1.6. */
static const fraction tail = {
    {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e+0,
     3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0, 1.42343711074968357734e+0},
    {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0},
};

/* Farther out, in sqrt(-log p) less 5. */
static const fraction far_tail = {
    {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e+0, 5.46378491116411436990e+0, 6.65790464350110377720e+0},
    {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0},
};

static double polynomial(const double coefficients[N_COEFFICIENTS], double r) {
    double value = coefficients[0];
    for (int i = 1; i < N_COEFFICIENTS; i++)
        value = value * r + coefficients[i];
    return value;
}

static double quotient(const fraction *f, double r) {
    return polynomial(f->numerator, r) / polynomial(f->denominator, r);
}

double sn_normal_quantile(double p) {
    double q = p - 0.5;
    if (q >= -0.425) return q * quotient(&central, 0.180625 - q * q);
    double r = sqrt(-log(p));
    return r <= 5 ? -quotient(&tail, r - 1.6) : -quotient(&far_tail, r - 5);
}

/* P(X <= x); of a large x it is 1 to all digits. */
static double below(double x) {
    return 0.5 * erfc(-x * 0.70710678118654752440);
}

/* The tails to the left and to the right of the value are formed apart, and the smaller one tells where it is.  u
 * stands for the middle of its 2^-53, so neither is ever 0.  Over a strip as narrow as the rounding of tails the
 * density is even. */
double sn_normal_between(double u, double a, double b) {
    if (b - a < 1e-9) return a + u * (b - a);
    double mass = a > 0 ? below(-a) - below(-b) : below(b) - below(a);
    double left = below(a) + (u + 0x1p-54) * mass, right = below(-b) + ((1 - u) - 0x1p-54) * mass;
    double value = left < right ? sn_normal_quantile(left) : -sn_normal_quantile(right);
    return fmin(fmax(value, a), b);
}
