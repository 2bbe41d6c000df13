/* Owns the schedules of learning rates, rows and checkpoints. */
#include "run/schedule.h"

#include <math.h>
#include <string.h>

static sn_lr_kind lr_kind_of(const char *word) {
    if (strcmp(word, "step") == 0) return SN_LR_STEP;
    return strcmp(word, "cosine") == 0 ? SN_LR_COSINE : SN_LR_CONSTANT;
}

void sn_lr_schedule_init(sn_lr_schedule *schedule, const sn_value *train, int64_t steps) {
    const sn_value *given = sn_value_get(train, "lr_schedule");
    *schedule = (sn_lr_schedule){
        .kind = lr_kind_of(sn_value_text(given, "kind")),
        .lr = sn_value_number(train, "lr"),
        .warmup_steps = sn_value_integer(given, "warmup_steps"),
        .every = sn_value_integer(given, "every"),
        .factor = sn_value_number(given, "factor"),
        .final = sn_value_number(given, "final"),
        .steps = steps,
    };
}

double sn_learning_rate(const sn_lr_schedule *schedule, int64_t step) {
    const sn_lr_schedule *s = schedule;
    if (step < s->warmup_steps) return s->lr * (double)(step + 1) / (double)s->warmup_steps;
    int64_t t = step - s->warmup_steps, total = s->steps - s->warmup_steps;
    if (s->kind == SN_LR_STEP) {
        int64_t reductions = t / s->every;
        return s->lr * pow(s->factor, (double)reductions);
    }
    if (s->kind == SN_LR_COSINE && total > 0) {
        double angle = 3.14159265358979323846 * (double)t / (double)total;
        return s->lr * (s->final + (1 - s->final) * 0.5 * (1 + cos(angle)));
    }
    return s->lr;
}

bool sn_lr_schedule_knows_end(const sn_lr_schedule *schedule) {
    return schedule->kind == SN_LR_COSINE;
}

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

static const sn_key warmup_keys[] = {
    {.name = "warmup_steps",
     .types = SN_INTEGER,
     .fallback = "0",
     .min = 0,
     .max = 1e12,
     .help = "steps over which the rate rises linearly from 0"},
    {0},
};
static const sn_key step_keys[] = {
    {.name = "every",
     .types = SN_INTEGER,
     .flags = SN_REQUIRED,
     .min = 1,
     .max = 1e12,
     .help = "steps between two reductions"},
    {.name = "factor", .types = SN_NUMBER, .fallback = "0.1", .min = 0, .max = 1e6, .help = "of one reduction"},
    {0},
};
static const sn_key cosine_keys[] = {
    {.name = "final",
     .types = SN_NUMBER,
     .fallback = "0",
     .min = 0,
     .max = 1,
     .help = "share of the rate that is left at the end"},
    {0},
};
static const sn_kind constant_kind = {.name = "constant", .help = "one rate throughout"};
static const sn_kind step_kind = {.name = "step",
                                  .help = "reduced by a factor every so many steps",
                                  .keys = step_keys,
                                  .formula = "lr factor^floor(t / every)"};
static const sn_kind cosine_kind = {.name = "cosine",
                                    .help = "half a cosine down to the end",
                                    .keys = cosine_keys,
                                    .formula = "lr (final + (1 - final) (1 + cos(pi t / T)) / 2)",
                                    .source = "Loshchilov & Hutter 2016, arXiv 1608.03983"};
static const sn_kind *const lr_kinds[] = {&constant_kind, &step_kind, &cosine_kind, NULL};
const sn_choice sn_lr_schedule_choice = {.what = "learning-rate schedule",
                                         .discriminator = "kind",
                                         .kinds = lr_kinds,
                                         .common = warmup_keys,
                                         .fallback = "constant"};

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
