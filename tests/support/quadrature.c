#include "support/quadrature.h"

#include <math.h>

enum { NODES = 24001 };

double mean_square(double (*f)(double), double q) {
    static double weights[NODES];
    const double h = 24.0 / (NODES - 1);
    double root = sqrt(q), sum = 0;
    if (weights[0] == 0) {
        for (int i = 0; i < NODES; i++) {
            double z = i * h - 12;
            weights[i] = exp(-z * z / 2) * h / sqrt(2 * M_PI);
        }
    }
    for (int i = 0; i < NODES; i++) {
        double y = f(root * (i * h - 12));
        sum += weights[i] * y * y;
    }
    return sum;
}

double tanh_slope(double x) {
    double t = tanh(x);
    return 1 - t * t;
}
