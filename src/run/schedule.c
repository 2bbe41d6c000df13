/* Owns the schedules of rows and checkpoints. */
#include "run/schedule.h"

#include <math.h>
#include <string.h>

void sn_report_schedule_init(sn_report_schedule *schedule, const sn_value *report, int64_t steps,
                             int64_t steps_per_epoch) {
    *schedule = (sn_report_schedule){
        .is_log = strcmp(sn_value_text(report, "schedule.kind"), "log") == 0,
        .every = sn_value_integer(report, "schedule.every"),
        .per_decade = sn_value_integer(report, "schedule.per_decade"),
        .steps = steps,
        .steps_per_epoch = steps_per_epoch,
    };
}

bool sn_report_evaluates(const sn_report_schedule *schedule, int64_t step) {
    return step == 0 || step == schedule->steps || step % schedule->steps_per_epoch == 0;
}

/* Is there a k with round(10^(k / per_decade)) == step? */
static bool is_log_point(const sn_report_schedule *schedule, int64_t step) {
    double k = (double)schedule->per_decade * log10((double)step);
    for (int nearby = -1; nearby <= 1; nearby++) {
        double point = pow(10, (nearbyint(k) + nearby) / (double)schedule->per_decade);
        if ((int64_t)llround(point) == step) return true;
    }
    return false;
}

bool sn_report_is_due(const sn_report_schedule *schedule, int64_t step) {
    if (step <= 2 || step >= schedule->steps - 1 || sn_report_evaluates(schedule, step)) return true;
    return schedule->is_log ? is_log_point(schedule, step) : step % schedule->every == 0;
}

/* Between two checkpoints where the config does not say: they are to take less than 1 % of the time. */
static const double LEAST_SECONDS = 30, LEAST_COSTS = 100;

void sn_checkpoint_schedule_init(sn_checkpoint_schedule *schedule, const sn_value *train, int64_t steps_per_epoch) {
    const sn_value *checkpoint = sn_value_get(train, "checkpoint");
    *schedule = (sn_checkpoint_schedule){.every = steps_per_epoch, .seconds = LEAST_SECONDS, .costs = LEAST_COSTS};
    if (sn_value_get(checkpoint, "every_steps")) {
        *schedule = (sn_checkpoint_schedule){.every = sn_value_integer(checkpoint, "every_steps")};
    } else if (sn_value_get(checkpoint, "every_minutes")) {
        *schedule = (sn_checkpoint_schedule){.every = 1, .seconds = 60 * sn_value_number(checkpoint, "every_minutes")};
    }
}

bool sn_checkpoint_is_due(const sn_checkpoint_schedule *schedule, int64_t step, double seconds, double cost) {
    return step % schedule->every == 0 && seconds >= schedule->seconds && seconds >= schedule->costs * cost;
}

static const sn_key log_keys[] = {
    {.name = "per_decade",
     .types = SN_INTEGER,
     .fallback = "20",
     .min = 1,
     .max = 1000000,
     .help = "rows per tenfold number of steps"},
    {0},
};
static const sn_key linear_keys[] = {
    {.name = "every", .types = SN_INTEGER, .fallback = "1", .min = 1, .max = 1e12, .help = "steps between two rows"},
    {0},
};
static const sn_kind log_kind = {.name = "log", .help = "rows at equal ratios of steps", .keys = log_keys};
static const sn_kind linear_kind = {.name = "linear", .help = "rows at equal distances", .keys = linear_keys};
static const sn_kind *const report_kinds[] = {&log_kind, &linear_kind, NULL};
const sn_choice sn_report_schedule_choice = {
    .what = "report schedule", .discriminator = "kind", .kinds = report_kinds, .fallback = "log"};

static const sn_key every_steps_keys[] = {
    {.name = "every_steps",
     .types = SN_INTEGER,
     .flags = SN_REQUIRED,
     .min = 1,
     .max = 1e12,
     .help = "steps between two checkpoints"},
    {0},
};
static const sn_key every_minutes_keys[] = {
    {.name = "every_minutes",
     .types = SN_NUMBER,
     .flags = SN_REQUIRED | SN_ABOVE_MIN,
     .min = 0,
     .max = 1e9,
     .help = "minutes between two checkpoints"},
    {0},
};
static const sn_kind epochs_kind = {.name = "epochs",
                                    .help = "at epoch ends, 30 seconds and 100 times its cost after the last one"};
static const sn_kind every_steps_kind = {
    .name = "every_steps", .help = "every so many steps", .keys = every_steps_keys, .chosen_by = "every_steps"};
static const sn_kind every_minutes_kind = {
    .name = "every_minutes", .help = "every so many minutes", .keys = every_minutes_keys, .chosen_by = "every_minutes"};
static const sn_kind *const checkpoint_kinds[] = {&epochs_kind, &every_steps_kind, &every_minutes_kind, NULL};
const sn_choice sn_checkpoint_choice = {
    .what = "checkpoint schedule", .discriminator = "kind", .kinds = checkpoint_kinds, .fallback = "epochs"};
