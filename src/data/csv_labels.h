/* Class labels of a CSV file: any text; where all are integers, numbers. */
#ifndef SN_DATA_CSV_LABELS_H
#define SN_DATA_CSV_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct sn_label {
    const char *text; /* not owned */
    int64_t number;
} sn_label;

/* The classes, sorted; the place of a label is its class index. */
typedef struct sn_labels {
    size_t n;
    bool are_integers; /* sorted by number, and "07" is 7; else sorted bytewise */
    sn_label *sorted;
} sn_labels;

/* Collects the classes of texts[0..n), n >= 1, which must outlive the record. */
sn_status sn_labels_init(sn_labels *labels, const char *const *texts, size_t n, sn_error *error);
void sn_labels_reset(sn_labels *labels);

/* The class index of a label; false if there is no such class. */
bool sn_labels_find(const sn_labels *labels, const char *text, uint32_t *index);

#endif
