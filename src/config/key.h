/* Key tables: what a config may say.  Plain static data, written beside the code that uses the values; the reader,
 * `skipnet list keys`, `skipnet schema` and the docs all loop over the same rows. */
#ifndef SN_CONFIG_KEY_H
#define SN_CONFIG_KEY_H

/* What a value may be.  A key may allow several. */
enum {
    SN_BOOL = 1 << 0,
    SN_INTEGER = 1 << 1, /* a whole number, exact: |n| <= 2^53 */
    SN_NUMBER = 1 << 2,  /* a finite number */
    SN_TEXT = 1 << 3,    /* any string */
    SN_PATH = 1 << 4,    /* a string: a path, relative to the config file; made absolute in the resolved config */
    SN_WORD = 1 << 5,    /* a string out of `words` */
    SN_KIND = 1 << 6,    /* an object out of `choice`; a bare string stands for {"<discriminator>": string} */
    SN_OBJECT = 1 << 7,  /* an object with exactly the keys of `keys` (+ "comment") */
    SN_LIST = 1 << 8,    /* an array, every element as `element` says */
    SN_NULL = 1 << 9,    /* null, which means the same as leaving the key out where there is no default */
};

enum {
    SN_REQUIRED = 1 << 0,   /* no default can exist and the key must be given */
    SN_NO_MEANING = 1 << 1, /* left out of the hash over the meaning of a config (names, comments, reports, paths) */
    SN_ABOVE_MIN = 1 << 2,  /* the value must be above `min`, not equal to it */
    SN_BELOW_MAX = 1 << 3,  /* the value must be below `max`, not equal to it */
    SN_NOT_EMPTY = 1 << 4,  /* a list with at least one element, a text with at least one character */
    SN_LENGTH = 1 << 6,     /* how long a run goes on: left out of sn_config_hash_but_length */
    SN_STEM = 1 << 5,       /* a text whose default is the stem of the config file ("stdin" for standard input) */
    SN_GUESS = 1 << 7,      /* the default is a guess at what a file means: a resolved config says that it is one */
    SN_LATER = 1 << 8,      /* came to its object when configs had been hashed without it: at its default it is left out
                             * of the meaning, so that their hashes stay */
};

/* A key that can leave another without effect. */
typedef struct sn_ruler {
    const char *key;   /* of the same object, or with a dot a path from the top; NULL ends a list */
    const char *value; /* it rules where it has this value (JSON text), by default, too; NULL: where it is given */
} sn_ruler;

typedef struct sn_key {
    const char *name;               /* NULL ends a table */
    unsigned types;                 /* SN_BOOL ... SN_NULL, or-ed */
    unsigned flags;                 /* SN_REQUIRED ..., or-ed */
    const char *fallback;           /* the default, as JSON text; NULL: none, the key stays absent when not given */
    double min, max;                /* bounds of a number, inclusive; min == max: unbounded */
    const char *const *words;       /* SN_WORD: NULL-terminated */
    const struct sn_choice *choice; /* SN_KIND */
    const struct sn_key *keys;      /* SN_OBJECT */
    const struct sn_key *element;   /* SN_LIST: type, bounds etc. of an element (its name is not used) */
    const sn_ruler *ruled_by;       /* keys that leave this one without effect; NULL: none */
    const char *help;               /* one line, with the unit where there is one */
} sn_key;

/* One kind of a discriminated object: a row of a table of ops, data sources, schedules ... */
typedef struct sn_kind {
    const char *name;
    const char *help;           /* one line */
    const sn_key *keys;         /* the kind's own keys; NULL: none */
    const char *formula;        /* what it computes, in one line; NULL where there is nothing to say */
    const char *source;         /* paper or documentation the formula is from; NULL: none */
    const char *chosen_by;      /* the kind is chosen by the presence of this key instead of the discriminator
                                 * ("layers" in a network, "repeat" in a layer list, "learned" in a scale); NULL: by name */
    const char *const *ignores; /* common keys of the choice that have no effect with this kind; NULL-terminated */
} sn_kind;

/* A discriminated object: {"kind": NAME, keys of that kind, common keys}. */
typedef struct sn_choice {
    const char *what;            /* what the kinds are, for messages and lists: "op", "data source" */
    const char *discriminator;   /* "kind", "op", "family" */
    const sn_kind *const *kinds; /* NULL-terminated; the first is not the default, `fallback` of the key is */
    const sn_key *common;        /* keys that every kind has; NULL: none */
    const char *fallback;        /* the kind of an object that names none; NULL: it must name one */
} sn_choice;

/* Words that people bring from elsewhere, for did-you-mean: {"residual", "add"}.  `word` NULL ends the list. */
typedef struct sn_synonym {
    const char *word, *meaning;
} sn_synonym;

/* All the reader needs to know of a language of configs. */
typedef struct sn_schema {
    const char *title;          /* for the JSON Schema */
    const sn_key *keys;         /* the keys of the top level ("comment" and "$schema" are always allowed there) */
    const sn_synonym *synonyms; /* may be NULL */
} sn_schema;

#endif
