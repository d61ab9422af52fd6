/* SPDX-License-Identifier: MIT
 *
 * Who allocated what is alive: paths, small blocks by kind, other blocks, and the
 * bytes they are together, now and at most. What is inline here runs at every
 * allocation and every free of a traced program. Not thread-safe; it may be told where
 * else blocks are counted (stripes.h), so that the peak is of both. */
#ifndef HASTEN_HEAP_LEDGER_H
#define HASTEN_HEAP_LEDGER_H

#include <stdbool.h>

#include "core/heap/blocks.h"
#include "core/heap/granules.h"
#include "core/heap/kinds.h"
#include "core/heap/paths.h"

/* CPython's allocator for small objects takes requests up to this many bytes. */
#define HASTEN_LEDGER_SMALL_BYTES 512
/* Every allocator of CPython aligns to 16 bytes. Blocks up to a coarse granule may begin
 * in each fine one; of those that are larger only one can begin in a coarse one. */
#define HASTEN_LEDGER_FINE_BITS 4
#define HASTEN_LEDGER_COARSE_BITS 6

struct hasten_ledger {
    const struct hasten_allocator *allocator;
    size_t size_bytes; /* alive; other threads may read it */
    size_t peak_bytes;
    const size_t *other_bytes; /* what is alive elsewhere, or NULL */
    uint64_t lost;             /* allocations that there was no memory to remember */
    struct hasten_paths paths;
    struct hasten_granules fine;   /* kinds */
    struct hasten_granules coarse; /* kinds, and which fine granule it is in the lowest bits */
    struct hasten_blocks blocks;
    struct hasten_kinds kinds;
};

void hasten_ledger_init(struct hasten_ledger *ledger, const struct hasten_allocator *allocator);
void hasten_ledger_done(struct hasten_ledger *ledger);
/* Bytes that the ledger itself has allocated. */
size_t hasten_ledger_bytes(const struct hasten_ledger *ledger);

static inline size_t hasten_ledger_all_bytes(const struct hasten_ledger *ledger) {
    size_t others =
        ledger->other_bytes == NULL ? 0 : __atomic_load_n(ledger->other_bytes, __ATOMIC_RELAXED);
    return ledger->size_bytes + others;
}

static inline void hasten_ledger_grow(struct hasten_ledger *ledger, size_t bytes) {
    __atomic_store_n(&ledger->size_bytes, ledger->size_bytes + bytes, __ATOMIC_RELAXED);
    size_t all = hasten_ledger_all_bytes(ledger);
    if (all > ledger->peak_bytes) {
        ledger->peak_bytes = all;
    }
}

static inline void hasten_ledger_shrink(struct hasten_ledger *ledger, size_t bytes) {
    __atomic_store_n(&ledger->size_bytes, ledger->size_bytes - bytes, __ATOMIC_RELAXED);
}

static inline bool hasten_ledger_is_aligned(uint64_t address) {
    return (address & ((1u << HASTEN_LEDGER_FINE_BITS) - 1)) == 0;
}

/* Whether a block is remembered by kind rather than one by one. */
static inline bool hasten_ledger_is_small(uint64_t address, size_t size_bytes) {
    return size_bytes <= HASTEN_LEDGER_SMALL_BYTES && hasten_ledger_is_aligned(address);
}

static inline bool hasten_ledger_is_fine(size_t size_bytes) {
    return size_bytes <= (size_t)1 << HASTEN_LEDGER_COARSE_BITS;
}

#define HASTEN_LEDGER_WITHIN_BITS (HASTEN_LEDGER_COARSE_BITS - HASTEN_LEDGER_FINE_BITS)

/* Which fine granule of its coarse one. */
static inline uint32_t hasten_ledger_within(uint64_t address) {
    return (uint32_t)(address >> HASTEN_LEDGER_FINE_BITS) & ((1u << HASTEN_LEDGER_WITHIN_BITS) - 1);
}

static inline void hasten_ledger_drop_kind(struct hasten_ledger *ledger, uint32_t number) {
    struct hasten_kind *kind = &ledger->kinds.items[number];
    kind->live--;
    hasten_ledger_shrink(ledger, kind->size_bytes);
}

/* Remembers a small block, in place of what was at the address. */
static inline void hasten_ledger_put_small(struct hasten_ledger *ledger, uint64_t address,
                                           uint32_t kind) {
    const bool is_fine = hasten_ledger_is_fine(ledger->kinds.items[kind].size_bytes);
    struct hasten_granules *granules = is_fine ? &ledger->fine : &ledger->coarse;
    uint32_t *number = hasten_granules_find(granules, address);
    if (__builtin_expect(number == NULL, 0)) {
        number = hasten_granules_make(granules, address);
        if (number == NULL) {
            ledger->lost++;
            return;
        }
    }
    if (__builtin_expect(*number != 0, 0)) {
        hasten_ledger_drop_kind(ledger, is_fine ? *number : *number >> HASTEN_LEDGER_WITHIN_BITS);
    }
    *number = is_fine ? kind : (kind << HASTEN_LEDGER_WITHIN_BITS) | hasten_ledger_within(address);
    ledger->kinds.items[kind].live++;
    hasten_ledger_grow(ledger, ledger->kinds.items[kind].size_bytes);
}

/* The kind of the small block at the address, 0 where there is none. Where it lies. */
static inline uint32_t hasten_ledger_small(struct hasten_ledger *ledger, uint64_t address,
                                           uint32_t **ret_number) {
    uint32_t *number = hasten_granules_find(&ledger->fine, address);
    uint32_t kind = number == NULL ? 0 : *number;
    if (kind == 0) {
        number = hasten_granules_find(&ledger->coarse, address);
        if (number != NULL &&
            (*number & ((1u << HASTEN_LEDGER_WITHIN_BITS) - 1)) == hasten_ledger_within(address)) {
            kind = *number >> HASTEN_LEDGER_WITHIN_BITS;
        }
    }
    *ret_number = number;
    return kind;
}

/* Gives the small block that hasten_ledger_small found another kind of the same size. */
static inline void hasten_ledger_turn_small(struct hasten_ledger *ledger, uint32_t *number,
                                            uint32_t old, uint32_t kind) {
    struct hasten_kind *kinds = ledger->kinds.items;
    const bool is_fine = *number == old;
    *number = is_fine ? kind
                      : (kind << HASTEN_LEDGER_WITHIN_BITS) |
                            (*number & ((1u << HASTEN_LEDGER_WITHIN_BITS) - 1));
    kinds[old].live--;
    kinds[kind].live++;
}

/* Remembers any block one by one, in place of what was at the address. */
void hasten_ledger_put_block(struct hasten_ledger *ledger, const struct hasten_block *block);
/* Forgets a block of any size: whether there was one. */
bool hasten_ledger_forget_block(struct hasten_ledger *ledger, uint32_t domain, uint64_t address);

/* Forgets a block of domain 0: whether there was one. */
static inline bool hasten_ledger_forget(struct hasten_ledger *ledger, uint64_t address) {
    if (hasten_ledger_is_aligned(address)) {
        uint32_t *number = NULL;
        uint32_t kind = hasten_ledger_small(ledger, address, &number);
        if (kind != 0) {
            hasten_ledger_drop_kind(ledger, kind);
            *number = 0;
            return true;
        }
    }
    return ledger->blocks.count != 0 && hasten_ledger_forget_block(ledger, 0, address);
}

/* The path and size of a block; false where there is none. */
bool hasten_ledger_find(struct hasten_ledger *ledger, uint32_t domain, uint64_t address,
                        struct hasten_block *ret_block);

#endif
