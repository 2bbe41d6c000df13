/* Owns the table of learning-rate schedules, what they share, and the rate of a step. */
#include "run/lr_schedule.h"

#include <stdlib.h>
#include <string.h>

#include "run/lr_schedules.h"

#define SN_DECLARE_ROW(name) extern const sn_lr_row sn_lr_##name;
#define SN_LIST_ROW(name)    &sn_lr_##name,
#define SN_LIST_KIND(name)   &sn_lr_##name.kind,

SN_LR_SCHEDULES(SN_DECLARE_ROW)

static const sn_lr_row *const rows[] = {SN_LR_SCHEDULES(SN_LIST_ROW) NULL};

static const sn_lr_row *row_of(const sn_value *given) {
    const char *name = sn_value_text(given, "kind");
    int i = 0;
    while (rows[i + 1] && strcmp(rows[i]->kind.name, name) != 0)
        i++;
    return rows[i];
}

sn_status sn_lr_schedule_init(sn_lr_schedule *schedule, const sn_value *train, int64_t steps, int64_t steps_per_epoch,
                              sn_error *error) {
    const sn_value *given = sn_value_get(train, "lr_schedule");
    bool by_result = sn_value_get(given, "warmup_until_error");
    *schedule = (sn_lr_schedule){
        .row = row_of(given),
        .lr = sn_value_number(train, "lr"),
        .warmup_steps = sn_value_integer(given, "warmup_steps"),
        .warmup_lr = by_result ? sn_value_number(given, "warmup_lr") : 0,
        .warmup_until_error = by_result ? sn_value_number(given, "warmup_until_error") : 0,
        .steps = steps,
    };
    if (!schedule->row->read) return SN_OK;
    schedule->keys = schedule->row->read(given, steps_per_epoch);
    return schedule->keys ? SN_OK : sn_error_memory(error, sizeof *schedule, "a learning-rate schedule");
}

void sn_lr_schedule_reset(sn_lr_schedule *schedule) {
    free(schedule->keys);
    *schedule = (sn_lr_schedule){0};
}

static void check_warmup(const sn_config *config, const sn_value *given, bool has_accuracy, sn_error *error) {
    const sn_value *rate = sn_value_get(given, "warmup_lr"), *until = sn_value_get(given, "warmup_until_error"),
                   *steps = sn_value_get(given, "warmup_steps");
    if (rate && !until) {
        sn_config_fault(config, rate, error,
                        "needs warmup_until_error beside it, the error at which that rate ends (or take warmup_steps)");
    }
    if (!until) return;
    if (!rate) sn_config_fault(config, until, error, "needs warmup_lr beside it, the learning rate until then");
    if (sn_value_integer(steps, "") > 0) {
        sn_config_fault(config, steps, error,
                        "a warm-up is by steps or by result, not both (leave out warmup_steps, or warmup_lr and "
                        "warmup_until_error)");
    }
    if (!has_accuracy) {
        sn_config_fault(config, until, error,
                        "needs class labels, whose errors it counts; these data have regression targets (take "
                        "warmup_steps)");
    }
}

void sn_lr_schedule_check(const sn_config *config, bool has_accuracy, sn_error *error) {
    const sn_value *given = sn_value_get(sn_config_root(config), "train.lr_schedule");
    const sn_lr_row *row = row_of(given);
    check_warmup(config, given, has_accuracy, error);
    if (row->check) row->check(config, given, error);
}

bool sn_lr_schedule_by_result(const sn_lr_schedule *schedule) {
    return schedule->warmup_until_error > 0;
}

bool sn_lr_schedule_knows_end(const sn_value *given) {
    return row_of(given)->knows_end;
}

double sn_learning_rate(const sn_lr_schedule *schedule, int64_t warmup_end, int64_t step) {
    const sn_lr_schedule *s = schedule;
    if (warmup_end < 0 || step < warmup_end) {
        return sn_lr_schedule_by_result(s) ? s->warmup_lr : s->lr * (double)(step + 1) / (double)s->warmup_steps;
    }
    sn_lr_moment moment = {.step = step, .t = step - warmup_end, .total = s->steps - warmup_end};
    return s->lr * s->row->share(s->keys, &moment);
}

static const sn_key common_keys[] = {
    {.name = "warmup_steps",
     .types = SN_INTEGER,
     .fallback = "0",
     .min = 0,
     .max = 1e12,
     .help = "steps over which the rate rises linearly from 0; t and T are counted after the warm-up"},
    {.name = "warmup_lr",
     .types = SN_NUMBER | SN_NULL,
     .flags = SN_ABOVE_MIN,
     .min = 0,
     .max = 1e300,
     .help = "the rate of a warm-up by result (He et al. 2015, 4.2)"},
    {.name = "warmup_until_error",
     .types = SN_NUMBER | SN_NULL,
     .flags = SN_ABOVE_MIN,
     .min = 0,
     .max = 1,
     .help = "it ends when the mean error (1 - batch_accuracy) of the last 100 steps is below this"},
    {0},
};

static const sn_kind *const kinds[] = {SN_LR_SCHEDULES(SN_LIST_KIND) NULL};
const sn_choice sn_lr_schedule_choice = {.what = "learning-rate schedule",
                                         .discriminator = "kind",
                                         .kinds = kinds,
                                         .common = common_keys,
                                         .fallback = SN_DEFAULT_LR_SCHEDULE};
