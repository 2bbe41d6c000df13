/* Owns the choice of a kind and the keys of an object that has one.
 *
 * The kind is the one whose `chosen_by` key is there, else the one that the discriminator names, else the choice's
 * fallback.  Keys that only other kinds have are checked and left out, so that one config can be swept over kinds. */
#include <string.h>

#include "config/choice.h"
#include "config/document.h"
#include "config/expect.h"
#include "config/reader.h"
#include "config/suggest.h"

static const sn_kind *choose_by_key(sn_reader *reader, const cJSON *raw, const sn_choice *choice) {
    const sn_kind *chosen = NULL;
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        const cJSON *member = (*kind)->chosen_by ? sn_member(raw, (*kind)->chosen_by) : NULL;
        if (member && chosen) {
            sn_fault_key(reader->faults, member->valueint, "does not go with \"%s\", give one or the other",
                         chosen->chosen_by);
        }
        if (member && !chosen) chosen = *kind;
    }
    return chosen;
}

/* What comes from a --set is at fault before what stands in the file. */
static void fault_conflict(sn_reader *reader, const cJSON *named, const cJSON *by_key) {
    bool blame_name = sn_place_of(reader->places, named)->set > sn_place_of(reader->places, by_key)->set;
    const cJSON *blamed = blame_name ? named : by_key;
    sn_fault_key(reader->faults, blamed->valueint, "does not go with \"%s\", give one or the other",
                 (blame_name ? by_key : named)->string);
}

static const sn_kind *choose_by_name(sn_reader *reader, const cJSON *named, const sn_choice *choice) {
    const sn_key key = {.types = SN_KIND, .choice = choice};
    const sn_kind *kind = cJSON_IsString(named) ? sn_choice_find_named(choice, named->valuestring) : NULL;
    if (kind) return kind;
    if (!cJSON_IsString(named)) {
        sn_text text = SN_TEXT_EMPTY;
        sn_found_write(named, &text);
        if (text.failed) reader->failed = true;
        sn_fault_value(reader->faults, named->valueint, "expected the name of one %s, got %s", choice->what,
                       sn_text_string(&text));
        sn_text_free(&text);
    } else if ((kind = sn_choice_find(choice, named->valuestring))) {
        sn_fault_value(reader->faults, named->valueint, "\"%s\" is not named but chosen by its key: {\"%s\": ...}",
                       kind->name, kind->chosen_by);
    } else {
        sn_fault_unknown_value(reader, named, &key);
    }
    return NULL;
}

static const sn_kind *choose_fallback(sn_reader *reader, const cJSON *raw, const sn_choice *choice) {
    if (choice->fallback) return sn_choice_find(choice, choice->fallback);
    const sn_key key = {.types = SN_KIND, .choice = choice};
    sn_text text = SN_TEXT_EMPTY;
    sn_expect_names(&key, &text);
    if (text.failed) reader->failed = true;
    bool has_named = false;
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++)
        has_named |= !(*kind)->chosen_by;
    if (has_named) {
        sn_fault_missing(reader->faults, raw->valueint, choice->discriminator, "missing (one of: %s)",
                         sn_text_string(&text));
    } else {
        sn_fault_value(reader->faults, raw->valueint, "expected %s", sn_text_string(&text));
    }
    sn_text_free(&text);
    return NULL;
}

static const sn_kind *choose_kind(sn_reader *reader, const cJSON *raw, const sn_choice *choice) {
    const cJSON *named = sn_member(raw, choice->discriminator);
    const sn_kind *by_key = choose_by_key(reader, raw, choice);
    if (by_key && named) fault_conflict(reader, named, sn_member(raw, by_key->chosen_by));
    if (by_key) return by_key;
    return named ? choose_by_name(reader, named, choice) : choose_fallback(reader, raw, choice);
}

static void add_discriminator(sn_reader *reader, cJSON *out, const cJSON *raw, const sn_choice *choice,
                              const sn_kind *kind) {
    if (kind->chosen_by) return;
    const cJSON *named = sn_member(raw, choice->discriminator);
    int place = named ? named->valueint : -1;
    if (!named) {
        sn_place below = sn_place_below(reader->places, out->valueint, choice->discriminator);
        place = sn_places_add(reader->places, &below);
    }
    if (place < 0) {
        reader->failed = true;
        return;
    }
    cJSON *node = sn_resolved(reader, cJSON_CreateString(kind->name), place);
    reader->places->items[place].is_discriminator = true;
    sn_resolved_add(reader, out, &sn_discriminator_key, choice->discriminator, node);
}

/* `idle` has no effect because of the kind that was chosen. */
static void tell_of_kind(sn_reader *reader, const cJSON *raw, const cJSON *idle, const sn_choice *choice,
                         const sn_kind *kind) {
    sn_text path = SN_TEXT_EMPTY;
    sn_places_path(reader->places, raw->valueint, &path);
    if (kind->chosen_by) {
        sn_tell_idle(reader, idle, "%s.%s is given", sn_text_string(&path), kind->chosen_by);
    } else {
        sn_tell_idle(reader, idle, "%s.%s is %s", sn_text_string(&path), choice->discriminator, kind->name);
    }
    sn_text_free(&path);
}

/* Members that the kind has and that have no effect all the same. */
static void tell_members(sn_reader *reader, const cJSON *raw, const cJSON *out, const sn_choice *choice,
                         const sn_kind *kind) {
    sn_tell_ruled(reader, raw, out, kind->keys);
    sn_tell_ruled(reader, raw, out, choice->common);
    for (const sn_key *key = choice->common; key && key->name; key++) {
        const cJSON *member = sn_words_have(kind->ignores, key->name) ? sn_member(raw, key->name) : NULL;
        if (member && sn_idle_counts(reader, member, out, key)) tell_of_kind(reader, raw, member, choice, kind);
    }
}

/* Order of the keys: comment, discriminator, the kind's own, the common ones. */
cJSON *sn_resolve_kind_members(sn_reader *reader, const cJSON *raw, const sn_choice *choice, const sn_kind *kind) {
    cJSON *out = sn_resolved_container(reader, raw, cJSON_CreateObject());
    if (!out) return NULL;
    sn_resolve_member(reader, raw, &sn_comment_key, out);
    add_discriminator(reader, out, raw, choice, kind);
    for (const sn_key *key = kind->keys; key && key->name; key++)
        sn_resolve_member(reader, raw, key, out);
    for (const sn_key *key = choice->common; key && key->name; key++)
        sn_resolve_member(reader, raw, key, out);
    tell_members(reader, raw, out, choice, kind);
    return out;
}

static bool same_row(const sn_key *a, const sn_key *b) {
    return a == b || (a->types == b->types && a->flags == b->flags && a->words == b->words && a->choice == b->choice &&
                      a->keys == b->keys && a->element == b->element && !(a->min < b->min) && !(a->min > b->min) &&
                      !(a->max < b->max) && !(a->max > b->max));
}

/* Checks a value by a row whose result is not wanted; whether it fits. */
static bool fits(sn_reader *reader, const cJSON *member, const sn_key *row) {
    size_t n_faults = sn_faults_count(reader->faults);
    int n_places = reader->places->n;
    sn_idles *idles = reader->idles;
    reader->idles = NULL; /* all of it is without effect */
    cJSON_Delete(sn_resolve(reader, member, row));
    reader->idles = idles;
    reader->places->n = n_places;
    return sn_faults_count(reader->faults) == n_faults;
}

/* A key that the chosen kind does not have: it must fit one of the other kinds that have it; where it fits none, the
 * faults by the first of them are kept.  Returns false where no kind has it. */
static bool check_foreign(sn_reader *reader, const cJSON *member, const sn_choice *choice) {
    const sn_key *before = NULL;
    size_t n_faults = sn_faults_count(reader->faults), n_first = 0;
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        const sn_key *row = sn_keys_find((*kind)->keys, member->string);
        if (!row || (before && same_row(row, before))) continue;
        bool does_fit = fits(reader, member, row);
        if (before || does_fit) sn_faults_truncate(reader->faults, does_fit ? n_faults : n_first);
        if (does_fit) return true;
        n_first = sn_faults_count(reader->faults);
        before = row;
    }
    return before != NULL;
}

/* A key of another kind, in a file that chooses none: what was wanted is not what would be done. */
static void fault_unchosen(sn_reader *reader, const cJSON *member, const sn_choice *choice, const sn_kind *kind) {
    sn_text names = SN_TEXT_EMPTY;
    const char *first = NULL;
    for (const sn_kind *const *other = choice->kinds; *other; other++) {
        if ((*other)->chosen_by || !sn_keys_find((*other)->keys, member->string)) continue;
        sn_text_addf(&names, "%s\"%s\"", first ? ", " : "", (*other)->name);
        if (!first) first = (*other)->name;
    }
    if (names.failed) reader->failed = true;
    sn_fault_key(reader->faults, member->valueint,
                 "has no effect: no %s is chosen here, which means \"%s\"; the key belongs to %s (add \"%s\": \"%s\")",
                 choice->what, kind->name, sn_text_string(&names), choice->discriminator, first ? first : kind->name);
    sn_text_free(&names);
}

static void fault_unknown_key(sn_reader *reader, const cJSON *raw, const cJSON *member, const sn_choice *choice,
                              const sn_kind *kind) {
    sn_suggestion suggestion = sn_suggestion_for(member->string, reader->schema->synonyms);
    sn_suggestion_offer_keys(&suggestion, kind->keys);
    sn_suggestion_offer_keys(&suggestion, choice->common);
    sn_suggestion_offer(&suggestion, choice->discriminator);
    sn_suggestion_offer(&suggestion, sn_comment_key.name);
    for (const sn_kind *const *other = choice->kinds; *other && !suggestion.best; other++)
        sn_suggestion_offer_keys(&suggestion, (*other)->keys);
    sn_text text = SN_TEXT_EMPTY;
    sn_suggest_member(reader, raw, member->string, &suggestion, &text);
    if (text.length == 0) {
        sn_text_addf(&text, " of %s \"%s\" (one of: %s", choice->what, kind->name,
                     kind->chosen_by ? "" : choice->discriminator);
        const char *comma = kind->chosen_by ? "" : ", ";
        for (const sn_key *key = kind->keys; key && key->name; key++, comma = ", ")
            sn_text_addf(&text, "%s%s", comma, key->name);
        for (const sn_key *key = choice->common; key && key->name; key++, comma = ", ")
            sn_text_addf(&text, "%s%s", comma, key->name);
        sn_text_add(&text, ")");
    }
    if (text.failed) reader->failed = true;
    sn_fault_key(reader->faults, member->valueint, "unknown key%s", sn_text_string(&text));
    sn_text_free(&text);
}

/* A key that the kind has not. */
static void take_foreign(sn_reader *reader, const cJSON *raw, const cJSON *member, const sn_choice *choice,
                         const sn_kind *kind) {
    size_t n_faults = sn_faults_count(reader->faults);
    bool is_chosen = kind->chosen_by || sn_member(raw, choice->discriminator);
    if (!check_foreign(reader, member, choice)) {
        fault_unknown_key(reader, raw, member, choice, kind);
    } else if (!is_chosen && sn_place_of(reader->places, member)->set < 0) {
        if (sn_faults_count(reader->faults) == n_faults) fault_unchosen(reader, member, choice, kind);
    } else {
        tell_of_kind(reader, raw, member, choice, kind);
    }
}

cJSON *sn_resolve_kind(sn_reader *reader, const cJSON *raw, const sn_choice *choice) {
    const sn_kind *kind = choose_kind(reader, raw, choice);
    if (!kind) return NULL;
    for (const cJSON *member = raw->child; member; member = member->next) {
        const char *name = member->string;
        bool is_known = strcmp(name, sn_comment_key.name) == 0 || strcmp(name, choice->discriminator) == 0 ||
                        sn_kind_key(choice, kind, name);
        if (!is_known) take_foreign(reader, raw, member, choice, kind);
    }
    return sn_resolve_kind_members(reader, raw, choice, kind);
}
