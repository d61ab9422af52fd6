/* SPDX-License-Identifier: MIT
 *
 * The parts of a ledger that are not asked for at every allocation. */
#include "core/heap/ledger.h"

#include <string.h>

void hasten_ledger_init(struct hasten_ledger *ledger, const struct hasten_allocator *allocator) {
    ledger->allocator = allocator;
    ledger->size_bytes = 0;
    ledger->peak_bytes = 0;
    ledger->other_bytes = NULL;
    ledger->lost = 0;
    hasten_paths_init(&ledger->paths, allocator);
    hasten_granules_init(&ledger->fine, HASTEN_LEDGER_FINE_BITS, allocator);
    hasten_granules_init(&ledger->coarse, HASTEN_LEDGER_COARSE_BITS, allocator);
    hasten_blocks_init(&ledger->blocks, HASTEN_BLOCK_MOST_SHARD_BITS, allocator);
    hasten_kinds_init(&ledger->kinds, allocator);
}

void hasten_ledger_done(struct hasten_ledger *ledger) {
    hasten_paths_done(&ledger->paths);
    hasten_granules_done(&ledger->fine);
    hasten_granules_done(&ledger->coarse);
    hasten_blocks_done(&ledger->blocks);
    hasten_kinds_done(&ledger->kinds);
    hasten_ledger_init(ledger, ledger->allocator);
}

size_t hasten_ledger_bytes(const struct hasten_ledger *ledger) {
    return hasten_paths_bytes(&ledger->paths) + hasten_granules_bytes(&ledger->fine) +
           hasten_granules_bytes(&ledger->coarse) + hasten_blocks_bytes(&ledger->blocks) +
           hasten_kinds_bytes(&ledger->kinds);
}

void hasten_ledger_put_block(struct hasten_ledger *ledger, const struct hasten_block *block) {
    struct hasten_block old;
    const bool is_there = hasten_blocks_put(&ledger->blocks, block, &old) == 0;
    if (old.path != 0) {
        hasten_ledger_shrink(ledger, (size_t)old.size_bytes);
    }
    if (is_there) {
        hasten_ledger_grow(ledger, (size_t)block->size_bytes);
    } else {
        ledger->lost++;
    }
}

bool hasten_ledger_forget_block(struct hasten_ledger *ledger, uint32_t domain, uint64_t address) {
    struct hasten_block block;
    const bool was_there = hasten_blocks_remove(&ledger->blocks, domain, address, &block);
    if (was_there) {
        hasten_ledger_shrink(ledger, (size_t)block.size_bytes);
    }
    return was_there;
}

bool hasten_ledger_find(struct hasten_ledger *ledger, uint32_t domain, uint64_t address,
                        struct hasten_block *ret_block) {
    if (domain == 0 && hasten_ledger_is_aligned(address)) {
        uint32_t *number = NULL;
        uint32_t index = hasten_ledger_small(ledger, address, &number);
        if (index != 0) {
            const struct hasten_kind *kind = &ledger->kinds.items[index];
            *ret_block = (struct hasten_block){
                .address = address, .size_bytes = kind->size_bytes, .path = kind->path};
            return true;
        }
    }
    return hasten_blocks_find(&ledger->blocks, domain, address, ret_block);
}
