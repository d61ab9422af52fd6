/* SPDX-License-Identifier: MIT
 *
 * From an interpreter to its threads' names. Where an instance keeps its
 * attributes differs: see X(instance, ...) and X(values, ...) in layout.h. */
#include "core/sampling/thread_names.h"

#include "core/sampling/load.h"
#include "core/sampling/remote_object.h"
#include "core/sampling/remote_table.h"

/* Bits of a type's flags: the same from 3.11 to 3.15 (Include/object.h). */
#define TYPE_MANAGED_DICT (1u << 4)
#define TYPE_HEAP (1u << 9)
#define TYPE_INT (1u << 24)
#define TYPE_STR (1u << 28)

#define TYPES_MAX 16        /* int, str, Thread and classes derived from it */
#define TYPE_HEADER_MAX 512 /* the fields of a type that are read: below that */
#define BEFORE_MAX 32       /* bytes read before an instance */
#define DICT_OFFSET_MAX 65536
#define VALUES_HEADER_MAX 16
#define DIGIT_BITS 30
#define DIGITS_MAX 2 /* read of an int: all that the smallest one has room for; 60 bits */

struct type {
    uint64_t address;
    uint64_t flags;
    uint64_t basic_size;
    uint64_t dict_offset;
    uint64_t cached_keys;
    bool has_name; /* cached_keys have it, at name_index */
    uint64_t name_index;
};

/* One call's state. */
struct reading {
    struct hasten_thread_names *names;
    const struct hasten_interpreter *interpreter;
    struct type types[TYPES_MAX];
    size_t type_count;
};

void hasten_thread_names_init(struct hasten_thread_names *names,
                              const struct hasten_allocator *allocator) {
    *names = (struct hasten_thread_names){0};
    hasten_buffer_init(&names->text, allocator);
}

void hasten_thread_names_done(struct hasten_thread_names *names) {
    hasten_buffer_done(&names->text);
}

static hasten_status read_pointer(const struct reading *reading, uint64_t address,
                                  uint64_t *ret_pointer) {
    return hasten_memory_read(reading->interpreter->pid, hasten_raddr_at(address), ret_pointer,
                              sizeof *ret_pointer);
}

static hasten_status read_type(struct reading *reading, uint64_t address, struct type **ret_type) {
    const struct hasten_layout *layout = &reading->interpreter->layout;
    uint8_t header[TYPE_HEADER_MAX];
    for (size_t i = 0; i < reading->type_count; i++) {
        if (reading->types[i].address == address) {
            *ret_type = &reading->types[i];
            return HASTEN_OK;
        }
    }
    uint32_t size = (layout->type_dict_offset > layout->type_flags ? layout->type_dict_offset
                                                                   : layout->type_flags) +
                    8;
    if (address == 0 || address % 8 != 0 || size > sizeof header)
        return HASTEN_GONE;
    hasten_status status =
        hasten_memory_read(reading->interpreter->pid, hasten_raddr_at(address), header, size);
    if (status != HASTEN_OK)
        return status;
    struct type type = {
        .address = address,
        .flags = hasten_load_u64(header, layout->type_flags),
        .basic_size = hasten_load_u64(header, layout->type_basic_size),
        .dict_offset = hasten_load_u64(header, layout->type_dict_offset),
    };
    if ((type.flags & TYPE_HEAP) && (type.flags & TYPE_MANAGED_DICT)) {
        status = read_pointer(reading, address + layout->type_cached_keys, &type.cached_keys);
        if (status != HASTEN_OK)
            return status;
    }
    struct type *place =
        &reading->types[reading->type_count < TYPES_MAX ? reading->type_count++ : TYPES_MAX - 1];
    *place = type;
    *ret_type = place;
    return HASTEN_OK;
}

/* GONE where the object of type `type` is not of a type with this flag. */
static hasten_status check_kind(struct reading *reading, uint64_t type_address, uint32_t flag) {
    struct type *type;
    hasten_status status = read_type(reading, type_address, &type);
    if (status == HASTEN_OK && !(type->flags & flag))
        status = HASTEN_GONE;
    return status;
}

/* A key and its Thread, read at once. */
struct head {
    uint8_t number[64];
    uint8_t object[BEFORE_MAX + 16];
};

static hasten_status ident_of(struct reading *reading, const uint8_t *number, uint64_t *ret_ident) {
    const struct hasten_layout *layout = &reading->interpreter->layout;
    uint64_t tag = hasten_load_u64(number, layout->int_tag);
    uint64_t count = tag >> layout->int_tag_shift;
    uint64_t sign = tag & ((1u << layout->int_tag_shift) - 1) & 3;
    if (count < 1 || count > DIGITS_MAX || sign != 0)
        return HASTEN_GONE;
    hasten_status status =
        check_kind(reading, hasten_load_u64(number, layout->object_type), TYPE_INT);
    if (status != HASTEN_OK)
        return status;
    uint64_t ident = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t digit = hasten_load_u32(number, layout->int_digits + i * 4);
        if (digit >> DIGIT_BITS)
            return HASTEN_GONE;
        ident |= digit << i * DIGIT_BITS;
    }
    *ret_ident = ident;
    return HASTEN_OK;
}

/* Where an instance keeps its `_name`. */
struct place {
    uint64_t slot;   /* of the pointer */
    uint64_t values; /* PyDictValues that must be in use, 0: none */
};

static hasten_status place_in_dict(struct reading *reading, uint64_t dict,
                                   struct place *ret_place) {
    struct hasten_remote_table table;
    hasten_status status = hasten_remote_table_of_dict(reading->interpreter, dict, &table);
    if (status == HASTEN_OK)
        status = hasten_remote_table_find(reading->interpreter, &table, "_name",
                                          &reading->names->name_index);
    if (status == HASTEN_OK)
        *ret_place =
            (struct place){hasten_remote_table_slot(&table, reading->names->name_index), 0};
    return status;
}

/* In the values at `values`, in the order of the keys that the type's instances share. */
static hasten_status place_in_values(struct reading *reading, struct type *type, uint64_t values,
                                     struct place *ret_place) {
    const struct hasten_layout *layout = &reading->interpreter->layout;
    if (!type->has_name) {
        struct hasten_remote_table table;
        hasten_status status =
            hasten_remote_table_of_keys(reading->interpreter, type->cached_keys, 0, &table);
        if (status == HASTEN_OK)
            status = hasten_remote_table_find(reading->interpreter, &table, "_name",
                                              &reading->names->name_index);
        if (status != HASTEN_OK)
            return status;
        type->name_index = reading->names->name_index;
        type->has_name = true;
    }
    *ret_place = (struct place){values + layout->values_items + type->name_index * 8,
                                layout->values_valid != HASTEN_ABSENT ? values : 0};
    return HASTEN_OK;
}

/* For the instance at `object`, of which `head` has been read. */
static hasten_status find_place(struct reading *reading, uint64_t object, const uint8_t *head,
                                struct place *ret_place) {
    const struct hasten_layout *layout = &reading->interpreter->layout;
    struct type *type;
    hasten_status status =
        read_type(reading, hasten_load_u64(head, BEFORE_MAX + layout->object_type), &type);
    if (status != HASTEN_OK)
        return status;
    if (!(type->flags & TYPE_MANAGED_DICT)) {
        uint64_t dict = 0;
        if (type->dict_offset == 0 || type->dict_offset > DICT_OFFSET_MAX)
            return HASTEN_GONE;
        status = read_pointer(reading, object + type->dict_offset, &dict);
        return status == HASTEN_OK ? place_in_dict(reading, dict, ret_place) : status;
    }
    uint64_t dict = hasten_load_u64(head, BEFORE_MAX - layout->instance_dict_before);
    if (layout->instance_values_before != HASTEN_ABSENT) {
        uint64_t values = hasten_load_u64(head, BEFORE_MAX - layout->instance_values_before);
        if (values != 0)
            return place_in_values(reading, type, values, ret_place);
    }
    if (dict & layout->instance_values_tag)
        return place_in_values(reading, type, dict + 1, ret_place);
    if (dict == 0 && (type->flags & layout->type_inline_values_flag))
        return place_in_values(reading, type, object + type->basic_size, ret_place);
    return place_in_dict(reading, dict, ret_place);
}

static hasten_status read_place(const struct reading *reading, const struct place *place,
                                uint64_t *ret_name) {
    const struct hasten_layout *layout = &reading->interpreter->layout;
    uint8_t values[VALUES_HEADER_MAX];
    uint64_t name = 0;
    size_t bytes = 0;
    if (place->values != 0 && layout->values_items > sizeof values)
        return HASTEN_BAD_LAYOUT;
    const struct hasten_read reads[2] = {
        {hasten_raddr_at(place->slot), &name, sizeof name},
        {hasten_raddr_at(place->values), values, layout->values_items},
    };
    hasten_status status = hasten_memory_read_batch(reading->interpreter->pid, reads,
                                                    place->values != 0 ? 2 : 1, &bytes);
    if (status != HASTEN_OK)
        return status;
    if (name == 0)
        return HASTEN_GONE;
    if (place->values != 0 && (hasten_load_u8(values, layout->values_valid) != 1 ||
                               place->slot - place->values - layout->values_items >=
                                   hasten_load_u8(values, layout->values_capacity) * UINT64_C(8)))
        return HASTEN_TORN;
    *ret_name = name;
    return HASTEN_OK;
}

/* The name, in `names->text`, of the Thread at `item->value`, which is the value
 * of the entry at `entry`. Entry and attribute keep what was read alive: it is
 * right if they are the same afterwards. */
static hasten_status read_name(struct reading *reading, const struct hasten_remote_item *item,
                               uint64_t entry, const uint8_t *head) {
    const struct hasten_interpreter *interpreter = reading->interpreter;
    struct place place;
    uint64_t name = 0, type = 0, name_again = 0, item_again = 0;
    size_t bytes = 0;
    hasten_buffer_clear(&reading->names->text);
    hasten_status status = find_place(reading, item->value, head, &place);
    if (status == HASTEN_OK)
        status = read_place(reading, &place, &name);
    if (status == HASTEN_OK)
        status = hasten_remote_text(interpreter, hasten_raddr_at(name), &reading->names->text);
    if (status != HASTEN_OK)
        return status;
    const struct hasten_read reads[3] = {
        {hasten_raddr_at(name + interpreter->layout.object_type), &type, sizeof type},
        {hasten_raddr_at(place.slot), &name_again, sizeof name_again},
        {hasten_raddr_at(entry), &item_again, sizeof item_again},
    };
    status = hasten_memory_read_batch(interpreter->pid, reads, 3, &bytes);
    if (status == HASTEN_OK)
        status = check_kind(reading, type, TYPE_STR);
    if (status == HASTEN_OK && (name_again != name || item_again != item->value))
        status = HASTEN_TORN;
    return status;
}

/* Not a reason to give up on the other threads. */
static bool concerns_one(hasten_status status) {
    return status == HASTEN_GONE || status == HASTEN_TORN || status == HASTEN_NOT_FOUND;
}

static hasten_status read_heads(const struct reading *reading,
                                const struct hasten_remote_item *items, size_t count,
                                struct head *heads) {
    const struct hasten_layout *layout = &reading->interpreter->layout;
    struct hasten_read reads[2 * HASTEN_REMOTE_TABLE_CHUNK];
    uint32_t number_size = layout->int_digits + DIGITS_MAX * 4;
    size_t read_count = 0, bytes = 0;
    if (number_size > sizeof heads->number || layout->object_type + 8 > 16 ||
        layout->int_tag + 8 > number_size || layout->instance_dict_before > BEFORE_MAX ||
        (layout->instance_values_before != HASTEN_ABSENT &&
         layout->instance_values_before > BEFORE_MAX))
        return HASTEN_BAD_LAYOUT;
    for (size_t i = 0; i < count; i++) {
        if (items[i].key == 0 || items[i].value == 0)
            continue;
        reads[read_count++] =
            (struct hasten_read){hasten_raddr_at(items[i].key), heads[i].number, number_size};
        reads[read_count++] = (struct hasten_read){hasten_raddr_at(items[i].value - BEFORE_MAX),
                                                   heads[i].object, sizeof heads[i].object};
    }
    return read_count > 0
               ? hasten_memory_read_batch(reading->interpreter->pid, reads, read_count, &bytes)
               : HASTEN_OK;
}

static hasten_status read_threads(struct reading *reading, const struct hasten_remote_table *table,
                                  const struct hasten_thread_names_visitor *visitor, uint64_t first,
                                  size_t *ret_count) {
    struct hasten_remote_item items[HASTEN_REMOTE_TABLE_CHUNK];
    struct head heads[HASTEN_REMOTE_TABLE_CHUNK];
    size_t count = 0;
    hasten_status status =
        hasten_remote_table_items(reading->interpreter, table, first, items, &count);
    if (status == HASTEN_OK)
        status = read_heads(reading, items, count, heads);
    for (size_t i = 0; i < count && status == HASTEN_OK; i++) {
        uint64_t ident = 0;
        if (items[i].key == 0 || items[i].value == 0)
            continue;
        status = ident_of(reading, heads[i].number, &ident);
        if (status == HASTEN_OK && visitor->wants(visitor->context, ident)) {
            status = read_name(reading, &items[i], hasten_remote_table_slot(table, first + i),
                               heads[i].object);
            if (status == HASTEN_OK)
                status = visitor->visit(visitor->context, ident,
                                        hasten_buffer_cstring(&reading->names->text));
        }
        if (concerns_one(status))
            status = HASTEN_OK;
    }
    if (status == HASTEN_OK)
        *ret_count = count;
    return status;
}

/* Finds `_active` in the module's dict. */
static hasten_status find_in_module(struct reading *reading, uint64_t module) {
    const struct hasten_interpreter *interpreter = reading->interpreter;
    struct hasten_thread_names *names = reading->names;
    struct hasten_remote_table table;
    uint64_t dict = 0;
    hasten_status status = read_pointer(reading, module + interpreter->layout.module_dict, &dict);
    if (status == HASTEN_OK)
        status = hasten_remote_table_of_dict(interpreter, dict, &table);
    if (status == HASTEN_OK)
        status = hasten_remote_table_find(interpreter, &table, "_active", &names->active_index);
    if (status != HASTEN_OK)
        return status;
    names->active_slot = hasten_remote_table_slot(&table, names->active_index);
    return read_pointer(reading, names->active_slot, &names->active);
}

static hasten_status find_active(struct reading *reading, uint64_t interp) {
    const struct hasten_interpreter *interpreter = reading->interpreter;
    struct hasten_thread_names *names = reading->names;
    struct hasten_remote_table table;
    uint64_t modules = 0, module = 0;
    hasten_status status =
        read_pointer(reading, interp + interpreter->layout.interpreter_modules, &modules);
    if (status == HASTEN_OK)
        status = hasten_remote_table_of_dict(interpreter, modules, &table);
    if (status == HASTEN_OK)
        status = hasten_remote_table_find(interpreter, &table, "threading", &names->module_index);
    if (status == HASTEN_OK)
        status =
            read_pointer(reading, hasten_remote_table_slot(&table, names->module_index), &module);
    if (status == HASTEN_OK && module == 0)
        status = HASTEN_NOT_FOUND;
    if (status == HASTEN_OK)
        status = find_in_module(reading, module);
    names->interp = status == HASTEN_OK ? interp : 0;
    return status;
}

/* Whether `_active` is where it was found last. */
static bool is_known(const struct reading *reading, uint64_t interp) {
    const struct hasten_thread_names *names = reading->names;
    uint64_t active = 0;
    return names->interp == interp && names->active != 0 &&
           read_pointer(reading, names->active_slot, &active) == HASTEN_OK &&
           active == names->active;
}

hasten_status hasten_thread_names_read(struct hasten_thread_names *names,
                                       const struct hasten_interpreter *interpreter,
                                       uint64_t interp,
                                       const struct hasten_thread_names_visitor *visitor,
                                       uint64_t *cursor) {
    struct reading reading = {.names = names, .interpreter = interpreter};
    struct hasten_remote_table table;
    size_t count = 0;
    hasten_status status = is_known(&reading, interp) ? HASTEN_OK : find_active(&reading, interp);
    if (status == HASTEN_OK)
        status = hasten_remote_table_of_dict(interpreter, names->active, &table);
    if (status == HASTEN_OK)
        status = read_threads(&reading, &table, visitor, *cursor, &count);
    if (status == HASTEN_OK)
        *cursor = *cursor + count < table.count ? *cursor + count : 0;
    else
        names->interp = 0;
    return status;
}
