/* SPDX-License-Identifier: MIT
 *
 * Which blocks are sampled, against what probability theory says of it. */
#include "check.h"
#include "core/heap/poisson.h"

#define MEAN 524288.0
/* A right estimate is farther off than this many standard deviations once in 300 000. */
#define DEVIATIONS 4.5

static double absolute(double value) {
    return value < 0 ? -value : value;
}

static bool is_near(double value, double wanted, double relative) {
    return absolute(value - wanted) <= relative * absolute(wanted);
}

static double root(double value) {
    double guess = value > 1 ? value : 1;
    for (int i = 0; i < 200; i++) {
        guess = (guess + value / guess) / 2;
    }
    return guess;
}

static void test_chances(void) {
    /* 1 - exp(-x) to 16 digits. */
    CHECK(is_near(hasten_poisson_chance(524287, MEAN), 0.6321205588285577, 1e-14));
    CHECK(is_near(hasten_poisson_chance(0, MEAN), 1.907346813825409e-06, 1e-12));
    CHECK(is_near(hasten_poisson_chance(131071, MEAN), 0.2211992169285951, 1e-14));
    CHECK(is_near(hasten_poisson_chance(5242879, MEAN), 0.9999546000702375, 1e-14));
    CHECK(hasten_poisson_chance(UINT64_C(1) << 40, MEAN) == 1);
    CHECK(hasten_poisson_chance(UINT64_MAX - 1, MEAN) == 1);
    CHECK(hasten_poisson_chance(0, 1) == 1);
    CHECK(hasten_poisson_chance(100, 0) == 1);
    /* Missing a block of twice the bytes is missing both halves. */
    unsigned wrong = 0;
    for (uint64_t size = 1; size < (UINT64_C(1) << 24); size = size * 5 / 4 + 1) {
        double half = 1 - hasten_poisson_chance(size - 1, MEAN);
        double whole = 1 - hasten_poisson_chance(2 * size - 1, MEAN);
        wrong += absolute(half * half - whole) > 1e-14;
    }
    CHECK_EQ_INT(wrong, 0);
}

static void test_distances(void) {
    enum { DRAWS = 400000 };
    uint64_t random = 1, least = UINT64_MAX;
    double sum = 0, squares = 0;
    unsigned above_median = 0, above_five = 0;
    for (int i = 0; i < DRAWS; i++) {
        uint64_t distance = hasten_poisson_draw(&random, MEAN);
        sum += (double)distance;
        squares += (double)distance * (double)distance;
        above_median += (double)distance >= MEAN * 0.6931471805599453;
        above_five += (double)distance >= MEAN * 5;
        least = distance < least ? distance : least;
    }
    CHECK(is_near(sum / DRAWS, MEAN, 0.01));
    CHECK(is_near(squares / DRAWS, 2 * MEAN * MEAN, 0.03));
    CHECK(is_near(above_median, DRAWS * 0.5, 0.01));
    CHECK(is_near(above_five, DRAWS * 0.006737946999085467, 0.1));
    CHECK(least < 20);
    CHECK_EQ_INT(hasten_poisson_draw(&random, 1), 0);
}

struct estimate {
    double bytes, blocks, bytes_variance, blocks_variance;
    uint64_t true_bytes, true_blocks;
};

/* Blocks of the sizes one after the other, as a program that mixes them would. */
static struct estimate allocate(const uint64_t *sizes, size_t count, uint64_t wanted_bytes,
                                uint64_t seed) {
    struct estimate estimate = {0};
    uint64_t random = seed;
    uint64_t left = hasten_poisson_draw(&random, MEAN);
    for (size_t i = 0; estimate.true_bytes < wanted_bytes; i = (i + 1) % count) {
        uint64_t size = sizes[i];
        double chance = hasten_poisson_chance(size, MEAN);
        estimate.true_bytes += size;
        estimate.true_blocks++;
        estimate.blocks_variance += (1 - chance) / chance;
        estimate.bytes_variance += (double)size * (double)size * (1 - chance) / chance;
        if (size < left) {
            left -= size + 1;
            continue;
        }
        left = hasten_poisson_draw(&random, MEAN);
        estimate.blocks += 1 / chance;
        estimate.bytes += (double)size / chance;
    }
    return estimate;
}

static void check_estimate(const struct estimate *estimate) {
    CHECK(absolute(estimate->bytes - (double)estimate->true_bytes) <=
          DEVIATIONS * root(estimate->bytes_variance));
    CHECK(absolute(estimate->blocks - (double)estimate->true_blocks) <=
          DEVIATIONS * root(estimate->blocks_variance));
}

/* Each size alone, and all of them mixed: a gigabyte of each is known to a few percent. */
static void test_estimates(void) {
    static const uint64_t sizes[] = {16, 48, 512, 4096, 65536, 300000, 1048576};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (size_t i = 0; i < SIZES; i++) {
        struct estimate estimate = allocate(&sizes[i], 1, UINT64_C(1) << 30, 1000 + i);
        check_estimate(&estimate);
        CHECK(root(estimate.bytes_variance) < 0.023 * (double)estimate.true_bytes);
    }
    struct estimate mixed = allocate(sizes, SIZES, UINT64_C(1) << 30, 77);
    check_estimate(&mixed);
}

/* The mean of many small runs has the bias, if there is one, and no more of the noise. */
static void test_no_bias(void) {
    static const uint64_t sizes[] = {40, 1000, 700000};
    struct estimate sum = {0};
    for (uint64_t run = 0; run < 2000; run++) {
        struct estimate estimate = allocate(sizes, 3, 3 << 20, 5000 + run * 7919);
        sum.bytes += estimate.bytes;
        sum.blocks += estimate.blocks;
        sum.bytes_variance += estimate.bytes_variance;
        sum.blocks_variance += estimate.blocks_variance;
        sum.true_bytes += estimate.true_bytes;
        sum.true_blocks += estimate.true_blocks;
    }
    check_estimate(&sum);
    CHECK(root(sum.bytes_variance) < 0.01 * (double)sum.true_bytes);
}

/* Without the byte that is added, blocks of no bytes would never be seen. */
static void test_empty_blocks(void) {
    uint64_t random = 3, left = hasten_poisson_draw(&random, 1000);
    double blocks = 0;
    for (int i = 0; i < 1000000; i++) {
        if (0 < left) {
            left -= 1;
            continue;
        }
        left = hasten_poisson_draw(&random, 1000);
        blocks += 1 / hasten_poisson_chance(0, 1000);
    }
    CHECK(is_near(blocks, 1000000, DEVIATIONS * root(1000.0 / 1000000)));
}

int main(void) {
    test_chances();
    test_distances();
    test_estimates();
    test_no_bias();
    test_empty_blocks();
    return check_done();
}
