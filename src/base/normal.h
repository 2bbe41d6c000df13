/* The standard normal distribution in double: its distribution function turned around, and what is cut out of it. */
#ifndef SN_BASE_NORMAL_H
#define SN_BASE_NORMAL_H

/* x with P(X <= x) = p for 0 < p <= 1/2, thus x <= 0: relative error below 1e-15, p down to the smallest normal number
 * (AS241: Wichura 1988, "The percentage points of the normal distribution"). */
double sn_normal_quantile(double p);

/* The value of X on [a, b], given that it falls there, that u of [0, 1) stands for: uniform u give the distribution.  a
 * < b, either may be infinite; they are not both beyond SN_NORMAL_FARTHEST on one side.  Both tails keep their digits.
 */
#define SN_NORMAL_FARTHEST 30.0
double sn_normal_between(double u, double a, double b);

#endif
