/* Notes: what a study has to say besides its results. */
#ifndef SN_COMPARE_NOTES_H
#define SN_COMPARE_NOTES_H

#include <stddef.h>

#include "base/text.h"

typedef struct sn_notes {
    sn_text text; /* a line per note, each with its newline */
    size_t n;     /* notes by sn_note */
} sn_notes;

enum { SN_NOTES_SHOWN = 20 };

/* Adds a line "warning: ..."; of notes that every run may give rise to only the first are told, the rest counted. */
void sn_note(sn_notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for what concerns all runs: it is always told. */
void sn_note_always(sn_notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends the notes to `text`, and how many more there were. */
void sn_notes_write(const sn_notes *notes, sn_text *text);

void sn_notes_reset(sn_notes *notes);

#endif
