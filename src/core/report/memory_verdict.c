/* SPDX-License-Identifier: MIT
 *
 * Whether memory is worth a sentence at the top of a report, and the sentence. */
#include "core/report/numbers.h"
#include "core/report/sections_memory.h"
#include "core/report/verdict.h"

#define MIB ((int64_t)1 << 20)

/* A peak from which memory may be the news, and the share of it that one line must
 * have; a share that is not known better than that is no news. */
#define LARGE_PEAK (100 * MIB)
#define LARGE_LINE 0.30
#define LARGE_ERROR 0.15
/* Allocating and freeing costs time where it is much: many times the peak, and most of
 * it in one line, for every program allocates and frees. */
#define LARGE_CHURN (1024 * MIB)
#define CHURN_PEAKS 4
#define LARGE_CHURN_LINE 0.50

/* The group with most bytes of a kind that is in a line of Python. */
static const struct hasten_memory_group *largest_line(const struct hasten_memory *memory,
                                                      enum hasten_memory_kind kind) {
    const struct hasten_memory_group *best = NULL;
    for (size_t i = 0; i < memory->own_lines.count; i++) {
        const struct hasten_memory_group *group = &memory->own_lines.items[i];
        if (group->key != HASTEN_NONE &&
            (best == NULL || group->row.all[kind].bytes > best->row.all[kind].bytes)) {
            best = group;
        }
    }
    return best;
}

static size_t processes_with_peaks(const struct hasten_memory *memory) {
    size_t count = 0;
    for (size_t i = 0; i < memory->aggregate->profile->process_count; i++) {
        count += memory->processes[i].row.all[HASTEN_MEMORY_PEAK].bytes > 0;
    }
    return count;
}

/* ", by native code (PyDataMem_UserNEW)". */
static void say_native(const struct hasten_page *page, const struct hasten_memory *memory,
                       const struct hasten_memory_group *group, struct hasten_buffer *out) {
    if (group->row.native[HASTEN_MEMORY_PEAK].bytes <=
        group->row.all[HASTEN_MEMORY_PEAK].bytes / 2) {
        return;
    }
    uint32_t native = hasten_memory_through(memory, group->key, HASTEN_MEMORY_PEAK, true);
    hasten_buffer_text(out, ", by native code");
    if (native != HASTEN_NONE) {
        hasten_buffer_text(out, " (");
        hasten_page_safe(page, out, hasten_memory_native_name(memory->aggregate->profile, native));
        hasten_buffer_byte(out, ')');
    }
}

static void say_peak(const struct hasten_page *page, const struct hasten_memory *memory,
                     struct hasten_buffer *out) {
    int64_t peak = memory->sum.all[HASTEN_MEMORY_PEAK].bytes;
    const struct hasten_memory_group *group = largest_line(memory, HASTEN_MEMORY_PEAK);
    if (group == NULL || peak < LARGE_PEAK) {
        return;
    }
    int64_t bytes = group->row.all[HASTEN_MEMORY_PEAK].bytes;
    double share = hasten_share(bytes, peak);
    if (share < LARGE_LINE || hasten_memory_error(memory, bytes) > LARGE_ERROR) {
        return;
    }
    hasten_number_share(out, share);
    size_t processes = processes_with_peaks(memory);
    if (processes > 1) {
        hasten_buffer_format(out, " of the memory at the peaks of %zu processes (", processes);
    } else {
        hasten_buffer_text(out, " of the memory at its peak (");
    }
    hasten_number_bytes(out, peak);
    hasten_buffer_text(out, ") was allocated in ");
    hasten_verdict_place(page, out, &memory->aggregate->lines[group->key]);
    say_native(page, memory, group, out);
    hasten_buffer_byte(out, '.');
}

static void say_churn(const struct hasten_page *page, const struct hasten_memory *memory,
                      struct hasten_buffer *out) {
    int64_t temporary = memory->sum.all[HASTEN_MEMORY_TEMPORARY].bytes;
    const struct hasten_memory_group *group = largest_line(memory, HASTEN_MEMORY_TEMPORARY);
    if (group == NULL || temporary < LARGE_CHURN ||
        temporary / CHURN_PEAKS < memory->sum.all[HASTEN_MEMORY_PEAK].bytes) {
        return;
    }
    double share = hasten_share(group->row.all[HASTEN_MEMORY_TEMPORARY].bytes, temporary);
    if (share < LARGE_CHURN_LINE) {
        return;
    }
    hasten_buffer_text(out, out->size > 0 ? " " : "");
    hasten_number_bytes(out, temporary);
    hasten_buffer_text(out, " were allocated and freed soon after, ");
    hasten_number_share(out, share);
    hasten_buffer_text(out, " of it in ");
    hasten_verdict_place(page, out, &memory->aggregate->lines[group->key]);
    hasten_buffer_byte(out, '.');
}

void hasten_memory_verdict(const struct hasten_page *page, const struct hasten_memory *memory,
                           struct hasten_buffer *out) {
    if (memory->has_heap) {
        say_peak(page, memory, out);
        say_churn(page, memory, out);
    }
}
