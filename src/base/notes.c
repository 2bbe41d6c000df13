/* Owns lists of notes. */
#include "base/notes.h"

#include <stdarg.h>
#include <stdio.h>

enum { MOST_BYTES = 4096 }; /* of a line; what is longer is cut */

static void add(sn_notes *notes, const char *format, va_list args) {
    char line[MOST_BYTES];
    vsnprintf(line, sizeof line, format, args);
    sn_text_addf(&notes->text, "warning: %s\n", line);
}

void sn_note(sn_notes *notes, const char *format, ...) {
    if (!notes || notes->n++ >= SN_NOTES_SHOWN) return;
    va_list args;
    va_start(args, format);
    add(notes, format, args);
    va_end(args);
}

void sn_note_always(sn_notes *notes, const char *format, ...) {
    if (!notes) return;
    va_list args;
    va_start(args, format);
    add(notes, format, args);
    va_end(args);
}

void sn_notes_write(const sn_notes *notes, sn_text *text) {
    sn_text_add(text, sn_text_string(&notes->text));
    text->failed |= notes->text.failed;
    if (notes->n > SN_NOTES_SHOWN) sn_text_addf(text, "(%zu more warnings)\n", notes->n - SN_NOTES_SHOWN);
}

void sn_notes_reset(sn_notes *notes) {
    sn_text_free(&notes->text);
    *notes = (sn_notes){.text = SN_TEXT_EMPTY};
}
