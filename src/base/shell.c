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

bool sn_shell_next(const char **at, sn_text *word) {
    const char *p = *at;
    bool is_quoted = false;
    sn_text_clear(word);
    while (*p == ' ')
        p++;
    *at = p;
    if (!*p || *p == '\n') return false;
    for (; *p && *p != '\n' && (is_quoted || *p != ' '); p++) {
        if (*p == '\'') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && strncmp(p, "\"$n\"", 4) == 0) {
            sn_text_add(word, "\n");
            p += 3;
        } else {
            if (!is_quoted && *p == '\\' && p[1]) p++;
            sn_text_add_bytes(word, p, 1);
        }
    }
    *at = p;
    return true;
}
