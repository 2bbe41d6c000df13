/* What is drawn for augmented images, and the keys that ask for it. */
#include "data_fixture.h"

#include <math.h>

#include "data/augment.h"

static bool is_same(sn_crop a, sn_crop b) {
    return a.dy == b.dy && a.dx == b.dx && a.is_mirrored == b.is_mirrored;
}

/* A function of seed, epoch and sample, and of nothing else. */
static void test_function(void **state) {
    (void)state;
    const sn_augment how = {.crop_padding = 4, .flips = true};
    sn_augment a = sn_augment_at(&how, 3, 5), again = sn_augment_at(&how, 3, 5);
    sn_augment next = sn_augment_at(&how, 3, 6), other = sn_augment_at(&how, 4, 5);
    int n_next = 0, n_other = 0, n_neighbour = 0;
    for (uint32_t sample = 1000; sample > 0; sample--) {
        sn_crop crop = sn_augment_draw(&a, sample);
        assert_true(is_same(crop, sn_augment_draw(&again, sample)));
        n_next += is_same(crop, sn_augment_draw(&next, sample));
        n_other += is_same(crop, sn_augment_draw(&other, sample));
        n_neighbour += is_same(crop, sn_augment_draw(&a, sample - 1));
    }
    assert_in_range(n_next, 0, 20); /* 1000 / 162 */
    assert_in_range(n_other, 0, 20);
    assert_in_range(n_neighbour, 0, 20);
}

/* All crops and both sides are equally frequent. */
static void test_uniform(void **state) {
    (void)state;
    enum { PADDING = 2, N = 2 * PADDING + 1, SAMPLES = 50000 };
    const sn_augment how = {.crop_padding = PADDING, .flips = true};
    sn_augment a = sn_augment_at(&how, 1, 0);
    int counts[N][N][2] = {{{0}}};
    for (uint32_t sample = 0; sample < SAMPLES; sample++) {
        sn_crop crop = sn_augment_draw(&a, sample);
        assert_in_range(crop.dy + PADDING, 0, 2 * PADDING);
        assert_in_range(crop.dx + PADDING, 0, 2 * PADDING);
        counts[crop.dy + PADDING][crop.dx + PADDING][crop.is_mirrored]++;
    }
    for (int i = 0; i < N * N * 2; i++) {
        int n = counts[i / 2 / N][i / 2 % N][i % 2];
        assert_true(abs(n - SAMPLES / 50) < 160); /* five times the root of 1000 */
    }
}

static void test_one_of_both(void **state) {
    (void)state;
    sn_augment crops = sn_augment_at(&(sn_augment){.crop_padding = 1}, 1, 0);
    sn_augment flips = sn_augment_at(&(sn_augment){.flips = true}, 1, 0);
    sn_augment both = sn_augment_at(&(sn_augment){.crop_padding = 1, .flips = true}, 1, 0), none = {0};
    int n_moved = 0, n_mirrored = 0;
    assert_true(sn_augment_is_on(&crops) && sn_augment_is_on(&flips) && !sn_augment_is_on(&none));
    for (uint32_t sample = 0; sample < 200; sample++) {
        sn_crop crop = sn_augment_draw(&crops, sample), flip = sn_augment_draw(&flips, sample);
        sn_crop wanted = {crop.dy, crop.dx, flip.is_mirrored};
        assert_true(!crop.is_mirrored && flip.dy == 0 && flip.dx == 0);
        assert_true(is_same(sn_augment_draw(&both, sample), wanted)); /* one does not change what the other draws */
        assert_true(is_same(sn_augment_draw(&none, sample), (sn_crop){0}));
        n_moved += crop.dy != 0 || crop.dx != 0;
        n_mirrored += flip.is_mirrored;
    }
    assert_in_range(n_moved, 150, 199);
    assert_in_range(n_mirrored, 70, 130);
}

static void test_keys(void **state) {
    (void)state;
    sn_dataset d = fixture_load_ok("{\"kind\": \"textures\", \"height\": 9, \"width\": 5, \"samples\": 10}");
    assert_false(sn_augment_is_on(&d.augment));
    uint64_t checksum = d.checksum;
    sn_dataset_reset(&d);
    d = fixture_load_ok("{\"kind\": \"textures\", \"height\": 9, \"width\": 5, \"samples\": 10, \"augment\": "
                        "{\"crop_padding\": 4, \"flip\": true}}");
    assert_int_equal(d.augment.crop_padding, 4);
    assert_true(d.augment.flips);
    assert_int_equal(d.checksum, checksum); /* the samples are the same */
    sn_dataset_reset(&d);
    fixture_expect_fault("{\"kind\": \"textures\", \"height\": 9, \"width\": 5, \"samples\": 10, \"augment\": "
                         "{\"crop_padding\": 5}}",
                         SN_INVALID,
                         "c.json:1:99: data.augment.crop_padding: images of 9 x 5 have room for a padding of at most 4 "
                         "(else nothing of one may be left in its crop)");
    d = fixture_load_ok(
        "{\"kind\": \"spirals\", \"augment\": {\"flip\": true}}"); /* it has no such key: told, and idle */
    assert_false(sn_augment_is_on(&d.augment));
    sn_dataset_reset(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_function),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_one_of_both),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests_name("augment", tests, fixture_setup, fixture_teardown);
}
