/* Owns the progress line.  What does not fit goes piece by piece, the least telling first; the step stays. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/summary.h"

/* In the order of the line. */
enum { EPOCH, STEP, SPEED, ETA, LOSS, ACCURACY, RATIO, N_PIECES };

typedef struct pieces {
    char text[N_PIECES][64];
} pieces;

/* What can be told from the rest goes first, the phenomenon last. */
static const int drop_order[] = {EPOCH, ACCURACY, SPEED, ETA, LOSS, RATIO};

__attribute__((format(printf, 3, 4))) static void set(pieces *p, int which, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(p->text[which], sizeof p->text[which], format, args);
    va_end(args);
}

static void set_times(pieces *p, const sn_progress *progress) {
    double speed = progress->steps_per_second, eta = round(progress->eta_seconds);
    if (isfinite(speed) && speed > 0) set(p, SPEED, speed < 100 ? "%.3g/s" : "%.0f/s", speed);
    if (eta >= 0 && eta < 1e9) {
        long s = (long)eta;
        if (s < 3600) {
            set(p, ETA, "ETA %ld:%02ld", s / 60, s % 60);
        } else {
            set(p, ETA, "ETA %ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
        }
    }
}

static void set_measures(pieces *p, const sn_progress *progress) {
    /* '#' keeps trailing zeros, so that the line does not jump */
    if (progress->loss.is_measured) set(p, LOSS, "loss %#.5g", progress->loss.value);
    if (progress->accuracy.is_measured) set(p, ACCURACY, "acc %#.3g", progress->accuracy.value);
    if (progress->log10_delta_ratio.is_measured) {
        set(p, RATIO, "ratio %#.3g", progress->log10_delta_ratio.value);
    }
}

static size_t width_of(const pieces *p) {
    size_t width = 0;
    for (int i = 0; i < N_PIECES; i++) {
        size_t n = strlen(p->text[i]);
        if (n > 0) width += n + (width > 0 ? 2 : 0);
    }
    return width;
}

void sn_progress_line(const sn_progress *progress, int columns, sn_text *text) {
    pieces p = {0};
    size_t limit = columns > 0 ? (size_t)columns : 0;
    if (progress->epochs > 0) {
        double current = fmin(floor(progress->epoch) + 1, progress->epochs);
        set(&p, EPOCH, "epoch %.0f/%.0f", current, progress->epochs);
    }
    set(&p, STEP, "step %" PRId64 "/%" PRId64, progress->step, progress->steps);
    set_times(&p, progress);
    set_measures(&p, progress);
    for (size_t i = 0; i < sizeof drop_order / sizeof *drop_order && width_of(&p) > limit; i++) {
        p.text[drop_order[i]][0] = '\0';
    }
    if (strlen(p.text[STEP]) > limit) p.text[STEP][limit < sizeof p.text[STEP] ? limit : 0] = '\0';
    const char *gap = "";
    for (int i = 0; i < N_PIECES; i++) {
        if (!p.text[i][0]) continue;
        sn_text_addf(text, "%s%s", gap, p.text[i]);
        gap = "  ";
    }
}
