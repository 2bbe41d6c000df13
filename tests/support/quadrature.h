/* Gaussian means by the trapezoid rule, for predictions of mean-field theory. */
#ifndef SN_TESTS_SUPPORT_QUADRATURE_H
#define SN_TESTS_SUPPORT_QUADRATURE_H

/* E f(sqrt(q) Z)^2, Z ~ N(0, 1), on [-12, 12] with steps of 0.001: exact to rounding for smooth f. */
double mean_square(double (*f)(double), double q);

/* 1 - tanh(x)^2 */
double tanh_slope(double x);

#endif
