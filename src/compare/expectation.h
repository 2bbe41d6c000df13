/* What expectations.c reads and expectations_check.c checks; of no concern to others. */
#ifndef SN_COMPARE_EXPECTATION_H
#define SN_COMPARE_EXPECTATION_H

#include "base/csv.h"
#include "compare/expectations.h"

/* One row.  Texts live in the file. */
typedef struct sn_expectation {
    size_t line;
    char **cells; /* (n_keys); owned */
    int metric, statistic;
    const char *op, *value_text;
    double value;
} sn_expectation;

struct sn_expectations_file {
    sn_csv csv; /* owns the texts */
    size_t n_keys;
    char **keys;
    sn_expectation *rows;
};

/* Whether an op is known; all of them, for messages; whether `figure OP value` holds (nothing holds for nan). */
#define SN_OP_NAMES "<, <=, >, >=, ==, !="
bool sn_op_is_known(const char *op);
bool sn_op_holds(const char *op, double figure, double value);

#endif
