/* Owns the text of a datapackage.json. */
#include "report/package.h"

static void add_member(sn_text *text, const char *indent, const char *key, const char *value) {
    sn_text_addf(text, "%s\"%s\": ", indent, key);
    sn_text_add_json(text, value);
}

static void add_field(sn_text *text, const sn_column *column, bool is_first) {
    sn_text_add(text, is_first ? "\n          {" : ",\n          {");
    add_member(text, "", "name", column->name);
    add_member(text, ", ", "type", column->type);
    add_member(text, ", ", "unit", column->unit);
    add_member(text, ",\n           ", "description", column->help);
    sn_text_add(text, "}");
}

/* A package's name is lower-case letters, digits, dot, hyphen and underscore; the name as given is its title. */
static void add_package_name(sn_text *text, const char *title) {
    sn_text_add(text, "  \"name\": \"");
    for (const char *p = title; *p; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
        char letter = is_plain ? c : '-';
        sn_text_add_bytes(text, &letter, 1);
    }
    if (!*title) sn_text_add(text, "run");
    sn_text_add(text, "\",\n");
}

void sn_package_sheet(sn_text *text, const sn_sheet *sheet, bool is_first) {
    if (!is_first) sn_text_add(text, ",\n");
    sn_text_addf(text, "    {\n      \"name\": \"%s\",\n      \"path\": \"%s.csv\",\n", sheet->name, sheet->name);
    add_member(text, "      ", "description", sheet->help);
    sn_text_add(text, ",\n      \"profile\": \"tabular-data-resource\",\n"
                      "      \"format\": \"csv\",\n"
                      "      \"mediatype\": \"text/csv\",\n"
                      "      \"encoding\": \"utf-8\",\n"
                      "      \"dialect\": {\"delimiter\": \",\", \"lineTerminator\": \"\\n\", \"quoteChar\": \"\\\"\", "
                      "\"doubleQuote\": true, \"header\": true},\n"
                      "      \"schema\": {\n        \"fields\": [");
    for (const sn_column *column = sheet->columns; column->name; column++)
        add_field(text, column, column == sheet->columns);
    sn_text_addf(text, "\n        ],\n        \"missingValues\": [\"\"],\n        \"primaryKey\": [%s]\n      }\n    }",
                 sheet->key);
}

void sn_package_open(sn_text *text, const char *title, const char *description) {
    sn_text_add(text, "{\n  \"profile\": \"tabular-data-package\",\n");
    add_package_name(text, title);
    add_member(text, "  ", "title", title);
    add_member(text, ",\n  ", "description", description);
    sn_text_add(text, ",\n  \"resources\": [\n");
}

void sn_package_close(sn_text *text, const char *members) {
    sn_text_addf(text, "\n  ]%s\n}\n", members);
}
