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
    hasten_blocks_init(&ledger->blocks, allocator);
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
    struct hasten_block *place = hasten_blocks_find(&ledger->blocks, block->domain, block->address);
    if (place != NULL) {
        hasten_ledger_shrink(ledger, (size_t)place->size_bytes);
    } else {
        place = hasten_blocks_add(&ledger->blocks, block->domain, block->address);
        if (place == NULL) {
            ledger->lost++;
            return;
        }
    }
    *place = *block;
    hasten_ledger_grow(ledger, (size_t)block->size_bytes);
}

bool hasten_ledger_forget_block(struct hasten_ledger *ledger, uint32_t domain, uint64_t address,
                                struct hasten_block *ret_block) {
    struct hasten_block *block = hasten_blocks_find(&ledger->blocks, domain, address);
    if (block == NULL) {
        return false;
    }
    if (ret_block != NULL) {
        *ret_block = *block;
    }
    hasten_ledger_shrink(ledger, (size_t)block->size_bytes);
    hasten_blocks_remove(&ledger->blocks, block);
    return true;
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
    const struct hasten_block *block = hasten_blocks_find(&ledger->blocks, domain, address);
    if (block == NULL) {
        return false;
    }
    *ret_block = *block;
    return true;
}
