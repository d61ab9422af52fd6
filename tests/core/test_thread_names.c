/* SPDX-License-Identifier: MIT
 *
 * Names of threads, read out of an interpreter that is made here, in this
 * process's own memory, as every version lays it out; then damaged everywhere. */
#include "core/sampling/thread_names.h"

#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "core/sampling/remote_table.h"

#define WORLD_BYTES 1048576u
#define NAMES_MAX 256

enum { FLAG_MANAGED = 1u << 4, FLAG_HEAP = 1u << 9, FLAG_INT = 1u << 24, FLAG_STR = 1u << 28 };

/* Where a Thread keeps its attributes. */
enum kind { VALUES, MANAGED_DICT, SPLIT_DICT, PLAIN_DICT, KIND_COUNT };

static const uint32_t versions[] = {0x030b, 0x030c, 0x030d, 0x030e, 0x030f};

struct world {
    struct hasten_interpreter interpreter;
    const struct hasten_layout *layout;
    uint8_t *memory;
    size_t used;
    uint64_t interp, int_type, str_type, thread_types[KIND_COUNT];
    uint64_t active; /* the dict */
    uint64_t active_entries;
};

struct seen {
    size_t count;
    uint64_t idents[NAMES_MAX];
    char names[NAMES_MAX][32];
};

static uint64_t take(struct world *world, size_t size) {
    size = (size + 15) & ~(size_t)15;
    if (world->used + size > WORLD_BYTES)
        abort();
    uint8_t *place = world->memory + world->used;
    world->used += size;
    return (uint64_t)(uintptr_t)place;
}

static void put(uint64_t address, uint32_t offset, uint64_t value) {
    memcpy((uint8_t *)(uintptr_t)address + offset, &value, sizeof value);
}

static void put_byte(uint64_t address, uint32_t offset, uint8_t value) {
    *((uint8_t *)(uintptr_t)address + offset) = value;
}

static uint64_t make_type(struct world *world, uint64_t flags, uint64_t keys) {
    const struct hasten_layout *layout = world->layout;
    uint64_t type = take(world, 1024);
    put(type, layout->type_flags, flags);
    put(type, layout->type_basic_size, 16);
    put(type, layout->type_cached_keys, keys);
    return type;
}

static uint64_t make_str(struct world *world, const char *text) {
    const struct hasten_layout *layout = world->layout;
    uint64_t object = take(world, layout->unicode_compact_data + strlen(text) + 1);
    put(object, layout->object_type, world->str_type);
    put(object, layout->unicode_length, strlen(text));
    put(object, layout->unicode_state, 1u << 2 | 1u << 5 | 1u << 6);
    memcpy((uint8_t *)(uintptr_t)object + layout->unicode_ascii_data, text, strlen(text));
    return object;
}

static uint64_t make_int(struct world *world, uint64_t value) {
    const struct hasten_layout *layout = world->layout;
    uint64_t object = take(world, 32);
    uint64_t digits = value >> 30 ? 2 : 1;
    put(object, layout->object_type, world->int_type);
    put(object, layout->int_tag, digits << layout->int_tag_shift);
    put(object, layout->int_digits, (value & 0x3fffffff) | value >> 30 << 32);
    return object;
}

/* A keys object for `room` entries. `*ret_entries`: its first entry. */
static uint64_t make_keys(struct world *world, bool general, uint64_t count, uint64_t room,
                          uint64_t *ret_entries) {
    const struct hasten_layout *layout = world->layout;
    uint8_t log2_index = 3;
    while (UINT64_C(1) << log2_index < room)
        log2_index++;
    uint32_t entry_size = general ? layout->entry_size : layout->str_entry_size;
    uint64_t indices = UINT64_C(1) << log2_index;
    uint64_t keys = take(world, layout->keys_indices + indices + room * entry_size);
    put_byte(keys, layout->keys_log2_index_bytes, log2_index);
    put_byte(keys, layout->keys_kind, general ? 0 : 1);
    put(keys, layout->keys_entry_count, count);
    *ret_entries = keys + layout->keys_indices + indices;
    return keys;
}

static void set_entry(const struct world *world, uint64_t entries, bool general, uint64_t index,
                      uint64_t key, uint64_t value) {
    const struct hasten_layout *layout = world->layout;
    if (general) {
        put(entries + index * layout->entry_size, layout->entry_key, key);
        put(entries + index * layout->entry_size, layout->entry_value, value);
    } else {
        put(entries + index * layout->str_entry_size, layout->str_entry_key, key);
        put(entries + index * layout->str_entry_size, layout->str_entry_value, value);
    }
}

static uint64_t make_dict(struct world *world, uint64_t keys, uint64_t values) {
    uint64_t dict = take(world, 64);
    put(dict, world->layout->dict_keys, keys);
    put(dict, world->layout->dict_values, values);
    return dict;
}

/* A dict in which `name`, with `value`, is entry `index`. */
static uint64_t make_namespace(struct world *world, bool general, const char *name, uint64_t value,
                               uint64_t index) {
    uint64_t entries;
    uint64_t keys = make_keys(world, general, index + 2, index + 2, &entries);
    for (uint64_t i = 0; i < index + 2; i++) {
        char other[16];
        (void)snprintf(other, sizeof other, "other%u", (unsigned)i);
        /* Every seventh entry was deleted. */
        if (i % 7 != 3)
            set_entry(world, entries, general, i, make_str(world, other), value + 16);
    }
    set_entry(world, entries, general, index, make_str(world, name), value);
    return make_dict(world, keys, 0);
}

/* A PyDictValues at `values` whose second item is `name`. */
static void fill_values(const struct world *world, uint64_t values, uint64_t name) {
    const struct hasten_layout *layout = world->layout;
    if (layout->values_valid != HASTEN_ABSENT) {
        put_byte(values, layout->values_capacity, 4);
        put_byte(values, layout->values_valid, 1);
    }
    put(values, layout->values_items + 8, name);
}

/* The keys that all Threads share: `_target`, `_name`. */
static uint64_t make_shared_keys(struct world *world) {
    uint64_t entries;
    uint64_t keys = make_keys(world, false, 2, 4, &entries);
    set_entry(world, entries, false, 0, make_str(world, "_target"), 0);
    set_entry(world, entries, false, 1, make_str(world, "_name"), 0);
    return keys;
}

static uint64_t make_thread(struct world *world, enum kind kind, uint64_t keys, uint64_t name) {
    const struct hasten_layout *layout = world->layout;
    uint64_t thread = take(world, 128) + 32, values;
    put(thread, layout->object_type, world->thread_types[kind]);
    uint64_t before = thread - layout->instance_dict_before;
    switch (kind) {
    case VALUES:
        values = layout->type_inline_values_flag ? thread + 16 : take(world, 64);
        fill_values(world, values, name);
        if (layout->instance_values_before != HASTEN_ABSENT)
            put(thread - layout->instance_values_before, 0, values);
        else if (layout->instance_values_tag)
            put(before, 0, values - 1);
        break;
    case MANAGED_DICT:
        put(before, 0, make_namespace(world, true, "_name", name, 70));
        break;
    case SPLIT_DICT:
        values = take(world, 64);
        fill_values(world, values, name);
        put(before, 0, make_dict(world, keys, values));
        break;
    default:
        put(thread, 24, make_namespace(world, false, "_name", name, 2));
        break;
    }
    return thread;
}

static void make_types(struct world *world, uint64_t keys) {
    uint64_t inline_flag = world->layout->type_inline_values_flag;
    world->int_type = make_type(world, FLAG_INT, 0);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        world->thread_types[kind] = make_type(
            world, FLAG_HEAP | (kind == PLAIN_DICT ? 0 : FLAG_MANAGED | inline_flag), keys);
    put(world->thread_types[PLAIN_DICT], world->layout->type_dict_offset, 24);
}

/* `threads` threads, number i with ident_of(i), named "thread-i", of all kinds. */
static uint64_t ident_of(size_t index) {
    return UINT64_C(0x7f0012345000) + index * 4096;
}

static void make_world(struct world *world, uint32_t version, size_t threads) {
    const struct hasten_layout *layout = hasten_layout_of(version);
    memset(world->memory, 0, WORLD_BYTES);
    world->used = 0;
    world->layout = layout;
    world->interpreter = (struct hasten_interpreter){.pid = (uint32_t)getpid(), .layout = *layout};
    world->interp = take(world, 16384);
    world->str_type = make_type(world, FLAG_STR, 0);
    uint64_t keys = make_shared_keys(world);
    make_types(world, keys);
    uint64_t active_keys = make_keys(world, true, threads + 1, threads + 1, &world->active_entries);
    for (size_t i = 0; i < threads; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "thread-%u", (unsigned)i);
        uint64_t thread =
            make_thread(world, (enum kind)(i % KIND_COUNT), keys, make_str(world, name));
        /* Entry 0 was deleted. */
        set_entry(world, world->active_entries, true, i + 1, make_int(world, ident_of(i)), thread);
    }
    world->active = make_dict(world, active_keys, 0);
    uint64_t module = take(world, 64);
    put(module, layout->module_dict, make_namespace(world, false, "_active", world->active, 80));
    put(world->interp, layout->interpreter_modules,
        make_namespace(world, false, "threading", module, 5));
}

static bool wants_all(void *context, uint64_t ident) {
    (void)context;
    (void)ident;
    return true;
}

static hasten_status note(void *context, uint64_t ident, const char *name) {
    struct seen *seen = context;
    if (seen->count == NAMES_MAX)
        return HASTEN_LIMIT;
    seen->idents[seen->count] = ident;
    (void)snprintf(seen->names[seen->count++], sizeof seen->names[0], "%s", name);
    return HASTEN_OK;
}

/* A whole pass; `*ret_steps` calls. */
static hasten_status read_all(const struct world *world, struct hasten_thread_names *names,
                              struct seen *seen, size_t *ret_steps) {
    const struct hasten_thread_names_visitor visitor = {seen, wants_all, note};
    uint64_t cursor = 0;
    hasten_status status;
    size_t steps = 0;
    seen->count = 0;
    do {
        status =
            hasten_thread_names_read(names, &world->interpreter, world->interp, &visitor, &cursor);
        steps++;
    } while (status == HASTEN_OK && cursor != 0 && steps < 10000);
    *ret_steps = steps;
    return status;
}

static bool was_seen(const struct seen *seen, size_t index) {
    char name[32];
    (void)snprintf(name, sizeof name, "thread-%u", (unsigned)index);
    for (size_t i = 0; i < seen->count; i++)
        if (seen->idents[i] == ident_of(index))
            return strcmp(seen->names[i], name) == 0;
    return false;
}

static void test_all_are_named(struct world *world, uint32_t version) {
    struct hasten_thread_names names;
    struct seen seen;
    size_t steps;
    hasten_thread_names_init(&names, NULL);
    make_world(world, version, 80);
    for (int round = 0; round < 2; round++) { /* the second guesses right */
        CHECK_STATUS(read_all(world, &names, &seen, &steps), HASTEN_OK);
        CHECK_EQ_INT(seen.count, 80);
        CHECK_EQ_INT(steps, 2);
        for (size_t i = 0; i < 80; i++)
            CHECK(was_seen(&seen, i));
    }
    hasten_thread_names_done(&names);
}

/* One thread that cannot be read, in each of several ways: the others can. */
static void test_one_is_left_out(struct world *world, uint32_t version) {
    const struct hasten_layout *layout = hasten_layout_of(version);
    struct hasten_thread_names names;
    struct seen seen;
    size_t steps;
    hasten_thread_names_init(&names, NULL);
    for (int way = 0; way < 4; way++) {
        make_world(world, version, 4);
        uint64_t entry = world->active_entries + 1 * layout->entry_size, key, thread;
        memcpy(&key, (void *)(uintptr_t)(entry + layout->entry_key), sizeof key);
        memcpy(&thread, (void *)(uintptr_t)(entry + layout->entry_value), sizeof thread);
        if (way == 0) /* three digits */
            put(key, layout->int_tag, UINT64_C(3) << layout->int_tag_shift);
        else if (way == 1) /* negative */
            put(key, layout->int_tag,
                layout->int_tag_shift ? UINT64_C(2) << layout->int_tag_shift | 2 : -UINT64_C(2));
        else if (way == 2) /* no int */
            put(key, layout->object_type, world->str_type);
        else /* no instance of a class */
            put(thread, layout->object_type, world->int_type);
        CHECK_STATUS(read_all(world, &names, &seen, &steps), HASTEN_OK);
        CHECK_EQ_INT(seen.count, 3);
        CHECK(!was_seen(&seen, 0) && was_seen(&seen, 1) && was_seen(&seen, 2) &&
              was_seen(&seen, 3));
    }
    hasten_thread_names_done(&names);
}

static void test_no_threading(struct world *world, uint32_t version) {
    struct hasten_thread_names names;
    struct seen seen;
    size_t steps;
    hasten_thread_names_init(&names, NULL);
    make_world(world, version, 1);
    put(world->interp, world->layout->interpreter_modules,
        make_namespace(world, false, "treading", world->interp, 5));
    CHECK_STATUS(read_all(world, &names, &seen, &steps), HASTEN_NOT_FOUND);
    put(world->interp, world->layout->interpreter_modules, 0);
    CHECK_STATUS(read_all(world, &names, &seen, &steps), HASTEN_GONE);
    hasten_thread_names_done(&names);
}

/* Every word of it in turn is something else: an answer in few steps, and no
 * name that is not there. */
static void test_damage(struct world *world, uint32_t version) {
    struct hasten_thread_names names;
    struct seen seen;
    size_t steps;
    hasten_thread_names_init(&names, NULL);
    make_world(world, version, 5);
    uint64_t start = (uint64_t)(uintptr_t)world->memory;
    const uint64_t values[] = {0, UINT64_MAX, start + 24, world->active, UINT64_C(1) << 46};
    for (size_t at = 16384 - 16384 % 8; at < world->used; at += 8) {
        uint64_t before;
        memcpy(&before, world->memory + at, sizeof before);
        if (before == 0)
            continue;
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            memcpy(world->memory + at, &values[i], sizeof values[i]);
            hasten_status status = read_all(world, &names, &seen, &steps);
            CHECK(status == HASTEN_OK || status == HASTEN_GONE || status == HASTEN_TORN ||
                  status == HASTEN_NOT_FOUND || status == HASTEN_LIMIT);
            CHECK(steps <= HASTEN_REMOTE_TABLE_MAX / HASTEN_REMOTE_TABLE_CHUNK + 1);
        }
        memcpy(world->memory + at, &before, sizeof before);
    }
    CHECK_STATUS(read_all(world, &names, &seen, &steps), HASTEN_OK);
    CHECK_EQ_INT(seen.count, 5);
    hasten_thread_names_done(&names);
}

int main(void) {
    struct world world = {.memory = aligned_alloc(4096, WORLD_BYTES)};
    if (!CHECK(world.memory != NULL))
        return check_done();
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        test_all_are_named(&world, versions[i]);
        test_one_is_left_out(&world, versions[i]);
        test_no_threading(&world, versions[i]);
        test_damage(&world, versions[i]);
    }
    free(world.memory);
    return check_done();
}
