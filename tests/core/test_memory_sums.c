/* SPDX-License-Identifier: MIT
 *
 * Sums of memory by line, native function, thread and process, worked out by hand. */
#include "core/report/memory_sums.h"

#include "core/base/allocator.h"
#include "core/base/buffer.h"

#include "check.h"
#include "failing_allocator.h"
#include "memory_fixture.h"

static struct hasten_aggregate *aggregate_of(const struct hasten_profile *profile,
                                             const struct hasten_allocator *allocator) {
    struct hasten_aggregate *aggregate = NULL;
    struct hasten_error error;
    CHECK_STATUS(hasten_aggregate_new(profile, NULL, allocator, &aggregate, &error), HASTEN_OK);
    return aggregate;
}

static const char *name_of(const struct hasten_memory *memory, uint32_t key, bool is_function) {
    const struct hasten_aggregate *aggregate = memory->aggregate;
    if (key == HASTEN_NONE) {
        return "";
    }
    uint32_t function = is_function ? key : aggregate->lines[key].function;
    return aggregate->profile->strings[aggregate->profile->functions[function].qualname];
}

static void check_order(const struct hasten_memory *memory,
                        const struct hasten_memory_groups *groups, bool are_functions,
                        enum hasten_memory_kind kind, const char *filter, const char *expected) {
    struct hasten_buffer text;
    uint32_t *order = NULL;
    size_t count = 0;
    hasten_buffer_init(&text, NULL);
    CHECK_STATUS(hasten_memory_order(memory, groups, are_functions, kind, filter, &order, &count),
                 HASTEN_OK);
    for (size_t i = 0; i < count; i++) {
        const struct hasten_memory_group *group = &groups->items[order[i]];
        hasten_buffer_format(&text, "%s%s %lld/%lld", i == 0 ? "" : ", ",
                             name_of(memory, group->key, are_functions),
                             (long long)(group->row.all[kind].bytes / MIB),
                             (long long)(group->row.native[kind].bytes / MIB));
    }
    CHECK_EQ_STR(hasten_buffer_cstring(&text), expected);
    hasten_buffer_done(&text);
    hasten_release(memory->aggregate->allocator, order, groups->count * sizeof *order);
}

static void test_groups(void) {
    struct hasten_memory memory;
    struct hasten_profile *profile = memory_profile("sampled", true);
    struct hasten_aggregate *aggregate = aggregate_of(profile, NULL);
    CHECK_STATUS(hasten_memory_init(&memory, aggregate), HASTEN_OK);
    CHECK(memory.has_heap && memory.has_series && memory.is_sampled);
    CHECK_EQ_INT(memory.interval_bytes, 524288);
    CHECK_EQ_INT(memory.sum.all[HASTEN_MEMORY_PEAK].bytes, 900 * MIB);
    CHECK_EQ_INT(memory.sum.native[HASTEN_MEMORY_PEAK].bytes, 579 * MIB);
    CHECK_EQ_INT(memory.sum.all[HASTEN_MEMORY_PEAK].blocks, 1700614);
    CHECK_EQ_INT(memory.sum.all[HASTEN_MEMORY_LIVE].bytes, 310 * MIB);
    /* Own lines have what packages allocated for them; the last is outside Python. */
    check_order(&memory, &memory.own_lines, false, HASTEN_MEMORY_PEAK, NULL,
                "load 561/560, Cache.put 280/0, parse_line 52/12,  7/7");
    check_order(&memory, &memory.lines, false, HASTEN_MEMORY_PEAK, NULL,
                "full 561/560, Cache.put 274/0, parse_line 52/12,  7/7, "
                "__create_fn__.<locals>.__init__ 6/0");
    check_order(&memory, &memory.own_lines, false, HASTEN_MEMORY_TEMPORARY, NULL,
                "parse_line 4960/60, main 512/0, load 1/0");
    check_order(&memory, &memory.own_lines, false, HASTEN_MEMORY_LIVE, "cache.py",
                "Cache.put 300/0");
    check_order(&memory, &memory.natives, true, HASTEN_MEMORY_PEAK, NULL,
                "PyDataMem_UserNEW 560/560, inflateInit2_ 12/12, ? 7/7");
    uint32_t *order = NULL;
    size_t count = 0;
    CHECK_STATUS(hasten_memory_order(&memory, &memory.own_lines, false, HASTEN_MEMORY_ANY, NULL,
                                     &order, &count),
                 HASTEN_OK);
    CHECK_EQ_INT(count, 5); /* also what was only allocated, as the last */
    CHECK_EQ_STR(name_of(&memory, memory.own_lines.items[order[0]].key, false), "load");
    CHECK_EQ_STR(name_of(&memory, memory.own_lines.items[order[4]].key, false), "main");
    hasten_release(NULL, order, memory.own_lines.count * sizeof *order);
    CHECK_EQ_INT(memory.threads[1].all[HASTEN_MEMORY_ALLOCATED].bytes, 300 * MIB);
    CHECK_EQ_INT(memory.threads[0].native[HASTEN_MEMORY_ALLOCATED].bytes, 688 * MIB);
    CHECK_EQ_INT(memory.largest_process, 0);
    CHECK_EQ_INT(memory.processes[0].heap.bytes, 900 * MIB);
    CHECK_EQ_INT(memory.processes[0].heap.time_ns, 600 * MS);
    CHECK_EQ_INT(memory.processes[0].rss.bytes, 960 * MIB);
    hasten_memory_done(&memory);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void test_through(void) {
    struct hasten_memory memory;
    struct hasten_profile *profile = memory_profile("exact", false);
    struct hasten_aggregate *aggregate = aggregate_of(profile, NULL);
    CHECK_STATUS(hasten_memory_init(&memory, aggregate), HASTEN_OK);
    for (size_t i = 0; i < memory.own_lines.count; i++) {
        uint32_t line = memory.own_lines.items[i].key;
        const char *name = name_of(&memory, line, false);
        uint32_t python = hasten_memory_through(&memory, line, HASTEN_MEMORY_PEAK, false);
        uint32_t native = hasten_memory_through(&memory, line, HASTEN_MEMORY_PEAK, true);
        if (strcmp(name, "load") == 0) {
            CHECK_EQ_STR(name_of(&memory, python, true), "full");
            CHECK_EQ_STR(name_of(&memory, native, true), "PyDataMem_UserNEW");
            CHECK_EQ_INT(hasten_memory_native_line(&memory, native, HASTEN_MEMORY_PEAK), line);
        } else if (strcmp(name, "Cache.put") == 0) {
            CHECK_EQ_INT(python, HASTEN_NONE); /* most of it went through nothing */
            CHECK_EQ_INT(native, HASTEN_NONE);
        } else if (line == HASTEN_NONE) {
            CHECK_EQ_STR(name_of(&memory, native, true), "?");
            CHECK_EQ_INT(hasten_memory_native_line(&memory, native, HASTEN_MEMORY_PEAK),
                         HASTEN_NONE);
        }
    }
    hasten_memory_done(&memory);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

/* Relative errors: one over the root of the number of samples. */
static void test_precision(void) {
    struct hasten_memory memory = {.interval_bytes = 524288};
    CHECK_EQ_INT((int)(hasten_memory_error(&memory, (int64_t)524288 * 10000) * 1e6 + 0.5), 10000);
    CHECK_EQ_INT((int)(hasten_memory_error(&memory, (int64_t)524288 * 2) * 1e6 + 0.5), 707107);
    CHECK(hasten_memory_error(&memory, 524288) == 1);
    CHECK(hasten_memory_error(&memory, 1) == 1);
    CHECK(hasten_memory_error(&memory, 0) == 0);
    CHECK(hasten_memory_error(&memory, INT64_MAX) < 1e-6);
    CHECK(hasten_memory_is_noise(&memory, 524288 * 8 - 1));
    CHECK(!hasten_memory_is_noise(&memory, 524288 * 8));
    memory.interval_bytes = 0;
    CHECK(hasten_memory_error(&memory, 1) == 0);
    CHECK(!hasten_memory_is_noise(&memory, 1));
    memory.interval_bytes = INT64_MAX / 8;
    CHECK(hasten_memory_error(&memory, INT64_MAX) < 1);
    CHECK(hasten_memory_is_noise(&memory, 1));
}

/* Differences that add up to less than nothing, sums beyond 64 bits. */
static void test_hostile(void) {
    struct hasten_memory memory;
    struct hasten_profile *profile = hostile_memory_profile();
    struct hasten_aggregate *aggregate = aggregate_of(profile, NULL);
    CHECK_STATUS(hasten_memory_init(&memory, aggregate), HASTEN_OK);
    for (size_t kind = 0; kind < HASTEN_MEMORY_KIND_COUNT; kind++) {
        for (size_t i = 0; i < memory.own_lines.count; i++) {
            const struct hasten_memory_row *row = &memory.own_lines.items[i].row;
            CHECK(row->all[kind].bytes >= 0 && row->all[kind].blocks >= 0);
            CHECK(row->native[kind].bytes >= 0 && row->native[kind].bytes <= row->all[kind].bytes);
        }
        for (size_t i = 0; i < profile->thread_count; i++) {
            CHECK(memory.threads[i].all[kind].bytes >= 0);
        }
        CHECK(memory.processes[0].row.all[kind].bytes >= 0);
    }
    CHECK(memory.sum.all[HASTEN_MEMORY_ALLOCATED].bytes == INT64_MAX);
    CHECK(memory.processes[0].rss.bytes == INT64_MAX);
    CHECK_EQ_INT(memory.processes[0].heap.bytes, -1);
    hasten_memory_done(&memory);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void test_nothing(void) {
    struct fixture fixture;
    struct hasten_memory memory;
    fixture_init(&fixture);
    struct hasten_profile *profile = fixture_take(&fixture);
    struct hasten_aggregate *aggregate = aggregate_of(profile, NULL);
    CHECK_STATUS(hasten_memory_init(&memory, aggregate), HASTEN_OK);
    CHECK(!memory.has_heap && !memory.has_series && !memory.is_sampled);
    CHECK_EQ_INT(memory.own_lines.count, 0);
    CHECK_EQ_INT(memory.largest_process, HASTEN_NONE);
    hasten_memory_done(&memory);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void test_out_of_memory(void) {
    struct hasten_profile *profile = memory_profile("sampled", true);
    bool succeeded = false;
    for (size_t fail_at = 1; !succeeded && fail_at < 1000; fail_at++) {
        struct failing_allocator allocator;
        struct hasten_memory memory;
        failing_allocator_init(&allocator, 0, true);
        struct hasten_aggregate *aggregate = aggregate_of(profile, &allocator.allocator);
        allocator.fail_at = allocator.requests + fail_at;
        hasten_status status = hasten_memory_init(&memory, aggregate);
        succeeded = status == HASTEN_OK;
        if (succeeded) {
            hasten_memory_done(&memory);
        } else {
            CHECK_STATUS(status, HASTEN_NO_MEMORY);
        }
        hasten_aggregate_free(aggregate);
        CHECK_EQ_INT(allocator.live_blocks, 0);
        CHECK(!allocator.wrong_size);
    }
    CHECK(succeeded);
    hasten_profile_free(profile);
}

int main(void) {
    test_groups();
    test_through();
    test_precision();
    test_hostile();
    test_nothing();
    test_out_of_memory();
    return check_done();
}
