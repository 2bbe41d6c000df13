/* Owns what optimizers share. */
#include "ops/optimizer.h"

#include <float.h>

const sn_key sn_beta_key = {.types = SN_NUMBER, .flags = SN_BELOW_MAX, .min = 0, .max = 1};

sn_status sn_check_betas(const sn_config *config, const sn_value *given, sn_error *error) {
    const sn_value *betas = sn_value_get(given, "betas");
    size_t n = sn_value_count(betas);
    if (n == 2) return SN_OK;
    return sn_config_fault(config, betas, error, "has %zu number%s, expected two: [beta1, beta2]", n,
                           n == 1 ? "" : "s");
}

double sn_eps_limit(double eps) {
    double square = eps * eps;
    return eps > 0 && square < DBL_TRUE_MIN ? DBL_TRUE_MIN : square;
}
