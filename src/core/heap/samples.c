/* SPDX-License-Identifier: MIT
 *
 * Open addressing with linear probing, at most 3/4 full; what is taken out is filled up
 * by those behind it, so that there are no marks of what was there. */
#include "core/heap/samples.h"

#define FIRST_SLOTS 256u
#define FILTER_STUCK 255

void hasten_samples_init(struct hasten_samples *samples, uint8_t *filter,
                         const struct hasten_allocator *allocator) {
    *samples = (struct hasten_samples){.allocator = allocator, .filter = filter};
}

static void filter_add(const struct hasten_samples *samples, uint64_t address) {
    uint8_t *count = &samples->filter[hasten_samples_filter_index(address)];
    if (*count != FILTER_STUCK) {
        __atomic_store_n(count, (uint8_t)(*count + 1), __ATOMIC_RELAXED);
    }
}

static void filter_remove(const struct hasten_samples *samples, uint64_t address) {
    uint8_t *count = &samples->filter[hasten_samples_filter_index(address)];
    if (*count != FILTER_STUCK) {
        __atomic_store_n(count, (uint8_t)(*count - 1), __ATOMIC_RELAXED);
    }
}

void hasten_samples_done(struct hasten_samples *samples) {
    for (size_t i = 0; i < samples->capacity; i++) {
        if (samples->slots[i].address != 0) {
            filter_remove(samples, samples->slots[i].address);
        }
    }
    hasten_release(samples->allocator, samples->slots, samples->capacity * sizeof *samples->slots);
    *samples = (struct hasten_samples){.allocator = samples->allocator, .filter = samples->filter};
}

/* Fibonacci hashing: the high bits of the product depend on all of the address. */
static size_t home_of(const struct hasten_samples *samples, uint64_t address) {
    uint64_t hash = (address >> 4) * 0x9e3779b97f4a7c15u;
    return (size_t)(hash >> 20) & (samples->capacity - 1);
}

static void place(struct hasten_samples *samples, const struct hasten_heap_sample *sample) {
    size_t at = home_of(samples, sample->address);
    while (samples->slots[at].address != 0) {
        at = (at + 1) & (samples->capacity - 1);
    }
    samples->slots[at] = *sample;
}

static bool make_room(struct hasten_samples *samples) {
    if ((samples->count + 1) * 4 <= samples->capacity * 3) {
        return true;
    }
    if (samples->count >= HASTEN_SAMPLES_MAX) {
        return false;
    }
    struct hasten_samples larger = *samples;
    larger.capacity = samples->capacity == 0 ? FIRST_SLOTS : samples->capacity * 2;
    larger.slots =
        hasten_allocate_zeroed(samples->allocator, larger.capacity * sizeof *larger.slots);
    if (larger.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < samples->capacity; i++) {
        if (samples->slots[i].address != 0) {
            place(&larger, &samples->slots[i]);
        }
    }
    hasten_release(samples->allocator, samples->slots, samples->capacity * sizeof *samples->slots);
    *samples = larger;
    return true;
}

bool hasten_samples_put(struct hasten_samples *samples, const struct hasten_heap_sample *sample) {
    if (sample->address == 0 || !make_room(samples)) {
        return false;
    }
    place(samples, sample);
    samples->count++;
    filter_add(samples, sample->address);
    return true;
}

bool hasten_samples_take(struct hasten_samples *samples, uint64_t address,
                         struct hasten_heap_sample *ret_sample) {
    if (samples->count == 0 || address == 0) {
        return false;
    }
    size_t mask = samples->capacity - 1;
    size_t hole = home_of(samples, address);
    while (samples->slots[hole].address != address) {
        if (samples->slots[hole].address == 0) {
            return false;
        }
        hole = (hole + 1) & mask;
    }
    *ret_sample = samples->slots[hole];
    /* Who lies behind and would be found at the hole as well moves there. */
    for (size_t at = (hole + 1) & mask; samples->slots[at].address != 0; at = (at + 1) & mask) {
        size_t home = home_of(samples, samples->slots[at].address);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            samples->slots[hole] = samples->slots[at];
            hole = at;
        }
    }
    samples->slots[hole].address = 0;
    samples->count--;
    filter_remove(samples, address);
    return true;
}
