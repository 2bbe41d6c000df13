/* What a file of an optimizer begins with: see row.h for how often it is compiled.  It describes its row, and gives the
 * kernels of each form by one SN_RULE, or one for several forms, and one SN_FORM (kernels/update.h). */
#ifndef SN_OPS_OPTIMIZER_ROW_H
#define SN_OPS_OPTIMIZER_ROW_H

#include "ops/optimizer.h"
#include "ops/row.h"

#if !SN_DESCRIBES
#include "kernels/update.h"

#define SN_KERNELS_OF(form)                                                                                            \
    { form##_update, form##_change_sums }
#endif

#endif
