/* Owns lists of notes: one text, a line each. */
#include "base/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { MOST_BYTES = 4096 }; /* of a line; what is longer is cut */
static const char prefix[] = "warning: ";

/* A line as it is told. */
static void add_line(sn_text *text, char *line) {
    bool is_utf8 = sn_is_utf8(line);
    for (char *c = line; *c; c++) { /* a note is one line of UTF-8, whatever the names in it are */
        if ((unsigned char)*c < 0x20 || *c == 0x7F || (!is_utf8 && (unsigned char)*c >= 0x80)) *c = '?';
    }
    sn_text_addf(text, "%s%s\n", prefix, line);
}

/* Of the function's own arguments: clang-tidy 14 does not follow a va_list that is handed on. */
#define ADD_FORMATTED(to, format)                                                                                      \
    do {                                                                                                               \
        char line_[MOST_BYTES];                                                                                        \
        va_list args_;                                                                                                 \
        va_start(args_, format);                                                                                       \
        vsnprintf(line_, sizeof line_, format, args_);                                                                 \
        va_end(args_);                                                                                                 \
        add_line(to, line_);                                                                                           \
    } while (0)

void sn_note(sn_notes *notes, const char *format, ...) {
    if (!notes || notes->n++ >= SN_NOTES_SHOWN) return;
    ADD_FORMATTED(&notes->text, format);
}

void sn_note_always(sn_notes *notes, const char *format, ...) {
    if (!notes) return;
    ADD_FORMATTED(&notes->text, format);
}

void sn_note_aside(sn_notes *notes, const char *format, ...) {
    if (!notes) return;
    ADD_FORMATTED(&notes->asides, format);
}

void sn_notes_write(const sn_notes *notes, sn_text *text) {
    sn_text_add(text, sn_text_string(&notes->text));
    sn_text_add(text, sn_text_string(&notes->asides));
    text->failed |= notes->text.failed || notes->asides.failed;
    if (notes->n > SN_NOTES_SHOWN) sn_text_addf(text, "(%zu more warnings)\n", notes->n - SN_NOTES_SHOWN);
}

void sn_notes_json(const sn_notes *notes, sn_text *text) {
    const char *gap = "";
    sn_text line = SN_TEXT_EMPTY;
    sn_text_add(text, "[");
    for (const char *at = sn_text_string(&notes->text), *end; (end = strchr(at, '\n')); at = end + 1) {
        at += sizeof prefix - 1;
        sn_text_clear(&line);
        sn_text_add_bytes(&line, at, (size_t)(end - at));
        sn_text_add(text, gap);
        sn_text_add_json(text, sn_text_string(&line));
        gap = ", ";
    }
    sn_text_add(text, "]");
    text->failed |= line.failed;
    sn_text_free(&line);
}

void sn_notes_clear(sn_notes *notes) {
    sn_text_clear(&notes->text);
    notes->n = 0;
}

void sn_notes_reset(sn_notes *notes) {
    sn_text_free(&notes->text);
    sn_text_free(&notes->asides);
    *notes = SN_NOTES_EMPTY;
}
