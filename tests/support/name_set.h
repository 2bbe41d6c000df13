/* A set of names, for tests that assert what they have covered. */
#ifndef SN_TESTS_SUPPORT_NAME_SET_H
#define SN_TESTS_SUPPORT_NAME_SET_H

#include <stdbool.h>

typedef struct name_set {
    char text[8192]; /* "[one][another]" */
} name_set;

/* Adds a name, printf-like; fails the test when the set is full. */
void name_set_add(name_set *set, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool name_set_has(const name_set *set, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
