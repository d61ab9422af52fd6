/* SPDX-License-Identifier: MIT
 *
 * Fits by generalised least squares of logarithms, and what follows from them. */
#include "core/stats/models.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/stats/curve.h"

/* A leading term that is less of the cost than this at the largest size that no cache can
 * be blamed for is not what the cost grows by, as far as one sees. */
#define MATERIAL_SHARE 0.3
/* Of less it is not known yet what follows. */
#define LEADING_SHARE 0.6
/* An answer that is not at least this likely is none. */
#define SURE 0.85
#define MOST_CONFIDENCE 0.999
/* BIC: 3 and more is positive evidence, 6 and more is strong. */
#define STRONG 6
#define POSITIVE 3
/* Residuals of twice what noise and machine allow: the class may be none of these. */
#define MISFIT_SUSPICIOUS 4
#define MISFIT_IRREGULAR 16
/* How far a class's own power of n may be from that of the data. */
#define POWER_MARGIN 0.12
/* The median error of sizes, where nobody else uses the machine much; and how much more of
 * it is taken into account. */
#define QUIET_ERROR 0.06
#define MOST_BUSY 3
#define LEAST_RANGE 8
#define LEAST_RANGE_EXPONENTIAL 1.5

/* Walking along linked tuples takes 16 ns for each of up to 256, 20 from 1024 on, when they
 * are no longer in the first cache. Building a dict of shuffled numbers, which takes 36 ns
 * a number up to 8192 of them, takes 67 at 16384, 113 at 32768 and 171 at 109470. */
const struct hasten_tolerance hasten_tolerance_time = {
    0.03, {0.03, 0.08, 0.45}, {0, 0.02, 0.15}, 1};
/* Containers are allocated larger than they are: lists by an eighth, tables up to twice.
 * But bytes have no noise. */
const struct hasten_tolerance hasten_tolerance_memory = {0.15, {0.08, 0.08, 0.08}, {0, 0, 0}, 0.1};

static const char *const names[HASTEN_GROWTH_COUNT] = {"O(1)",   "O(log n)", "O(n)",  "O(n log n)",
                                                       "O(n^2)", "O(n^3)",   "O(2^n)"};

const char *hasten_doubt_name(enum hasten_doubt doubt) {
    static const char *const doubts[] = {NULL,      "few sizes", "narrow", "noise",
                                         "between", "beginning", "power",  "irregular"};
    return doubts[doubt];
}

const char *hasten_growth_name(enum hasten_growth growth) {
    return growth < HASTEN_GROWTH_COUNT ? names[growth] : "unknown";
}

/* Letters, digits and ^ only; "**" is ^. Anything else but spaces, parentheses and * may
 * change what is meant ("n + log n"), and so nothing is left of such a text. */
static void normalise(const char *text, char *ret_text, size_t size) {
    size_t used = 0;
    for (; *text != '\0' && used + 1 < size; text++) {
        if (text[0] == '*' && text[1] == '*') {
            ret_text[used++] = '^';
            text++;
        } else if (isalnum((unsigned char)*text) || *text == '^') {
            ret_text[used++] = (char)tolower((unsigned char)*text);
        } else if (strchr(" ()*", *text) == NULL) {
            break;
        }
    }
    ret_text[*text == '\0' ? used : 0] = '\0';
}

enum hasten_growth hasten_growth_find(const char *text) {
    static const struct {
        const char *text;
        enum hasten_growth growth;
    } spellings[] = {
        {"1", HASTEN_GROWTH_CONSTANT},         {"constant", HASTEN_GROWTH_CONSTANT},
        {"logn", HASTEN_GROWTH_LOG},           {"logarithmic", HASTEN_GROWTH_LOG},
        {"n", HASTEN_GROWTH_LINEAR},           {"linear", HASTEN_GROWTH_LINEAR},
        {"nlogn", HASTEN_GROWTH_LINEARITHMIC}, {"linearithmic", HASTEN_GROWTH_LINEARITHMIC},
        {"n^2", HASTEN_GROWTH_QUADRATIC},      {"quadratic", HASTEN_GROWTH_QUADRATIC},
        {"n^3", HASTEN_GROWTH_CUBIC},          {"cubic", HASTEN_GROWTH_CUBIC},
        {"2^n", HASTEN_GROWTH_EXPONENTIAL},    {"exponential", HASTEN_GROWTH_EXPONENTIAL},
    };
    char plain[32];
    normalise(text, plain, sizeof plain);
    /* "O(n)" is "on" by now, and nothing else begins so. */
    const char *start = plain[0] == 'o' ? plain + 1 : plain;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (strcmp(start, spellings[i].text) == 0) {
            return spellings[i].growth;
        }
    }
    return HASTEN_GROWTH_COUNT;
}

double hasten_fit_value(const struct hasten_fit *fit, enum hasten_growth growth, double size) {
    double value = fit->constant;
    if (fit->lower > 0) {
        value += fit->lower * hasten_curve_term(fit->lower_growth, fit->base, size);
    }
    if (growth != HASTEN_GROWTH_CONSTANT) {
        value += fit->leading * hasten_curve_term(growth, fit->base, size);
    }
    return value;
}

/* The best fit of a class, with a lower term where that pays. */
static struct hasten_fit fit_growth(const struct hasten_curve *curve, enum hasten_growth growth) {
    struct hasten_fit best = {.exists = false, .criterion = INFINITY};
    for (int lower = HASTEN_GROWTH_CONSTANT; lower < (int)growth || lower == HASTEN_GROWTH_CONSTANT;
         lower++) {
        /* n + n log n is n with a little drift, or n log n with a little: no third thing. */
        if (growth == HASTEN_GROWTH_LINEARITHMIC && lower == HASTEN_GROWTH_LINEAR) {
            continue;
        }
        struct hasten_fit fit = hasten_curve_fit(curve, growth, (enum hasten_growth)lower);
        if (fit.exists && fit.criterion < best.criterion) {
            best = fit;
        }
    }
    return best;
}

static bool is_material(const struct hasten_fit *fit, enum hasten_growth growth) {
    return fit->exists && (growth == HASTEN_GROWTH_CONSTANT || fit->sober_share >= MATERIAL_SHARE);
}

/* Larger terms that take over at the end only are one explanation, whichever it is: that
 * something begins. Only the best of them counts against a class below. */
static void merge_beginnings(struct hasten_fit *fits, enum hasten_growth best) {
    double most = 0;
    for (int i = (int)best + 1; i < HASTEN_GROWTH_COUNT; i++) {
        most = fits[i].share < LEADING_SHARE ? fmax(most, fits[i].weight) : most;
    }
    for (int i = (int)best + 1; i < HASTEN_GROWTH_COUNT; i++) {
        if (fits[i].share < LEADING_SHARE && fits[i].weight < most) {
            fits[i].weight = 0;
        }
    }
}

/* Weights of the material ones; answers the best of them. */
static enum hasten_growth weigh(struct hasten_fit *fits) {
    int best = HASTEN_GROWTH_CONSTANT;
    double sum = 0;
    for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
        if (is_material(&fits[i], (enum hasten_growth)i) &&
            fits[i].criterion < fits[best].criterion) {
            best = i;
        }
    }
    for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
        bool counts = is_material(&fits[i], (enum hasten_growth)i);
        fits[i].weight = counts ? exp((fits[best].criterion - fits[i].criterion) / 2) : 0;
    }
    merge_beginnings(fits, (enum hasten_growth)best);
    for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
        sum += fits[i].weight;
    }
    for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
        fits[i].weight /= sum;
    }
    return (enum hasten_growth)best;
}

/* The power of n that a class is like over the range that was measured. */
static double power_of(const struct hasten_curve *curve, enum hasten_growth growth) {
    double first = curve->sizes[0], last = curve->sizes[curve->count - 1];
    double least = fmax(first, 2);
    double ratio = hasten_curve_term(growth, 2, last) / hasten_curve_term(growth, 2, least);
    return growth == HASTEN_GROWTH_CONSTANT ? 0 : log(ratio) / log(last / least);
}

/* Whether data that fit no class well follow some power of n between classes. */
static bool is_other_power(const struct hasten_curve *curve, const struct hasten_verdict *verdict,
                           const struct hasten_fit *power) {
    const struct hasten_fit *best = &verdict->fits[verdict->growth];
    if (!power->exists || power->criterion + STRONG > best->criterion ||
        power->share < MATERIAL_SHARE || verdict->growth == HASTEN_GROWTH_EXPONENTIAL) {
        return false;
    }
    double own = power_of(curve, verdict->growth);
    return fabs(power->base - own) > POWER_MARGIN;
}

/* A larger class explains it better, though it is no material part of it: it begins. */
static bool is_beginning(const struct hasten_verdict *verdict) {
    const struct hasten_fit *best = &verdict->fits[verdict->growth];
    for (int i = (int)verdict->growth + 1; i < HASTEN_GROWTH_COUNT; i++) {
        const struct hasten_fit *fit = &verdict->fits[i];
        if (fit->exists && !is_material(fit, (enum hasten_growth)i) &&
            fit->criterion + (fit->share < LEADING_SHARE ? STRONG : POSITIVE) < best->criterion) {
            return true;
        }
    }
    return false;
}

/* Whether so little is known well that there is only noise. */
static bool is_noise(const struct hasten_cost *points, size_t count) {
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        known += points[i].error <= HASTEN_MODELS_MOST_ERROR;
    }
    return known < HASTEN_MODELS_LEAST_POINTS;
}

/* What stands against the best class being named. */
static enum hasten_doubt doubt_of(const struct hasten_curve *curve,
                                  const struct hasten_verdict *verdict,
                                  const struct hasten_fit *power) {
    const struct hasten_fit *best = &verdict->fits[verdict->growth];
    double spare = fmax((double)curve->count - 3, 1);
    double range = curve->sizes[curve->count - 1] / curve->sizes[0];
    bool is_steep = verdict->growth == HASTEN_GROWTH_EXPONENTIAL;
    if (range < (is_steep ? LEAST_RANGE_EXPONENTIAL : LEAST_RANGE)) {
        return HASTEN_DOUBT_NARROW;
    }
    if (best->misfit > MISFIT_SUSPICIOUS * spare) {
        if (is_other_power(curve, verdict, power)) {
            return HASTEN_DOUBT_POWER;
        }
        if (best->misfit > MISFIT_IRREGULAR * spare) {
            return HASTEN_DOUBT_IRREGULAR;
        }
    }
    if (is_beginning(verdict)) {
        return HASTEN_DOUBT_BEGINNING;
    }
    return verdict->confidence < SURE ? HASTEN_DOUBT_BETWEEN : HASTEN_DOUBT_NONE;
}

/* Classes are judged without the slowness of caches, what is shown has it: the factors
 * that follow what was measured. */
static void set_factors(const struct hasten_curve *curve, struct hasten_verdict *verdict) {
    for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
        struct hasten_fit *fit = &verdict->fits[i];
        struct hasten_fit shown = fit_growth(curve, (enum hasten_growth)i);
        if (fit->exists && shown.exists) {
            fit->constant = shown.constant;
            fit->lower = shown.lower;
            fit->lower_growth = shown.lower_growth;
            fit->leading = shown.leading;
            fit->base = shown.base;
        }
    }
}

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Where others compute too, sizes differ from round to round, and others use the caches:
 * what bends curves on a quiet machine bends them more. */
static struct hasten_tolerance tolerance_of(const struct hasten_cost *points, size_t count,
                                            const struct hasten_tolerance *quiet) {
    struct hasten_tolerance tolerance = *quiet;
    double errors[HASTEN_MODELS_MOST_POINTS];
    for (size_t i = 0; i < count; i++) {
        errors[i] = points[i].error;
    }
    qsort(errors, count, sizeof *errors, by_value);
    double busy = fmax(1, fmin(errors[count / 2] / QUIET_ERROR, MOST_BUSY));
    tolerance.jitter *= busy;
    for (int reach = 0; reach < HASTEN_REACH_COUNT; reach++) {
        tolerance.drift[reach] *= busy;
    }
    return tolerance;
}

struct hasten_verdict hasten_classify(const struct hasten_cost *points, size_t count,
                                      const struct hasten_tolerance *tolerance) {
    struct hasten_verdict verdict = {.doubt = HASTEN_DOUBT_TOO_FEW};
    struct hasten_curve curve;
    count = count < HASTEN_MODELS_MOST_POINTS ? count : HASTEN_MODELS_MOST_POINTS;
    if (count < HASTEN_MODELS_LEAST_POINTS ||
        !hasten_curve_init(&curve, points, count, tolerance)) {
        return verdict;
    }
    struct hasten_tolerance here = tolerance_of(points, count, tolerance);
    if (!hasten_curve_init(&curve, points, count, &here)) {
        return verdict;
    }
    double least = INFINITY;
    for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
        verdict.fits[i] = fit_growth(&curve, (enum hasten_growth)i);
        least = verdict.fits[i].exists ? fmin(least, verdict.fits[i].misfit) : least;
    }
    struct hasten_fit power = hasten_curve_fit_power(&curve);
    verdict.power = power.exists ? power.base : 0;
    for (int i = 0; i < HASTEN_GROWTH_COUNT; i++) {
        hasten_curve_judge(&curve, &verdict.fits[i], least);
    }
    hasten_curve_judge(&curve, &power, least);
    verdict.growth = weigh(verdict.fits);
    verdict.confidence = fmin(verdict.fits[verdict.growth].weight, MOST_CONFIDENCE);
    verdict.doubt = doubt_of(&curve, &verdict, &power);
    if (is_noise(points, count)) {
        verdict.doubt = HASTEN_DOUBT_NOISE;
    }
    struct hasten_tolerance level = here;
    memset(level.mean, 0, sizeof level.mean);
    if (hasten_curve_init(&curve, points, count, &level)) {
        set_factors(&curve, &verdict);
    }
    return verdict;
}
