/* One rate throughout. */
#include "run/lr_schedule.h"

static double constant_share(const void *keys, const sn_lr_moment *moment) {
    (void)keys, (void)moment;
    return 1;
}

const sn_lr_row sn_lr_constant = {
    .kind = {.name = "constant", .help = "one rate throughout", .formula = "lr"},
    .share = constant_share,
};
