/* Owns the JSON Schema (draft 2020-12, https://json-schema.org/draft/2020-12) of the key tables.
 *
 * Every choice and every table of an object becomes one entry of "$defs" that the others refer to, so circles in the
 * tables are circles of references.  An object with kinds allows the keys of all its kinds; an if/then per kind adds
 * what that kind needs. */
#include <float.h>
#include <string.h>

#include "base/pool.h"
#include "config/choice.h"
#include "config/describe.h"
#include "config/show.h"

typedef struct definition {
    struct definition *next;
    const sn_choice *choice; /* one of the two is set */
    const sn_key *keys;
    char *name;
} definition;

typedef struct schema_writer {
    sn_text *text;
    sn_pool pool;
    definition *first, *last;
} schema_writer;

/* ---- definitions ---- */

static char *make_name(schema_writer *w, const char *what) {
    sn_text name = SN_TEXT_EMPTY;
    int n_same = 0;
    for (const char *p = what; *p; p++)
        sn_text_add_bytes(&name, *p == ' ' ? "_" : p, 1);
    size_t n = name.length;
    for (const definition *d = w->first; d; d = d->next)
        n_same += strncmp(d->name, sn_text_string(&name), n) == 0 &&
                  strspn(d->name + n, "_0123456789") == strlen(d->name + n);
    if (n_same > 0) sn_text_addf(&name, "_%d", n_same + 1);
    char *copy = name.failed ? NULL : sn_pool_string(&w->pool, sn_text_string(&name));
    sn_text_free(&name);
    return copy;
}

/* The name of the definition of a choice or table; it is put into the queue when it is new. */
static const char *define(schema_writer *w, const sn_choice *choice, const sn_key *keys, const char *what) {
    for (const definition *d = w->first; d; d = d->next) {
        if (choice ? d->choice == choice : d->keys == keys) return d->name;
    }
    definition *d = sn_pool_alloc(&w->pool, sizeof *d);
    char *name = d ? make_name(w, what) : NULL;
    if (!name) {
        w->text->failed = true;
        return "";
    }
    *d = (definition){NULL, choice, keys, name};
    if (w->last) {
        w->last->next = d;
    } else {
        w->first = d;
    }
    w->last = d;
    return name;
}

/* ---- one value ---- */

static void add_limit(schema_writer *w, const char *name, double value) {
    char number[SN_NUMBER_TEXT];
    sn_text_addf(w->text, ",\"%s\":%s", name, sn_number_text(value, number));
}

static void write_number(schema_writer *w, const sn_key *key) {
    bool is_number = key->types & SN_NUMBER, is_bounded = key->min < key->max;
    double least = is_number ? -DBL_MAX : -0x1p53, most = is_number ? DBL_MAX : 0x1p53;
    bool has_min = is_bounded && key->min >= least, has_max = is_bounded && key->max <= most;
    sn_text_addf(w->text, "\"type\":\"%s\"", is_number ? "number" : "integer");
    if (has_min || !is_number)
        add_limit(w, has_min && (key->flags & SN_ABOVE_MIN) ? "exclusiveMinimum" : "minimum",
                  has_min ? key->min : least);
    if (has_max || !is_number)
        add_limit(w, has_max && (key->flags & SN_BELOW_MAX) ? "exclusiveMaximum" : "maximum",
                  has_max ? key->max : most);
}

static void write_words(schema_writer *w, const char *const *words) {
    sn_text_add(w->text, "\"enum\":[");
    for (const char *const *word = words; *word; word++) {
        if (word != words) sn_text_add(w->text, ",");
        sn_text_add_json(w->text, *word);
    }
    sn_text_add(w->text, "]");
}

static void write_types(schema_writer *w, const sn_key *key);

static void write_list(schema_writer *w, const sn_key *key) {
    sn_text_add(w->text, "\"type\":\"array\",\"items\":{");
    write_types(w, key->element);
    sn_text_addf(w->text, "}%s", key->flags & SN_NOT_EMPTY ? ",\"minItems\":1" : "");
}

/* One of the types that a key allows, without the braces around it. */
static void write_alternative(schema_writer *w, const sn_key *key, unsigned type) {
    switch (type) {
    case SN_BOOL:
        sn_text_add(w->text, "\"type\":\"boolean\"");
        break;
    case SN_NULL:
        sn_text_add(w->text, "\"type\":\"null\"");
        break;
    case SN_NUMBER:
        write_number(w, key);
        break;
    case SN_TEXT:
        sn_text_addf(w->text, "\"type\":\"string\"%s", key->flags & SN_NOT_EMPTY ? ",\"minLength\":1" : "");
        break;
    case SN_PATH:
        sn_text_add(w->text, "\"type\":\"string\",\"minLength\":1");
        break;
    case SN_WORD:
        write_words(w, key->words);
        break;
    case SN_KIND:
        sn_text_addf(w->text, "\"$ref\":\"#/$defs/%s\"", define(w, key->choice, NULL, key->choice->what));
        break;
    case SN_OBJECT:
        sn_text_addf(w->text, "\"$ref\":\"#/$defs/%s\"", define(w, NULL, key->keys, key->name ? key->name : "entry"));
        break;
    default:
        write_list(w, key);
    }
}

/* What a key takes, without the braces around it. */
static void write_types(schema_writer *w, const sn_key *key) {
    static const unsigned order[] = {SN_NUMBER, SN_TEXT, SN_PATH, SN_WORD, SN_KIND,
                                     SN_OBJECT, SN_LIST, SN_BOOL, SN_NULL};
    unsigned types = key->types & SN_INTEGER ? (key->types & ~(unsigned)SN_INTEGER) | SN_NUMBER : key->types;
    bool is_single = (types & (types - 1)) == 0;
    const char *before = is_single ? "" : "\"anyOf\":[{";
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (!(types & order[i])) continue;
        sn_text_add(w->text, before);
        write_alternative(w, key, order[i]);
        before = "},{";
    }
    if (!is_single) sn_text_add(w->text, "}]");
}

static void write_property(schema_writer *w, const sn_key *key) {
    sn_text_add_json(w->text, key->name);
    sn_text_add(w->text, ":{");
    write_types(w, key);
    if (key->fallback) sn_text_addf(w->text, ",\"default\":%s", key->fallback);
    if (key->help) {
        sn_text_add(w->text, ",\"description\":");
        sn_text_add_json(w->text, key->help);
    }
    sn_text_add(w->text, "}");
}

static void write_properties(schema_writer *w, const sn_key *keys) {
    for (; keys && keys->name; keys++) {
        sn_text_add(w->text, ",");
        write_property(w, keys);
    }
}

static bool is_required(const sn_key *key) {
    return (key->flags & SN_REQUIRED) && !key->fallback;
}

static void write_required(schema_writer *w, const sn_key *keys, const char *comma) {
    for (; keys && keys->name; keys++) {
        if (!is_required(keys)) continue;
        sn_text_add(w->text, comma);
        sn_text_add_json(w->text, keys->name);
        comma = ",";
    }
}

static bool has_required(const sn_key *keys) {
    while (keys && keys->name && !is_required(keys))
        keys++;
    return keys && keys->name;
}

/* ---- objects ---- */

static const sn_key *const root_keys[] = {&sn_schema_key, &sn_guessed_key, NULL};

static void write_object(schema_writer *w, const sn_key *keys, bool is_root) {
    sn_text_add(w->text, "\"type\":\"object\",\"properties\":{");
    write_property(w, &sn_comment_key);
    for (const sn_key *const *key = root_keys; is_root && *key; key++) {
        sn_text_add(w->text, ",");
        write_property(w, *key);
    }
    write_properties(w, keys);
    sn_text_add(w->text, "},\"required\":[");
    write_required(w, keys, "");
    sn_text_add(w->text, "],\"additionalProperties\":false");
}

/* A bare string can name the kinds that need no keys. */
static void write_bare_names(schema_writer *w, const sn_choice *choice) {
    const char *comma = "";
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        if ((*kind)->chosen_by || has_required((*kind)->keys) || has_required(choice->common)) continue;
        sn_text_addf(w->text, "%s{\"const\":\"%s\"", comma, (*kind)->name);
        comma = ",";
        if ((*kind)->help) {
            sn_text_add(w->text, ",\"description\":");
            sn_text_add_json(w->text, (*kind)->help);
        }
        sn_text_add(w->text, "}");
    }
    sn_text_add(w->text, comma);
}

/* The discriminator, where there are kinds that it can name. */
static void write_discriminator(schema_writer *w, const sn_choice *choice) {
    const char *comma = "";
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        if ((*kind)->chosen_by) continue;
        if (!*comma) sn_text_addf(w->text, ",\"%s\":{\"enum\":[", choice->discriminator);
        sn_text_addf(w->text, "%s\"%s\"", comma, (*kind)->name);
        comma = ",";
    }
    if (*comma) sn_text_add(w->text, "]}");
}

/* A key of any kind: once per name, with all that some kind allows for it. */
static void write_shared_property(schema_writer *w, const sn_choice *choice, const sn_kind *const *at,
                                  const sn_key *key) {
    for (const sn_kind *const *before = choice->kinds; before != at; before++) {
        if (sn_keys_find((*before)->keys, key->name)) return;
    }
    sn_text_add(w->text, ",");
    sn_text_add_json(w->text, key->name);
    sn_text_add(w->text, ":{\"anyOf\":[{");
    write_types(w, key);
    for (const sn_kind *const *other = at + 1; *other; other++) {
        const sn_key *same = sn_keys_find((*other)->keys, key->name);
        if (!same) continue;
        sn_text_add(w->text, "},{");
        write_types(w, same);
    }
    sn_text_add(w->text, "}]}");
}

static void write_chosen_by(schema_writer *w, const sn_choice *choice, const char *comma) {
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        if (!(*kind)->chosen_by) continue;
        sn_text_addf(w->text, "%s{\"required\":[\"%s\"]}", comma, (*kind)->chosen_by);
        comma = ",";
    }
}

static bool has_chosen_by(const sn_choice *choice) {
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        if ((*kind)->chosen_by) return true;
    }
    return false;
}

/* When an object is of the kind. */
static void write_condition(schema_writer *w, const sn_choice *choice, const sn_kind *kind) {
    const char *name = choice->discriminator;
    bool is_fallback = choice->fallback && strcmp(choice->fallback, kind->name) == 0;
    if (kind->chosen_by) {
        sn_text_addf(w->text, "{\"required\":[\"%s\"]}", kind->chosen_by);
        return;
    }
    sn_text_addf(w->text, "{\"properties\":{\"%s\":{\"const\":\"%s\"}}", name, kind->name);
    if (!is_fallback) sn_text_addf(w->text, ",\"required\":[\"%s\"]", name);
    if (is_fallback && has_chosen_by(choice)) {
        sn_text_add(w->text, ",\"not\":{\"anyOf\":[");
        write_chosen_by(w, choice, "");
        sn_text_add(w->text, "]}");
    }
    sn_text_add(w->text, "}");
}

static void write_kind(schema_writer *w, const sn_choice *choice, const sn_kind *kind) {
    sn_text_add(w->text, "{\"if\":");
    write_condition(w, choice, kind);
    sn_text_add(w->text, ",\"then\":{");
    if (kind->help) {
        sn_text_add(w->text, "\"description\":");
        sn_text_add_json(w->text, kind->help);
        sn_text_add(w->text, ",");
    }
    sn_text_add(w->text, "\"properties\":{");
    if (kind->chosen_by) {
        sn_text_addf(w->text, "\"%s\":false", choice->discriminator);
    } else {
        sn_text_addf(w->text, "\"%s\":true", choice->discriminator);
    }
    write_properties(w, kind->keys);
    sn_text_add(w->text, "},\"required\":[");
    write_required(w, kind->keys, "");
    sn_text_add(w->text, "]}}");
}

static void write_choice(schema_writer *w, const sn_choice *choice) {
    sn_text_add(w->text, "\"anyOf\":[");
    write_bare_names(w, choice);
    sn_text_add(w->text, "{\"type\":\"object\",\"properties\":{");
    write_property(w, &sn_comment_key);
    write_discriminator(w, choice);
    write_properties(w, choice->common);
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        for (const sn_key *key = (*kind)->keys; key && key->name; key++)
            write_shared_property(w, choice, kind, key);
    }
    sn_text_add(w->text, "},\"required\":[");
    write_required(w, choice->common, "");
    sn_text_add(w->text, "],\"additionalProperties\":false,\"allOf\":[");
    for (const sn_kind *const *kind = choice->kinds; *kind; kind++) {
        if (kind != choice->kinds) sn_text_add(w->text, ",");
        write_kind(w, choice, *kind);
    }
    sn_text_add(w->text, "]");
    if (!choice->fallback) {
        sn_text_addf(w->text, ",\"anyOf\":[{\"required\":[\"%s\"]}", choice->discriminator);
        write_chosen_by(w, choice, ",");
        sn_text_add(w->text, "]");
    }
    sn_text_add(w->text, "}]");
}

void sn_describe_schema(const sn_schema *schema, sn_text *text) {
    schema_writer w = {.text = text};
    sn_text_add(text, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n\"title\":");
    sn_text_add_json(text, schema->title);
    sn_text_add(text, ",\n");
    write_object(&w, schema->keys, true);
    sn_text_add(text, ",\n\"$defs\":{");
    for (const definition *d = w.first; d; d = d->next) {
        sn_text_addf(text, "%s\n\"%s\":{", d == w.first ? "" : ",", d->name);
        if (d->choice) {
            write_choice(&w, d->choice);
        } else {
            write_object(&w, d->keys, false);
        }
        sn_text_add(text, "}");
    }
    sn_text_add(text, "\n}}\n");
    sn_pool_free(&w.pool);
}
