/* SPDX-License-Identifier: MIT
 *
 * The entries of a dict, or of the keys that instances of a class share, in
 * another process. It goes on changing while it is read: every number is checked,
 * and what was found has to be looked at again before it is believed. */
#ifndef HASTEN_SAMPLING_REMOTE_TABLE_H
#define HASTEN_SAMPLING_REMOTE_TABLE_H

#include "core/pyabi/interpreter.h"

/* Entries that are looked at in one table; the largest sys.modules have some ten
 * thousand. */
#define HASTEN_REMOTE_TABLE_MAX 65536
/* Entries read at once. */
#define HASTEN_REMOTE_TABLE_CHUNK 64

/* Plain data. Addresses are the process's. */
struct hasten_remote_table {
    uint64_t entries;
    uint64_t count;  /* used so far, deleted ones included */
    uint64_t values; /* the first value's place; 0: the values are in the entries */
    uint32_t entry_size, key_at, value_at;
};

/* Keys and values are addresses of objects; 0: a deleted entry has no value. */
struct hasten_remote_item {
    uint64_t key, value;
};

/* GONE, TORN: memory there does not look like a dict (now). */
HASTEN_CHECKED hasten_status
hasten_remote_table_of_dict(const struct hasten_interpreter *interpreter, uint64_t dict,
                            struct hasten_remote_table *ret_table);
/* Of the keys object at `keys` and the values at `values` (a PyDictValues; 0: none). */
HASTEN_CHECKED hasten_status
hasten_remote_table_of_keys(const struct hasten_interpreter *interpreter, uint64_t keys,
                            uint64_t values, struct hasten_remote_table *ret_table);

/* The index of the entry whose key is the ASCII str `name`; `*index` is looked at
 * first. NOT_FOUND: there is none. */
HASTEN_CHECKED hasten_status hasten_remote_table_find(const struct hasten_interpreter *interpreter,
                                                      const struct hasten_remote_table *table,
                                                      const char *name, uint64_t *index);

/* Where the value of an entry lies. */
uint64_t hasten_remote_table_slot(const struct hasten_remote_table *table, uint64_t index);

/* Reads entries from `first` on; fewer than HASTEN_REMOTE_TABLE_CHUNK at the end. */
HASTEN_CHECKED hasten_status hasten_remote_table_items(
    const struct hasten_interpreter *interpreter, const struct hasten_remote_table *table,
    uint64_t first, struct hasten_remote_item items[HASTEN_REMOTE_TABLE_CHUNK], size_t *ret_count);

#endif
