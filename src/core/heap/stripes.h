/* SPDX-License-Identifier: MIT
 *
 * Live blocks that any thread may put, find and forget: blocks.h in stripes by address,
 * each behind a lock of its own, so that two threads only ever wait for each other when
 * their blocks happen to be in the same stripe, and then for one step of a hash table.
 * No lock is of all stripes; a count over them all is a number that each adds to. */
#ifndef HASTEN_HEAP_STRIPES_H
#define HASTEN_HEAP_STRIPES_H

#include <pthread.h>

#include "core/heap/blocks.h"

#define HASTEN_STRIPE_BITS 5
#define HASTEN_STRIPES (1 << HASTEN_STRIPE_BITS)

struct hasten_stripe {
    _Alignas(64) pthread_mutex_t lock; /* of its own line: others do not slow it */
    struct hasten_blocks blocks;
};

struct hasten_stripes {
    bool is_open;      /* whether blocks are taken; read and written with any lock or none */
    size_t size_bytes; /* alive; atomic, as what follows */
    size_t peak_bytes;
    uint64_t lost;             /* what there was no memory to remember */
    const size_t *other_bytes; /* what is alive elsewhere, or NULL */
    struct hasten_stripe items[HASTEN_STRIPES];
};

/* Once; the locks stay for the life of the structure. */
void hasten_stripes_init(struct hasten_stripes *stripes, const size_t *other_bytes,
                         const struct hasten_allocator *allocator);
/* Forgets everything. Whatever is put meanwhile is forgotten or not. */
void hasten_stripes_clear(struct hasten_stripes *stripes);
/* From now on blocks are taken, or none: who puts one already ends first. */
void hasten_stripes_open(struct hasten_stripes *stripes);
void hasten_stripes_close(struct hasten_stripes *stripes);
/* Remembers a block in place of what was at its address. False: it did not. */
bool hasten_stripes_put(struct hasten_stripes *stripes, const struct hasten_block *block);
bool hasten_stripes_find(struct hasten_stripes *stripes, uint32_t domain, uint64_t address,
                         struct hasten_block *ret_block);
/* Forgets a block; `ret_block` may be NULL. False: there was none. */
bool hasten_stripes_forget(struct hasten_stripes *stripes, uint32_t domain, uint64_t address,
                           struct hasten_block *ret_block);
/* Around a fork: a child in which a lock is held by nobody would wait for ever. */
void hasten_stripes_lock_all(struct hasten_stripes *stripes);
void hasten_stripes_unlock_all(struct hasten_stripes *stripes);

/* What is alive here and elsewhere, and the most that it has been. */
size_t hasten_stripes_all_bytes(const struct hasten_stripes *stripes);
size_t hasten_stripes_peak(const struct hasten_stripes *stripes);
void hasten_stripes_reset_peak(struct hasten_stripes *stripes);
/* Bytes that the stripes themselves have allocated. */
size_t hasten_stripes_own_bytes(struct hasten_stripes *stripes);

#endif
