/* The bar chart of a summary.  Private to src/report. */
#ifndef SN_REPORT_CHART_H
#define SN_REPORT_CHART_H

#include "report/summary.h"

/* Appends the chart of the summary's layers: a line of titles, the axis with its ends as powers of ten (one axis for
 * both kinds of bars, so that their lengths compare), one line per row of layers, the key to the marks.  A row of
 * several layers shows geometric means of what is not zero; nan or inf in one of them is shown in their place. */
void sn_chart_layers(const sn_summary *summary, const sn_summary_style *style, sn_text *text);

#endif
