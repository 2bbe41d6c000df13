/* The normal distribution, and the error function by it, as straight-line code (see elementary.h). */
#ifndef SN_KERNELS_NORMAL_H
#define SN_KERNELS_NORMAL_H

#include "kernels/elementary.h"

#if SN_IS_DOUBLE
#define SN_NORMAL_LOWEST 39.0 /* a (1 - Phi(a)) is 0 */
#define SN_ERF_ONE       6.0
#else
#define SN_NORMAL_LOWEST 14.6F
#define SN_ERF_ONE       4.0F
#endif

/* e^(-a^2/2) times 2^SHIFT for 0 <= a <= NORMAL_LOWEST.  The square in two parts: its rounding would be an error of
 * a^2/4 ulp. */
static inline real sn_normal_exp_up(real a) {
    real high = sn_upper_half(a);
    return sn_exp_minus_up(SN_REAL(0.5) * high * high, SN_REAL(0.5) * (a - high) * (a + high));
}

/* a (1 - Phi(a)) / e^(-a^2/2) for 1 <= a <= NORMAL_LOWEST: as what is missing to its limit at infinity, so that errors
 * of the quotient weigh little; error 0.02 2^-53 and 0.02 2^-24. */
static inline real sn_normal_tail(real a) {
#if SN_IS_DOUBLE
    real p = 3.7136019272976571233e-6;
    p = p * a + 0.000081803195262322581274;
    p = p * a + 0.00092316272679593737733;
    p = p * a + 0.006716083477838065177;
    p = p * a + 0.03400969228378584912;
    p = p * a + 0.12224101600453298931;
    p = p * a + 0.30545537395116481769;
    p = p * a + 0.4906125696766774814;
    p = p * a + 0.39894227960889869678;
    real q = 9.308619591287269942e-6;
    q = q * a + 0.000205050202275623235;
    q = q * a + 0.0023419516453120858963;
    q = q * a + 0.017449875686542268709;
    q = q * a + 0.092135869962399856265;
    q = q * a + 0.35568696704698228685;
    q = q * a + 1.0079129101868855146;
    q = q * a + 2.0567148370362447381;
    q = q * a + 2.8777643124978294006;
    q = q * a + 2.4830974572052390467;
#else
    real p = 0.010520576205544390991F;
    p = p * a + 0.071234483024435338205F;
    p = p * a + 0.24323011239635667035F;
    p = p * a + 0.39907441278322903005F;
    real q = 0.026372392579470192176F;
    q = q * a + 0.17847027930960983162F;
    q = q * a + 0.69086290198320453209F;
    q = q * a + 1.5104069881394317239F;
    q = q * a + 1.8649889141883539819F;
#endif
    return SN_REAL(0.39894228040143267794) - p / (q * a + 1);
}

/* erf a / a - 1 of z = a^2 for a <= 1; error 0.001 2^-53 and 0.02 2^-24 of erf a. */
static inline real sn_erf_rest(real z) {
#if SN_IS_DOUBLE
    real p = 5.9452555842234874355e-11;
    p = p * z - 1.1365670671827159274e-9;
    p = p * z + 1.4657883530953651952e-8;
    p = p * z - 1.6350026192077268531e-7;
    p = p * z + 1.646097295415376567e-6;
    p = p * z - 1.4925593518728226688e-5;
    p = p * z + 1.2055331037551108097e-4;
    p = p * z - 8.5483269787651488163e-4;
    p = p * z + 5.2239776247813697943e-3;
    p = p * z - 0.026866170645072959249;
    p = p * z + 0.11283791670954857915;
    p = p * z - 0.37612638903183747615;
    return p * z + 0.12837916709551257375;
#else
    real p = 7.8538498284294088513e-5F;
    p = p * z - 8.0102026992725067869e-4F;
    p = p * z + 5.1883304825924878339e-3F;
    p = p * z - 0.026853814582072517433F;
    p = p * z + 0.11283585248605634751F;
    p = p * z - 0.37612625837465104191F;
    return p * z + 0.12837916572955936822F;
#endif
}

/* Phi(x) for |x| <= 1 = (1 + erf(x / sqrt 2)) / 2. */
static inline real sn_normal_middle(real x) {
    real half = SN_REAL(0.35355339059327376220) * x;
    return SN_REAL(0.5) + (half * sn_erf_rest(SN_REAL(0.5) * x * x) + half);
}

/* erf a for a >= 0: from 1 on 1 - 2 (1 - Phi(sqrt(2) a)), where errors of the tail, at most 0.16, weigh little. */
static inline real sn_erf_positive(real a) {
    real small = a * sn_erf_rest(a * a) + a, most = a > SN_ERF_ONE ? SN_ERF_ONE : a;
    real exponential = sn_exp_minus_up(most * most, 0) * (SN_REAL(1.41421356237309504880) * SN_DOWN);
    real large = 1 - exponential * sn_normal_tail(SN_REAL(1.41421356237309504880) * most) / most;
    return a < 1 ? small : large;
}

static inline real sn_erf(real x) {
    return sn_from_bits(sn_to_bits(sn_erf_positive(sn_abs(x))) | (sn_to_bits(x) & SN_SIGN));
}

#endif
