/* A plan in words: what `skipnet check --plan` prints. */
#ifndef SN_PLAN_PRINT_H
#define SN_PLAN_PRINT_H

#include "base/text.h"
#include "plan/plan.h"

/* Appends the plan as a person can follow it: its sizes; the walk in the order of time, with where every signal lives,
 * what is read and where gradients flow; the buffers with their lifetimes and who lives in them; the work items in the
 * order in which they are taken.  `threads` and `real_size`, the bytes of an element, are those of sn_plan_bytes.  It
 * is a function of its arguments.  text->failed where memory runs out. */
void sn_plan_text(const sn_plan *plan, int threads, size_t real_size, sn_text *text);

#endif
