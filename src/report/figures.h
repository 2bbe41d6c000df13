/* The figures of a run: what a run comes to, number by number.  A figure is one row here, which the summary (text and
 * JSON), the marks of checkpoints, the reading of run.json and comparisons loop over. */
#ifndef SN_REPORT_FIGURES_H
#define SN_REPORT_FIGURES_H

#include "report/column.h"
#include "report/summary.h"

/* Where a figure is. */
typedef enum sn_figure_kind {
    SN_FIGURE_MEASURE, /* kept: an sn_measure of the summary */
    SN_FIGURE_COUNT,   /* kept: an int of the summary, of its hidden layers; -1: not measured */
    SN_FIGURE_FRAME,   /* what the summary says of the run besides: `of_frame` */
    SN_FIGURE_CSV,     /* in no summary: it is read out of the CSVs of the run */
    SN_FIGURE_SHARE,   /* the same, a count of loss.csv over the hidden layers of gradients.csv */
} sn_figure_kind;

/* Which row of loss.csv has it. */
typedef enum sn_figure_time {
    SN_AT_START,      /* that of step 0 */
    SN_AT_UPDATE,     /* that of the last update that was observed */
    SN_AT_EVALUATION, /* the last one with an evaluation that measured it */
} sn_figure_time;

/* What summary.csv does with it. */
typedef enum sn_metric_place { SN_NO_METRIC, SN_METRIC, SN_METRIC_LAST } sn_metric_place;

typedef struct sn_run_figure {
    sn_column column; /* of runs.csv, and in its table; who holds figures says how they are read */
    sn_metric_place metric;
    sn_figure_kind kind;
    size_t place;    /* of a kept one: where it stands in sn_summary */
    const char *key; /* of a kept one: in the summary of run.json */
    sn_measure (*of_frame)(const sn_summary *summary);
    const char *loss_column; /* of loss.csv; NULL: it is not there (of CSV figures: log10 of the first hidden layer's
                              * delta_rms, of gradients.csv) */
    size_t source;           /* of that column, in sn_loss_record: an sn_measure */
    sn_figure_time time;
    const char *line; /* what stands behind it in the summary for people; NULL: it is no line of its own */
} sn_run_figure;

enum { SN_N_RUN_FIGURES = 19 };
extern const sn_run_figure sn_run_figures[SN_N_RUN_FIGURES];

/* The next figure of that kind after `figure` (NULL: the first); NULL: there is none. */
const sn_run_figure *sn_run_figure_next(const sn_run_figure *figure, sn_figure_kind kind);

/* The place of a kept figure: of an sn_measure or an int, as its kind says. */
static inline void *sn_run_figure_at(const sn_run_figure *figure, sn_summary *summary) {
    return (char *)summary + figure->place;
}

/* What a summary says; SN_NOT_MEASURED for figures of CSVs. */
sn_measure sn_run_figure_of(const sn_run_figure *figure, const sn_summary *summary);

/* Keeps what the record of an observed step says for the summary: evaluations always, the others where `is_profile`,
 * that is of updates (and of the initialisation where there are none). */
void sn_run_figures_take(sn_summary *summary, const sn_loss_record *record, bool is_profile);

/* No kept count is measured yet. */
void sn_run_figures_clear(sn_summary *summary);

/* The metrics of summary.csv in their order, as numbers of figures; how many. */
int sn_metric_figures(int figures[SN_N_RUN_FIGURES]);

#endif
