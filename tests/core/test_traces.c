/* SPDX-License-Identifier: MIT
 *
 * Snapshots: filters and sums against what a reader can check by hand. */
#include "check.h"
#include "core/heap/grouping.h"
#include "failing_allocator.h"

static uint32_t file(struct hasten_traces *traces, const char *name) {
    uint32_t number = 0;
    CHECK_STATUS(hasten_traces_add_file(traces, name, strlen(name), &number), HASTEN_OK);
    return number;
}

static uint32_t step(struct hasten_traces *traces, uint32_t parent, const char *name,
                     uint32_t line) {
    uint32_t path = 0;
    CHECK_STATUS(hasten_traces_add_step(traces, parent, file(traces, name), line, &path),
                 HASTEN_OK);
    return path;
}

static void row(struct hasten_traces *traces, uint32_t path, uint32_t domain, uint64_t size,
                uint64_t count) {
    CHECK_STATUS(hasten_traces_add_row(traces, path, domain, size, count), HASTEN_OK);
}

/* b.py:4 calls a.py:2 and a.py:5, and itself. */
static void fill(struct hasten_traces *traces, uint64_t size) {
    hasten_traces_init(traces, NULL);
    uint32_t caller = step(traces, HASTEN_PATHS_ROOT | 1, "b.py", 4);
    uint32_t again = step(traces, caller, "b.py", 4);
    row(traces, step(traces, caller, "a.py", 2), 0, size, 3);
    row(traces, step(traces, caller, "a.py", 5), 1, 2, 1);
    row(traces, step(traces, again, "a.py", 5), 0, 4, 2);
    row(traces, step(traces, HASTEN_PATHS_ROOT, "b.py", 1), 2, 66, 1);
    /* None of it is alive. */
    row(traces, caller, 0, 5, 0);
}

/* "file:line>file:line size count [size count]" a group. */
static const char *text_of(const struct hasten_grouping *grouping, struct hasten_buffer *buffer) {
    hasten_buffer_clear(buffer);
    for (size_t i = 0; i < grouping->group_count; i++) {
        const struct hasten_group *group = &grouping->groups[i];
        for (uint32_t path = group->path; path < HASTEN_PATHS_ROOT;
             path = grouping->keys.paths.items[path].parent) {
            uint64_t place = grouping->keys.paths.items[path].place;
            size_t size = 0;
            const char *name =
                hasten_traces_name(&grouping->keys, hasten_traces_place_file(place), &size);
            hasten_buffer_format(buffer, "%s%.*s:%u", path == group->path ? "" : "<", (int)size,
                                 name, hasten_traces_place_line(place));
        }
        hasten_buffer_format(buffer, " %llu %llu", (unsigned long long)group->size_bytes[0],
                             (unsigned long long)group->count[0]);
        if (group->count[1] != 0) {
            hasten_buffer_format(buffer, " (%llu %llu)", (unsigned long long)group->size_bytes[1],
                                 (unsigned long long)group->count[1]);
        }
        hasten_buffer_text(buffer, "; ");
    }
    return hasten_buffer_cstring(buffer);
}

static void check_group(const struct hasten_traces *traces, const struct hasten_traces *old,
                        enum hasten_grouping_key key, bool is_cumulative, const char *expected) {
    struct hasten_grouping grouping;
    struct hasten_buffer buffer;
    hasten_buffer_init(&buffer, NULL);
    hasten_grouping_init(&grouping, key, is_cumulative, NULL);
    CHECK_STATUS(hasten_grouping_add(&grouping, traces, HASTEN_GROUPING_NEW), HASTEN_OK);
    if (old != NULL) {
        CHECK_STATUS(hasten_grouping_add(&grouping, old, HASTEN_GROUPING_OLD), HASTEN_OK);
    }
    CHECK_STATUS(hasten_grouping_sort(&grouping, old != NULL), HASTEN_OK);
    CHECK_EQ_STR(text_of(&grouping, &buffer), expected);
    hasten_grouping_done(&grouping);
    hasten_buffer_done(&buffer);
}

static void test_grouping(void) {
    struct hasten_traces traces;
    fill(&traces, 10);
    CHECK_EQ_INT(hasten_traces_count(&traces), 7);
    CHECK_EQ_INT(hasten_traces_row_of(&traces, 2), 0);
    CHECK_EQ_INT(hasten_traces_row_of(&traces, 3), 1);
    CHECK_EQ_INT(hasten_traces_row_of(&traces, 6), 3);
    check_group(&traces, NULL, HASTEN_GROUP_BY_LINE, false,
                "b.py:1 66 1; a.py:2 30 3; a.py:5 10 3; ");
    check_group(&traces, NULL, HASTEN_GROUP_BY_FILE, false, "b.py:0 66 1; a.py:0 40 6; ");
    check_group(&traces, NULL, HASTEN_GROUP_BY_TRACEBACK, false,
                "b.py:1 66 1; a.py:2<b.py:4 30 3; a.py:5<b.py:4<b.py:4 8 2; a.py:5<b.py:4 2 1; ");
    /* A frame counts as often as it is on the stack. */
    check_group(&traces, NULL, HASTEN_GROUP_BY_LINE, true,
                "b.py:1 66 1; b.py:4 48 8; a.py:2 30 3; a.py:5 10 3; ");
    check_group(&traces, NULL, HASTEN_GROUP_BY_FILE, true, "b.py:0 114 9; a.py:0 40 6; ");
    hasten_traces_done(&traces);
}

static void test_comparison(void) {
    struct hasten_traces traces;
    struct hasten_traces old;
    fill(&traces, 12);
    hasten_traces_init(&old, NULL);
    row(&old, step(&old, HASTEN_PATHS_ROOT, "c.py", 9), 0, 500, 1);
    /* The same files and lines, by other numbers. */
    uint32_t caller = step(&old, HASTEN_PATHS_ROOT, "b.py", 4);
    row(&old, step(&old, caller, "a.py", 2), 0, 10, 3);
    check_group(&traces, &old, HASTEN_GROUP_BY_LINE, false,
                "c.py:9 0 0 (500 1); b.py:1 66 1; a.py:5 10 3; a.py:2 36 3 (30 3); ");
    check_group(&traces, &old, HASTEN_GROUP_BY_TRACEBACK, false,
                "c.py:9 0 0 (500 1); b.py:1 66 1; a.py:5<b.py:4<b.py:4 8 2; "
                "a.py:2<b.py:4 36 3 (30 3); a.py:5<b.py:4 2 1; ");
    hasten_traces_done(&traces);
    hasten_traces_done(&old);
}

/* Equal sums are sorted by names as Python sorts them, the last first. */
static void test_ties(void) {
    struct hasten_traces traces;
    hasten_traces_init(&traces, NULL);
    row(&traces, step(&traces, HASTEN_PATHS_ROOT, "b", 9), 0, 1, 1);
    row(&traces, step(&traces, HASTEN_PATHS_ROOT, "b", 10), 0, 1, 1);
    row(&traces, step(&traces, HASTEN_PATHS_ROOT, "aa", 1), 0, 1, 1);
    row(&traces, step(&traces, HASTEN_PATHS_ROOT, "\xc3\xa4", 1), 0, 1, 1);
    row(&traces, step(&traces, HASTEN_PATHS_ROOT, "a", 1), 0, 1, 1);
    check_group(&traces, NULL, HASTEN_GROUP_BY_LINE, false,
                "\xc3\xa4:1 1 1; b:10 1 1; b:9 1 1; aa:1 1 1; a:1 1 1; ");
    hasten_traces_done(&traces);
}

static uint64_t count_filtered(const struct hasten_traces *traces,
                               const struct hasten_traces_filter *filters, size_t count) {
    struct hasten_traces selected;
    hasten_traces_init(&selected, NULL);
    CHECK_STATUS(hasten_traces_select(traces, filters, count, &selected), HASTEN_OK);
    uint64_t blocks = hasten_traces_count(&selected);
    hasten_traces_done(&selected);
    return blocks;
}

static void test_filters(void) {
    struct hasten_traces traces;
    fill(&traces, 10);
    /* b.py was first. */
    static const unsigned char only_b[] = {1, 0};
    static const unsigned char only_a[] = {0, 1};
    const struct hasten_traces_filter in_b = {
        .is_inclusive = true, .has_files = true, .files = only_b};
    struct hasten_traces_filter filter = in_b;
    CHECK_EQ_INT(count_filtered(&traces, NULL, 0), 7);
    CHECK_EQ_INT(count_filtered(&traces, &filter, 1), 1);
    filter.all_frames = true;
    CHECK_EQ_INT(count_filtered(&traces, &filter, 1), 7);
    filter.has_line = true;
    filter.line = 4;
    CHECK_EQ_INT(count_filtered(&traces, &filter, 1), 6);
    filter.is_inclusive = false;
    CHECK_EQ_INT(count_filtered(&traces, &filter, 1), 1);
    filter.has_domain = true;
    filter.domain = 1;
    CHECK_EQ_INT(count_filtered(&traces, &filter, 1), 6);
    filter.has_files = false;
    CHECK_EQ_INT(count_filtered(&traces, &filter, 1), 6);
    filter.is_inclusive = true;
    CHECK_EQ_INT(count_filtered(&traces, &filter, 1), 1);
    /* One of those that include is enough; all that exclude must let it pass. */
    const struct hasten_traces_filter several[] = {
        {.is_inclusive = true, .has_files = true, .has_line = true, .line = 2, .files = only_a},
        {.is_inclusive = true, .has_files = true, .has_line = true, .line = 5, .files = only_a},
        {.is_inclusive = false, .has_domain = true, .domain = 1},
    };
    CHECK_EQ_INT(count_filtered(&traces, several, 3), 5);
    hasten_traces_done(&traces);
}

static void test_out_of_memory(void) {
    struct hasten_traces traces;
    fill(&traces, 10);
    bool failed = true;
    for (size_t fail_at = 1; failed; fail_at++) {
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, false);
        struct hasten_traces selected;
        struct hasten_grouping grouping;
        hasten_traces_init(&selected, &memory.allocator);
        hasten_grouping_init(&grouping, HASTEN_GROUP_BY_TRACEBACK, false, &memory.allocator);
        hasten_status status = hasten_traces_select(&traces, NULL, 0, &selected);
        if (status == HASTEN_OK) {
            status = hasten_grouping_add(&grouping, &selected, HASTEN_GROUPING_NEW);
        }
        if (status == HASTEN_OK) {
            status = hasten_grouping_sort(&grouping, false);
        }
        failed = memory.failed;
        CHECK_STATUS(status, failed ? HASTEN_NO_MEMORY : HASTEN_OK);
        hasten_grouping_done(&grouping);
        hasten_traces_done(&selected);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
    }
    hasten_traces_done(&traces);
}

int main(void) {
    test_grouping();
    test_comparison();
    test_ties();
    test_filters();
    test_out_of_memory();
    return check_done();
}
