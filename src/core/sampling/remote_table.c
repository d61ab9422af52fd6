/* SPDX-License-Identifier: MIT
 *
 * Dicts of another process. Entries are searched in their order, not by hash: a
 * str's hash differs from process to process, and a good guess finds it at once. */
#include "core/sampling/remote_table.h"

#include "core/sampling/load.h"

#define HEADER_MAX 64     /* fixed parts of a dict, a keys object, a str: below that */
#define ENTRY_MAX 32      /* bytes of an entry: below that */
#define LOG2_INDEX_MAX 30 /* a table with more bytes of indices is garbage */
#define KIND_GENERAL 0    /* DICT_KEYS_GENERAL; the others have entries for str keys */
#define KIND_LAST 2       /* DICT_KEYS_SPLIT */
#define NAME_MAX_BYTES 64 /* longest name that is searched for */
/* Compact and ASCII, in a str's state: see remote_object.c. */
#define STATE_ASCII_COMPACT (1u << 5 | 1u << 6)

hasten_status hasten_remote_table_of_keys(const struct hasten_interpreter *interpreter,
                                          uint64_t keys, uint64_t values,
                                          struct hasten_remote_table *ret_table) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint8_t header[HEADER_MAX];
    if (keys == 0 || layout->keys_indices > sizeof header)
        return HASTEN_GONE;
    hasten_status status =
        hasten_memory_read(interpreter->pid, hasten_raddr_at(keys), header, layout->keys_indices);
    if (status != HASTEN_OK)
        return status;
    uint8_t log2_index = hasten_load_u8(header, layout->keys_log2_index_bytes);
    uint8_t kind = hasten_load_u8(header, layout->keys_kind);
    uint64_t count = hasten_load_u64(header, layout->keys_entry_count);
    if (log2_index > LOG2_INDEX_MAX || kind > KIND_LAST || count > UINT64_C(1) << log2_index)
        return HASTEN_TORN;
    bool general = kind == KIND_GENERAL;
    struct hasten_remote_table table = {
        .entries = keys + layout->keys_indices + (UINT64_C(1) << log2_index),
        .count = count < HASTEN_REMOTE_TABLE_MAX ? count : HASTEN_REMOTE_TABLE_MAX,
        .values = values != 0 ? values + layout->values_items : 0,
        .entry_size = general ? layout->entry_size : layout->str_entry_size,
        .key_at = general ? layout->entry_key : layout->str_entry_key,
        .value_at = general ? layout->entry_value : layout->str_entry_value,
    };
    if (table.entry_size > ENTRY_MAX)
        return HASTEN_BAD_LAYOUT;
    *ret_table = table;
    return HASTEN_OK;
}

hasten_status hasten_remote_table_of_dict(const struct hasten_interpreter *interpreter,
                                          uint64_t dict, struct hasten_remote_table *ret_table) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint8_t header[HEADER_MAX];
    if (dict == 0 || layout->dict_keys + 8 > sizeof header ||
        layout->dict_values + 8 > sizeof header)
        return HASTEN_GONE;
    uint32_t size =
        (layout->dict_keys > layout->dict_values ? layout->dict_keys : layout->dict_values) + 8;
    hasten_status status =
        hasten_memory_read(interpreter->pid, hasten_raddr_at(dict), header, size);
    if (status != HASTEN_OK)
        return status;
    return hasten_remote_table_of_keys(interpreter, hasten_load_u64(header, layout->dict_keys),
                                       hasten_load_u64(header, layout->dict_values), ret_table);
}

uint64_t hasten_remote_table_slot(const struct hasten_remote_table *table, uint64_t index) {
    return table->values != 0 ? table->values + index * 8
                              : table->entries + index * table->entry_size + table->value_at;
}

hasten_status hasten_remote_table_items(const struct hasten_interpreter *interpreter,
                                        const struct hasten_remote_table *table, uint64_t first,
                                        struct hasten_remote_item items[HASTEN_REMOTE_TABLE_CHUNK],
                                        size_t *ret_count) {
    uint8_t entries[HASTEN_REMOTE_TABLE_CHUNK * ENTRY_MAX];
    uint8_t values[HASTEN_REMOTE_TABLE_CHUNK * 8];
    uint64_t count = first < table->count ? table->count - first : 0;
    if (count > HASTEN_REMOTE_TABLE_CHUNK)
        count = HASTEN_REMOTE_TABLE_CHUNK;
    if (count > 0) {
        const struct hasten_read reads[2] = {
            {hasten_raddr_at(table->entries + first * table->entry_size), entries,
             (size_t)count * table->entry_size},
            {hasten_raddr_at(table->values + first * 8), values, (size_t)count * 8},
        };
        size_t bytes = 0;
        hasten_status status =
            hasten_memory_read_batch(interpreter->pid, reads, table->values != 0 ? 2 : 1, &bytes);
        if (status != HASTEN_OK)
            return status;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *entry = entries + i * table->entry_size;
        items[i].key = hasten_load_u64(entry, table->key_at);
        items[i].value = table->values != 0 ? hasten_load_u64(values + i * 8, 0)
                                            : hasten_load_u64(entry, table->value_at);
    }
    *ret_count = (size_t)count;
    return HASTEN_OK;
}

/* Whether the ASCII str at `key`, which is as long as `name`, is `name`. */
static hasten_status compare_text(const struct hasten_interpreter *interpreter, uint64_t key,
                                  const char *name, size_t length, bool *ret_same) {
    char text[NAME_MAX_BYTES];
    hasten_status status = hasten_memory_read(
        interpreter->pid, hasten_raddr_at(key + interpreter->layout.unicode_ascii_data), text,
        length);
    if (status == HASTEN_OK)
        *ret_same = memcmp(text, name, length) == 0;
    return status;
}

/* The first of `count` items whose key is `name`; `*ret_found` is `count` where none
 * is. The heads of all keys are read at once, the text of those that are as long. */
static hasten_status find_among(const struct hasten_interpreter *interpreter,
                                const struct hasten_remote_item *items, size_t count,
                                const char *name, size_t length, size_t *ret_found) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint8_t heads[HASTEN_REMOTE_TABLE_CHUNK][HEADER_MAX];
    struct hasten_read reads[HASTEN_REMOTE_TABLE_CHUNK];
    size_t read_count = 0, bytes = 0;
    for (size_t i = 0; i < count; i++)
        if (items[i].key != 0)
            reads[read_count++] = (struct hasten_read){hasten_raddr_at(items[i].key), heads[i],
                                                       layout->unicode_ascii_data};
    hasten_status status =
        read_count > 0 ? hasten_memory_read_batch(interpreter->pid, reads, read_count, &bytes)
                       : HASTEN_OK;
    for (size_t i = 0; i < count && status == HASTEN_OK; i++) {
        bool same = false;
        if (items[i].key == 0 || hasten_load_u64(heads[i], layout->unicode_length) != length ||
            (hasten_load_u32(heads[i], layout->unicode_state) & STATE_ASCII_COMPACT) !=
                STATE_ASCII_COMPACT)
            continue;
        status = compare_text(interpreter, items[i].key, name, length, &same);
        if (status == HASTEN_OK && same) {
            *ret_found = i;
            return HASTEN_OK;
        }
    }
    if (status == HASTEN_OK)
        *ret_found = count;
    return status;
}

hasten_status hasten_remote_table_find(const struct hasten_interpreter *interpreter,
                                       const struct hasten_remote_table *table, const char *name,
                                       uint64_t *index) {
    struct hasten_remote_item items[HASTEN_REMOTE_TABLE_CHUNK];
    size_t length = strlen(name), count = 0, found = 0;
    if (length > NAME_MAX_BYTES || interpreter->layout.unicode_ascii_data > HEADER_MAX)
        return HASTEN_NOT_FOUND;
    if (*index < table->count) {
        struct hasten_remote_table guess = *table;
        guess.count = *index + 1;
        hasten_status status =
            hasten_remote_table_items(interpreter, &guess, *index, items, &count);
        if (status == HASTEN_OK && count > 0)
            status = find_among(interpreter, items, count, name, length, &found);
        if (status != HASTEN_OK)
            return status;
        if (count > 0 && found == 0)
            return HASTEN_OK;
    }
    for (uint64_t first = 0; first < table->count; first += HASTEN_REMOTE_TABLE_CHUNK) {
        hasten_status status = hasten_remote_table_items(interpreter, table, first, items, &count);
        if (status == HASTEN_OK)
            status = find_among(interpreter, items, count, name, length, &found);
        if (status != HASTEN_OK)
            return status;
        if (found < count) {
            *index = first + found;
            return HASTEN_OK;
        }
    }
    return HASTEN_NOT_FOUND;
}
