/* Owns the mapping of labels to class indices: a sorted list of the distinct labels. */
#include "data/csv_labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

/* [+-]digits. */
static bool is_integer(const char *text) {
    const char *digits = text + (*text == '-' || *text == '+');
    return *digits && !digits[strspn(digits, "0123456789")];
}

/* Reads the text as a label of that kind; false where it is none. */
static bool read_label(sn_label *label, sn_label_kind kind) {
    errno = 0;
    switch (kind) {
    case SN_LABELS_INTEGERS:
        label->integer = is_integer(label->text) ? strtoll(label->text, NULL, 10) : 0;
        return is_integer(label->text) && errno == 0;
    case SN_LABELS_NUMBERS:
        /* Digits that 64 bits do not hold are names of some kind: as doubles, different ones could be equal. */
        if (is_integer(label->text)) strtoll(label->text, NULL, 10);
        return errno == 0 && sn_csv_number(label->text, &label->number) == SN_CELL_NUMBER;
    case SN_LABELS_TEXT:
        break;
    }
    return true;
}

static int compare_integers(const void *a, const void *b) {
    int64_t x = ((const sn_label *)a)->integer, y = ((const sn_label *)b)->integer;
    return (x > y) - (x < y);
}

static int compare_numbers(const void *a, const void *b) {
    double x = ((const sn_label *)a)->number, y = ((const sn_label *)b)->number;
    return (x > y) - (x < y);
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(((const sn_label *)a)->text, ((const sn_label *)b)->text);
}

typedef int (*comparison)(const void *, const void *);

static comparison comparison_of(sn_label_kind kind) {
    return kind == SN_LABELS_INTEGERS ? compare_integers : kind == SN_LABELS_NUMBERS ? compare_numbers : compare_texts;
}

static bool read_all(sn_label *all, size_t n, sn_label_kind kind) {
    bool fits = true;
    for (size_t i = 0; i < n && fits; i++)
        fits = read_label(&all[i], kind);
    return fits;
}

sn_status sn_labels_init(sn_labels *labels, const char *const *texts, size_t n, sn_error *error) {
    *labels = (sn_labels){.kind = SN_LABELS_INTEGERS};
    sn_label *all = malloc(n * sizeof *all);
    if (!all) return sn_error_memory(error, n * sizeof *all, "labels");
    for (size_t i = 0; i < n; i++)
        all[i] = (sn_label){.text = texts[i], .first = i};
    if (!read_all(all, n, SN_LABELS_INTEGERS)) {
        labels->kind = read_all(all, n, SN_LABELS_NUMBERS) ? SN_LABELS_NUMBERS : SN_LABELS_TEXT;
    }
    comparison compare = comparison_of(labels->kind);
    qsort(all, n, sizeof *all, compare);

    size_t n_distinct = 1;
    for (size_t i = 1; i < n; i++) {
        sn_label *last = &all[n_distinct - 1];
        if (compare(last, &all[i]) != 0) {
            all[n_distinct++] = all[i];
        } else if (all[i].first < last->first) {
            *last = all[i];
        }
    }
    labels->n = n_distinct;
    labels->sorted = all;
    return SN_OK;
}

void sn_labels_reset(sn_labels *labels) {
    free(labels->sorted);
    *labels = (sn_labels){0};
}

bool sn_labels_find(const sn_labels *labels, const char *text, uint32_t *index) {
    sn_label wanted = {.text = text};
    if (!read_label(&wanted, labels->kind)) return false;
    const sn_label *found = bsearch(&wanted, labels->sorted, labels->n, sizeof wanted, comparison_of(labels->kind));
    if (found) *index = (uint32_t)(found - labels->sorted);
    return found != NULL;
}
