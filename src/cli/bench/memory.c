/* SPDX-License-Identifier: MIT
 *
 * The page that is shared with the process, and executions between marks. */
#include "cli/bench/memory.h"

#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/bench/process.h"
#include "cli/preload.h"
#include "core/base/clock.h"
#include "core/heap/counters.h"
#include "core/stats/summary.h"

/* Executions of which the median counts: caches that fill now and then are in none, what
 * is random in one is in others. Fewer where they are slow, but always the one that warms up
 * and another: with how many there was time for, the answer would depend on the machine. */
#define EXECUTIONS 5
#define ENOUGH_NS 500000000u
#define LEAST_MARKS 2

struct page {
    int file;
    struct hasten_counters *counters;
    char place[64];
    char library[PATH_MAX];
};

static void close_page(struct page *page) {
    if (page->counters != NULL) {
        munmap(page->counters, sizeof *page->counters);
    }
    if (page->file >= 0) {
        close(page->file);
    }
}

static bool open_page(struct page *page, const char *what) {
    *page = (struct page){.file = memfd_create("hasten-counters", MFD_CLOEXEC)};
    if (page->file < 0 ||
        !cli_preload_find(HASTEN_COUNTERS_LIBRARY, page->library, sizeof page->library) ||
        ftruncate(page->file, sizeof *page->counters) != 0) {
        return false;
    }
    void *shared =
        mmap(NULL, sizeof *page->counters, PROT_READ | PROT_WRITE, MAP_SHARED, page->file, 0);
    if (shared == MAP_FAILED) {
        return false;
    }
    page->counters = shared;
    snprintf(page->place, sizeof page->place, "%s:/proc/%d/fd/%d", what, (int)getpid(), page->file);
    return true;
}

/* Executions between marks; the first one warms up. */
static bool count_executions(struct bench_process *process, const struct hasten_counters *page,
                             struct bench_amount *amounts) {
    double peaks[EXECUTIONS], allocated[EXECUTIONS];
    size_t count = 0;
    uint64_t start_ns = hasten_clock_monotonic_ns(), marks = 0;
    do {
        int64_t is_counted = -1;
        if (!bench_process_count(process, "memory", &is_counted) || is_counted < 0 ||
            page->marks != marks + 1) {
            return false;
        }
        if (marks++ == 1) {
            count = 0; /* the first one is behind us */
        }
        peaks[count] = (double)page->peak_bytes;
        allocated[count++] = (double)page->allocated_bytes;
    } while (marks < LEAST_MARKS ||
             (count < EXECUTIONS && hasten_clock_monotonic_ns() - start_ns < ENOUGH_NS));
    amounts[BENCH_PEAK_BYTES] = (struct bench_amount){true, hasten_median_in_place(peaks, count)};
    amounts[BENCH_ALLOCATED_BYTES] =
        (struct bench_amount){true, hasten_median_in_place(allocated, count)};
    return true;
}

void bench_memory_count(const struct bench_side *side, double patience_s,
                        struct bench_amount *amounts) {
    struct page page;
    struct bench_process process = {.errors = -1};
    bool is_command = side->kind == BENCH_COMMAND;
    if (open_page(&page, is_command ? "all" : "marks")) {
        const struct bench_instrument instrument = {
            .library = page.library, .counters = page.place, .is_quiet = true};
        const struct bench_chance chance = {.hash_seed = 0, .instrument = &instrument};
        struct bench_block block;
        bool is_ready = bench_process_start(&process, side, &chance, patience_s) &&
                        bench_process_ready(&process);
        if (is_ready && !is_command) {
            (void)count_executions(&process, page.counters, amounts);
        } else if (is_ready && bench_process_block(&process, 1, &block)) {
            amounts[BENCH_ALLOCATED_BYTES] = (struct bench_amount){
                page.counters->blocks > 0, (double)page.counters->allocated_bytes};
        }
        bench_process_end(&process);
    }
    close_page(&page);
}
