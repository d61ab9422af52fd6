/* SPDX-License-Identifier: MIT
 *
 * Classes of growth: simulated costs of every class, on quiet and noisy machines, in and
 * out of caches, and costs of which no class can be told. Seeds are fixed. */
#include "check.h"

#include <math.h>

#include "core/stats/leastsquares.h"
#include "core/stats/models.h"
#include "core/stats/random.h"

#define TRIALS 100

static double normal(struct hasten_random *random) {
    double radius = sqrt(-2 * log(1 - hasten_random_unit(random)));
    return radius * cos(6.283185307179586 * hasten_random_unit(random));
}

/* A machine: what it does to each true cost. */
struct machine {
    double noise;      /* of what is measured */
    double jitter;     /* of each size */
    double drift;      /* per doubling */
    double cache_size; /* sizes beyond are slower, by `miss` a doubling */
    double miss;
};

static const struct machine quiet = {.noise = 0.002, .cache_size = 1e18};
static const struct machine usual = {
    .noise = 0.03, .jitter = 0.02, .drift = 0.015, .cache_size = 8192, .miss = 0.08};
static const struct machine noisy = {
    .noise = 0.10, .jitter = 0.03, .drift = 0.02, .cache_size = 8192, .miss = 0.08};

struct cost {
    double constant, lower, leading;
    enum hasten_growth lower_growth, growth;
    double base;
    double first, last, step; /* sizes: times step, or plus where it is below 0 */
};

static double term(enum hasten_growth growth, double base, double n) {
    const double terms[HASTEN_GROWTH_COUNT] = {1,     log2(n),   n,           n * log2(n),
                                               n * n, n * n * n, pow(base, n)};
    return terms[growth];
}

static size_t simulate(const struct cost *cost, const struct machine *machine,
                       struct hasten_random *random, struct hasten_cost *points) {
    size_t count = 0;
    double drift = 0, before = cost->first;
    for (double n = cost->first; n <= cost->last && count < HASTEN_MODELS_MOST_POINTS;
         n = cost->step < 0 ? n - cost->step : n * cost->step) {
        double doublings = log2(n / before);
        drift += machine->drift * sqrt(doublings) * normal(random);
        drift += n > machine->cache_size ? machine->miss * doublings : 0;
        before = n;
        double value = cost->constant + cost->leading * term(cost->growth, cost->base, n);
        value += cost->lower * term(cost->lower_growth, 0, n);
        double off = drift + machine->jitter * normal(random) + machine->noise * normal(random);
        points[count++] =
            (struct hasten_cost){.size = n,
                                 .value = value * exp(off),
                                 .error = machine->noise,
                                 .reach = n > machine->cache_size ? HASTEN_REACH_MEMORY
                                          : n > 256               ? HASTEN_REACH_CACHE
                                                                  : HASTEN_REACH_NEAR};
    }
    return count;
}

struct tally {
    int right, wrong, unsure;
};

static struct tally classify_many(const struct cost *cost, const struct machine *machine) {
    struct hasten_random random = {11 + (uint64_t)cost->growth};
    struct tally tally = {0, 0, 0};
    for (int trial = 0; trial < TRIALS; trial++) {
        struct hasten_cost points[HASTEN_MODELS_MOST_POINTS];
        size_t count = simulate(cost, machine, &random, points);
        struct hasten_verdict verdict = hasten_classify(points, count, &hasten_tolerance_time);
        if (verdict.doubt != HASTEN_DOUBT_NONE) {
            tally.unsure++;
        } else if (verdict.growth == cost->growth) {
            tally.right++;
        } else {
            tally.wrong++;
        }
    }
    return tally;
}

/* Nanoseconds, as of functions of Python. */
static const struct cost costs[] = {
    {.constant = 40, .growth = HASTEN_GROWTH_CONSTANT, .first = 4, .last = 6e5, .step = 2},
    /* bisect */
    {.constant = 60,
     .leading = 14,
     .growth = HASTEN_GROWTH_LOG,
     .first = 4,
     .last = 6e5,
     .step = 2},
    /* a loop */
    {.constant = 90,
     .leading = 25,
     .growth = HASTEN_GROWTH_LINEAR,
     .first = 4,
     .last = 6e5,
     .step = 2},
    /* building a table */
    {.constant = 150,
     .leading = 40,
     .lower = 20,
     .lower_growth = HASTEN_GROWTH_LOG,
     .growth = HASTEN_GROWTH_LINEAR,
     .first = 4,
     .last = 3e5,
     .step = 2},
    /* sorting */
    {.constant = 100,
     .leading = 10,
     .lower = 12,
     .lower_growth = HASTEN_GROWTH_LINEAR,
     .growth = HASTEN_GROWTH_LINEARITHMIC,
     .first = 4,
     .last = 3e5,
     .step = 2},
    /* a loop in a loop */
    {.constant = 100,
     .leading = 20,
     .lower = 80,
     .lower_growth = HASTEN_GROWTH_LINEAR,
     .growth = HASTEN_GROWTH_QUADRATIC,
     .first = 4,
     .last = 3000,
     .step = 1.6},
    {.constant = 100,
     .leading = 30,
     .lower = 60,
     .lower_growth = HASTEN_GROWTH_QUADRATIC,
     .growth = HASTEN_GROWTH_CUBIC,
     .first = 4,
     .last = 200,
     .step = 1.5},
    {.constant = 60,
     .leading = 30,
     .growth = HASTEN_GROWTH_EXPONENTIAL,
     .base = 2,
     .first = 4,
     .last = 24,
     .step = -2},
    /* fib */
    {.constant = 60,
     .leading = 50,
     .growth = HASTEN_GROWTH_EXPONENTIAL,
     .base = 1.618,
     .first = 4,
     .last = 30,
     .step = -3},
};

static void test_classes(const struct machine *machine, int least_right, int most_wrong) {
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        struct tally tally = classify_many(&costs[i], machine);
        if (!CHECK(tally.right >= least_right) || !CHECK(tally.wrong <= most_wrong)) {
            fprintf(stderr, "    cost %zu: %d right, %d wrong, %d unsure\n", i, tally.right,
                    tally.wrong, tally.unsure);
        }
    }
}

/* n and n log n differ by their logarithms only: over a narrow range of a noisy machine
 * nobody can tell. */
static void test_narrow(void) {
    struct cost sort = costs[4];
    sort.first = 1000;
    sort.last = 9000;
    struct tally tally = classify_many(&sort, &usual);
    CHECK(tally.unsure >= TRIALS - 10);
    CHECK(tally.wrong <= 3);
    sort.last = 4000;
    tally = classify_many(&sort, &usual);
    CHECK_EQ_INT(tally.unsure, TRIALS);
}

/* What belongs to none of the classes is not forced into one. */
static void test_other_powers(void) {
    const double powers[] = {0.5, 1.5, 1.585, 2.5};
    for (size_t p = 0; p < sizeof powers / sizeof *powers; p++) {
        struct hasten_random random = {3};
        int said = 0, wrong = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            struct hasten_cost points[HASTEN_MODELS_MOST_POINTS];
            size_t count = 0;
            for (uint32_t size = 4; size < 20000; size *= 2) {
                double n = size;
                double value = (50 + 20 * pow(n, powers[p])) * exp(0.03 * normal(&random));
                points[count++] = (struct hasten_cost){n, value, 0.03, HASTEN_REACH_NEAR};
            }
            struct hasten_verdict verdict = hasten_classify(points, count, &hasten_tolerance_time);
            wrong += verdict.doubt == HASTEN_DOUBT_NONE;
            said += verdict.doubt == HASTEN_DOUBT_POWER && fabs(verdict.power - powers[p]) < 0.1;
        }
        if (!CHECK(wrong <= 2) || !CHECK(said >= TRIALS - 20)) {
            fprintf(stderr, "    n^%g: %d said so, %d wrong\n", powers[p], said, wrong);
        }
    }
}

/* n! grows faster than any class. */
static void test_factorial(void) {
    struct hasten_cost points[HASTEN_MODELS_MOST_POINTS];
    size_t count = 0;
    double value = 100;
    for (uint32_t n = 2; n <= 10; n++) {
        value *= n;
        points[count++] = (struct hasten_cost){n, value + 100, 0.01, HASTEN_REACH_NEAR};
    }
    struct hasten_verdict verdict = hasten_classify(points, count, &hasten_tolerance_time);
    CHECK(verdict.doubt != HASTEN_DOUBT_NONE);
}

static void test_doubts(void) {
    struct hasten_cost points[8];
    for (size_t i = 0; i < 8; i++) {
        points[i] = (struct hasten_cost){(double)(1u << i), 100 + 10.0 * (1u << i), 0.01,
                                         HASTEN_REACH_NEAR};
    }
    CHECK_EQ_INT(hasten_classify(points, 4, &hasten_tolerance_time).doubt, HASTEN_DOUBT_TOO_FEW);
    CHECK_EQ_INT(hasten_classify(points, 8, &hasten_tolerance_time).growth, HASTEN_GROWTH_LINEAR);
    for (size_t i = 0; i < 8; i++) {
        points[i].error = 0.6;
    }
    CHECK_EQ_INT(hasten_classify(points, 8, &hasten_tolerance_time).doubt, HASTEN_DOUBT_NOISE);
    for (size_t i = 0; i < 8; i++) {
        points[i].size = 1000 + 10 * (double)i;
        points[i].error = 0.01;
    }
    CHECK_EQ_INT(hasten_classify(points, 8, &hasten_tolerance_time).doubt, HASTEN_DOUBT_NARROW);
    points[3].size = points[2].size;
    CHECK_EQ_INT(hasten_classify(points, 8, &hasten_tolerance_time).doubt, HASTEN_DOUBT_TOO_FEW);
}

/* Bytes: tables have up to twice the entries that they need. */
static void test_memory(void) {
    struct hasten_cost points[16];
    for (size_t i = 0; i < 16; i++) {
        double n = (double)(4u << i);
        points[i] =
            (struct hasten_cost){n, 64 + 36.5 * n * (i % 2 == 0 ? 1.0 : 1.4), 0, HASTEN_REACH_NEAR};
    }
    struct hasten_verdict verdict = hasten_classify(points, 16, &hasten_tolerance_memory);
    CHECK_EQ_INT(verdict.doubt, HASTEN_DOUBT_NONE);
    CHECK_EQ_INT(verdict.growth, HASTEN_GROWTH_LINEAR);
    for (size_t i = 0; i < 16; i++) {
        points[i].value = 1024;
    }
    verdict = hasten_classify(points, 16, &hasten_tolerance_memory);
    CHECK_EQ_INT(verdict.doubt, HASTEN_DOUBT_NONE);
    CHECK_EQ_INT(verdict.growth, HASTEN_GROWTH_CONSTANT);
}

static void test_names(void) {
    for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
        const char *name = hasten_growth_name((enum hasten_growth)i);
        CHECK_EQ_INT(hasten_growth_find(name), i);
    }
    CHECK_EQ_INT(hasten_growth_find("n ** 2"), HASTEN_GROWTH_QUADRATIC);
    CHECK_EQ_INT(hasten_growth_find("N*log(n)"), HASTEN_GROWTH_LINEARITHMIC);
    CHECK_EQ_INT(hasten_growth_find("linear"), HASTEN_GROWTH_LINEAR);
    CHECK_EQ_INT(hasten_growth_find("n^4"), HASTEN_GROWTH_COUNT);
    CHECK_EQ_INT(hasten_growth_find(""), HASTEN_GROWTH_COUNT);
    CHECK_EQ_INT(hasten_growth_find("n + log n"), HASTEN_GROWTH_COUNT);
    CHECK_EQ_INT(hasten_growth_find("n\xc2\xb2"), HASTEN_GROWTH_COUNT);
    CHECK_EQ_INT(
        hasten_growth_find("n n n n n n n n n n n n n n n n n n n n n n n n n n n n n n n n n"),
        HASTEN_GROWTH_COUNT);
}

/* A factor that would be negative is 0, and the others are best without it. */
static void test_leastsquares(void) {
    struct hasten_leastsquares problem = {.rows = 4, .columns = 2};
    double factors[HASTEN_LEASTSQUARES_MOST_COLUMNS];
    for (size_t i = 0; i < 4; i++) {
        problem.cells[0][i] = 1;
        problem.cells[1][i] = (double)i;
        problem.target[i] = 3 + 2 * (double)i;
    }
    hasten_leastsquares_solve(&problem, factors);
    CHECK(fabs(factors[0] - 3) < 1e-9 && fabs(factors[1] - 2) < 1e-9);
    for (size_t i = 0; i < 4; i++) {
        problem.target[i] = 9 - 2 * (double)i;
    }
    hasten_leastsquares_solve(&problem, factors);
    CHECK(fabs(factors[0] - 6) < 1e-9 && factors[1] <= 0);
    double matrix[4] = {1, 0, 2, 1};
    CHECK(!hasten_cholesky(matrix, 2, 2));
}

int main(void) {
    test_classes(&quiet, 100, 0);
    test_classes(&usual, 95, 1);
    test_classes(&noisy, 60, 3);
    test_narrow();
    test_other_powers();
    test_factorial();
    test_doubts();
    test_memory();
    test_names();
    test_leastsquares();
    return check_done();
}
