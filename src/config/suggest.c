/* Owns did-you-mean.  See suggest.h for the contract. */
#include "config/suggest.h"

#include <limits.h>
#include <string.h>

enum { MAX_LENGTH = 48, MIN_PREFIX = 3 };

static char fold(char c) {
    if (c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
    return c == '-' || c == ' ' ? '_' : c;
}

bool sn_same_word(const char *a, const char *b) {
    while (*a && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

static int min(int a, int b) {
    return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours that are not edited again
 * (Damerau, "A technique for computer detection and correction of spelling errors", CACM 1964). */
static int edit_distance(const char *a, int n_a, const char *b, int n_b) {
    int rows[3][MAX_LENGTH + 1];
    for (int j = 0; j <= n_b; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n_a; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= n_b; j++) {
            bool same = fold(a[i - 1]) == fold(b[j - 1]);
            row[j] = min(min(above[j], row[j - 1]) + 1, above[j - 1] + !same);
            bool swapped = i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]);
            if (swapped) row[j] = min(row[j], above2[j - 2] + 1);
        }
    }
    return rows[n_a % 3][n_b];
}

static bool is_synonym(const sn_suggestion *s, const char *candidate) {
    for (const sn_synonym *synonym = s->synonyms; synonym && synonym->word; synonym++) {
        if (sn_same_word(synonym->word, s->word) && strcmp(synonym->meaning, candidate) == 0) return true;
    }
    return false;
}

static bool is_prefix(const char *word, const char *candidate) {
    size_t n = strlen(word), i = 0;
    while (i < n && fold(word[i]) == fold(candidate[i]))
        i++;
    return n >= MIN_PREFIX && i == n;
}

/* The distance of a candidate, INT_MAX where it is too far to be meant: a third of the letters may differ, one in any
 * case, not all. */
static int distance_of(const sn_suggestion *s, const char *candidate) {
    if (is_synonym(s, candidate)) return -1;
    size_t n_word = strlen(s->word), n = strlen(candidate);
    if (n_word > MAX_LENGTH || n > MAX_LENGTH) return INT_MAX;
    int longer = (int)(n > n_word ? n : n_word), shorter = (int)(n > n_word ? n_word : n);
    int limit = longer / 3 > 1 ? longer / 3 : 1;
    int distance = edit_distance(s->word, (int)n_word, candidate, (int)n);
    if (distance <= limit && distance < shorter) return distance;
    return !s->is_whole && is_prefix(s->word, candidate) ? MAX_LENGTH : INT_MAX;
}

sn_suggestion sn_suggestion_for(const char *word, const sn_synonym *synonyms) {
    return (sn_suggestion){.word = word, .synonyms = synonyms, .distance = INT_MAX};
}

void sn_suggestion_offer(sn_suggestion *suggestion, const char *candidate) {
    int distance = distance_of(suggestion, candidate);
    if (distance >= suggestion->distance) return;
    suggestion->distance = distance;
    suggestion->best = candidate;
}

void sn_suggestion_offer_keys(sn_suggestion *suggestion, const sn_key *keys) {
    for (; keys && keys->name; keys++)
        sn_suggestion_offer(suggestion, keys->name);
}

void sn_suggestion_write(const sn_suggestion *suggestion, sn_text *text) {
    if (suggestion->best) sn_text_addf(text, ", did you mean \"%s\"?", suggestion->best);
}
