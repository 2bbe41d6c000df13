/* The parts of a datapackage.json (https://specs.frictionlessdata.io/data-package/, version 1, profile
 * tabular-data-package), in the order in which they are written:
 *
 *     sn_package_open, for each CSV sn_package_resource_open, sn_package_field ..., sn_package_resource_close,
 *     then sn_package_close */
#ifndef SN_REPORT_PACKAGE_H
#define SN_REPORT_PACKAGE_H

#include <stdbool.h>

#include "base/text.h"

typedef struct sn_package_column {
    const char *name, *type, *unit, *help; /* type: of Frictionless */
} sn_package_column;

/* `title` also makes the package's name: lower-case letters, digits, dot, hyphen and underscore. */
void sn_package_open(sn_text *text, const char *title, const char *description);

/* The CSV NAME.csv. */
void sn_package_resource_open(sn_text *text, const char *name, const char *description, bool is_first);
void sn_package_field(sn_text *text, const sn_package_column *column, bool is_first);

/* `primary_key`: JSON strings separated by commas. */
void sn_package_resource_close(sn_text *text, const char *primary_key);

void sn_package_close(sn_text *text);

#endif
