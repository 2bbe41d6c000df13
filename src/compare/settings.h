/* What varied.c and varied_select.c know of keys, values and runs; of no concern to others. */
#ifndef SN_COMPARE_SETTINGS_H
#define SN_COMPARE_SETTINGS_H

#include "compare/varied.h"

/* Types of values: the first letter of their interned text. */
enum {
    SN_VALUE_NULL = '0',
    SN_VALUE_NUMBER = 'n',
    SN_VALUE_BOOL = 'b',
    SN_VALUE_TEXT = 's',
    SN_VALUE_JSON = 'j', /* a short list, or an object such as {"learned":0} */
};

struct sn_value_facts {
    char type;
    double number;
};

struct sn_key_facts {
    uint32_t next;  /* key in the order of the configs; SN_NO_STRING: the last */
    uint32_t value; /* of the run that had it last */
    uint32_t list;  /* the list it stands in; SN_NO_STRING: none */
    size_t n_runs;  /* that have it */
    bool is_many;   /* they have different values */
    bool is_path;   /* of data */
    bool is_list;

    /* of varied_select.c */
    size_t n_many;  /* of a list: elements with different values */
    bool is_ragged; /* of a list: not all runs have the same elements */
    bool is_out;    /* never varied */
    bool is_varied;
    bool is_unexplained; /* runs that agree in all varied keys do not agree in having this one */
    size_t n_in_group;
};

struct sn_setting {
    uint32_t key, value;
};

struct sn_run_settings {
    size_t first, n; /* settings */
};

#endif
