/* SPDX-License-Identifier: MIT
 *
 * A measured curve, and how well one combination of terms explains it: the arithmetic
 * behind core/stats/models.h. */
#ifndef HASTEN_STATS_CURVE_H
#define HASTEN_STATS_CURVE_H

#include "core/stats/models.h"

struct hasten_curve {
    size_t count;
    size_t sober; /* the last one that is known well and within the cache, else the last */
    double least_scale;
    double sizes[HASTEN_MODELS_MOST_POINTS];
    double values[HASTEN_MODELS_MOST_POINTS]; /* without what drift is expected */
    /* Of the covariance of residuals' logarithms, its Cholesky factor. */
    double triangle[HASTEN_MODELS_MOST_POINTS][HASTEN_MODELS_MOST_POINTS];
};

/* False where points cannot be: sizes that do not ascend from above 0, values of 0. */
bool hasten_curve_init(struct hasten_curve *curve, const struct hasten_cost *points, size_t count,
                       const struct hasten_tolerance *tolerance);

/* log n, n, ... of a class; `base` is of EXPONENTIAL. */
double hasten_curve_term(enum hasten_growth growth, double base, double size);

/* Constant + lower + leading term; CONSTANT as `lower` is none. */
struct hasten_fit hasten_curve_fit(const struct hasten_curve *curve, enum hasten_growth growth,
                                   enum hasten_growth lower);
/* Constant + n^p, p in `base`. */
struct hasten_fit hasten_curve_fit_power(const struct hasten_curve *curve);

/* Sets the criterion from the misfit, where the least misfit of any class says how much
 * noise there is. */
void hasten_curve_judge(const struct hasten_curve *curve, struct hasten_fit *fit,
                        double least_misfit);

#endif
