/* SPDX-License-Identifier: MIT
 *
 * Statistics: known answers, and simulations of what they promise. Seeds are
 * fixed, so that a simulation passes always or never. */
#include "check.h"
#include "failing_allocator.h"

#include <math.h>

#include "core/stats/bootstrap.h"
#include "core/stats/paired.h"
#include "core/stats/random.h"
#include "core/stats/summary.h"

static bool near(double actual, double expected) {
    return fabs(actual - expected) <= 1e-9 * fmax(1, fabs(expected));
}

static double normal(struct hasten_random *random) {
    double radius = sqrt(-2 * log(1 - hasten_random_unit(random)));
    return radius * cos(6.283185307179586 * hasten_random_unit(random));
}

/* One in ten is ten times as far off: what a shared machine does. */
static double heavy(struct hasten_random *random) {
    return normal(random) * (hasten_random_below(random, 10) == 0 ? 10 : 1);
}

static void test_quantiles(void) {
    double values[] = {7, 1, 3, 5};
    double scratch[4];
    hasten_sort(values, 4);
    struct hasten_summary summary = hasten_summarize(values, 4, scratch);
    CHECK(near(summary.least, 1) && near(summary.most, 7) && near(summary.mean, 4));
    CHECK(near(summary.median, 4) && near(summary.deviation, 2));
    CHECK(near(summary.lower_quartile, 2.5) && near(summary.upper_quartile, 5.5));
    CHECK(near(hasten_quantile(values, 4, 1), 7));
    CHECK(near(hasten_quantile(values, 0, 0.5), 0));
    CHECK_EQ_INT(hasten_summarize(values, 0, scratch).count, 0);
}

/* Against sorting, with ties, for every size. */
static void test_median_in_place(void) {
    struct hasten_random random = {5};
    unsigned wrong = 0;
    for (size_t count = 0; count < 300; count++) {
        double values[300], sorted[300];
        for (size_t i = 0; i < count; i++) {
            values[i] = sorted[i] = hasten_random_below(&random, 1 + (uint32_t)count / 2);
        }
        hasten_sort(sorted, count);
        wrong += hasten_median_in_place(values, count) != hasten_quantile(sorted, count, 0.5);
    }
    CHECK_EQ_INT(wrong, 0);
}

static void test_outliers(void) {
    struct hasten_summary summary = {.lower_quartile = 10, .upper_quartile = 12};
    CHECK_EQ_INT(hasten_outlier_class(&summary, 15), HASTEN_OUTLIER_NONE);
    CHECK_EQ_INT(hasten_outlier_class(&summary, 15.1), HASTEN_OUTLIER_HIGH);
    CHECK_EQ_INT(hasten_outlier_class(&summary, 18.1), HASTEN_OUTLIER_HIGH_SEVERE);
    CHECK_EQ_INT(hasten_outlier_class(&summary, 6.9), HASTEN_OUTLIER_LOW);
    CHECK_EQ_INT(hasten_outlier_class(&summary, 3.9), HASTEN_OUTLIER_LOW_SEVERE);
}

static void test_warm_up(void) {
    double values[40], scratch[40];
    struct hasten_random random = {11};
    size_t found_none = 0, found_seven = 0;
    for (int run = 0; run < 200; run++) {
        for (int i = 0; i < 40; i++) {
            values[i] = 100 + normal(&random);
        }
        found_none += hasten_warm_up(values, 40, scratch) == 0;
        for (int i = 0; i < 7; i++) {
            values[i] += 50;
        }
        size_t found = hasten_warm_up(values, 40, scratch);
        found_seven += found >= 6 && found <= 7;
    }
    CHECK(found_none >= 196);
    CHECK(found_seven >= 196);
    values[20] = 1000; /* one slow block is no warm-up */
    CHECK_EQ_INT(hasten_warm_up(values + 10, 30, scratch), 0);
    CHECK_EQ_INT(hasten_warm_up(values, 5, scratch), 0);
}

static void test_bootstrap(void) {
    struct hasten_random random = {3};
    unsigned covered = 0;
    enum { RUNS = 400, GROUPS = 20, EACH = 10 };
    size_t starts[GROUPS + 1];
    double values[GROUPS * EACH];
    struct hasten_interval interval = {0, 0};
    for (size_t g = 0; g <= GROUPS; g++) {
        starts[g] = g * EACH;
    }
    /* Processes differ more than the blocks within one. */
    for (int run = 0; run < RUNS; run++) {
        for (size_t g = 0; g < GROUPS; g++) {
            double level = 100 + 2 * normal(&random);
            for (size_t i = 0; i < EACH; i++) {
                values[starts[g] + i] = level + heavy(&random);
            }
        }
        CHECK_STATUS(
            hasten_bootstrap_median(NULL, values, starts, GROUPS, 0.95, 1, &interval, NULL),
            HASTEN_OK);
        covered += interval.low <= 100 && 100 <= interval.high;
    }
    printf("median of groups: covered %.1f %%\n", 100.0 * covered / RUNS);
    CHECK(covered >= 0.93 * RUNS && covered <= 0.98 * RUNS);
    struct hasten_interval again = {0, 0};
    CHECK_STATUS(hasten_bootstrap_median(NULL, values, starts, GROUPS, 0.95, 1, &again, NULL),
                 HASTEN_OK);
    CHECK(again.low == interval.low && again.high == interval.high);
}

/* Hamilton depression scores of nine patients before and after, a textbook's
 * example of the signed-rank test: V = 40, p = 0.03906. */
static void test_known_ranks(void) {
    static const double before[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
    static const double after[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
    double differences[9];
    struct hasten_ratio ratio = {0};
    for (int i = 0; i < 9; i++) {
        differences[i] = before[i] - after[i];
    }
    CHECK_STATUS(hasten_paired_ratio(NULL, differences, 9, 0.05, &ratio, NULL), HASTEN_OK);
    CHECK(near(ratio.p, 20.0 / 512));
    CHECK(ratio.low > 1 && ratio.low < ratio.ratio && ratio.ratio < ratio.high);
    CHECK_EQ_INT(hasten_compare(&ratio, 0.05, 0.01), HASTEN_COMPARISON_SLOWER);
    CHECK_EQ_INT(hasten_compare(&ratio, 0.01, 0.01), HASTEN_COMPARISON_UNCLEAR);
}

static void test_few_pairs(void) {
    static const double logs[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
    struct hasten_ratio ratio = {0};
    /* Five in agreement happen in one of sixteen cases: no 95 %. */
    CHECK_STATUS(hasten_paired_ratio(NULL, logs, 5, 0.05, &ratio, NULL), HASTEN_OK);
    CHECK(near(ratio.p, 2.0 / 32) && ratio.low == 0 && isinf(ratio.high));
    CHECK_EQ_INT(hasten_compare(&ratio, 0.05, 0.01), HASTEN_COMPARISON_UNCLEAR);
    CHECK_STATUS(hasten_paired_ratio(NULL, logs, 6, 0.05, &ratio, NULL), HASTEN_OK);
    CHECK(near(ratio.p, 2.0 / 64) && near(ratio.low, exp(0.1)) && near(ratio.high, exp(0.1)));
    static const double zeros[12] = {0};
    CHECK_STATUS(hasten_paired_ratio(NULL, zeros, 12, 0.05, &ratio, NULL), HASTEN_OK);
    CHECK(ratio.p == 1);
    CHECK_EQ_INT(hasten_compare(&ratio, 0.05, 0.01), HASTEN_COMPARISON_SAME);
    CHECK_EQ_STR(hasten_comparison_name(HASTEN_COMPARISON_SAME), "same");
}

/* The distribution for many pairs agrees with the exact one where they meet. */
static void test_many_pairs(void) {
    struct hasten_random random = {8};
    double logs[65];
    struct hasten_ratio exact = {0}, approximate = {0};
    for (int i = 0; i < 65; i++) {
        logs[i] = 0.3 + normal(&random);
    }
    CHECK_STATUS(hasten_paired_ratio(NULL, logs, 64, 0.05, &exact, NULL), HASTEN_OK);
    CHECK_STATUS(hasten_paired_ratio(NULL, logs, 65, 0.05, &approximate, NULL), HASTEN_OK);
    CHECK(fabs(log(exact.low / approximate.low)) < 0.05);
    CHECK(fabs(log(exact.high / approximate.high)) < 0.05);
}

/* A comparison with looks, on sides whose true ratio is known: whether it was
 * called different, and whether the interval has the truth. */
struct outcome {
    unsigned different, covered, stopped_early;
};

static double cluster(struct hasten_random *random, double truth, double drift) {
    double quads[5];
    bool a_first = hasten_random_below(random, 2) == 0;
    double layout = 0.01 * normal(random); /* what a process has for itself */
    for (int i = 0; i < 5; i++) {
        double start = 1 + drift * hasten_random_unit(random);
        double noise[4];
        for (int k = 0; k < 4; k++) {
            noise[k] = exp(0.02 * fabs(heavy(random)));
        }
        for (int k = 0; k < 4; k++) {
            noise[k] *= start + k * drift;
        }
        quads[i] = a_first ? hasten_abba_log_ratio(noise[0], noise[1], noise[2], noise[3])
                           : hasten_abba_log_ratio(noise[1], noise[0], noise[3], noise[2]);
        quads[i] += log(truth);
    }
    return layout + hasten_median_in_place(quads, 5);
}

static void simulate(uint64_t seed, double truth, double drift, size_t planned, int runs,
                     struct outcome *outcome) {
    struct hasten_random random = {seed};
    double logs[64];
    for (int run = 0; run < runs; run++) {
        struct hasten_ratio ratio = {0};
        enum hasten_comparison comparison = HASTEN_COMPARISON_UNCLEAR;
        size_t count = 0, look = 0;
        while (comparison == HASTEN_COMPARISON_UNCLEAR && look < HASTEN_LOOKS) {
            while (count < hasten_look_place(look, planned)) {
                logs[count++] = cluster(&random, truth, drift);
            }
            double alpha = hasten_look_alpha(look++);
            CHECK_STATUS(hasten_paired_ratio(NULL, logs, count, alpha, &ratio, NULL), HASTEN_OK);
            comparison = hasten_compare(&ratio, alpha, 0);
        }
        CHECK_STATUS(hasten_paired_ratio(NULL, logs, count, hasten_look_interval_alpha(look - 1),
                                         &ratio, NULL),
                     HASTEN_OK);

        outcome->different += comparison != HASTEN_COMPARISON_UNCLEAR;
        outcome->covered += ratio.low <= truth && truth <= ratio.high;
        outcome->stopped_early += look < HASTEN_LOOKS;
    }
}

static void test_promises(void) {
    enum { RUNS = 2000 };
    struct outcome same = {0}, drifting = {0}, slower = {0}, hardly = {0};
    simulate(21, 1, 0, 20, RUNS, &same);
    simulate(22, 1, 0.1, 12, RUNS, &drifting);
    simulate(23, 1.02, 0.02, 24, RUNS, &slower);
    simulate(24, 1.006, 0.02, 30, RUNS, &hardly); /* stops at any look */
    printf("equal sides called different: %.1f %%, drifting %.1f %%; 2 %% found: %.1f %%, covered "
           "%.1f %%; 0.6 %% covered %.1f %%\n",
           100.0 * same.different / RUNS, 100.0 * drifting.different / RUNS,
           100.0 * slower.different / RUNS, 100.0 * slower.covered / RUNS,
           100.0 * hardly.covered / RUNS);
    CHECK(same.different > 0 && same.different <= 0.05 * RUNS);
    CHECK(drifting.different > 0 && drifting.different <= 0.05 * RUNS);
    CHECK(same.covered >= 0.93 * RUNS && same.covered <= 0.97 * RUNS);
    CHECK(slower.different >= 0.9 * RUNS && slower.stopped_early > 0);
    CHECK(slower.covered >= 0.93 * RUNS && slower.covered <= 0.97 * RUNS);
    CHECK(hardly.covered >= 0.93 * RUNS && hardly.covered <= 0.97 * RUNS);
}

static void test_looks(void) {
    double sum = 0;
    size_t before = 0;
    for (size_t look = 0; look < HASTEN_LOOKS; look++) {
        sum += hasten_look_alpha(look);
        CHECK(hasten_look_place(look, 20) > before);
        before = hasten_look_place(look, 20);
    }
    CHECK(near(sum, 0.05));
    CHECK_EQ_INT(before, 20);
    /* What is just clear at a look is just clear of the whole. */
    for (size_t look = 0; look < HASTEN_LOOKS; look++) {
        CHECK(near(hasten_look_p(hasten_look_alpha(look), hasten_look_alpha(look)), 0.05));
    }
    CHECK(near(hasten_look_p(0.9, hasten_look_alpha(0)), 1));
}

static void test_holm(void) {
    static const double p[] = {0.04, 0.001, 0.02, 0.6};
    bool differs[4];
    hasten_holm(p, 4, 0.05, differs);
    CHECK(!differs[0] && differs[1] && !differs[2] && !differs[3]);
    hasten_holm(p, 2, 0.05, differs);
    CHECK(differs[0] && differs[1]);
    hasten_holm(p, 0, 0.05, differs);
}

static void test_refusals(void) {
    static const double values[] = {1, 2, 3};
    static const size_t starts[] = {0, 3}, none[] = {0, 0};
    struct hasten_interval interval = {5, 6};
    struct hasten_ratio ratio = {.count = 7};
    struct hasten_error error;
    struct failing_allocator failing;
    CHECK_STATUS(hasten_bootstrap_median(NULL, values, none, 1, 0.95, 1, &interval, &error),
                 HASTEN_INVALID);
    CHECK_EQ_STR(error.message, "there are no values to resample");
    CHECK_STATUS(hasten_paired_ratio(NULL, values, 0, 0.05, &ratio, &error), HASTEN_INVALID);
    CHECK_EQ_STR(error.message, "there is nothing to compare");
    CHECK_STATUS(hasten_paired_ratio(NULL, values, HASTEN_PAIRED_MOST + 1, 0.05, &ratio, &error),
                 HASTEN_LIMIT);
    failing_allocator_init(&failing, 1, true);
    CHECK_STATUS(hasten_paired_ratio(&failing.allocator, values, 3, 0.05, &ratio, &error),
                 HASTEN_NO_MEMORY);
    CHECK_STATUS(
        hasten_bootstrap_median(&failing.allocator, values, starts, 1, 0.95, 1, &interval, &error),
        HASTEN_NO_MEMORY);
    CHECK(interval.low == 5 && ratio.count == 7);
    failing_allocator_init(&failing, 0, false);
    CHECK_STATUS(hasten_paired_ratio(&failing.allocator, values, 3, 0.05, &ratio, &error),
                 HASTEN_OK);
    CHECK_EQ_INT(failing.live_blocks, 0);
    CHECK(!failing.wrong_size);
}

int main(void) {
    test_quantiles();
    test_median_in_place();
    test_outliers();
    test_warm_up();
    test_bootstrap();
    test_known_ranks();
    test_few_pairs();
    test_many_pairs();
    test_promises();
    test_looks();
    test_holm();
    test_refusals();
    return check_done();
}
