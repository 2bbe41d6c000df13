/* Half a cosine down to the end. */
#include <math.h>

#include "run/lr_final.h"

static double cosine_share(const void *keys, const sn_lr_moment *moment) {
    double final = *(const double *)keys;
    if (moment->total <= 0) return 1;
    double angle = 3.14159265358979323846 * (double)moment->t / (double)moment->total;
    return final + (1 - final) * 0.5 * (1 + cos(angle));
}

static const sn_key keys[] = {{SN_KEY_FINAL}, {0}};

const sn_lr_row sn_lr_cosine = {
    .kind = {.name = "cosine",
             .help = "half a cosine down to the end",
             .keys = keys,
             .formula = "lr (final + (1 - final) (1 + cos(pi t / T)) / 2)",
             .source = "Loshchilov & Hutter 2016, arXiv 1608.03983"},
    .knows_end = true,
    .read = sn_lr_final_read,
    .share = cosine_share,
};
