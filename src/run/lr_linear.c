/* A straight line down to the end. */
#include "run/lr_final.h"

static double linear_share(const void *keys, const sn_lr_moment *moment) {
    double final = *(const double *)keys;
    if (moment->total <= 0) return 1;
    return 1 - (1 - final) * ((double)moment->t / (double)moment->total);
}

static const sn_key keys[] = {{SN_KEY_FINAL}, {0}};

const sn_lr_row sn_lr_linear = {
    .kind = {.name = "linear",
             .help = "a straight line down to the end",
             .keys = keys,
             .formula = "lr (1 - (1 - final) t / T)",
             .source = "as torch.optim.lr_scheduler.LinearLR from 1 to final over T"},
    .knows_end = true,
    .read = sn_lr_final_read,
    .share = linear_share,
};
