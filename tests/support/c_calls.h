/* Calls of functions in the text of a C file, for tests that look at the source.  A reader of tokens, not of C: macros
 * are not expanded. */
#ifndef SN_TESTS_SUPPORT_C_CALLS_H
#define SN_TESTS_SUPPORT_C_CALLS_H

#include <stdbool.h>
#include <stddef.h>

enum { C_CALL_ARGUMENTS = 8, C_CALL_TEXT = 256 };

typedef struct c_call {
    int line;                                      /* from 1 */
    bool is_call;                                  /* a parenthesis follows the name; else it is only named */
    int n_arguments;                               /* of a call, a declaration, or a definition */
    char arguments[C_CALL_ARGUMENTS][C_CALL_TEXT]; /* as written, each run of blanks as one */
} c_call;

/* Overwrites comments by blanks, in place; lines stay where they are. */
void c_blank_comments(char *text);

/* Copies the next identifier or number of `text`, which has no comments, from *position on (0 at first), outside
 * strings; *position then stands behind it.  False at the end. */
bool c_next_word(const char *text, size_t *position, char word[C_CALL_TEXT]);

/* Reads what follows the name that ends at `position`.  What is longer than there is room for fails the test. */
void c_read_call(const char *text, size_t position, c_call *call);

#endif
