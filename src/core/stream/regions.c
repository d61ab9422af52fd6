/* SPDX-License-Identifier: MIT */
#include "core/stream/regions.h"

#include <string.h>

/* What is carried along is put before such a border, so that reads begin at one. */
#define ALIGNMENT 64

hasten_status hasten_regions_init(struct hasten_regions *regions, enum hasten_newline rule,
                                  size_t block_size, size_t limit,
                                  const struct hasten_allocator *allocator) {
    /* Twice: what is carried along is at most a block where lines are shorter than one. */
    const size_t capacity = 2 * block_size + ALIGNMENT;
    uint8_t *data = hasten_allocate(allocator, capacity);
    if (data == NULL) {
        return HASTEN_NO_MEMORY;
    }
    *regions = (struct hasten_regions){
        .allocator = allocator,
        .rule = rule,
        .block_size = block_size,
        .limit = limit,
        .data = data,
        .capacity = capacity,
    };
    return HASTEN_OK;
}

void hasten_regions_done(struct hasten_regions *regions) {
    hasten_release(regions->allocator, regions->data, regions->capacity);
    *regions = (struct hasten_regions){.allocator = regions->allocator};
}

void hasten_regions_restart(struct hasten_regions *regions) {
    regions->start = 0;
    regions->filled = 0;
    regions->offset = 0;
    regions->is_at_end = false;
    regions->pending = HASTEN_OK;
}

static hasten_status line_too_long(const struct hasten_regions *regions, size_t at,
                                   struct hasten_error *error) {
    const uint64_t offset = regions->offset + (at - regions->start);
    return hasten_error_set(error, HASTEN_LIMIT, (int64_t)offset,
                            "the line at byte %llu is longer than the limit of %zu bytes",
                            (unsigned long long)offset, regions->limit);
}

/* Makes room for a block behind what is left, which is moved to the front. */
static hasten_status make_room(struct hasten_regions *regions, size_t *ret_border,
                               struct hasten_error *error) {
    const size_t left = regions->filled - regions->start;
    if (regions->start < ALIGNMENT && regions->filled + regions->block_size <= regions->capacity) {
        *ret_border = regions->filled; /* a long line stays where it is */
        return HASTEN_OK;
    }
    const size_t border = (left + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (border + regions->block_size > regions->capacity) {
        /* Doubled, so that a line of n bytes is moved log(n) times. */
        const size_t capacity = regions->capacity * 2;
        uint8_t *data = hasten_allocate(regions->allocator, capacity);
        if (data == NULL || capacity < regions->capacity) {
            hasten_release(regions->allocator, data, capacity);
            return hasten_error_set(error, HASTEN_NO_MEMORY, (int64_t)regions->offset,
                                    "out of memory");
        }
        memcpy(data + border - left, regions->data + regions->start, left);
        hasten_release(regions->allocator, regions->data, regions->capacity);
        regions->data = data;
        regions->capacity = capacity;
    } else {
        memmove(regions->data + border - left, regions->data + regions->start, left);
    }
    regions->start = border - left;
    regions->filled = border;
    *ret_border = border;
    return HASTEN_OK;
}

/* How much of a region has lines within the limit only. From an end of a line, the next
 * one must come within the limit: it is looked for backwards, so that short lines are
 * passed over many at a time. */
static size_t within_limit(const struct hasten_regions *regions, const uint8_t *data, size_t size) {
    const size_t reach = regions->limit + (regions->rule >= HASTEN_NEWLINE_CRLF ? 2 : 1);
    size_t good = 0;
    while (size - good > regions->limit) {
        const size_t to = size - good < reach ? size : good + reach;
        size_t next = hasten_newline_before(regions->rule, data, good, to);
        if (next == good) {
            return good;
        }
        /* With either one or two bytes at an end, the reach may be one too far. */
        if (regions->rule == HASTEN_NEWLINE_ANY && next == good + reach &&
            hasten_newline_before(regions->rule, data, good, to - 1) == good &&
            data[next - 2] != '\r') {
            return good;
        }
        good = next;
    }
    return size;
}

/* Delivers `size` bytes at the start, or what of them comes before a line too long. */
static hasten_status deliver(struct hasten_regions *regions, size_t size, const uint8_t **ret_data,
                             size_t *ret_size, struct hasten_error *error) {
    const uint8_t *data = regions->data + regions->start;
    if (regions->limit != 0) {
        const size_t good = within_limit(regions, data, size);
        if (good < size) {
            regions->pending =
                line_too_long(regions, regions->start + good, &regions->pending_error);
            size = good;
        }
    }
    if (size == 0) {
        if (regions->pending != HASTEN_OK && error != NULL) {
            *error = regions->pending_error;
        }
        if (regions->pending != HASTEN_OK) {
            return regions->pending;
        }
    }
    regions->start += size;
    regions->offset += size;
    *ret_data = data;
    *ret_size = size;
    return HASTEN_OK;
}

hasten_status hasten_regions_next(struct hasten_regions *regions, struct hasten_source source,
                                  const uint8_t **ret_data, size_t *ret_size,
                                  struct hasten_error *error) {
    if (regions->pending == HASTEN_LIMIT) {
        return deliver(regions, 0, ret_data, ret_size, error);
    }
    size_t searched = 0; /* of what is left: has no end of a line */
    for (;;) {
        const size_t left = regions->filled - regions->start;
        const size_t from = searched < left ? searched : left;
        const size_t complete =
            from + hasten_newline_complete(regions->rule, regions->data + regions->start + from,
                                           left - from);
        if (complete > from) {
            return deliver(regions, complete, ret_data, ret_size, error);
        }
        if (regions->is_at_end || regions->pending != HASTEN_OK) {
            /* A line that was cut by a failure is none. */
            return deliver(regions, regions->is_at_end ? left : 0, ret_data, ret_size, error);
        }
        if (regions->limit != 0 && left > regions->limit + 1) {
            regions->pending = line_too_long(regions, regions->start, &regions->pending_error);
            return deliver(regions, 0, ret_data, ret_size, error);
        }
        /* The last byte may be half of an end. */
        searched = left == 0 ? 0 : left - 1;
        size_t border = 0;
        hasten_status status = make_room(regions, &border, error);
        if (status != HASTEN_OK) {
            return status;
        }
        size_t got = 0;
        status = source.read(source.context, regions->data + border, regions->block_size, &got,
                             &regions->pending_error);
        if (status == HASTEN_INTERRUPTED) {
            return status;
        }
        regions->pending = status;
        regions->filled += got;
        regions->is_at_end = status == HASTEN_OK && got == 0;
    }
}
