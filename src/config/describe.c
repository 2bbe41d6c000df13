/* Owns the key tables as text for people.  The tables may refer to each other in circles (a layer list holds layer
 * lists): what was described once is referred to by its path. */
#include "config/describe.h"

#include <string.h>

#include "config/choice.h"
#include "config/columns.h"
#include "config/expect.h"

typedef struct seen {
    struct seen *next;
    const void *table; /* an sn_choice, or the keys of an object */
    const char *path;
} seen;

typedef struct describer {
    sn_columns columns;
    seen *seen;
} describer;

static void describe_key(describer *d, const char *prefix, const sn_key *key);

/* ---- one key ---- */

static void add_type(sn_text *text, const char *type) {
    sn_text_addf(text, "%s%s", text->length > 0 ? " or " : "", type);
}

static void write_type(const sn_key *key, sn_text *text);

static void write_list_type(const sn_key *element, sn_text *text) {
    sn_text type = SN_TEXT_EMPTY;
    write_type(element, &type);
    add_type(text, "list of ");
    sn_text_add(text, sn_text_string(&type));
    if (type.failed) text->failed = true;
    sn_text_free(&type);
}

static void write_type(const sn_key *key, sn_text *text) {
    if (key->types & (SN_INTEGER | SN_NUMBER)) sn_expect_number_short(key, text);
    if (key->types & SN_TEXT) add_type(text, "text");
    if (key->types & SN_PATH) add_type(text, "path");
    for (const char *const *word = key->words; (key->types & SN_WORD) && word && *word; word++) {
        if (word == key->words) add_type(text, "");
        sn_text_addf(text, "%s%s", word == key->words ? "" : "|", *word);
    }
    if (key->types & SN_KIND) {
        add_type(text, key->choice->what);
    }
    if (key->types & SN_OBJECT) add_type(text, "object");
    if (key->types & SN_LIST) write_list_type(key->element, text);
    if (key->types & SN_BOOL) add_type(text, "true|false");
    if (key->types & SN_NULL) add_type(text, "null");
}

static const char *default_of(const sn_key *key) {
    if (key->fallback) return key->fallback;
    if (key->flags & SN_STEM) return "(the file's stem)";
    return key->flags & SN_REQUIRED ? "(required)" : "-";
}

/* ---- all keys ---- */

static const char *first_path(const describer *d, const void *table) {
    for (const seen *s = d->seen; s; s = s->next) {
        if (s->table == table) return s->path;
    }
    return NULL;
}

static void note(describer *d, const void *table, const char *path) {
    seen *s = sn_pool_alloc(&d->columns.pool, sizeof *s);
    char *copy = sn_pool_string(&d->columns.pool, path);
    if (!s || !copy) {
        d->columns.failed = true;
        return;
    }
    *s = (seen){d->seen, table, copy};
    d->seen = s;
}

static void describe_keys(describer *d, const char *prefix, const sn_key *keys) {
    for (; keys && keys->name && !d->columns.failed; keys++)
        describe_key(d, prefix, keys);
}

static void describe_choice(describer *d, const char *path, const sn_choice *choice) {
    sn_text prefix = SN_TEXT_EMPTY, how = SN_TEXT_EMPTY;
    note(d, choice, path);
    sn_text_addf(&prefix, "%s.", path);
    describe_keys(d, sn_text_string(&prefix), choice->common);
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        sn_text_clear(&prefix);
        sn_text_clear(&how);
        sn_text_addf(&prefix, "%s (%s)", path, (*kind)->name);
        if ((*kind)->chosen_by) {
            sn_text_addf(&how, "{\"%s\": ...}", (*kind)->chosen_by);
        } else {
            sn_text_addf(&how, "{\"%s\": \"%s\"}", choice->discriminator, (*kind)->name);
        }
        const char *cells[SN_COLUMNS] = {sn_text_string(&prefix), sn_text_string(&how), "", (*kind)->help};
        sn_columns_add(&d->columns, cells);
        sn_text_add(&prefix, ".");
        describe_keys(d, sn_text_string(&prefix), (*kind)->keys);
    }
    if (prefix.failed || how.failed) d->columns.failed = true;
    sn_text_free(&prefix);
    sn_text_free(&how);
}

static void describe_below(describer *d, const char *path, const sn_key *key) {
    sn_text inner = SN_TEXT_EMPTY;
    if (d->columns.failed) return; /* what was seen may not have been noted: a circle would have no end */
    if ((key->types & SN_KIND) && !first_path(d, key->choice)) describe_choice(d, path, key->choice);
    if ((key->types & SN_OBJECT) && !first_path(d, key->keys)) {
        note(d, key->keys, path);
        sn_text_addf(&inner, "%s.", path);
        describe_keys(d, sn_text_string(&inner), key->keys);
    }
    if (key->types & SN_LIST) {
        sn_text_clear(&inner);
        sn_text_addf(&inner, "%s[]", path);
        describe_below(d, sn_text_string(&inner), key->element);
    }
    if (inner.failed) d->columns.failed = true;
    sn_text_free(&inner);
}

/* The table that a key, or an element of its list, leads to; NULL: none. */
static const void *table_of(const sn_key *key) {
    while (key->types & SN_LIST)
        key = key->element;
    if (key->types & SN_KIND) return key->choice;
    return key->types & SN_OBJECT ? key->keys : NULL;
}

static void describe_key(describer *d, const char *prefix, const sn_key *key) {
    sn_text path = SN_TEXT_EMPTY, type = SN_TEXT_EMPTY, help = SN_TEXT_EMPTY;
    const void *table = table_of(key);
    const char *before = table ? first_path(d, table) : NULL;
    sn_text_addf(&path, "%s%s", prefix, key->name);
    write_type(key, &type);
    sn_text_add(&help, key->help ? key->help : "");
    if (before) sn_text_addf(&help, "%s(as %s)", help.length > 0 ? " " : "", before);
    const char *cells[SN_COLUMNS] = {sn_text_string(&path), sn_text_string(&type), default_of(key),
                                     sn_text_string(&help)};
    sn_columns_add(&d->columns, cells);
    describe_below(d, sn_text_string(&path), key);
    if (path.failed || type.failed || help.failed) d->columns.failed = true;
    sn_text_free(&path);
    sn_text_free(&type);
    sn_text_free(&help);
}

void sn_describe_keys(const sn_schema *schema, sn_text *text) {
    static const char *const head[SN_COLUMNS] = {"KEY", "VALUE", "DEFAULT", "MEANING"};
    describer d = {0};
    sn_columns_add(&d.columns, head);
    describe_keys(&d, "", schema->keys);
    sn_columns_write(&d.columns, text);
}

/* ---- the kinds of one choice ---- */

static void describe_kind_keys(sn_columns *columns, const sn_key *keys) {
    for (; keys && keys->name; keys++) {
        sn_text name = SN_TEXT_EMPTY, what = SN_TEXT_EMPTY;
        sn_text_addf(&name, "  %s", keys->name);
        if (keys->fallback) {
            sn_text_addf(&name, " = %s", keys->fallback);
        } else if (keys->flags & SN_REQUIRED) {
            sn_text_add(&name, " (required)");
        }
        write_type(keys, &what);
        if (keys->help) sn_text_addf(&what, ": %s", keys->help);
        const char *cells[SN_COLUMNS] = {sn_text_string(&name), sn_text_string(&what), NULL, NULL};
        sn_columns_add(columns, cells);
        if (name.failed || what.failed) columns->failed = true;
        sn_text_free(&name);
        sn_text_free(&what);
    }
}

void sn_describe_kinds(const sn_choice *choice, sn_text *text) {
    sn_columns columns = {0};
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        const char *cells[SN_COLUMNS] = {(*kind)->name, (*kind)->help, (*kind)->formula, (*kind)->source};
        sn_columns_add(&columns, cells);
        describe_kind_keys(&columns, (*kind)->keys);
    }
    if (choice->common) {
        const char *cells[SN_COLUMNS] = {"(every one)", "keys that all of them have", NULL, NULL};
        sn_columns_add(&columns, cells);
        describe_kind_keys(&columns, choice->common);
    }
    sn_columns_write(&columns, text);
}
