/* Owns the quoting of words for a shell.  See shell.h for the contract. */
#include "base/shell.h"

#include <string.h>

/* Bytes that mean nothing to a shell; '~' and '#' do at the start of a word, '=' in front of a command only. */
static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_@%+=:,./-", c));
}

void sn_text_add_shell(sn_text *text, const char *word) {
    const char *p = word;
    while (is_plain(*p))
        p++;
    if (*word && !*p) {
        sn_text_add(text, word);
        return;
    }
    sn_text_add(text, "'");
    for (p = word; *p; p++) {
        if (*p == '\'') {
            sn_text_add(text, "'\\''");
        } else if (*p == '\n') {
            sn_text_add(text, "'\"$n\"'");
        } else {
            sn_text_add_bytes(text, p, 1);
        }
    }
    sn_text_add(text, "'");
}
