/* A strict JSON scanner (RFC 8259): tokens with positions out of a text in memory, nothing allocated.
 *
 * It checks what lenient parsers let through: UTF-8, escapes and surrogate pairs, number grammar, numbers outside the
 * finite doubles, nesting, trailing text.  It does not build a tree. */
#ifndef SN_BASE_JSON_H
#define SN_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef enum sn_json_kind {
    SN_JSON_OBJECT_OPEN,
    SN_JSON_OBJECT_CLOSE,
    SN_JSON_ARRAY_OPEN,
    SN_JSON_ARRAY_CLOSE,
    SN_JSON_KEY, /* the string before a colon; the colon is consumed */
    SN_JSON_STRING,
    SN_JSON_NUMBER,
    SN_JSON_TRUE,
    SN_JSON_FALSE,
    SN_JSON_NULL,
    SN_JSON_END, /* after the one top-level value and trailing white space */
} sn_json_kind;

typedef struct sn_json_token {
    sn_json_kind kind;
    const char *start; /* first byte in the text (a string's opening quote) */
    size_t length;     /* bytes, quotes included */
    int line, column;  /* from 1; columns count code points */
} sn_json_token;

/* Limits: levels of nesting, and bytes of one number (an exact double needs fewer than 1100). */
enum { SN_JSON_MAX_DEPTH = 64, SN_JSON_MAX_NUMBER = 2000 };

typedef struct sn_json_scanner {
    const char *text, *end, *at;
    const char *name; /* what to call the text in messages */
    int line;
    const char
        *mark;  /* a byte of the current line, and its column: columns are counted on from there, so that a text */
    int column; /* without line ends stays linear */
    int depth;
    unsigned char stack[SN_JSON_MAX_DEPTH + 1]; /* '{' or '[' */
    int expect;                                 /* what the grammar allows next; private to json.c */
} sn_json_scanner;

/* Starts at the beginning of text[0..length). */
void sn_json_init(sn_json_scanner *scanner, const char *text, size_t length, const char *name);

/* The next token.  SN_INVALID with "NAME:LINE:COL: what is wrong, what was expected"; nothing can be read after that.
 * A number that is not zero but would round to zero is refused like one that would round to infinity. */
sn_status sn_json_next(sn_json_scanner *scanner, sn_json_token *token, sn_error *error);

/* Decodes a key or string token into `out` (capacity bytes with the NUL; at least token->length is always enough);
 * returns the length without the NUL.  A \u0000 is refused by the scanner, so the result is a proper C string. */
size_t sn_json_string(const sn_json_token *token, char *out, size_t capacity);

/* The value of a number token. */
double sn_json_number(const sn_json_token *token);

#endif
