/* SPDX-License-Identifier: MIT
 *
 * The tables of classes and of their attributes. */
#include "ext/slots/kinds.h"

#include "core/base/allocator.h"

void hasten_slots_kinds_init(struct hasten_slots_kinds *kinds) {
    *kinds = (struct hasten_slots_kinds){.last_number = HASTEN_SLOTS_NONE};
    hasten_map_init(&kinds->numbers, NULL);
    hasten_map_init(&kinds->names, NULL);
}

void hasten_slots_kinds_done(struct hasten_slots_kinds *kinds) {
    for (size_t i = 0; i < kinds->count; i++) {
        struct hasten_slots_kind *kind = &kinds->items[i];
        hasten_release(NULL, kind->names, kind->name_capacity * sizeof *kind->names);
    }
    hasten_release(NULL, kinds->items, kinds->capacity * sizeof *kinds->items);
    hasten_map_done(&kinds->numbers);
    hasten_map_done(&kinds->names);
}

/* Made by a class statement: C gives its types methods or a module. Classes themselves are
 * not counted. */
static bool is_programs(const PyTypeObject *type) {
    return type->tp_methods == NULL && ((const PyHeapTypeObject *)type)->ht_module == NULL &&
           !PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_TYPE_SUBCLASS);
}

static uint32_t add_kind(struct hasten_slots_kinds *kinds, PyTypeObject *type) {
    void *items = kinds->items;
    if (hasten_grow(NULL, &items, &kinds->capacity, kinds->count + 1, sizeof *kinds->items) < 0) {
        kinds->failed = true;
        return HASTEN_SLOTS_NONE;
    }
    kinds->items = items;
    const uint32_t number = (uint32_t)kinds->count++;
    kinds->items[number] = (struct hasten_slots_kind){.type = type, .number = number};
    return number;
}

struct hasten_slots_kind *hasten_slots_kind_of(struct hasten_slots_kinds *kinds, PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    if (type != kinds->last_type) {
        if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
            return NULL;
        }
        struct hasten_map_key key = {.low = (uint64_t)(uintptr_t)type};
        const uint32_t *known = hasten_map_find(&kinds->numbers, key);
        uint32_t number = known == NULL ? HASTEN_SLOTS_NONE : *known;
        if (known == NULL) {
            number = is_programs(type) ? add_kind(kinds, type) : HASTEN_SLOTS_NONE;
            if (hasten_map_insert(&kinds->numbers, key, number, NULL) == NULL) {
                kinds->failed = true;
            }
        }
        kinds->last_type = type;
        kinds->last_number = number;
    }
    return kinds->last_number == HASTEN_SLOTS_NONE ? NULL : &kinds->items[kinds->last_number];
}

void hasten_slots_count_name(struct hasten_slots_kinds *kinds, struct hasten_slots_kind *kind,
                             PyObject *name, size_t hint) {
    if (hint < kind->name_count && kind->names[hint].name == name) {
        kind->names[hint].count++;
        return;
    }
    struct hasten_map_key key = {.low = (uint64_t)(uintptr_t)name, .high = kind->number};
    uint32_t *known = hasten_map_find(&kinds->names, key);
    if (known == NULL) {
        void *names = kind->names;
        if (hasten_grow(NULL, &names, &kind->name_capacity, kind->name_count + 1,
                        sizeof *kind->names) < 0) {
            kinds->failed = true;
            return;
        }
        kind->names = names;
        known = hasten_map_insert(&kinds->names, key, (uint32_t)kind->name_count, NULL);
        if (known == NULL) {
            kinds->failed = true;
            return;
        }
        kind->names[kind->name_count++] = (struct hasten_slots_name){.name = name};
    }
    kind->names[*known].count++;
}
