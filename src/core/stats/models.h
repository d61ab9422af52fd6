/* SPDX-License-Identifier: MIT
 *
 * Which of the usual classes of growth a cost belongs to: O(1), log n, n, n log n,
 * n^2, n^3, 2^n. What was measured is explained as constant + lower + leading term,
 * none of them negative.
 *
 * Noise is multiplicative: what counts is by how many percent a model is off, at small
 * sizes as much as at large ones, so residuals are those of logarithms. They are not
 * independent. A machine makes an operation a little slower with every doubling (caches,
 * allocators), and taken for noise that drift would be proof of whichever class happens
 * to follow it. It is therefore part of the model: a random walk along the sizes, small
 * as long as the data fit into a cache, large beyond; and every size has a jitter of its
 * own (tables that double, alignment). Only what such a machine cannot explain counts.
 *
 * Classes are compared by BIC. The question is which class is true, and BIC's chance of
 * naming a needlessly large one falls as data grow, where AIC's stays at about one in
 * six. Its weights (as of models that were equally likely before) are the confidence. */
#ifndef HASTEN_STATS_MODELS_H
#define HASTEN_STATS_MODELS_H

#include <stdbool.h>
#include <stddef.h>

#define HASTEN_MODELS_MOST_POINTS 64
/* Below there is no curve. */
#define HASTEN_MODELS_LEAST_POINTS 5
/* A point that may be further off says nothing by itself. */
#define HASTEN_MODELS_MOST_ERROR 0.35

enum hasten_growth {
    HASTEN_GROWTH_CONSTANT,
    HASTEN_GROWTH_LOG,
    HASTEN_GROWTH_LINEAR,
    HASTEN_GROWTH_LINEARITHMIC,
    HASTEN_GROWTH_QUADRATIC,
    HASTEN_GROWTH_CUBIC,
    HASTEN_GROWTH_EXPONENTIAL,
    HASTEN_GROWTH_COUNT
};

/* Where the data of a size are, as a rule. */
enum hasten_reach {
    HASTEN_REACH_NEAR,
    HASTEN_REACH_CACHE,
    HASTEN_REACH_MEMORY,
    HASTEN_REACH_COUNT
};

struct hasten_cost {
    double size;  /* above 0, ascending */
    double value; /* above 0 */
    double error; /* standard deviation of the value, as a share of it */
    enum hasten_reach reach;
};

/* Standard deviations, as shares, of what a machine does to the true curve. */
struct hasten_tolerance {
    double jitter;                    /* at each size by itself */
    double drift[HASTEN_REACH_COUNT]; /* with each doubling */
    double mean[HASTEN_REACH_COUNT];  /* of the drift: caches make slower, never faster */
    double least_scale; /* of their variances, where the data follow a class more closely */
};
/* Of times and of bytes. */
extern const struct hasten_tolerance hasten_tolerance_time;
extern const struct hasten_tolerance hasten_tolerance_memory;

struct hasten_fit {
    bool exists;
    double misfit;    /* chi-square */
    double criterion; /* BIC, relative to the best */
    double weight;    /* of all that are material */
    double constant, lower, leading;
    enum hasten_growth lower_growth;
    double base;        /* of EXPONENTIAL: an n larger by 1 multiplies by it */
    double share;       /* of the leading term at the largest size */
    double sober_share; /* at the largest where no cache can be blamed for it */
};

/* Why there is no answer. */
enum hasten_doubt {
    HASTEN_DOUBT_NONE,
    HASTEN_DOUBT_TOO_FEW,   /* sizes */
    HASTEN_DOUBT_NARROW,    /* sizes hardly differ */
    HASTEN_DOUBT_NOISE,     /* errors hide the curve */
    HASTEN_DOUBT_BETWEEN,   /* several classes explain it about as well */
    HASTEN_DOUBT_BEGINNING, /* a larger term begins to show, and is small yet */
    HASTEN_DOUBT_POWER,     /* another power of n does */
    HASTEN_DOUBT_IRREGULAR, /* none does */
};

struct hasten_verdict {
    enum hasten_doubt doubt;
    enum hasten_growth growth; /* the best, also where there is doubt */
    double confidence;         /* its weight, 0 to 0.999 */
    struct hasten_fit fits[HASTEN_GROWTH_COUNT];
    double power; /* of n that follows the data best; 0: unknown */
};

/* More points than fit are left out at the end. */
struct hasten_verdict hasten_classify(const struct hasten_cost *points, size_t count,
                                      const struct hasten_tolerance *tolerance);

/* A fit's value for a size. */
double hasten_fit_value(const struct hasten_fit *fit, enum hasten_growth growth, double size);

/* "between", "noise"; NULL: there is none. */
const char *hasten_doubt_name(enum hasten_doubt doubt);

/* "O(n log n)"; "n log n" is what hasten_growth_find understands, among other spellings
 * ("O(n log n)", "n**2", "n^2", "linear"). HASTEN_GROWTH_COUNT: none of them. */
const char *hasten_growth_name(enum hasten_growth growth);
enum hasten_growth hasten_growth_find(const char *text);

#endif
