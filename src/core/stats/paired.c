/* SPDX-License-Identifier: MIT
 *
 * Signed ranks by way of pairwise means (Walsh averages): the number of them above
 * 0 is Wilcoxon's statistic, their median the Hodges-Lehmann estimate, and two of
 * them the ends of its interval. */
#include "core/stats/paired.h"

#include <math.h>
#include <string.h>

#include "core/stats/summary.h"

/* The exact distribution up to here; the normal one is as good above. */
#define EXACT_MOST 64

/* Nine that agree are the fewest to be sure of with the first look's part. */
#define LEAST_AT_LOOK 9
/* What the looks have together. */
#define WHOLE_ALPHA 0.05
/* Most of the error for the last look, which is the one that every undecided
 * comparison reaches. */
static const double look_alphas[HASTEN_LOOKS] = {0.005, 0.01, 0.035};
static const double look_places[HASTEN_LOOKS] = {0.4, 0.7, 1.0};

double hasten_abba_log_ratio(double first_a, double first_b, double second_b, double second_a) {
    return (log(first_b) + log(second_b) - log(first_a) - log(second_a)) / 2;
}

/* P(W = w) for w from 0 to count * (count + 1) / 2 into `chances`. */
static void signed_rank_chances(size_t count, double *chances) {
    size_t most = 0;
    chances[0] = 1;
    for (size_t rank = 1; rank <= count; rank++) {
        for (size_t w = most + 1; w <= most + rank; w++) {
            chances[w] = 0;
        }
        most += rank;
        /* Each rank is in the sum or not, as likely. */
        for (size_t w = most + 1; w-- > 0;) {
            chances[w] = (chances[w] + (w >= rank ? chances[w - rank] : 0)) / 2;
        }
    }
}

/* P(W <= w). */
static double signed_rank_below(size_t count, size_t w) {
    if (count <= EXACT_MOST) {
        double chances[EXACT_MOST * (EXACT_MOST + 1) / 2 + 1];
        signed_rank_chances(count, chances);
        double sum = 0;
        for (size_t i = 0; i <= w && i <= count * (count + 1) / 2; i++) {
            sum += chances[i];
        }
        return fmin(sum, 1);
    }
    double n = (double)count;
    double mean = n * (n + 1) / 4;
    double deviation = sqrt(n * (n + 1) * (2 * n + 1) / 24);
    return erfc(-((double)w + 0.5 - mean) / deviation / sqrt(2)) / 2;
}

/* How many pairwise means are outside of an interval at each end: the most for
 * which P(W < that many) is at most half of alpha. */
static size_t outside(size_t count, double alpha) {
    size_t low = 0, high = count * (count + 1) / 4;
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (signed_rank_below(count, middle - 1) <= alpha / 2) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

static size_t pairwise_means(const double *values, size_t count, double *ret_means) {
    size_t means = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i; j < count; j++) {
            ret_means[means++] = (values[i] + values[j]) / 2;
        }
    }
    hasten_sort(ret_means, means);
    return means;
}

/* Of the hypothesis that the values are symmetric around 0, two-sided. */
static double p_of_means(const double *means, size_t mean_count, size_t count) {
    size_t above = 0, zeros = 0;
    for (size_t i = 0; i < mean_count; i++) {
        above += means[i] > 0;
        zeros += means[i] == 0;
    }
    /* Ties count for equality. */
    size_t below = mean_count - above - zeros;
    size_t smaller = (above < below ? above : below) + zeros;
    return fmin(1, 2 * signed_rank_below(count, smaller));
}

hasten_status hasten_paired_ratio(const struct hasten_allocator *allocator,
                                  const double *log_ratios, size_t count, double alpha,
                                  struct hasten_ratio *ret_ratio, struct hasten_error *error) {
    if (count == 0) {
        return hasten_error_set(error, HASTEN_INVALID, -1, "there is nothing to compare");
    }
    if (count > HASTEN_PAIRED_MOST) {
        return hasten_error_set(error, HASTEN_LIMIT, -1, "more than %d pairs to compare",
                                HASTEN_PAIRED_MOST);
    }
    size_t size = count * (count + 1) / 2 * sizeof(double);
    double *means = hasten_allocate(allocator, size);
    if (means == NULL) {
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    size_t mean_count = pairwise_means(log_ratios, count, means);
    size_t cut = outside(count, alpha);
    *ret_ratio = (struct hasten_ratio){
        .ratio = exp(hasten_quantile(means, mean_count, 0.5)),
        .low = cut == 0 ? 0 : exp(means[cut - 1]),
        .high = cut == 0 ? INFINITY : exp(means[mean_count - cut]),
        .p = p_of_means(means, mean_count, count),
        .count = count,
    };
    hasten_release(allocator, means, size);
    return HASTEN_OK;
}

double hasten_look_alpha(size_t look) {
    return look_alphas[look < HASTEN_LOOKS ? look : HASTEN_LOOKS - 1];
}

double hasten_look_interval_alpha(size_t look) {
    return look + 1 < HASTEN_LOOKS ? 0.05 : look_alphas[HASTEN_LOOKS - 1];
}

double hasten_look_p(double p, double alpha) {
    return fmin(1, p * WHOLE_ALPHA / alpha);
}

size_t hasten_look_place(size_t look, size_t planned) {
    double place = look_places[look < HASTEN_LOOKS ? look : HASTEN_LOOKS - 1];
    size_t count = (size_t)ceil(place * (double)planned);
    return count >= LEAST_AT_LOOK ? count : planned < LEAST_AT_LOOK ? planned : LEAST_AT_LOOK;
}

enum hasten_comparison hasten_compare(const struct hasten_ratio *ratio, double alpha,
                                      double margin) {
    bool differs = ratio->p <= alpha;
    if (differs && ratio->low > 1) {
        return HASTEN_COMPARISON_SLOWER;
    }
    if (differs && ratio->high < 1) {
        return HASTEN_COMPARISON_FASTER;
    }
    bool is_near = ratio->low >= 1 - margin && ratio->high <= 1 + margin;
    return is_near ? HASTEN_COMPARISON_SAME : HASTEN_COMPARISON_UNCLEAR;
}

const char *hasten_comparison_name(enum hasten_comparison comparison) {
    switch (comparison) {
    case HASTEN_COMPARISON_SAME:
        return "same";
    case HASTEN_COMPARISON_FASTER:
        return "faster";
    case HASTEN_COMPARISON_SLOWER:
        return "slower";
    default:
        return "unclear";
    }
}

void hasten_holm(const double *p, size_t count, double alpha, bool *ret_differs) {
    memset(ret_differs, 0, count * sizeof *ret_differs);
    for (size_t step = 0; step < count; step++) {
        size_t least = count;
        for (size_t i = 0; i < count; i++) {
            if (!ret_differs[i] && (least == count || p[i] < p[least])) {
                least = i;
            }
        }
        if (least == count || p[least] > alpha / (double)(count - step)) {
            return; /* and so is none with a larger p */
        }
        ret_differs[least] = true;
    }
}
