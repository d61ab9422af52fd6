/* SPDX-License-Identifier: MIT
 *
 * Gram-Schmidt on every subset of columns, and the Cholesky factor. */
#include "core/stats/leastsquares.h"

#include <math.h>
#include <string.h>

#define COLUMNS HASTEN_LEASTSQUARES_MOST_COLUMNS
#define ROWS HASTEN_LEASTSQUARES_MOST_ROWS
/* Of a column's length: what is left of it beside the others is rounding. */
#define PARALLEL 1e-9

static double dot(const double *left, const double *right, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += left[i] * right[i];
    }
    return sum;
}

/* Without signs to heed: the factors of the columns in `chosen`. False where they are
 * not independent. */
static bool solve_free(const struct hasten_leastsquares *problem, const size_t *chosen,
                       size_t count, double *ret_factors) {
    double unit[COLUMNS][ROWS], upper[COLUMNS][COLUMNS] = {{0}}, rest[ROWS];
    size_t rows = problem->rows;
    double projected[COLUMNS];
    memcpy(rest, problem->target, rows * sizeof *rest);
    for (size_t j = 0; j < count; j++) {
        memcpy(unit[j], problem->cells[chosen[j]], rows * sizeof **unit);
        double before = sqrt(dot(unit[j], unit[j], rows));
        for (size_t k = 0; k < j; k++) {
            upper[k][j] = dot(unit[k], unit[j], rows);
            for (size_t i = 0; i < rows; i++) {
                unit[j][i] -= upper[k][j] * unit[k][i];
            }
        }
        upper[j][j] = sqrt(dot(unit[j], unit[j], rows));
        if (!(upper[j][j] > PARALLEL * before)) {
            return false;
        }
        for (size_t i = 0; i < rows; i++) {
            unit[j][i] /= upper[j][j];
        }
        projected[j] = dot(unit[j], rest, rows);
        for (size_t i = 0; i < rows; i++) {
            rest[i] -= projected[j] * unit[j][i];
        }
    }
    for (size_t j = count; j-- > 0;) {
        double sum = projected[j];
        for (size_t k = j + 1; k < count; k++) {
            sum -= upper[j][k] * ret_factors[k];
        }
        ret_factors[j] = sum / upper[j][j];
    }
    return true;
}

static double distance(const struct hasten_leastsquares *problem, const double *factors) {
    double sum = 0;
    for (size_t i = 0; i < problem->rows; i++) {
        double rest = problem->target[i];
        for (size_t j = 0; j < problem->columns; j++) {
            rest -= factors[j] * problem->cells[j][i];
        }
        sum += rest * rest;
    }
    return sum;
}

void hasten_leastsquares_solve(const struct hasten_leastsquares *problem,
                               double ret_factors[COLUMNS]) {
    double least = INFINITY;
    memset(ret_factors, 0, COLUMNS * sizeof *ret_factors);
    for (unsigned set = 1; set < 1u << problem->columns; set++) {
        size_t chosen[COLUMNS], count = 0;
        double some[COLUMNS] = {0}, factors[COLUMNS] = {0};
        for (size_t j = 0; j < problem->columns; j++) {
            if ((set >> j & 1) != 0) {
                chosen[count++] = j;
            }
        }
        bool fits = solve_free(problem, chosen, count, some);
        for (size_t j = 0; j < count && fits; j++) {
            fits = some[j] >= 0;
            factors[chosen[j]] = some[j];
        }
        double far = fits ? distance(problem, factors) : INFINITY;
        if (far < least) {
            least = far;
            memcpy(ret_factors, factors, sizeof factors);
        }
    }
}

bool hasten_cholesky(double *matrix, size_t count, size_t stride) {
    for (size_t j = 0; j < count; j++) {
        double *row = matrix + j * stride;
        for (size_t k = 0; k <= j; k++) {
            double *other = matrix + k * stride;
            double sum = row[k] - dot(row, other, k);
            if (k < j) {
                row[k] = sum / other[k];
            } else if (sum > 0) {
                row[j] = sqrt(sum);
            } else {
                return false;
            }
        }
    }
    return true;
}

void hasten_whiten(const double *triangle, size_t count, size_t stride, double *values) {
    for (size_t i = 0; i < count; i++) {
        const double *row = triangle + i * stride;
        values[i] = (values[i] - dot(row, values, i)) / row[i];
    }
}
