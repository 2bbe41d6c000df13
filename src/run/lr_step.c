/* Reduced every so many steps. */
#include <math.h>
#include <stdlib.h>

#include "run/lr_schedule.h"

typedef struct step_keys {
    int64_t every;
    double factor;
} step_keys;

static void *step_read(const sn_value *given, int64_t steps_per_epoch) {
    (void)steps_per_epoch;
    step_keys *own = malloc(sizeof *own);
    if (own) *own = (step_keys){sn_value_integer(given, "every"), sn_value_number(given, "factor")};
    return own;
}

static double step_share(const void *keys, const sn_lr_moment *moment) {
    const step_keys *own = keys;
    int64_t reductions = moment->t / own->every;
    return pow(own->factor, (double)reductions);
}

static const sn_key keys[] = {
    {.name = "every",
     .types = SN_INTEGER,
     .flags = SN_REQUIRED,
     .min = 1,
     .max = 1e12,
     .help = "steps between two reductions"},
    {.name = "factor", .types = SN_NUMBER, .fallback = "0.1", .min = 0, .max = 1e6, .help = "of one reduction"},
    {0},
};

const sn_lr_row sn_lr_step = {
    .kind = {.name = "step",
             .help = "reduced by a factor every so many steps",
             .keys = keys,
             .formula = "lr factor^floor(t / every)"},
    .read = step_read,
    .share = step_share,
};
