/* SPDX-License-Identifier: MIT
 *
 * Least squares of a few columns whose factors may not be negative. */
#ifndef HASTEN_STATS_LEASTSQUARES_H
#define HASTEN_STATS_LEASTSQUARES_H

#include <stdbool.h>
#include <stddef.h>

#define HASTEN_LEASTSQUARES_MOST_COLUMNS 3
#define HASTEN_LEASTSQUARES_MOST_ROWS 64

struct hasten_leastsquares {
    size_t rows, columns;
    double cells[HASTEN_LEASTSQUARES_MOST_COLUMNS][HASTEN_LEASTSQUARES_MOST_ROWS];
    double target[HASTEN_LEASTSQUARES_MOST_ROWS];
};

/* The factors, none below 0, that come nearest. With so few columns every set of them
 * that are not 0 is tried. */
void hasten_leastsquares_solve(const struct hasten_leastsquares *problem,
                               double ret_factors[HASTEN_LEASTSQUARES_MOST_COLUMNS]);

/* The lower triangle L of L L' = matrix, in its place; `stride` columns a row. False where
 * the matrix is not positive definite. */
bool hasten_cholesky(double *matrix, size_t count, size_t stride);
/* Solves L x = values in place: what was correlated as the matrix says no longer is. */
void hasten_whiten(const double *triangle, size_t count, size_t stride, double *values);

#endif
