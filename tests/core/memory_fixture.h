/* SPDX-License-Identifier: MIT
 *
 * Profiles of memory with known truth: a program that loads a table through a
 * package and native code, parses lines it throws away, and keeps a cache. */
#ifndef HASTEN_TESTS_MEMORY_FIXTURE_H
#define HASTEN_TESTS_MEMORY_FIXTURE_H

#include "report_fixture.h"

#define MIB ((int64_t)1 << 20)

struct memory_amounts {
    int64_t allocated, allocated_blocks;
    int64_t peak, peak_blocks;
    int64_t live, live_blocks;
    int64_t temporary, temporary_blocks;
};

__attribute__((unused)) static void fixture_memory(struct fixture *fixture, uint32_t node,
                                                   uint32_t thread,
                                                   const struct memory_amounts *amounts) {
    const struct {
        const char *metric;
        int64_t amount;
    } values[] = {
        {"heap.allocated.bytes", amounts->allocated},
        {"heap.allocated.blocks", amounts->allocated_blocks},
        {"heap.peak.bytes", amounts->peak},
        {"heap.peak.blocks", amounts->peak_blocks},
        {"heap.live.bytes", amounts->live},
        {"heap.live.blocks", amounts->live_blocks},
        {"heap.temporary.bytes", amounts->temporary},
        {"heap.temporary.blocks", amounts->temporary_blocks},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (values[i].amount != 0) {
            fixture_value(fixture, node, thread, values[i].metric, values[i].amount);
        }
    }
}

/* Native code: no lines, no location table. */
__attribute__((unused)) static uint32_t fixture_native(struct fixture *fixture, const char *library,
                                                       const char *symbol) {
    struct hasten_code code = {.file = fixture_text(fixture, library),
                               .name = fixture_text(fixture, symbol),
                               .qualname = fixture_text(fixture, symbol),
                               .first_line = -1};
    must(hasten_builder_code(&fixture->builder, &code));
    return (uint32_t)fixture->builder.profile->code_count - 1;
}

__attribute__((unused)) static uint32_t fixture_series(struct fixture *fixture, uint32_t process,
                                                       const char *name) {
    struct hasten_series series = {.process = process,
                                   .name = fixture_text(fixture, name),
                                   .unit = fixture_text(fixture, "bytes"),
                                   .description = fixture_text(fixture, "memory")};
    must(hasten_builder_series(&fixture->builder, &series));
    return (uint32_t)fixture->builder.profile->series_count - 1;
}

__attribute__((unused)) static void fixture_point(struct fixture *fixture, uint32_t series,
                                                  int64_t time_ns, int64_t value) {
    must(hasten_builder_point(&fixture->builder, series, (uint64_t)time_ns, value));
}

/* Up to a peak after 600 of 1000 ms, then down. */
__attribute__((unused)) static void fixture_hill(struct fixture *fixture, uint32_t series,
                                                 int64_t base, int64_t height) {
    for (int64_t i = 0; i <= 100; i++) {
        int64_t part = i <= 60 ? i * 100 / 60 : (100 - i) * 100 / 40;
        fixture_point(fixture, series, i * 10 * MS, base + height * part / 100);
    }
}

/* `mode` is "sampled", "exact" or NULL: not told. 900 MiB at the peak. */
__attribute__((unused)) static struct hasten_profile *memory_profile(const char *mode,
                                                                     bool with_time) {
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_fact(&fixture, "command", "python app.py");
    fixture_fact(&fixture, "directory", "/home/me/shop");
    fixture_fact(&fixture, "duration_ns", "1000000000");
    fixture_fact(&fixture, "interval_ns", "1000000");
    fixture_fact(&fixture, "exit.status", "0");
    if (mode != NULL) {
        fixture_fact(&fixture, "memory.mode", mode);
        fixture_fact(&fixture, "memory.interval_bytes", "524288");
    }
    uint32_t process = fixture_process(&fixture, 4242, 1, "main");
    uint32_t main_thread = fixture_thread(&fixture, process, "MainThread", true, 900);
    uint32_t worker = fixture_thread(&fixture, process, "worker", false, 100);
    uint32_t app = fixture_code(&fixture, "/home/me/shop/app.py", "load", 20);
    uint32_t parse = fixture_code(&fixture, "/home/me/shop/parse.py", "parse_line", 5);
    uint32_t cache = fixture_code(&fixture, "/home/me/shop/cache.py", "Cache.put", 40);
    uint32_t package =
        fixture_code(&fixture, "/usr/lib/python3/dist-packages/numpy/core/numeric.py", "full", 310);
    uint32_t numpy =
        fixture_native(&fixture, "/usr/lib/python3/dist-packages/numpy/core/_multiarray_umath.so",
                       "PyDataMem_UserNEW");
    uint32_t zlib =
        fixture_native(&fixture, "/usr/lib/x86_64-linux-gnu/libz.so.1", "inflateInit2_");
    uint32_t lost = fixture_native(&fixture, "/usr/lib/x86_64-linux-gnu/libc.so.6", "?");
    uint32_t in_load = fixture_node(&fixture, 0, app, 11);
    uint32_t in_full = fixture_node(&fixture, in_load, package, 3);
    uint32_t by_numpy = fixture_node(&fixture, in_full, numpy, 0);
    uint32_t in_parse = fixture_node(&fixture, in_load, parse, 2);
    uint32_t by_zlib = fixture_node(&fixture, in_parse, zlib, 0);
    /* What exec made belongs to the line in a file above it. */
    uint32_t made = fixture_code(&fixture, "<string>", "__create_fn__.<locals>.__init__", 1);
    uint32_t in_cache = fixture_node(&fixture, 0, cache, 1);
    uint32_t in_made = fixture_node(&fixture, in_cache, made, 1);
    uint32_t in_main =
        fixture_node(&fixture, 0, fixture_code(&fixture, "/home/me/shop/app.py", "main", 50), 4);
    uint32_t by_nobody = fixture_node(&fixture, 0, lost, 0);
    if (with_time) {
        fixture_value(&fixture, in_parse, main_thread, "time.running_gil", 900 * MS);
        fixture_value(&fixture, in_cache, worker, "time.running_gil", 100 * MS);
    }
    fixture_memory(&fixture, by_numpy, main_thread,
                   &(struct memory_amounts){560 * MIB, 14, 560 * MIB, 14, 0, 0, 0, 0});
    fixture_memory(&fixture, in_full, main_thread,
                   &(struct memory_amounts){2 * MIB, 1000, MIB, 500, 0, 0, MIB, 500});
    fixture_memory(&fixture, in_parse, main_thread,
                   &(struct memory_amounts){5000 * MIB, 80000000, 40 * MIB, 600000, 3 * MIB, 9000,
                                            4900 * MIB, 78000000});
    fixture_memory(&fixture, by_zlib, main_thread,
                   &(struct memory_amounts){120 * MIB, 3000, 12 * MIB, 30, 0, 0, 60 * MIB, 1500});
    fixture_memory(
        &fixture, in_cache, worker,
        &(struct memory_amounts){294 * MIB, 1199940, 274 * MIB, 1099940, 294 * MIB, 1199940, 0, 0});
    fixture_memory(&fixture, in_made, worker,
                   &(struct memory_amounts){6 * MIB, 60, 6 * MIB, 60, 6 * MIB, 60, 0, 0});
    fixture_memory(&fixture, by_nobody, main_thread,
                   &(struct memory_amounts){8 * MIB, 80, 7 * MIB, 70, 7 * MIB, 70, 0, 0});
    fixture_memory(&fixture, in_main, main_thread,
                   &(struct memory_amounts){512 * MIB, 512, 0, 0, 0, 0, 512 * MIB, 512});
    fixture_hill(&fixture, fixture_series(&fixture, process, "rss.bytes"), 60 * MIB, 900 * MIB);
    fixture_hill(&fixture, fixture_series(&fixture, process, "heap.live.bytes"), 0, 900 * MIB);
    return fixture_take(&fixture);
}

/* A server with three workers, of which one is larger; nothing but memory. */
__attribute__((unused)) static struct hasten_profile *pool_memory_profile(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_fact(&fixture, "command", "python app.py");
    fixture_fact(&fixture, "directory", "/home/me/shop");
    fixture_fact(&fixture, "duration_ns", "1000000000");
    fixture_fact(&fixture, "memory.mode", "sampled");
    fixture_fact(&fixture, "memory.interval_bytes", "524288");
    uint32_t node = 0;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t process =
            fixture_process(&fixture, 4242 + i, i == 0 ? 1 : 4242, i == 0 ? "main" : "fork");
        uint32_t thread = fixture_thread(&fixture, process, "MainThread", true, 0);
        if (i == 0) {
            uint32_t code = fixture_code(&fixture, "/home/me/shop/jobs.py", "resize", 40);
            node = fixture_node(&fixture, 0, code, 2);
        }
        int64_t bytes = (i == 2 ? 300 : 100) * MIB;
        fixture_memory(
            &fixture, node, thread,
            &(struct memory_amounts){2 * bytes, 2000, bytes, 1000, bytes / 2, 500, 0, 0});
        fixture_hill(&fixture, fixture_series(&fixture, process, "rss.bytes"), 10 * MIB, bytes);
    }
    return fixture_take(&fixture);
}

/* What a hostile recording may hold. */
__attribute__((unused)) static struct hasten_profile *hostile_memory_profile(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_fact(&fixture, "memory.mode", "sampled");
    fixture_fact(&fixture, "memory.interval_bytes", "18446744073709551615");
    uint32_t process = fixture_process(&fixture, 1, 1, "\x1b[5m");
    uint32_t thread = fixture_thread(&fixture, process, "\x1b[5mblink", true, 0);
    uint32_t other = fixture_thread(&fixture, process, "\x1b[2J", false, 0);
    uint32_t code = fixture_code(&fixture, "/tmp/\x1b[2J\n.py", "f\x1b[31m\"\\\xff", -5);
    uint32_t native = fixture_native(&fixture, "/tmp/\x1b]0;x\x07.so", "\x1b[31m\xff");
    uint32_t unnamed = fixture_native(&fixture, "", "");
    uint32_t node = fixture_node(&fixture, 0, code, 1);
    uint32_t leaf = fixture_node(&fixture, node, native, 0);
    uint32_t chained = fixture_node(&fixture, leaf, unnamed, 0);
    uint32_t below = fixture_node(&fixture, chained, code, 2);
    fixture_memory(&fixture, node, thread,
                   &(struct memory_amounts){INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MIN,
                                            INT64_MIN, INT64_MAX, INT64_MAX});
    fixture_memory(&fixture, leaf, other,
                   &(struct memory_amounts){INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, -5, -5,
                                            INT64_MAX, -1});
    fixture_memory(&fixture, chained, other,
                   &(struct memory_amounts){INT64_MAX, 1, INT64_MAX, 1, INT64_MAX, 1, 0, 0});
    fixture_memory(&fixture, below, thread,
                   &(struct memory_amounts){-9, -9, INT64_MIN, -9, 3, 3, INT64_MIN, -9});
    uint32_t rss = fixture_series(&fixture, process, "rss.bytes");
    fixture_point(&fixture, rss, INT64_MAX / 2, INT64_MIN);
    fixture_point(&fixture, rss, INT64_MAX / 2 + 1, INT64_MAX);
    uint32_t heap = fixture_series(&fixture, process, "heap.live.bytes");
    fixture_point(&fixture, heap, 0, -1);
    fixture_series(&fixture, process, "\x1b[31m");
    return fixture_take(&fixture);
}

#endif
