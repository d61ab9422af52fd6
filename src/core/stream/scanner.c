/* SPDX-License-Identifier: MIT */
#include "core/stream/scanner.h"

/* Lines that are counted at a time. */
#define COUNTED 256

hasten_status hasten_scanner_init(struct hasten_scanner *scanner, const uint8_t *const *needles,
                                  const size_t *sizes, size_t needle_count, bool is_searching,
                                  unsigned wanted, const struct hasten_allocator *allocator) {
    struct hasten_needle *made = NULL;
    size_t *found = NULL;
    if (needle_count != 0) {
        made = hasten_allocate(allocator, needle_count * sizeof *made);
        found = hasten_allocate_zeroed(allocator, needle_count * sizeof *found);
        if (made == NULL || found == NULL) {
            hasten_release(allocator, made, needle_count * sizeof *made);
            hasten_release(allocator, found, needle_count * sizeof *found);
            return HASTEN_NO_MEMORY;
        }
    }
    for (size_t i = 0; i < needle_count; i++) {
        made[i] = hasten_needle_make(needles[i], sizes[i]);
    }
    *scanner = (struct hasten_scanner){
        .allocator = allocator,
        .kernels = hasten_kernels_best(),
        .needles = made,
        .found = found,
        .needle_count = needle_count,
        .wanted = wanted,
        .is_searching = is_searching,
    };
    return HASTEN_OK;
}

void hasten_scanner_done(struct hasten_scanner *scanner) {
    const size_t count = scanner->needle_count;
    hasten_release(scanner->allocator, scanner->needles, count * sizeof *scanner->needles);
    hasten_release(scanner->allocator, scanner->found, count * sizeof *scanner->found);
    *scanner = (struct hasten_scanner){.allocator = scanner->allocator};
}

void hasten_scanner_begin(struct hasten_scanner *scanner, const uint8_t *data, size_t size,
                          enum hasten_newline rule) {
    scanner->data = data;
    scanner->size = size;
    scanner->rule = rule;
    scanner->at = 0;
    scanner->is_candidate_known = false;
    for (size_t i = 0; i < scanner->needle_count; i++) {
        scanner->found[i] = scanner->kernels->find(data, size, &scanner->needles[i]);
    }
}

/* Finds the next line that has a needle; at the region's end where there is none. */
static void find_candidate(struct hasten_scanner *scanner) {
    size_t nearest = scanner->size;
    for (size_t i = 0; i < scanner->needle_count; i++) {
        if (scanner->found[i] < scanner->at) {
            scanner->found[i] = scanner->at + scanner->kernels->find(scanner->data + scanner->at,
                                                                     scanner->size - scanner->at,
                                                                     &scanner->needles[i]);
        }
        nearest = scanner->found[i] < nearest ? scanner->found[i] : nearest;
    }
    scanner->is_candidate_known = true;
    scanner->candidate_start = scanner->size;
    scanner->candidate_end = scanner->size;
    if (nearest < scanner->size) {
        scanner->candidate_start =
            hasten_newline_before(scanner->rule, scanner->data, scanner->at, nearest);
        scanner->candidate_end =
            hasten_newline_after(scanner->rule, scanner->data, scanner->size, nearest);
    }
}

/* Lines up to `end`, where one ends. Answers how many. */
static size_t split(struct hasten_scanner *scanner, size_t end, bool is_candidate,
                    struct hasten_span *ret_spans, size_t capacity) {
    size_t count = 0;
    if (scanner->rule == HASTEN_NEWLINE_LF || scanner->rule == HASTEN_NEWLINE_CR) {
        const uint8_t byte = scanner->rule == HASTEN_NEWLINE_LF ? '\n' : '\r';
        count = scanner->kernels->split(scanner->data, end, byte, scanner->at, ret_spans, capacity);
        scanner->at = count == 0 ? scanner->at : ret_spans[count - 1].end;
    }
    /* The other rules, and a last line without an end. */
    while (count < capacity && scanner->at < end) {
        const size_t next = hasten_newline_after(scanner->rule, scanner->data, end, scanner->at);
        ret_spans[count++] = (struct hasten_span){scanner->at, next, false};
        scanner->at = next;
    }
    for (size_t i = 0; is_candidate && i < count; i++) {
        ret_spans[i].is_candidate = true;
    }
    return count;
}

size_t hasten_scanner_next(struct hasten_scanner *scanner, struct hasten_span *ret_spans,
                           size_t capacity) {
    if (!scanner->is_searching) {
        const bool is_wanted = (scanner->wanted & HASTEN_WANTED_CANDIDATES) != 0;
        return is_wanted ? split(scanner, scanner->size, true, ret_spans, capacity) : 0;
    }
    size_t count = 0;
    while (count < capacity && scanner->at < scanner->size) {
        if (!scanner->is_candidate_known) {
            find_candidate(scanner);
        }
        if (scanner->at < scanner->candidate_start && (scanner->wanted & HASTEN_WANTED_REST) != 0) {
            count += split(scanner, scanner->candidate_start, false, ret_spans + count,
                           capacity - count);
            continue;
        }
        if (scanner->candidate_start < scanner->candidate_end &&
            (scanner->wanted & HASTEN_WANTED_CANDIDATES) != 0) {
            ret_spans[count++] =
                (struct hasten_span){scanner->candidate_start, scanner->candidate_end, true};
        }
        scanner->at = scanner->candidate_end;
        scanner->is_candidate_known = false;
    }
    return count;
}

uint64_t hasten_scanner_count(struct hasten_scanner *scanner) {
    if (!scanner->is_searching && scanner->rule == HASTEN_NEWLINE_LF && scanner->size != 0 &&
        (scanner->wanted & HASTEN_WANTED_CANDIDATES) != 0) {
        const size_t left = scanner->size - scanner->at;
        const bool is_cut = left != 0 && scanner->data[scanner->size - 1] != '\n';
        const size_t count = scanner->kernels->count(scanner->data + scanner->at, left, '\n');
        scanner->at = scanner->size;
        return count + is_cut;
    }
    struct hasten_span spans[COUNTED];
    uint64_t count = 0;
    for (size_t more; (more = hasten_scanner_next(scanner, spans, COUNTED)) != 0; count += more) {
    }
    return count;
}
