/* SPDX-License-Identifier: MIT
 *
 * Draws and weights. Logarithm and exponential are made here: what uses this is in
 * every process of a program, and should not bring the mathematical library along. */
#include "core/heap/poisson.h"

#include <string.h>

#define LN2 0.69314718055994530942
/* Beyond this many means the chance differs from 1 by less than a double can tell. */
#define CERTAIN 40.0

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state) {
    uint64_t value = *state += 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

/* Of a normal number above 0: its exponent is taken off, and of the mantissa, brought
 * to within sqrt(2) of 1, ln m = 2 artanh((m - 1) / (m + 1)), whose series ends with an
 * error below 1e-14. */
static double logarithm(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
    double mantissa;
    memcpy(&mantissa, &bits, sizeof mantissa);
    if (mantissa > 1.4142135623730951) {
        mantissa /= 2;
        exponent++;
    }
    double z = (mantissa - 1) / (mantissa + 1);
    double square = z * z;
    double sum = 0;
    for (int k = 17; k >= 1; k -= 2) {
        sum = sum * square + 1.0 / k;
    }
    return exponent * LN2 + 2 * z * sum;
}

/* 1 - exp(-x) without cancellation near 0: the series of a 1/2^n of x, doubled n times
 * by 1 - e^-2y = (1 - e^-y) (2 - (1 - e^-y)). */
static double one_minus_exp(double x) {
    int doublings = 0;
    while (x > 0.25) {
        x /= 2;
        doublings++;
    }
    double sum = 1;
    for (int k = 14; k >= 2; k--) {
        sum = 1 - sum * x / k;
    }
    double result = x * sum;
    for (; doublings > 0; doublings--) {
        result *= 2 - result;
    }
    return result;
}

uint64_t hasten_poisson_draw(uint64_t *random, double mean_bytes) {
    if (mean_bytes <= 1) {
        return 0;
    }
    /* 53 random bits, from 2^-54 on: never 0, never 1. */
    double uniform = ((double)(next_random(random) >> 11) + 0.5) * 0x1p-53;
    double distance = -logarithm(uniform) * mean_bytes;
    return distance < (double)HASTEN_HEAP_DISTANCE_MAX ? (uint64_t)distance
                                                       : HASTEN_HEAP_DISTANCE_MAX;
}

double hasten_poisson_chance(uint64_t size, double mean_bytes) {
    if (mean_bytes <= 1) {
        return 1;
    }
    double means = ((double)size + 1) / mean_bytes;
    return means > CERTAIN ? 1 : one_minus_exp(means);
}
