/* What a CSV file says besides its numbers: the names of classes, the rows of samples, and all that is read by a guess
 * and therefore told. */
#include "data_fixture.h"

/* Loads `text` as the file a.csv, no rows held out, with further keys (",\"key\": value"). */
static sn_dataset load_text_ok(const char *text, const char *keys) {
    char config[512];
    fixture_write("a.csv", text, strlen(text));
    snprintf(config, sizeof config, "{\"kind\": \"csv\", \"path\": \"a.csv\"%s}", keys);
    return fixture_load_ok(config);
}

#define ALL        ", \"test_fraction\": 0"
#define NO_HEADER  ", \"header\": false"
#define REGRESSION ", \"task\": \"regression\""

/* In the order of the classes, in UTF-8. */
static void test_class_names(void **state) {
    (void)state;
    static const struct {
        const char *text, *names[3];
    } cases[] = {
        {"a,b\n1,setosa\n2,virginica\n4,setosa\n", {"setosa", "virginica"}},
        {"a,b\n1,10.0\n2,9\n4,10\n5,-1\n", {"-1", "9", "10.0"}},
        {"a,b\n1,007\n2,3\n4,7\n", {"3", "007"}},
        {"a,b\n1,\"x, \"\"y\"\"\"\n2,\xC3\xA4\n", {"x, \"y\"", "\xC3\xA4"}},
        {"a,b\n1,caf\xE9\n2,bar\n", {"bar", "caf\xC3\xA9"}}, /* Latin-1 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_dataset d = load_text_ok(cases[i].text, ALL);
        assert_non_null(d.class_names);
        assert_in_range(d.out_dim, 2, 3);
        for (size_t c = 0; c < d.out_dim; c++)
            assert_string_equal(d.class_names[c], cases[i].names[c]);
        sn_dataset_reset(&d);
    }
    sn_dataset d = load_text_ok("a,b\n1,2\n3,4\n", ALL REGRESSION);
    assert_null(d.class_names);
    sn_dataset_reset(&d);
    d = fixture_load_ok("{\"kind\": \"spirals\"}");
    assert_null(d.class_names);
    assert_null(d.train.rows);
    sn_dataset_reset(&d);
}

/* The feature of a row is ten times its number. */
static void test_rows(void **state) {
    (void)state;
    static const char *const keys[] = {"", ", \"test_fraction\": 0.5", ALL, ", \"test_path\": \"b.csv\""};
    static const char second[] = "x,y\n20,no\n30,yes\n";
    fixture_write("b.csv", second, strlen(second));
    for (size_t i = 0; i < 4; i++) {
        sn_dataset d = load_text_ok("x,y\n20,yes\n30,no\n40,no\n50,yes\n60,no\n", keys[i]);
        assert_int_equal(d.train.n + d.test.n, i == 3 ? 7 : 5);
        for (size_t k = 0; k < d.train.n + d.test.n; k++) {
            const sn_samples *s = k < d.train.n ? &d.train : &d.test;
            size_t at = k < d.train.n ? k : k - d.train.n;
            assert_true(s->values[at] == 10.0 * s->rows[at]);
        }
        sn_dataset_reset(&d);
    }
    sn_dataset d = load_text_ok("10,yes\n20,no\n", ALL NO_HEADER);
    assert_true(d.train.rows[0] == 1 && d.train.rows[1] == 2);
    sn_dataset_reset(&d);
}

/* A minus is a class where a plus is one. */
static void test_plus_and_minus(void **state) {
    (void)state;
    sn_dataset d = load_text_ok("a,b\n1,+\n2,-\n4,-\n", ALL);
    assert_int_equal(d.out_dim, 2);
    assert_int_equal(d.train.labels[2], 1);
    sn_dataset_reset(&d);
}

/* R's row names are no features: beside a header that has no name for them, or as text below an empty one. */
static void test_row_names(void **state) {
    (void)state;
    static const char *const forms[] = {
        "\"x\",\"y\"\n\"1\",5,\"a\"\n\"2\",7,\"b\"\n",
        "\"\",\"x\",\"y\"\n\"Mazda RX4\",5,\"a\"\n\"Fiat 128\",7,\"b\"\n",
    };
    static const char *const targets[] = {"", ", \"target\": 2", ", \"target\": \"y\""};
    for (size_t i = 0; i < 6; i++) {
        char keys[64];
        snprintf(keys, sizeof keys, ALL "%s", targets[i % 3]);
        sn_dataset d = load_text_ok(forms[i / 3], keys);
        assert_int_equal(d.in_dim, 1);
        assert_true(d.train.values[0] == 5 && d.train.values[1] == 7);
        assert_string_equal(d.class_names[1], "b");
        sn_dataset_reset(&d);
    }
    sn_dataset d = load_text_ok(",x\nup,5\ndown,7\n", ALL ", \"target\": 0"); /* but what is asked for */
    assert_string_equal(d.class_names[1], "up");
    sn_dataset_reset(&d);
}

typedef struct told {
    const char *text, *keys;
    const char *notes; /* a line each; $ stands for "warning: PATH: " */
} told;

/* Ten rows of two columns, the first without a pattern, the second made of five texts. */
#define TEN(A, B, C, D, E)                                                                                             \
    "x,y\n3," A "\n1," B "\n4," C "\n1," D "\n5," E "\n9," A "\n2," A "\n6," B "\n5," C "\n3," A "\n"
#define DIGITS(TENS)                                                                                                   \
    "8," TENS "0\n1," TENS "1\n3," TENS "2\n3," TENS "3\n7," TENS "4\n1," TENS "5\n2," TENS "6\n3," TENS "7\n7," TENS  \
    "8\n9," TENS "9\n"
#define FLOWERS    "5.1,3.5,setosa\n4.9,3,setosa\n6.3,3.3,virginica\n"
#define HEADER     "$row 1 is taken as a header though "
#define HEADER_END ": set data.header to false if it is data (true says that it is none)\n"
#define NUMBERS_END                                                                                                    \
    " are taken as classes: set data.task to \"classes\" if they are, to \"regression\" if numbers are to be "         \
    "predicted\n"
#define FEATURE_END ": it is taken as a feature; take it out of the file if it tells nothing\n"
#define NAMELESS    "$column index 0 has no name, as row names of R and the index of pandas"
#define FAR         "$regression targets far from mean 0, sd 1 ("
#define FAR_END     ") are not scaled: subtract the mean and divide by the sd in the data, or take a train.lr to match\n"

static const told cases[] = {
    {TEN("a", "b", "c", "a", "b"), "", ""},
    {TEN("0", "1", "2", "3", "4"), "", ""},
    {TEN("1.0", "2.0", "3", "3", "3"), "", ""},

    {FLOWERS, "", HEADER "2 of its 3 cells are numbers" HEADER_END},
    {"x,7,y\n1,2,a\n4,9,b\n", "", HEADER "1 of its 3 cells is a number" HEADER_END},
    {"0,1,2\n1,2,x\n4,3,y\n", "", HEADER "3 of its 3 cells are numbers" HEADER_END},
    {FLOWERS, ", \"header\": true", ""},
    {"x,n,y\n9,5,a\n1,3,b\n4,9,a\n1,1,b\n5,7,a\n9,2,b\n2,10,a\n6,4,b\n5,6,a\n3,8,b\n", "",
     "$column \"n\" counts the rows (5, 3, 9, ...)" FEATURE_END},
    {"x,n,y\n9,5,a\n1,3,b\n4,9,a\n1,1,b\n5,7,a\n9,2,b\n2,11,a\n6,4,b\n5,6,a\n3,8,b\n", "", ""},
    {"rownames,x,y\n4,3,a\n9,1,b\n7,4,a\n", "",
     "$column \"rownames\" is called as the row names of R or the index of pandas" FEATURE_END},
    {"Unnamed: 0,x,y\n0,3,a\n1,1,b\n2,4,a\n", "",
     "$column \"Unnamed: 0\" is called as the row names of R or the index of pandas, and counts the rows (0, 1, 2, "
     "...)" FEATURE_END},
    {FLOWERS, NO_HEADER, ""},

    {TEN("1.5", "2", "3", "3", "3"), "",
     "$column \"y\": 3 different numbers, not all of them whole, in 10 rows" NUMBERS_END},
    {TEN("1.5", "2", "3", "3", "3"), ", \"task\": \"classes\"", ""},
    {TEN("1.5", "2", "1", "0", "-1"), REGRESSION, ""},
    {"x,y\n3,17\n1,4\n4,99\n1,5\n5,1200\n9,8\n", "", "$column \"y\": 6 different whole numbers in 6 rows" NUMBERS_END},
    {"x,y\n" DIGITS("1") DIGITS("2") DIGITS("3") DIGITS("1") DIGITS("2") DIGITS("3"), "",
     "$column \"y\": 30 different whole numbers in 60 rows" NUMBERS_END},
    {"x,y\n3,a\n1,b\n4,c\n1,d\n5,e\n9,f\n", "",
     "$column \"y\": 6 different labels in 6 rows are taken as classes: set data.task to \"classes\" if they are, else "
     "data.target to another column\n"},

    {"id,x,y\n1,3,a\n2,1,b\n3,7,a\n", "", "$column \"id\" counts the rows (1, 2, 3, ...)" FEATURE_END},
    {"x,n,y\n5,0,a\n1,1,b\n3,2,a\n", "", "$column \"n\" counts the rows (0, 1, 2, ...)" FEATURE_END},
    {"x,y,year\n5,a,1947\n1,b,1948\n3,a,1949\n", ", \"target\": \"y\"",
     "$column \"year\" counts the rows (1947, 1948, 1949, ...)" FEATURE_END},
    {"3,1,a\n1,2,b\n7,3,a\n", NO_HEADER, "$column index 1 counts the rows (1, 2, 3, ...)" FEATURE_END},
    {"x,n,y\n5,1,a\n1,2,b\n3,4,a\n", "", ""},
    {",x,y\n4,3,a\n2,1,b\n3,7,a\n", "", NAMELESS FEATURE_END},
    {",x,y\n0,3,a\n1,1,b\n2,7,a\n", "", NAMELESS ", and counts the rows (0, 1, 2, ...)" FEATURE_END},
    {"x,y\n1,3,a\n2,1,b\n3,7,a\n", "",
     "$row 1 has one cell less than the other rows, as R writes row names: column index 0 is left out\n"},
    {",x,y\nr1,3,a\nr2,1,b\n3,7,a\n", "",
     "$the first column has no name and holds text, as R writes row names: column index 0 is left out\n"},

    {TEN("setosa", "\"setosa \"", "Setosa", "b", "b"), "",
     "$column \"y\": labels that differ in blanks or case only are different classes: \"Setosa\" and \"setosa\" and "
     "\"setosa \"\n"},
    {TEN("no one", "NoOne", "b", "B", "b"), "",
     "$column \"y\": labels that differ in blanks or case only are different classes: \"B\" and \"b\", \"NoOne\" and "
     "\"no one\"\n"},
    {TEN("\xC3\x84hre", "\xC3\xA4hre", "b", "b", "c"), "",
     "$column \"y\": labels that differ in blanks or case only are different classes: \"\xC3\x84hre\" and "
     "\"\xC3\xA4hre\"\n"},

    {TEN("3", "4", "5", "4", "3"), REGRESSION, FAR "mean 3.7, sd 0.781025" FAR_END},
    {TEN("1", "-11", "8", "-9", "3"), REGRESSION, FAR "mean -0.8, sd 6.76461" FAR_END},
    {TEN("0.01", "0", "0.02", "0", "0"), REGRESSION, FAR "mean 0.008, sd 0.00748331" FAR_END},
    {"x,y,z,v\n3,0.5,9,7\n1,-0.5,9,5\n8,0.25,9,8\n", REGRESSION ", \"target\": [1, 2, 0]",
     FAR "mean 9, sd 0 of t1, and 1 more" FAR_END},
};

/* The notes with the path in its places. */
static void expand(const char *notes, char *out, size_t capacity) {
    size_t n = 0;
    *out = '\0';
    for (const char *at = notes; *at; at++) {
        if (*at == '$') {
            n += (size_t)snprintf(out + n, capacity - n, "warning: %s: ", fixture_path("a.csv"));
        } else {
            n += (size_t)snprintf(out + n, capacity - n, "%c", *at);
        }
        assert_true(n < capacity);
    }
}

static void check_told(const told *c) {
    char keys[128], expected[1024];
    expand(c->notes, expected, sizeof expected);
    snprintf(keys, sizeof keys, ALL "%s", c->keys);
    sn_dataset d = load_text_ok(c->text, keys);
    sn_text notes = SN_TEXT_EMPTY;
    sn_notes_write(&fixture_notes, &notes);
    assert_string_equal(sn_text_string(&notes), expected);
    sn_text_free(&notes);
    sn_dataset_reset(&d);
}

static void test_told(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_told(&cases[i]);
}

/* Both files of a pair are told of, and a file that fails tells what it was taken for, too. */
static void test_told_of_both(void **state) {
    (void)state;
    static const char second[] = "5,4,a\n1,2,b\n";
    fixture_write("b.csv", second, strlen(second));
    sn_dataset d;
    fixture_write("a.csv", "5,4,a\n1,2,b\n3,9,a\n", 18);
    assert_int_equal(fixture_load(&d, "{\"kind\": \"csv\", \"path\": \"a.csv\", \"test_path\": \"b.csv\"}"), SN_OK);
    sn_dataset_reset(&d);
    sn_text notes = SN_TEXT_EMPTY;
    sn_notes_write(&fixture_notes, &notes);
    assert_non_null(strstr(sn_text_string(&notes), "/a.csv: row 1 is taken as a header"));
    assert_non_null(strstr(sn_text_string(&notes), "/b.csv: row 1 is taken as a header"));
    sn_text_free(&notes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_names), cmocka_unit_test(test_rows), cmocka_unit_test(test_plus_and_minus),
        cmocka_unit_test(test_row_names),   cmocka_unit_test(test_told), cmocka_unit_test(test_told_of_both),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
