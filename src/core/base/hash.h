/* SPDX-License-Identifier: MIT
 *
 * A 128-bit hash of bytes, wide enough to stand for them: interning keeps the
 * hash and forgets the bytes. Not made for adversaries, and its values are not
 * part of any file. */
#ifndef HASTEN_BASE_HASH_H
#define HASTEN_BASE_HASH_H

#include "core/base/map.h"

/* Hashes `size` bytes on top of `seed` (zeros to start, a previous hash to
 * chain several runs of bytes). */
struct hasten_map_key hasten_hash(struct hasten_map_key seed, const void *data, size_t size);

#endif
