/* Marks: where a run stands before a step, but for what the engine holds. */
#ifndef SN_RUN_MARK_H
#define SN_RUN_MARK_H

#include "report/summary.h"
#include "run/sink.h"

typedef struct sn_mark {
    int64_t step; /* the next one */
    sn_sink_position position;
    sn_summary summary; /* what it would show, but for name, status, fault, steps and time; owns its layers */
} sn_mark;

sn_status sn_mark_init(sn_mark *mark, int n_hidden, sn_error *error);

/* Fine on a zeroed record. */
void sn_mark_reset(sn_mark *mark);

/* Marks the step; n_hidden of the summary is that of the mark. */
void sn_mark_take(sn_mark *mark, int64_t step, const sn_sink *sink, const sn_summary *summary);

/* Brings back what the summary showed; its name, status, fault, steps, time and the place of its layers stay. */
void sn_mark_recall(const sn_mark *mark, sn_summary *summary);

/* As numbers, for a file.  What is decoded may lie at any address; false where a number is no count.  Counts stand as
 * doubles, which hold every whole number up to SN_LARGEST_COUNT. */
#define SN_LARGEST_COUNT 9007199254740992.0
size_t sn_mark_doubles(int n_hidden);

/* Step; bytes and hash of each file of the sink. */
static inline size_t sn_mark_integers(int n_files) {
    return 1 + 2 * (size_t)n_files;
}

void sn_mark_encode(const sn_mark *mark, int64_t *integers, double *doubles);
bool sn_mark_decode(sn_mark *mark, int n_files, const void *integers, const void *doubles);

#endif
