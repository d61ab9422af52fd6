/* SPDX-License-Identifier: MIT
 *
 * Judging debug offsets: what a version's own headers say is accepted, a patch
 * release that inserts a field is followed, and no number can be garbage. */
#include "core/pyabi/debugmap.h"

#include <stdlib.h>

#include "check.h"
#include "core/pyabi/interpreter.h"

static const uint32_t versions[] = {0x030d, 0x030e, 0x030f};
#define VERSIONS (sizeof versions / sizeof *versions)

/* One version's description as its interpreters have it. */
struct description {
    const struct hasten_layout *table;
    const struct hasten_debug_positions *positions;
    uint8_t bytes[HASTEN_DEBUG_SIZE_MAX];
};

static void put(struct description *description, uint32_t position, uint64_t value) {
    if (position != HASTEN_ABSENT)
        memcpy(description->bytes + position, &value, sizeof value);
}

static uint64_t taken(const struct description *description, uint32_t position) {
    uint64_t value;

    memcpy(&value, description->bytes + position, sizeof value);
    return value;
}

/* Where each number of HASTEN_DEBUG_MAP comes from in the table. */
static void fill(struct description *description, uint32_t version) {
    const struct hasten_layout *table = hasten_layout_of(version);
    const struct hasten_debug_positions *positions = hasten_debug_positions_of(version);
    /* Where the collector's state begins is not in the table; any place will do. */
    uint32_t gc = table->interpreter_finalizing + 16;

    description->table = table;
    description->positions = positions;
    memset(description->bytes, 0, sizeof description->bytes);
    memcpy(description->bytes, HASTEN_DEBUG_COOKIE, 8);
    put(description, positions->version, (uint64_t)version << 16 | 0x01f0);
    put(description, positions->free_threaded, 0);
#define SAME(number, field) put(description, positions->number, table->field);
    SAME(runtime_finalizing, runtime_finalizing)
    SAME(runtime_interpreters_head, runtime_interpreters_head)
    SAME(interpreter_id, interpreter_id)
    SAME(interpreter_next, interpreter_next)
    SAME(interpreter_threads_head, interpreter_threads_head)
    SAME(interpreter_threads_main, interpreter_threads_main)
    SAME(interpreter_modules, interpreter_modules)
    SAME(interpreter_gil_pointer, interpreter_gil)
    SAME(interpreter_gil, interpreter_own_gil)
    SAME(interpreter_code_generation, interpreter_code_generation)
    SAME(thread_prev, thread_prev)
    SAME(thread_next, thread_next)
    SAME(thread_interp, thread_interp)
    SAME(thread_current_frame, thread_current_frame)
    SAME(thread_base_frame, thread_base_frame)
    SAME(thread_thread_id, thread_thread_id)
    SAME(thread_native_thread_id, thread_native_thread_id)
    SAME(thread_datastack_chunk, thread_datastack_chunk)
    SAME(thread_status, thread_status)
    SAME(thread_holds_gil, thread_holds_gil)
    SAME(thread_gil_requested, thread_gil_requested)
    SAME(frame_previous, frame_previous)
    SAME(frame_code, frame_code)
    SAME(frame_instruction, frame_instruction)
    SAME(frame_localsplus, frame_localsplus)
    SAME(frame_owner, frame_owner)
    SAME(frame_stack_top, frame_stack_top)
    SAME(code_file, code_file)
    SAME(code_name, code_name)
    SAME(code_qualname, code_qualname)
    SAME(code_linetable, code_linetable)
    SAME(code_first_line, code_first_line)
    SAME(code_bytecode, code_bytecode)
    SAME(object_type, object_type)
    SAME(type_name, type_name)
    SAME(type_flags, type_flags)
    SAME(type_basic_size, type_basic_size)
    SAME(type_dict_offset, type_dict_offset)
    SAME(type_cached_keys, type_cached_keys)
    SAME(dict_keys, dict_keys)
    SAME(dict_values, dict_values)
    SAME(int_tag, int_tag)
    SAME(int_digits, int_digits)
    SAME(bytes_length, bytes_length)
    SAME(bytes_data, bytes_data)
    SAME(unicode_state, unicode_state)
    SAME(unicode_length, unicode_length)
    SAME(unicode_ascii_size, unicode_ascii_data)
    SAME(unicode_compact_size, unicode_compact_data)
    SAME(generator_frame, generator_frame)
#undef SAME
    put(description, positions->runtime_size, table->runtime_size + 200000);
    put(description, positions->interpreter_size, table->interpreter_size + 100000);
    put(description, positions->thread_size, table->thread_size + 64);
    put(description, positions->frame_size, table->frame_localsplus + 8);
    put(description, positions->code_size, table->code_size + 8);
    put(description, positions->object_size, 16);
    put(description, positions->interpreter_gc, gc);
    put(description, positions->gc_collecting, table->interpreter_gc_collecting - gc);
    put(description, positions->gc_frame, table->interpreter_gc_frame - gc);
    put(description, positions->interpreter_gil_locked,
        table->interpreter_own_gil + table->gil_locked);
    put(description, positions->interpreter_gil_holder,
        table->interpreter_own_gil + table->gil_last_holder);
}

static hasten_status judge(const struct description *description, struct hasten_layout *ret_layout,
                           struct hasten_error *error) {
    return hasten_debug_layout(description->bytes, description->positions->total,
                               description->table, description->positions, ret_layout, error);
}

static void test_own(uint32_t version) {
    struct description description;
    struct hasten_layout layout;

    fill(&description, version);
    CHECK_STATUS(judge(&description, &layout, NULL), HASTEN_OK);
    CHECK(memcmp(&layout, description.table, sizeof layout) == 0);
}

/* A structure's size matters only in that it must reach the last field read. */
static bool is_harmless(const struct hasten_layout *table, const char *name, uint64_t value) {
    const struct {
        const char *name;
        uint32_t least;
    } sizes[] = {{"runtime_size", table->runtime_size},
                 {"interpreter_size", table->interpreter_size},
                 {"thread_size", table->thread_size},
                 {"code_size", table->code_size}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (strcmp(name, sizes[i].name) == 0)
            return value >= sizes[i].least && value <= UINT64_C(16) << 20;
    }
    return false;
}

/* Sets one number to `value`: refused, and the layout untouched. */
static void test_one_mutation(uint32_t version, const char *name, uint32_t position,
                              uint64_t value) {
    struct description description;
    struct hasten_layout layout, untouched;
    struct hasten_error error = {0};

    fill(&description, version);
    uint64_t before = taken(&description, position);
    if (value == before)
        return;
    put(&description, position, value);
    memset(&layout, 0x5a, sizeof layout);
    untouched = layout;
    hasten_status status = judge(&description, &layout, &error);
    if (is_harmless(description.table, name, value)) {
        CHECK_STATUS(status, HASTEN_OK);
        CHECK(memcmp(&layout, description.table, sizeof layout) == 0);
        return;
    }
    /* Another patch release of the same minor version is no garbage. */
    if (strcmp(name, "version") == 0 && value >> 16 == version)
        return;
    if (!CHECK(status == HASTEN_BAD_LAYOUT || status == HASTEN_UNSUPPORTED))
        fprintf(stderr, "    %x %s: %llu became %llu\n", version, name, (unsigned long long)before,
                (unsigned long long)value);
    CHECK(memcmp(&layout, &untouched, sizeof layout) == 0);
    CHECK_EQ_INT(error.status, status);
    CHECK(error.message[0] != '\0');
}

static void test_mutations(uint32_t version, const char *name, uint32_t position) {
    if (position == HASTEN_ABSENT)
        return;
    struct description description;
    fill(&description, version);
    uint64_t before = taken(&description, position);
    const uint64_t values[] = {0,
                               1,
                               before + 1,
                               before + 4,
                               before + 8,
                               before + 16,
                               before + 4096,
                               before - 4,
                               before - 8,
                               before * 2,
                               UINT64_C(16) << 20,
                               (UINT64_C(16) << 20) + 8,
                               UINT32_MAX,
                               UINT64_C(1) << 32,
                               before | UINT64_C(1) << 32,
                               before | UINT64_C(1) << 63,
                               UINT64_MAX - 7,
                               UINT64_MAX};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        test_one_mutation(version, name, position, values[i]);
}

/* A patch release puts `by` bytes into the interpreter state before offset
 * `from`: every described number behind it grows. */
static void insert(struct description *description, uint32_t from, uint32_t by) {
    const struct hasten_debug_positions *positions = description->positions;
    const uint32_t moving[] = {
        positions->interpreter_next,         positions->interpreter_id,
        positions->interpreter_threads_head, positions->interpreter_threads_main,
        positions->interpreter_gc,           positions->interpreter_modules,
        positions->interpreter_gil,          positions->interpreter_gil_locked,
        positions->interpreter_gil_holder,   positions->interpreter_code_generation};

    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++) {
        if (moving[i] == HASTEN_ABSENT)
            continue;
        uint64_t value = taken(description, moving[i]);
        if (value >= from)
            put(description, moving[i], value + by);
    }
}

static void test_patch_release(uint32_t version) {
    struct description description;
    struct hasten_layout layout;

    /* Before everything but the GIL pointer: all moves, also what is not described. */
    fill(&description, version);
    const struct hasten_layout *table = description.table;
    insert(&description, table->interpreter_next, 24);
    if (CHECK_STATUS(judge(&description, &layout, NULL), HASTEN_OK)) {
        CHECK_EQ_INT(layout.interpreter_gil, table->interpreter_gil);
        CHECK_EQ_INT(layout.interpreter_next, table->interpreter_next + 24);
        CHECK_EQ_INT(layout.interpreter_next_unique_id, table->interpreter_next_unique_id + 24);
        CHECK_EQ_INT(layout.interpreter_runtime, table->interpreter_runtime + 24);
        CHECK_EQ_INT(layout.interpreter_finalizing, table->interpreter_finalizing + 24);
        CHECK_EQ_INT(layout.interpreter_gc_collecting, table->interpreter_gc_collecting + 24);
        CHECK_EQ_INT(layout.interpreter_size, table->interpreter_size + 24);
        CHECK_EQ_INT(layout.interpreter_modules, table->interpreter_modules + 24);
        CHECK_EQ_INT(layout.thread_interp, table->thread_interp);
        if (table->interpreter_code_counter != HASTEN_ABSENT)
            CHECK_EQ_INT(layout.interpreter_code_counter, table->interpreter_code_counter + 24);
    }

    /* The counter of code objects may be lost: it is not needed. */
    fill(&description, version);
    put(&description, description.positions->interpreter_size, table->interpreter_own_gil + 256);
    if (CHECK_STATUS(judge(&description, &layout, NULL), HASTEN_OK))
        CHECK_EQ_INT(layout.interpreter_code_counter, HASTEN_ABSENT);

    /* Between described fields that have undescribed ones between them: where
     * those went cannot be known. */
    fill(&description, version);
    insert(&description, table->interpreter_threads_head, 8);
    CHECK_STATUS(judge(&description, &layout, NULL), HASTEN_BAD_LAYOUT);
}

static void test_heads(void) {
    struct description description;
    struct hasten_layout layout;
    struct hasten_error error = {0};
    uint32_t version = 0, free_threaded = 0;

    fill(&description, 0x030e);
    CHECK_STATUS(hasten_debug_head(description.bytes, &version, &free_threaded, NULL), HASTEN_OK);
    CHECK_EQ_INT(version, 0x030e01f0);
    for (size_t size = 0; size < description.positions->total; size += 8)
        CHECK_STATUS(hasten_debug_layout(description.bytes, size, description.table,
                                         description.positions, &layout, NULL),
                     HASTEN_BAD_LAYOUT);
    put(&description, description.positions->free_threaded, 1);
    CHECK_STATUS(judge(&description, &layout, &error), HASTEN_UNSUPPORTED);
    CHECK_HAS_STR(error.message, "free-threaded");
    CHECK_HAS_STR(error.message, "3.14t");
    fill(&description, 0x030e);
    description.bytes[3] = 'X';
    CHECK_STATUS(judge(&description, &layout, &error), HASTEN_BAD_LAYOUT);
    CHECK_HAS_STR(error.message, "cookie");
}

static void test_tables(void) {
    CHECK(hasten_layout_of(0x030a) == NULL);
    CHECK(hasten_layout_of(0x0310) == NULL);
    CHECK(hasten_debug_positions_of(0x030c) == NULL);
    for (uint32_t version = 0x030b; version <= 0x030f; version++) {
        const struct hasten_layout *table = hasten_layout_of(version);
        if (!CHECK(table != NULL))
            continue;
        CHECK_EQ_INT(table->version, version);
        CHECK_EQ_INT(table->frame_size, table->frame_localsplus);
        CHECK((table->thread_cframe == HASTEN_ABSENT) !=
              (table->thread_current_frame == HASTEN_ABSENT));
        CHECK((table->runtime_gil == HASTEN_ABSENT) != (table->interpreter_gil == HASTEN_ABSENT));
        const struct hasten_debug_positions *positions = hasten_debug_positions_of(version);
        CHECK((positions != NULL) == (version >= 0x030d));
        if (positions != NULL)
            CHECK(positions->total <= HASTEN_DEBUG_SIZE_MAX &&
                  positions->total <= table->runtime_initialized);
    }
}

int main(void) {
    test_tables();
    test_heads();
    for (size_t i = 0; i < VERSIONS; i++) {
        const struct hasten_debug_positions *positions = hasten_debug_positions_of(versions[i]);
        test_own(versions[i]);
        test_patch_release(versions[i]);
#define MUTATE(name) test_mutations(versions[i], #name, positions->name);
        HASTEN_DEBUG_MAP(MUTATE)
#undef MUTATE
    }
    return check_done();
}
