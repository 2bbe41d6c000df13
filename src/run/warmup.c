/* Owns the window of errors that ends a warm-up by result. */
#include "run/warmup.h"

#include <math.h>
#include <string.h>

void sn_warmup_init(sn_warmup *warmup, const sn_lr_schedule *schedule) {
    *warmup = (sn_warmup){.end = sn_lr_schedule_by_result(schedule) ? -1 : schedule->warmup_steps};
}

/* Always in the order of the places, so that a run that was resumed adds up to the same. */
double sn_warmup_error(const sn_warmup *warmup) {
    double sum = 0;
    for (int i = 0; i < SN_WARMUP_WINDOW; i++)
        sum += warmup->errors[i];
    return sum / SN_WARMUP_WINDOW;
}

void sn_warmup_note(sn_warmup *warmup, const sn_lr_schedule *schedule, int64_t step, double accuracy) {
    if (warmup->end >= 0) return;
    warmup->errors[step % SN_WARMUP_WINDOW] = 1 - accuracy;
    bool is_full = step + 1 >= SN_WARMUP_WINDOW;
    if (is_full && sn_warmup_error(warmup) < schedule->warmup_until_error) warmup->end = step + 1;
}

void sn_warmup_encode(const sn_warmup *warmup, double doubles[SN_WARMUP_DOUBLES]) {
    doubles[0] = (double)warmup->end;
    memcpy(doubles + 1, warmup->errors, sizeof warmup->errors);
}

bool sn_warmup_decode(sn_warmup *warmup, const void *doubles, int64_t step) {
    double values[SN_WARMUP_DOUBLES];
    memcpy(values, doubles, sizeof values);
    bool is_sound = values[0] == -1 || (values[0] >= SN_WARMUP_WINDOW && values[0] <= (double)step);
    for (int i = 1; i < SN_WARMUP_DOUBLES; i++)
        is_sound = is_sound && values[i] >= 0 && values[i] <= 1;
    if (!is_sound) return false;
    warmup->end = (int64_t)values[0];
    memcpy(warmup->errors, values + 1, sizeof warmup->errors);
    return true;
}
