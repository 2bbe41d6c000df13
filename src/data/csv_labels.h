/* Class labels of a CSV file: any text; where all are numbers, numbers. */
#ifndef SN_DATA_CSV_LABELS_H
#define SN_DATA_CSV_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct sn_label {
    const char *text; /* as it stands first; not owned */
    size_t first;     /* where that is among the texts */
    int64_t integer;
    double number;
} sn_label;

/* What all labels of a file are, and how they are sorted. */
typedef enum sn_label_kind {
    SN_LABELS_TEXT,     /* bytewise */
    SN_LABELS_INTEGERS, /* by number, exact in 64 bits; "07" is 7 */
    SN_LABELS_NUMBERS   /* by number, as doubles; "10.0" is 10 */
} sn_label_kind;

/* The classes, sorted; the place of a label is its class index. */
typedef struct sn_labels {
    size_t n;
    sn_label_kind kind;
    sn_label *sorted;
} sn_labels;

/* Collects the classes of texts[0..n), n >= 1, which must outlive the record. */
sn_status sn_labels_init(sn_labels *labels, const char *const *texts, size_t n, sn_error *error);
void sn_labels_reset(sn_labels *labels);

/* The class index of a label; false if there is no such class. */
bool sn_labels_find(const sn_labels *labels, const char *text, uint32_t *index);

#endif
