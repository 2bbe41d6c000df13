/* Notes: what a user should know besides the results: what was read by a guess, what has no effect, what does not fit.
 *
 * Library code adds lines, its caller owns the list and hands it on, src/cli prints it.  A note is neither a result nor
 * an error; it is told with --quiet, too. */
#ifndef SN_BASE_NOTES_H
#define SN_BASE_NOTES_H

#include <stddef.h>

#include "base/text.h"

typedef struct sn_notes {
    sn_text text;   /* a line per note, each with its newline */
    size_t n;       /* notes by sn_note */
    sn_text asides; /* the same for notes by sn_note_aside */
} sn_notes;

/* A list that holds nothing and owns nothing. */
#define SN_NOTES_EMPTY ((sn_notes){.text = SN_TEXT_EMPTY, .asides = SN_TEXT_EMPTY})

enum { SN_NOTES_SHOWN = 20 };

/* Adds a line "warning: ..."; of notes that every run may give rise to only the first are told, the rest counted.
 * Nobody is told where `notes` is NULL. */
void sn_note(sn_notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for what concerns all runs, or the one that there is: it is always told. */
void sn_note_always(sn_notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for what concerns this machine and no result: it is told, and left out where notes are kept with results. */
void sn_note_aside(sn_notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends the notes to `text`, and how many more there were. */
void sn_notes_write(const sn_notes *notes, sn_text *text);

/* Appends the notes as a JSON list of strings, without "warning: " and without asides. */
void sn_notes_json(const sn_notes *notes, sn_text *text);

/* Forgets all but asides. */
void sn_notes_clear(sn_notes *notes);

void sn_notes_reset(sn_notes *notes);

#endif
