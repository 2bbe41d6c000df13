/* The parts of a datapackage.json (https://specs.frictionlessdata.io/data-package/, version 1, profile
 * tabular-data-package), in the order in which they are written:
 *
 *     sn_package_open, sn_package_sheet for each CSV, sn_package_close */
#ifndef SN_REPORT_PACKAGE_H
#define SN_REPORT_PACKAGE_H

#include <stdbool.h>

#include "base/text.h"
#include "report/column.h"

/* `title` also makes the package's name: lower-case letters, digits, dot, hyphen and underscore. */
void sn_package_open(sn_text *text, const char *title, const char *description);

void sn_package_sheet(sn_text *text, const sn_sheet *sheet, bool is_first);

/* `members` are written behind the sheets: whole members of the package, each after a comma; "" for none. */
void sn_package_close(sn_text *text, const char *members);

#endif
