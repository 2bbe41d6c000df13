/* Cells: order, names, messages, speed; that a shell reads back from cells.txt exactly what was meant; that config.json
 * and a cell's --set mean, at another place, what the config and the same --set mean at its own. */
#include "base/clock.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/shell.h"
#include "run/experiment.h"
#include "run/language.h"
#include "sweep/axes.h"
#include "sweep/cells.h"
#include "sweep/estimate.h"

static sn_error error;
static char work[] = "/tmp/test_cells.XXXXXX";

static const char tiny[] =
    "{\"data\": {\"kind\": \"spirals\", \"samples\": 60, \"test_samples\": 20, \"path\": \"here.csv\"},\n"
    " \"seed\": 4,\n"
    " \"network\": {\"depth\": 3, \"width\": 4, \"skip\": {\"kind\": \"add\", \"growth\": 7}},\n"
    " \"train\": {\"batch_size\": 20, \"steps\": 5}}\n";

/* A path in the test's directory, good for the next 15 calls. */
static const char *at(const char *name) {
    static char paths[16][512];
    static int next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", work, name);
    return path;
}

static const char *write_file(const char *name, const char *text) {
    const char *path = at(name);
    if (sn_file_write_atomic(path, text, strlen(text), &error)) fail_msg("%s", error.text);
    return path;
}

static char *read_file(const char *path) {
    char *data = NULL;
    size_t size = 0;
    if (sn_file_read(path, 1 << 24, &data, &size, &error)) fail_msg("%s", error.text);
    return data;
}

/* Grids up to a NULL. */
static sn_cells_request request_of(const char *const *grids, int64_t seeds) {
    sn_cells_request request = {.config = at("tiny.json"), .grids = grids, .seeds = seeds, .out = at("out")};
    while (grids[request.n_grids])
        request.n_grids++;
    return request;
}

static void make(sn_cells *cells, const sn_cells_request *request) {
    sn_error_clear(&error);
    if (sn_cells_make(cells, request, &error)) fail_msg("%s", error.text);
}

static void expect_refusal(const sn_cells_request *request, const char *message) {
    sn_cells cells;
    sn_error_clear(&error);
    assert_int_equal(sn_cells_make(&cells, request, &error), SN_INVALID);
    assert_string_equal(error.text, message);
}

/* ---- order and names ---- */

static void names_are(const sn_cells *cells, const char *const *names) {
    size_t n = 0;
    while (names[n]) {
        assert_true(n < cells->n_points);
        assert_string_equal(cells->points[n].name, names[n]);
        n++;
    }
    assert_int_equal(cells->n_points, n);
}

static void test_order(void **state) {
    (void)state;
    const char *grids[] = {"network.depth=2,3", "network.skip=none,add,concat", NULL};
    const char *names[] = {"depth=2,skip=none",
                           "depth=2,skip=add",
                           "depth=2,skip=concat",
                           "depth=3,skip=none",
                           "depth=3,skip=add",
                           "depth=3,skip=concat",
                           NULL};
    sn_cells_request request = request_of(grids, 3);
    sn_cells cells;
    make(&cells, &request);
    names_are(&cells, names);
    assert_int_equal(sn_cells_count(&cells), 18);
    sn_text text = SN_TEXT_EMPTY;
    sn_cells_text(&cells, "skipnet", 2, &text);
    char wanted[2048];
    snprintf(wanted, sizeof wanted,
             "skipnet train %s/out/config.json --set network.depth=2 --set network.skip=none --set seed=4 --resume "
             "--threads 2 --out %s/out/depth=2,skip=none,seed=4\nskipnet train %s/out/config.json --set "
             "network.depth=2 --set network.skip=none --set seed=5 ",
             work, work, work);
    text.data[strlen(wanted)] = '\0';
    assert_string_equal(text.data, wanted);
    sn_text_free(&text);
    sn_cells_reset(&cells);
}

static void test_points(void **state) {
    (void)state;
    const char *grids[] = {"train.lr=0.1,1e-2", NULL};
    const char *names[] = {"depth=2,skip.kind=none,lr=0.1", "depth=2,skip.kind=none,lr=1e-2",
                           "depth=9,skip.kind=add,lr=0.1", "depth=9,skip.kind=add,lr=1e-2", NULL};
    sn_cells_request request = request_of(grids, 0);
    request.points = write_file("points.csv", "network.depth,network.skip.kind\n2,none\n9,\"add\"\n");
    sn_cells cells;
    make(&cells, &request);
    names_are(&cells, names);
    assert_int_equal(sn_cells_count(&cells), 4);
    sn_cells_reset(&cells);
}

/* Two kinds of the same name are told apart; what a file system does not take is replaced, and told apart by a hash. */
static void test_names(void **state) {
    (void)state;
    const char *grids[] = {"data.seed=1", "seed=2", "train.lr_schedule.kind=cosine",
                           "network.skip.branch_scale={\"learned\": 0},{\"learned\": 1}", NULL};
    sn_cells_request request = request_of(grids, 0);
    sn_cells cells;
    make(&cells, &request);
    assert_int_equal(cells.n_points, 2);
    const char *a = cells.points[0].name, *b = cells.points[1].name;
    static const char start[] = "data.seed=1,seed=2,lr_schedule.kind=cosine,branch_scale=__learned___0_~";
    assert_memory_equal(a, start, strlen(start));
    assert_int_equal(strlen(a), strlen(start) + 16);
    assert_string_not_equal(a + strlen(start), b + strlen(start));
    sn_cells_reset(&cells);

    char longest[600] = "name=", other[1200];
    for (int i = 0; i < 200; i++)
        strcat(longest, "\xc3\xa4"); /* of two bytes: none is cut */
    snprintf(other, sizeof other, "%s,%sx", longest, longest + 5);
    const char *long_grids[] = {other, NULL};
    request = request_of(long_grids, 1);
    make(&cells, &request);
    for (size_t p = 0; p < 2; p++) {
        const char *name = cells.points[p].name;
        assert_true(strlen(name) > 200 && strlen(name) + strlen(",seed=9007199254740992") <= 255);
        assert_int_equal(strchr(name, '~') - name - 5, (strchr(name, '~') - name - 5) / 2 * 2);
    }
    assert_string_not_equal(cells.points[0].name, cells.points[1].name);
    sn_cells_reset(&cells);
}

/* A key without effect: the first of equal cells stays.  Another name of the run is another cell. */
static void test_repeated(void **state) {
    (void)state;
    const char *grids[] = {"network.skip.kind=none,add", "network.skip.layers_per_block=1,2", "name=a,b", NULL};
    const char *names[] = {"skip.kind=none,layers_per_block=1,name=a",
                           "skip.kind=none,layers_per_block=1,name=b",
                           "skip.kind=add,layers_per_block=1,name=a",
                           "skip.kind=add,layers_per_block=1,name=b",
                           "skip.kind=add,layers_per_block=2,name=a",
                           "skip.kind=add,layers_per_block=2,name=b",
                           NULL};
    sn_cells_request request = request_of(grids, 2);
    sn_cells cells;
    make(&cells, &request);
    names_are(&cells, names);
    assert_int_equal(cells.n_repeated, 2);
    sn_cells_reset(&cells);
}

/* ---- axes ---- */

static void test_values(void **state) {
    (void)state;
    static const char *const sets[] = {"k={\"a\": [1, 2], \"b\": \"}\\\",\"}", "k=[1,[2]]", "k=\"x,y\"", "k=1e-3",
                                       "k=a=b"};
    sn_pool pool = {0};
    sn_axis axis;
    assert_int_equal(
        sn_axis_grid(&axis, &pool, "k={\"a\": [1, 2], \"b\": \"}\\\",\"},[1,[2]],\"x,y\",1e-3,a=b", &error), SN_OK);
    assert_int_equal(axis.n_values, sizeof sets / sizeof *sets);
    for (size_t i = 0; i < axis.n_values; i++)
        assert_string_equal(axis.sets[i], sets[i]);
    sn_pool_free(&pool);
}

static void test_refused_grids(void **state) {
    (void)state;
    static const struct {
        const char *grid, *message;
    } cases[] = {
        {"network.depth", "--grid network.depth: no \"=\", expected KEY=VALUE,VALUE..."},
        {"=1", "--grid =1: no key before the \"=\", expected KEY=VALUE,VALUE..."},
        {"seed=", "--grid seed=: an empty value (an empty text is written \"\")"},
        {"seed=1,,2", "--grid seed=1,,2: an empty value (an empty text is written \"\")"},
        {"seed=1,", "--grid seed=1,: an empty value (an empty text is written \"\")"},
        {"seed=1,2,1", "--grid seed=1,2,1: the value 1 is there twice"},
        {"data={\"kind\": \"spirals\",",
         "--grid data={\"kind\": \"spirals\",: the value {\"kind\": \"spirals\", is not "
         "closed"},
        {"name=\"a,b", "--grid name=\"a,b: the value \"a,b is not closed"},
        {"network.dept=1", "--grid network.dept=1: unknown key \"network.dept\", did you mean \"network.depth\"?"},
        {"network.depth=2,x,-1",
         "--grid network.depth=x: network.depth: expected a whole number from 1 to 100000, got the string \"x\"\n"
         "--grid network.depth=-1: network.depth: -1 is too small (a whole number from 1 to 100000)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *grids[] = {cases[i].grid, "network.width=2,3", NULL};
        sn_cells_request request = request_of(grids, 0);
        expect_refusal(&request, cases[i].message);
    }
}

static void test_refused_points(void **state) {
    (void)state;
    static const struct {
        const char *csv, *message;
    } cases[] = {
        {"network.depth\n", "a header and no rows"},
        {"network.depth,\n2,3\n", "row 1: cell 2 is empty, expected a key such as network.depth"},
        {"network.depth=3\n2\n", "row 1: network.depth=3 is no key (the header names the keys, the rows give values)"},
        {"network.depth,seed\n2,3\n4\n", "row 3: 1 cells, the header has 2 keys"},
        {"network.depth,seed\n2,\n",
         "row 2: an empty cell under seed (write the value that the config has, or \"\"\"\"\"\" for an empty text)"},
        {"network.depth,seed\n2,3\n4,3\n2,3\n", "row 4 repeats row 2"},
        {"network.depth\n2\nx\n",
         "row 3: network.depth=x: network.depth: expected a whole number from 1 to 100000, got the string \"x\""},
    };
    const char *none[] = {NULL};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_cells_request request = request_of(none, 0);
        request.points = write_file("wrong.csv", cases[i].csv);
        char message[1024];
        snprintf(message, sizeof message, "--points %s: %s", request.points, cases[i].message);
        expect_refusal(&request, message);
    }
}

static void test_refused_keys(void **state) {
    (void)state;
    const char *twice[] = {"seed=1,2", "seed=3", NULL}, *none[] = {NULL}, *huge[] = {"network.depth=1,2", NULL};
    const char *replaced[] = {"network.skip.growth=1,2", "network.skip=none,concat", NULL};
    sn_cells_request request = request_of(twice, 0);
    expect_refusal(&request, "--grid seed: the key is also given by --grid: give it once");
    request = request_of(twice, 2);
    expect_refusal(&request, "--seeds: seed is also given by --grid: give one of them");
    request = request_of(replaced, 0);
    expect_refusal(&request, "--grid network.skip: it would replace network.skip.growth, which --grid sets before it "
                             "(sweep keys below it instead)");
    const char *sets[] = {"network.depth=7"};
    request = request_of(huge, 0);
    request.sets = sets;
    request.n_sets = 1;
    expect_refusal(&request, "--grid network.depth: the key is also given by --set: give it once");
    request = request_of(huge, SN_MAX_CELLS);
    expect_refusal(&request, "skipnet cells: more than 1000000 cells (take shorter grids, or several)");
    request = request_of(none, 0);
    expect_refusal(&request,
                   "skipnet cells: nothing varies: give --grid KEY=VALUE,VALUE..., --points FILE or --seeds N");
    const char *late[] = {"seed=9007199254740992"};
    request = request_of(none, 2);
    request.sets = late;
    request.n_sets = 1;
    expect_refusal(&request, "--seeds 2: from seed 9007199254740992 on they pass 2^53, the largest");
}

/* ---- what the lines say ---- */

/* The words of a line of cells.txt, as a shell gives them to the program: one a time, NULL at the end. */
static char **words_of(const char *line) {
    FILE *file = popen(line, "r"); /* NOLINT(cert-env33-c): a shell is what is tested */
    static char text[16384];
    static char *words[64];
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0, n_words = 0;
    assert_int_equal(pclose(file), 0);
    text[n] = '\0';
    for (char *p = text; p < text + n && n_words < 63; p += strlen(p) + 1)
        words[n_words++] = p;
    words[n_words] = NULL;
    return words;
}

static uint64_t hash_of(const char *path, const char *const *sets, size_t n_sets) {
    sn_config *config = NULL;
    sn_config_source source = {.path = path, .sets = sets, .n_sets = n_sets};
    sn_error_clear(&error);
    if (sn_config_read(&config, &sn_language, &source, &error)) fail_msg("%s", error.text);
    sn_text text = SN_TEXT_EMPTY;
    sn_config_text(config, &text); /* the name and paths too, which the meaning leaves out */
    uint64_t hash = sn_config_hash(config) + (uint64_t)text.length;
    for (size_t i = 0; i < text.length; i++)
        hash = hash * 31 + (unsigned char)text.data[i];
    sn_text_free(&text);
    sn_config_free(config);
    return hash;
}

/* Line by line: the words are those of the call, and config.json with its sets is the config with the sets given. */
static void check_lines(const sn_cells *cells, const char *program) {
    char *lines = read_file(at("o u't\n$HOME/cells.txt")), *rest = lines;
    char *config = sn_string_copy(at("o u't\n$HOME/config.json"));
    for (size_t p = 0; p < cells->n_points; p++) {
        char *line = strsep(&rest, "\n");
        char **words = words_of(line);
        assert_string_equal(words[0], program);
        assert_string_equal(words[1], "train");
        assert_string_equal(words[2], config);
        const char *given[16], *written[16];
        for (size_t k = 0; k < cells->n_keys; k++) {
            assert_string_equal(words[3 + 2 * k], "--set");
            written[k] = words[4 + 2 * k];
            given[k] = cells->points[p].sets[k];
        }
        assert_string_equal(words[3 + 2 * cells->n_keys], "--resume");
        assert_true(hash_of(config, written, cells->n_keys) == hash_of(at("tiny.json"), given, cells->n_keys));
        assert_int_equal(chdir("/"), 0);                                                  /* wherever it is run */
        assert_true(hash_of(config, written, cells->n_keys) != hash_of(config, NULL, 0)); /* the sets count */
        uint64_t elsewhere = hash_of(config, written, cells->n_keys);
        assert_int_equal(chdir(work), 0);
        assert_true(elsewhere == hash_of(at("tiny.json"), given, cells->n_keys));
    }
    assert_string_equal(rest, "");
    free(lines);
    free(config);
}

static void test_lines(void **state) {
    (void)state;
    char *program = sn_string_copy(write_file("pro gram's", "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\"\n"));
    assert_int_equal(chmod(program, 0700), 0);
    const char *grids[] = {"data.kind=spirals,csv",
                           "data.path=other.csv,/abs/x.csv,it's $HOME `x` \\.csv,line\nbreak.csv,last\n",
                           "network.skip={\"kind\": \"add\",\n\"layers_per_block\": 2},concat",
                           "data.test_path=\"t.csv\"",
                           "comment=*,#~",
                           NULL};
    sn_cells_request request = request_of(grids, 0);
    request.out = at("o u't\n$HOME");
    sn_cells cells;
    assert_int_equal(chdir(work), 0);
    make(&cells, &request);
    assert_true(cells.n_points >= 24); /* spirals have no path: its cells are less */
    if (sn_cells_write(&cells, program, 1, &error)) fail_msg("%s", error.text);
    check_lines(&cells, program);
    free(program);
    sn_cells_reset(&cells);
}

static void test_shell_words(void **state) {
    (void)state;
    static const struct {
        const char *word, *quoted;
    } cases[] = {{"a=1,b.c/d-e:@%+_", "a=1,b.c/d-e:@%+_"},
                 {"", "''"},
                 {"~", "'~'"},
                 {"a b", "'a b'"},
                 {"'", "''\\'''"},
                 {"a\nb", "'a'\"$n\"'b'"},
                 {"\xc3\xa4", "'\xc3\xa4'"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_text text = SN_TEXT_EMPTY;
        sn_text_add_shell(&text, cases[i].word);
        assert_string_equal(sn_text_string(&text), cases[i].quoted);
        sn_text read = SN_TEXT_EMPTY;
        sn_text_add(&text, " next\nline");
        const char *at = sn_text_string(&text);
        assert_true(sn_shell_next(&at, &read));
        assert_string_equal(sn_text_string(&read), cases[i].word);
        assert_true(sn_shell_next(&at, &read));
        assert_string_equal(sn_text_string(&read), "next");
        assert_false(sn_shell_next(&at, &read));
        sn_text_free(&read);
        sn_text_free(&text);
    }
}

/* config.json is not resolved: the keys of other kinds are there for cells that choose them, paths of all kinds too. */
static void test_portable(void **state) {
    (void)state;
    const char *grids[] = {"network.skip.kind=add,concat", NULL}, *sets[] = {"network.weights=w.safetensors"};
    sn_cells_request request = request_of(grids, 0);
    request.sets = sets;
    request.n_sets = 1;
    sn_cells cells;
    assert_int_equal(chdir(work), 0);
    make(&cells, &request);
    const sn_value *root = sn_config_root(cells.portable);
    assert_string_equal(sn_value_text(root, "data.path"), at("here.csv"));
    assert_string_equal(sn_value_text(root, "network.weights"), at("w.safetensors"));
    assert_string_equal(sn_value_text(root, "name"), "tiny");
    assert_int_equal(sn_value_integer(root, "network.skip.growth"), 7);
    assert_null(sn_value_get(root, "train.lr"));
    sn_config *concat = NULL;
    if (sn_cells_config(&cells, 1, &concat, &error)) fail_msg("%s", error.text);
    assert_int_equal(sn_value_integer(sn_config_root(concat), "network.skip.growth"), 7);
    sn_config_free(concat);
    sn_cells_reset(&cells);
}

/* ---- the directory ---- */

static void write_cells(const char *const *grids, const char *out) {
    sn_cells_request request = request_of(grids, 0);
    request.out = out;
    sn_cells cells;
    make(&cells, &request);
    if (sn_cells_write(&cells, "skipnet", 1, &error)) fail_msg("%s", error.text);
    sn_cells_reset(&cells);
}

static void test_growing(void **state) {
    (void)state;
    const char *small[] = {"network.depth=2", NULL}, *large[] = {"network.depth=2,3", NULL};
    char *out = sn_string_copy(at("growing"));
    write_cells(small, out);
    write_cells(large, out);
    char *lines = read_file(at("growing/cells.txt"));
    assert_non_null(strstr(lines, "depth=3"));
    free(lines);

    /* The same meaning in other words is no other config; a comment is none. */
    write_file("growing/config.json",
               "{\"comment\": \"x\", \"train\": {\"steps\": 5e0, \"batch_size\": 20, \"epochs\": 1}, \"seed\": 4,"
               " \"data\": {\"kind\": \"spirals\", \"samples\": 60, \"test_samples\": 20},"
               " \"network\": {\"width\": 4, \"skip\": \"add\"}}");
    write_cells(large, out);
    lines = read_file(at("growing/config.json"));
    assert_non_null(strstr(lines, "growth"));
    free(lines);

    sn_cells_request request = request_of(large, 0);
    request.out = out;
    const char *sets[] = {"train.lr=3", "train.steps=6"};
    request.sets = sets;
    request.n_sets = 2;
    char message[1024];
    snprintf(message, sizeof message,
             "%s/config.json belongs to a sweep of another config; they differ in: train.lr, train.steps (take another "
             "--out, or remove %s with all that was made from it)",
             out, out);
    expect_refusal(&request, message);

    write_file("growing/run.json", "{}");
    snprintf(message, sizeof message, "%s holds a run: cells need a directory of their own", out);
    expect_refusal(&request, message);
    free(out);
}

/* ---- size and time ---- */

/* 10,000 cells are to be there in a second; asserted with slack for slow builds and busy machines. */
static void test_many(void **state) {
    (void)state;
    sn_text lrs = SN_TEXT_EMPTY;
    for (int i = 1; i <= 1000; i++)
        sn_text_addf(&lrs, "%s%d", i == 1 ? "train.lr=" : ",", i);
    const char *grids[] = {sn_text_string(&lrs), "network.depth=1,2,3,4,5", "network.skip=add,concat", NULL};
    sn_cells_request request = request_of(grids, 0);
    request.out = at("many");
    sn_cells cells;
    double start = sn_clock_seconds();
    make(&cells, &request);
    if (sn_cells_write(&cells, "skipnet", 1, &error)) fail_msg("%s", error.text);
    double seconds = sn_clock_seconds() - start;
    assert_int_equal(sn_cells_count(&cells), 10000);
    char *lines = read_file(at("many/cells.txt"));
    size_t n = 0;
    for (const char *p = lines; (p = strchr(p, '\n')); p++)
        n++;
    assert_int_equal(n, 10000);
    if (seconds > 10) fail_msg("10,000 cells took %g s", seconds);
    free(lines);
    sn_cells_reset(&cells);
    sn_text_free(&lrs);
}

/* The times are the machine's, but what they are made of is known: more steps take longer, more parameters more room.
 */
static sn_estimate estimate_of(const char *depths, const char *steps) {
    const char *grids[] = {depths, "network.skip.kind=none,add", NULL}, *sets[] = {steps};
    sn_cells_request request = request_of(grids, 2);
    request.sets = sets;
    request.n_sets = 1;
    sn_cells cells;
    make(&cells, &request);
    sn_estimate estimate;
    if (sn_cells_estimate(&cells, &estimate, &error)) fail_msg("%s", error.text);
    sn_cells_reset(&cells);
    return estimate;
}

static void test_estimate(void **state) {
    (void)state;
    sn_estimate few = estimate_of("network.depth=2,8,32", "train.steps=100");
    sn_estimate many = estimate_of("network.depth=2,8,32", "train.steps=100000");
    sn_estimate one = estimate_of("network.depth=8", "train.steps=100");
    assert_int_equal(few.n_timed, 4);
    assert_int_equal(one.n_timed, 2);
    assert_int_equal(few.n_looked_at, 6);
    assert_true(few.core_seconds > 0 && few.longest > 0 && few.longest < few.core_seconds);
    assert_true(many.core_seconds > 20 * few.core_seconds);
    assert_true(few.bytes > 2 * one.bytes && one.bytes > 4 * 16e3);
    assert_false(sn_path_exists(at("out")));
}

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(work)) return 1;
    write_file("tiny.json", tiny);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s", work);
    return system(command); /* NOLINT(cert-env33-c): a name of our own */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),          cmocka_unit_test(test_points),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_values),         cmocka_unit_test(test_refused_grids),
        cmocka_unit_test(test_refused_points), cmocka_unit_test(test_refused_keys),
        cmocka_unit_test(test_lines),          cmocka_unit_test(test_shell_words),
        cmocka_unit_test(test_portable),       cmocka_unit_test(test_growing),
        cmocka_unit_test(test_many),           cmocka_unit_test(test_estimate),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
