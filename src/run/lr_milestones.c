/* Reduced at steps or epochs that are given.
 *
 * They are those of the run, as the columns step and epoch count them, whatever the warm-up: the recipe of He et al.
 * 2015 (arXiv 1512.03385) is "divide it by 10 at 32k and 48k iterations".  What lies within the warm-up counts at its
 * end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/lr_schedule.h"

static const char *const units[] = {"steps", "epochs", NULL};

typedef struct milestones_keys {
    double factor;
    int64_t unit; /* steps */
    size_t n;
    int64_t at[]; /* (n) in units, ascending */
} milestones_keys;

static void *milestones_read(const sn_value *given, int64_t steps_per_epoch) {
    const sn_value *at = sn_value_get(given, "at");
    size_t n = sn_value_count(at);
    milestones_keys *own = malloc(sizeof *own + n * sizeof *own->at);
    if (!own) return NULL;
    own->factor = sn_value_number(given, "factor");
    own->unit = strcmp(sn_value_text(given, "unit"), "epochs") == 0 ? steps_per_epoch : 1;
    own->n = 0;
    for (const sn_value *element = sn_value_first(at); element; element = sn_value_next(element))
        own->at[own->n++] = sn_value_integer(element, "");
    return own;
}

static double milestones_share(const void *keys, const sn_lr_moment *moment) {
    const milestones_keys *own = keys;
    int64_t position = moment->step / own->unit;
    size_t passed = 0;
    while (passed < own->n && own->at[passed] <= position)
        passed++;
    return pow(own->factor, (double)passed);
}

static void milestones_check(const sn_config *config, const sn_value *given, sn_error *error) {
    int64_t last = 0;
    const sn_value *at = sn_value_get(given, "at");
    for (const sn_value *element = sn_value_first(at); element; element = sn_value_next(element)) {
        int64_t milestone = sn_value_integer(element, "");
        if (milestone <= last) {
            sn_config_fault(config, element, error, "milestones ascend, %lld stands before it (%s)", (long long)last,
                            milestone == last ? "leave one of them out" : "put them in order");
        }
        last = milestone;
    }
}

static const sn_key milestone = {
    .types = SN_INTEGER, .min = 1, .max = 1e12, .help = "a step or an epoch of the run, the first one that is reduced"};
static const sn_key keys[] = {
    {.name = "at",
     .types = SN_LIST,
     .flags = SN_REQUIRED | SN_NOT_EMPTY,
     .element = &milestone,
     .help = "where the rate is reduced, ascending; counted from the start of the run, warm-up included"},
    {.name = "unit", .types = SN_WORD, .fallback = "\"steps\"", .words = units, .help = "what at counts"},
    {.name = "factor", .types = SN_NUMBER, .fallback = "0.1", .min = 0, .max = 1e6, .help = "of one reduction"},
    {0},
};

const sn_lr_row sn_lr_milestones = {
    .kind = {.name = "milestones",
             .help = "reduced by a factor at given steps or epochs",
             .keys = keys,
             .formula = "lr factor^(milestones passed)",
             .source = "He et al. 2015, arXiv 1512.03385; as torch.optim.lr_scheduler.MultiStepLR"},
    .read = milestones_read,
    .share = milestones_share,
    .check = milestones_check,
};
