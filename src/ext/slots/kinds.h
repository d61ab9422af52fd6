/* SPDX-License-Identifier: MIT
 *
 * What a survey knows of each class: how many instances, in how many bytes, with which
 * attributes. Classes are told apart by address, and belong to the walk: it takes no
 * reference to them, for nothing runs while it goes on. */
#ifndef HASTEN_EXT_SLOTS_KINDS_H
#define HASTEN_EXT_SLOTS_KINDS_H

#include "ext/common/pycompat_slots.h"

#include "core/base/map.h"

/* Keys that instances share are at most 30 (SHARED_KEYS_MAX_SIZE of CPython). */
#define HASTEN_SLOTS_SHARED 32

struct hasten_slots_name {
    PyObject *name; /* borrowed; not always text */
    uint64_t count; /* instances that have it */
};

struct hasten_slots_kind {
    PyTypeObject *type;
    const char *shared_keys; /* or NULL */
    size_t fixed_bytes;      /* of every instance's block */
    size_t block_bytes;      /* the same as the allocator has it, where nothing is added */
    uint64_t count, bytes;
    uint64_t with_dict; /* whose __dict__ was asked for, or that never had another place */
    uint64_t unshared;  /* whose dict has keys of its own */
    uint64_t weak;      /* that have weak references */
    uint64_t shared[HASTEN_SLOTS_SHARED]; /* instances that have the key of this number */
    struct hasten_slots_name *names;      /* those found in dicts */
    size_t name_count, name_capacity;
    uint32_t number;
};

struct hasten_slots_kinds {
    struct hasten_slots_kind *items;
    size_t count, capacity;
    struct hasten_map numbers; /* by address of the type; of others HASTEN_SLOTS_NONE */
    struct hasten_map names;   /* by address of the name and number of the kind */
    const PyTypeObject *last_type;
    uint32_t last_number;
    bool failed; /* no memory */
};

#define HASTEN_SLOTS_NONE UINT32_MAX

void hasten_slots_kinds_init(struct hasten_slots_kinds *kinds);
void hasten_slots_kinds_done(struct hasten_slots_kinds *kinds);
/* The kind of an object, NULL where it is of no class that the program made. Valid until
 * the next call. */
struct hasten_slots_kind *hasten_slots_kind_of(struct hasten_slots_kinds *kinds, PyObject *object);
/* Counts a name; `hint` is where it was in the object before. */
void hasten_slots_count_name(struct hasten_slots_kinds *kinds, struct hasten_slots_kind *kind,
                             PyObject *name, size_t hint);

#endif
