/* SPDX-License-Identifier: MIT
 *
 * Which blocks are sampled. Every byte that is allocated is hit with the same small
 * chance, independently of all others; a block is sampled when one of its bytes is. So
 * the distance between hits is drawn once, and counted down by each block's size.
 *
 * A block counts as one byte more than it has, so that blocks of no bytes can be hit. A
 * sampled block stands for 1 / chance(size) blocks of its size, which makes every sum of
 * such weights an unbiased estimate, whatever the sizes. */
#ifndef HASTEN_HEAP_POISSON_H
#define HASTEN_HEAP_POISSON_H

#include <stdint.h>

/* Mean distance between hits where nobody says otherwise. */
#define HASTEN_HEAP_INTERVAL_BYTES 524288u
/* Longer distances are not drawn: once in e^46 draws at the default. */
#define HASTEN_HEAP_DISTANCE_MAX (UINT64_C(1) << 56)

/* Bytes that pass before the next hit: the next block of more than so many bytes, less
 * those of the blocks before it, is sampled. `mean_bytes` of at most 1: every block is.
 * `random` is the generator's state, any number to begin with. */
uint64_t hasten_poisson_draw(uint64_t *random, double mean_bytes);
/* That a block of `size` bytes is sampled: above 0, at most 1. */
double hasten_poisson_chance(uint64_t size, double mean_bytes);

#endif
