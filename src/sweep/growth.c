/* Owns the judgement of a sweep's config against the one that lies in its directory. */
#include "sweep/growth.h"

#include "base/text.h"
#include "run/lr_schedule.h"

static sn_status refuse(const sn_growth *growth, const char *keys, const char *hint, sn_error *error) {
    return sn_error_set(error, SN_INVALID,
                        "%s belongs to a sweep of another config; they differ in: %s (%stake another --out, or remove "
                        "%s with all that was made from it)",
                        growth->file, keys, hint, growth->out);
}

/* Of two configs that differ in their length alone: whether the fresh one is shorter as far as they can be compared. */
static bool is_shorter(const sn_value *was, const sn_value *is) {
    bool has_steps = sn_value_get(was, "train.steps"), wants_steps = sn_value_get(is, "train.steps");
    if (has_steps != wants_steps) return false;
    if (has_steps) return sn_value_integer(is, "train.steps") < sn_value_integer(was, "train.steps");
    return sn_value_integer(is, "train.epochs") < sn_value_integer(was, "train.epochs");
}

sn_status sn_growth_check(const sn_growth *growth, const sn_config *old, const sn_config *fresh, sn_error *error) {
    if (sn_config_hash(old) == sn_config_hash(fresh)) return SN_OK;
    bool is_kin = sn_config_hash_but_length(old) == sn_config_hash_but_length(fresh);
    const sn_value *was = sn_config_root(old), *is = sn_config_root(fresh);
    sn_text keys = SN_TEXT_EMPTY;
    sn_config_differences(old, fresh, &keys);
    const char *differ = sn_text_string(&keys), *hint = is_kin ? "--resume makes its runs longer, or " : "";
    sn_status status = SN_OK;
    if (!is_kin || !growth->resume) {
        status = refuse(growth, differ, is_shorter(was, is) ? "" : hint, error);
    } else if (is_shorter(was, is)) {
        status = sn_error_set(error, SN_INVALID,
                              "%s belongs to a sweep of longer runs (%s): runs can be made longer, not shorter (take "
                              "another --out)",
                              growth->file, differ);
    } else if (sn_lr_schedule_knows_end(sn_value_get(was, "train.lr_schedule"))) {
        status = sn_error_set(error, SN_INVALID,
                              "%s belongs to a sweep of runs whose learning rates depend on their length "
                              "(train.lr_schedule %s): they cannot be made longer (take another --out)",
                              growth->file, sn_value_text(was, "train.lr_schedule.kind"));
    }
    sn_text_free(&keys);
    return status;
}
