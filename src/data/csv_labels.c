/* Owns the mapping of labels to class indices: a sorted list of the distinct labels. */
#include "data/csv_labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* [+-]digits within 64 bits. */
static bool parse_integer(const char *text, int64_t *number) {
    const char *digits = text + (*text == '-' || *text == '+');
    if (!*digits || digits[strspn(digits, "0123456789")]) return false;
    errno = 0;
    *number = strtoll(text, NULL, 10);
    return errno == 0;
}

static int compare_numbers(const void *a, const void *b) {
    int64_t x = ((const sn_label *)a)->number, y = ((const sn_label *)b)->number;
    return (x > y) - (x < y);
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(((const sn_label *)a)->text, ((const sn_label *)b)->text);
}

sn_status sn_labels_init(sn_labels *labels, const char *const *texts, size_t n, sn_error *error) {
    *labels = (sn_labels){.are_integers = true};
    sn_label *all = malloc(n * sizeof *all);
    if (!all) return sn_error_memory(error, n * sizeof *all, "labels");
    for (size_t i = 0; i < n; i++) {
        all[i] = (sn_label){.text = texts[i]};
        if (labels->are_integers) labels->are_integers = parse_integer(texts[i], &all[i].number);
    }
    int (*compare)(const void *, const void *) = labels->are_integers ? compare_numbers : compare_texts;
    qsort(all, n, sizeof *all, compare);

    size_t n_distinct = 1;
    for (size_t i = 1; i < n; i++) {
        if (compare(&all[n_distinct - 1], &all[i]) != 0) all[n_distinct++] = all[i];
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
    if (labels->are_integers && !parse_integer(text, &wanted.number)) return false;
    const sn_label *found = bsearch(&wanted, labels->sorted, labels->n, sizeof wanted,
                                    labels->are_integers ? compare_numbers : compare_texts);
    if (found) *index = (uint32_t)(found - labels->sorted);
    return found != NULL;
}
