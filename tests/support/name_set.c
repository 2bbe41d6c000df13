#include "support/name_set.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "support/check.h"

/* A name in brackets, so that none is found in another. */
typedef struct item {
    char text[128];
} item;

static item item_of(const char *format, va_list arguments) {
    item name = {"["};
    int room = (int)sizeof name.text - 2, length = vsnprintf(name.text + 1, (size_t)room, format, arguments);
    assert_true(length > 0 && length < room);
    strcat(name.text, "]");
    return name;
}

void name_set_add(name_set *set, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    item name = item_of(format, arguments);
    va_end(arguments);
    if (strstr(set->text, name.text)) return;
    assert_true(strlen(set->text) + strlen(name.text) < sizeof set->text);
    strcat(set->text, name.text);
}

bool name_set_has(const name_set *set, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    item name = item_of(format, arguments);
    va_end(arguments);
    return strstr(set->text, name.text) != NULL;
}
