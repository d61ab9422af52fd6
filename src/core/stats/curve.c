/* SPDX-License-Identifier: MIT
 *
 * Gauss-Newton steps on logarithms: where a model says M, log M is to first order linear
 * in its factors, and residuals are made independent by the covariance's factor. */
#include "core/stats/curve.h"

#include <math.h>
#include <string.h>

#include "core/stats/leastsquares.h"

#define COLUMNS HASTEN_LEASTSQUARES_MOST_COLUMNS
#define MOST_STEPS 40
#define MOST_HALVINGS 12
#define GOOD_ENOUGH 1e-9
/* Bases of exponentials: fib is 1.62^n, subsets 2^n. Slower ones look like powers of n
 * over any range that can be measured; faster ones end after a few sizes. */
#define LEAST_BASE 1.3
#define MOST_BASE 10.0
#define LEAST_POWER 0.1
#define MOST_POWER 8.0
/* c^n must not be too large for a double. */
#define MOST_EXPONENTIAL_SIZE 300
#define SEARCH_STEPS 24

double hasten_curve_term(enum hasten_growth growth, double base, double size) {
    switch (growth) {
    case HASTEN_GROWTH_LOG:
        return log2(size);
    case HASTEN_GROWTH_LINEAR:
        return size;
    case HASTEN_GROWTH_LINEARITHMIC:
        return size * log2(size);
    case HASTEN_GROWTH_QUADRATIC:
        return size * size;
    case HASTEN_GROWTH_CUBIC:
        return size * size * size;
    case HASTEN_GROWTH_EXPONENTIAL:
        return pow(base, size);
    default:
        return 1;
    }
}

bool hasten_curve_init(struct hasten_curve *curve, const struct hasten_cost *points, size_t count,
                       const struct hasten_tolerance *tolerance) {
    double walked[HASTEN_MODELS_MOST_POINTS] = {0}; /* variance of the drift so far */
    double expected = 0;                            /* of the drift so far */
    size_t sober = 0;
    curve->count = count;
    curve->least_scale = tolerance->least_scale;
    curve->sober = count - 1;
    for (size_t i = 0; i < count; i++) {
        bool ascends = points[i].size > (i == 0 ? 0 : points[i - 1].size);
        if (!ascends || !(points[i].value > 0) || !isfinite(points[i].size * points[i].value)) {
            return false;
        }
        curve->sizes[i] = points[i].size;
        curve->values[i] = points[i].value;
        if (i > 0) {
            double drift = tolerance->drift[points[i].reach];
            expected +=
                tolerance->mean[points[i].reach] * log2(points[i].size / points[i - 1].size);
            curve->values[i] *= exp(-expected);
            walked[i] = walked[i - 1] + drift * drift * log2(points[i].size / points[i - 1].size);
        }
        for (size_t j = 0; j <= i; j++) {
            curve->triangle[i][j] = walked[j];
        }
        if (points[i].reach < HASTEN_REACH_MEMORY && points[i].error <= HASTEN_MODELS_MOST_ERROR &&
            ++sober >= HASTEN_MODELS_LEAST_POINTS) {
            curve->sober = i;
        }
        double error = isfinite(points[i].error) ? fmin(points[i].error, 10) : 10;
        curve->triangle[i][i] += error * error + tolerance->jitter * tolerance->jitter;
    }
    return hasten_cholesky(curve->triangle[0], count, HASTEN_MODELS_MOST_POINTS);
}

struct terms {
    size_t count;
    double values[COLUMNS][HASTEN_MODELS_MOST_POINTS];
    double factors[COLUMNS];
};

static void evaluate(const struct hasten_curve *curve, const struct terms *terms,
                     const double *factors, double *ret_values) {
    for (size_t i = 0; i < curve->count; i++) {
        ret_values[i] = 0;
        for (size_t j = 0; j < terms->count; j++) {
            ret_values[i] += factors[j] * terms->values[j][i];
        }
    }
}

/* Chi-square of the model's values. */
static double misfit_of(const struct hasten_curve *curve, const double *model) {
    double rest[HASTEN_MODELS_MOST_POINTS], sum = 0;
    for (size_t i = 0; i < curve->count; i++) {
        if (!(model[i] > 0)) {
            return INFINITY;
        }
        rest[i] = log(curve->values[i] / model[i]);
    }
    hasten_whiten(curve->triangle[0], curve->count, HASTEN_MODELS_MOST_POINTS, rest);
    for (size_t i = 0; i < curve->count; i++) {
        sum += rest[i] * rest[i];
    }
    return sum;
}

/* Where the model linear around `model` would have its factors. */
static void next_factors(const struct hasten_curve *curve, const struct terms *terms,
                         const double *model, double *ret_factors) {
    struct hasten_leastsquares problem = {.rows = curve->count, .columns = terms->count};
    for (size_t i = 0; i < curve->count; i++) {
        problem.target[i] = log(curve->values[i] / model[i]) + 1;
        for (size_t j = 0; j < terms->count; j++) {
            problem.cells[j][i] = terms->values[j][i] / model[i];
        }
    }
    const double *triangle = curve->triangle[0];
    hasten_whiten(triangle, curve->count, HASTEN_MODELS_MOST_POINTS, problem.target);
    for (size_t j = 0; j < terms->count; j++) {
        hasten_whiten(triangle, curve->count, HASTEN_MODELS_MOST_POINTS, problem.cells[j]);
    }
    hasten_leastsquares_solve(&problem, ret_factors);
}

/* Leaves the best factors in `terms`; answers their misfit. */
static double fit_terms(const struct hasten_curve *curve, struct terms *terms) {
    double model[HASTEN_MODELS_MOST_POINTS], wanted[COLUMNS], tried[COLUMNS];
    double misfit = INFINITY;
    memcpy(model, curve->values, curve->count * sizeof *model);
    memset(terms->factors, 0, sizeof terms->factors);
    for (int step = 0; step < MOST_STEPS; step++) {
        double before = misfit, part = 1;
        next_factors(curve, terms, model, wanted);
        for (int halving = 0; halving < MOST_HALVINGS; halving++, part /= 2) {
            for (size_t j = 0; j < terms->count; j++) {
                tried[j] = terms->factors[j] + part * (wanted[j] - terms->factors[j]);
            }
            evaluate(curve, terms, tried, model);
            double reached = misfit_of(curve, model);
            if (reached < misfit) {
                misfit = reached;
                memcpy(terms->factors, tried, terms->count * sizeof *tried);
                break;
            }
        }
        evaluate(curve, terms, terms->factors, model);
        if (isinf(misfit) || !(before - misfit > GOOD_ENOUGH * misfit)) {
            break;
        }
    }
    return misfit;
}

/* Each term is scaled to 1 at the largest size, so that factors are shares of a kind. */
static void set_term(const struct hasten_curve *curve, struct terms *terms, size_t column,
                     const double *raw) {
    for (size_t i = 0; i < curve->count; i++) {
        terms->values[column][i] = raw[i] / raw[curve->count - 1];
    }
}

static void term_values(const struct hasten_curve *curve, enum hasten_growth growth, double base,
                        double *ret_raw) {
    for (size_t i = 0; i < curve->count; i++) {
        ret_raw[i] = hasten_curve_term(growth, base, curve->sizes[i]);
    }
}

static struct hasten_fit fit_with(const struct hasten_curve *curve, const double *leading,
                                  enum hasten_growth lower, double base) {
    struct terms terms = {.count = 1};
    double raw[HASTEN_MODELS_MOST_POINTS] = {1}, lower_last = 1;
    if (curve->count == 0) {
        return (struct hasten_fit){.exists = false};
    }
    term_values(curve, HASTEN_GROWTH_CONSTANT, base, raw);
    set_term(curve, &terms, 0, raw);
    if (leading != NULL) {
        set_term(curve, &terms, terms.count++, leading);
    }
    if (lower != HASTEN_GROWTH_CONSTANT) {
        term_values(curve, lower, base, raw);
        lower_last = raw[curve->count - 1];
        set_term(curve, &terms, terms.count++, raw);
    }
    struct hasten_fit fit = {.lower_growth = lower, .base = base};
    fit.misfit = fit_terms(curve, &terms);
    fit.constant = terms.factors[0];
    double sum = terms.factors[0] + terms.factors[1] + terms.factors[2];
    fit.exists = isfinite(fit.misfit);
    if (leading != NULL) {
        fit.leading = terms.factors[1] / leading[curve->count - 1];
        fit.lower = terms.count == 3 ? terms.factors[2] / lower_last : 0;
        double sober = 0;
        for (size_t j = 0; j < terms.count; j++) {
            sober += terms.factors[j] * terms.values[j][curve->sober];
        }
        fit.share = terms.factors[1] / sum;
        fit.sober_share = terms.factors[1] * terms.values[1][curve->sober] / sober;
        fit.exists = fit.exists && terms.factors[1] > 0;
    }
    /* A term beside another counts twice: its factor is chosen, and with that the size at
     * which it takes over. Compared so among fits of the same class, and made the criterion
     * by hasten_curve_judge. */
    size_t terms_used = (fit.constant > 0) + (fit.leading > 0) + (fit.lower > 0);
    fit.criterion = fit.misfit + (double)(2 * terms_used - 1) * log((double)curve->count);
    return fit;
}

/* The best of a family of leading terms, by its parameter: a grid, then thirds. */
static struct hasten_fit fit_family(const struct hasten_curve *curve, bool is_power, double low,
                                    double high, enum hasten_growth lower) {
    struct hasten_fit best = {.exists = false, .criterion = INFINITY};
    double step = (high - low) / SEARCH_STEPS;
    for (int pass = 0; pass < 3; pass++) {
        double from = pass == 0 ? low : fmax(low, best.base - step);
        double to = pass == 0 ? high : fmin(high, best.base + step);
        step = (to - from) / SEARCH_STEPS;
        for (int i = 0; i <= SEARCH_STEPS; i++) {
            double raw[HASTEN_MODELS_MOST_POINTS] = {0}, parameter = from + i * step;
            for (size_t k = 0; k < curve->count; k++) {
                raw[k] =
                    is_power ? pow(curve->sizes[k], parameter) : pow(parameter, curve->sizes[k]);
            }
            struct hasten_fit fit = fit_with(curve, raw, lower, parameter);
            if (fit.exists && fit.criterion < best.criterion) {
                best = fit;
            }
        }
        if (!best.exists) {
            return best;
        }
    }
    best.criterion += log((double)curve->count); /* the parameter itself */
    return best;
}

struct hasten_fit hasten_curve_fit(const struct hasten_curve *curve, enum hasten_growth growth,
                                   enum hasten_growth lower) {
    double raw[HASTEN_MODELS_MOST_POINTS];
    if (growth == HASTEN_GROWTH_CONSTANT) {
        return fit_with(curve, NULL, HASTEN_GROWTH_CONSTANT, 0);
    }
    if (growth == HASTEN_GROWTH_EXPONENTIAL) {
        /* Beside an exponential, one lower term is as good as another. */
        if (curve->sizes[curve->count - 1] > MOST_EXPONENTIAL_SIZE ||
            (lower != HASTEN_GROWTH_CONSTANT && lower != HASTEN_GROWTH_LINEAR)) {
            return (struct hasten_fit){.exists = false};
        }
        return fit_family(curve, false, LEAST_BASE, MOST_BASE, lower);
    }
    if (curve->sizes[curve->count - 1] <= 1) {
        return (struct hasten_fit){.exists = false};
    }
    term_values(curve, growth, 0, raw);
    return fit_with(curve, raw, lower, 0);
}

struct hasten_fit hasten_curve_fit_power(const struct hasten_curve *curve) {
    return fit_family(curve, true, LEAST_POWER, MOST_POWER, HASTEN_GROWTH_CONSTANT);
}

void hasten_curve_judge(const struct hasten_curve *curve, struct hasten_fit *fit,
                        double least_misfit) {
    if (!fit->exists) {
        fit->criterion = INFINITY;
        return;
    }
    double count = (double)curve->count;
    double penalty = fit->criterion - fit->misfit;
    /* Noise is at least what was measured and tolerated; where even the best class is
     * further off it is as much as that one says. The logarithm is of a scale that is
     * not known exactly: being off by much is no stronger evidence than it should be. */
    double spare = fmax(count - 3, 1);
    double scale = fmax(curve->least_scale, least_misfit / spare);
    double excess = (fit->misfit - least_misfit) / scale;
    fit->criterion = count * log1p(excess / spare) + penalty;
}
