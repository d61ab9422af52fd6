/* SPDX-License-Identifier: MIT
 *
 * The set of tags of sketch.h that forgets the oldest. */
#include "core/cache/sketch.h"

#define FEWEST_SLOTS 16
#define MOST_SLOTS ((size_t)1 << 30)

void hasten_cache_ghosts_init(struct hasten_cache_ghosts *ghosts,
                              const struct hasten_allocator *allocator) {
    *ghosts = (struct hasten_cache_ghosts){.allocator = allocator};
}

void hasten_cache_ghosts_done(struct hasten_cache_ghosts *ghosts) {
    hasten_release(ghosts->allocator, ghosts->ring,
                   ghosts->ring_size * sizeof(struct hasten_cache_ghost));
    hasten_release(ghosts->allocator, ghosts->places, ghosts->ring_size * 2 * sizeof(uint32_t));
    hasten_cache_ghosts_init(ghosts, ghosts->allocator);
}

void hasten_cache_ghosts_clear(struct hasten_cache_ghosts *ghosts) {
    hasten_cache_ghosts_done(ghosts);
}

static size_t home_of(const struct hasten_cache_ghosts *ghosts, uint32_t tag) {
    return (tag * UINT32_C(0x9e3779b1)) & (ghosts->ring_size * 2 - 1);
}

static struct hasten_cache_ghost *slot(const struct hasten_cache_ghosts *ghosts, uint64_t number) {
    return &ghosts->ring[number & (ghosts->ring_size - 1)];
}

/* The place of the tag, or the empty one where it would be. */
static size_t place_of(const struct hasten_cache_ghosts *ghosts, uint32_t tag) {
    size_t place = home_of(ghosts, tag);
    while (ghosts->places[place] != 0 && ghosts->ring[ghosts->places[place] - 1].tag != tag) {
        place = (place + 1) & (ghosts->ring_size * 2 - 1);
    }
    return place;
}

/* Empties a place; those behind it that it kept from their own move up. */
static void empty_place(struct hasten_cache_ghosts *ghosts, size_t place) {
    const size_t mask = ghosts->ring_size * 2 - 1;
    ghosts->places[place] = 0;
    for (size_t next = (place + 1) & mask; ghosts->places[next] != 0; next = (next + 1) & mask) {
        const size_t home = home_of(ghosts, ghosts->ring[ghosts->places[next] - 1].tag);
        if (((next - home) & mask) >= ((next - place) & mask)) {
            ghosts->places[place] = ghosts->places[next];
            ghosts->places[next] = 0;
            place = next;
        }
    }
}

bool hasten_cache_ghosts_take(struct hasten_cache_ghosts *ghosts, uint32_t tag) {
    if (ghosts->count == 0) {
        return false;
    }
    const size_t place = place_of(ghosts, tag);
    if (ghosts->places[place] == 0) {
        return false;
    }
    ghosts->ring[ghosts->places[place] - 1].is_in = false;
    empty_place(ghosts, place);
    ghosts->count--;
    return true;
}

static void forget_oldest(struct hasten_cache_ghosts *ghosts) {
    struct hasten_cache_ghost *oldest = slot(ghosts, ghosts->first);
    if (oldest->is_in) {
        hasten_cache_ghosts_take(ghosts, oldest->tag);
    }
    ghosts->first++;
}

static void add(struct hasten_cache_ghosts *ghosts, uint32_t tag) {
    if (ghosts->end - ghosts->first == ghosts->ring_size) {
        forget_oldest(ghosts);
    }
    const size_t place = place_of(ghosts, tag);
    *slot(ghosts, ghosts->end) = (struct hasten_cache_ghost){.tag = tag, .is_in = true};
    ghosts->places[place] = (uint32_t)(ghosts->end & (ghosts->ring_size - 1)) + 1;
    ghosts->end++;
    ghosts->count++;
}

/* Twice as many slots as tags: those that are taken out leave theirs empty. */
static void grow(struct hasten_cache_ghosts *ghosts, size_t most) {
    struct hasten_cache_ghosts grown;
    hasten_cache_ghosts_init(&grown, ghosts->allocator);
    size_t size = FEWEST_SLOTS;
    while (size < most * 2 && size < MOST_SLOTS) {
        size *= 2;
    }
    grown.ring = hasten_allocate_zeroed(ghosts->allocator, size * sizeof(*grown.ring));
    grown.places = hasten_allocate_zeroed(ghosts->allocator, size * 2 * sizeof(uint32_t));
    if (grown.ring == NULL || grown.places == NULL) {
        hasten_release(ghosts->allocator, grown.ring, size * sizeof(*grown.ring));
        hasten_release(ghosts->allocator, grown.places, size * 2 * sizeof(uint32_t));
        return;
    }
    grown.ring_size = size;
    for (uint64_t number = ghosts->first; number < ghosts->end; number++) {
        if (slot(ghosts, number)->is_in) {
            add(&grown, slot(ghosts, number)->tag);
        }
    }
    hasten_cache_ghosts_done(ghosts);
    *ghosts = grown;
}

void hasten_cache_ghosts_put(struct hasten_cache_ghosts *ghosts, uint32_t tag, size_t most) {
    if (most > ghosts->ring_size / 2) {
        grow(ghosts, most);
    }
    if (ghosts->ring_size == 0 || most == 0) {
        return;
    }
    hasten_cache_ghosts_take(ghosts, tag);
    while (ghosts->count >= most) {
        forget_oldest(ghosts);
    }
    add(ghosts, tag);
}
