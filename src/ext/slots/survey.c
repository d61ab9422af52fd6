/* SPDX-License-Identifier: MIT
 *
 * Counts the instances of the program's classes and what they really take: the object with
 * what lies before and behind it, its values, its dict and the dict's keys, each as the
 * allocator has it. Looks only, under the GIL and without the collector; nothing is made of
 * Python's before the walk is over, and no __dict__ of anybody's comes into being. */
#include "ext/common/pycompat_values.h"
#include "ext/slots/kinds.h"
#include "ext/slots/slots.h"

#include "core/pyabi/interpreter.h"
#include "core/pyabi/layout.h"

/* Larger blocks are malloc's (SMALL_REQUEST_THRESHOLD of pymalloc). */
#define MOST_SMALL 512

struct survey {
    const struct hasten_layout *layout;
    struct hasten_slots_kinds kinds;
    size_t dict_bytes; /* of a dict without its keys and values */
    bool is_pymalloc;
    uint64_t objects;
};

/* What a request takes: pymalloc has blocks of every 16 bytes, glibc's malloc eight bytes
 * of its own in each, and 32 at least. */
static size_t as_allocated(const struct survey *survey, size_t size) {
    if (survey->is_pymalloc && size <= MOST_SMALL) {
        return (size + 15) & ~(size_t)15;
    }
    const size_t chunk = (size + 8 + 15) & ~(size_t)15;
    return chunk < 32 ? 32 : chunk;
}

static const void *pointer_at(const void *base, uint32_t offset) {
    return *(const void *const *)(const void *)((const char *)base + offset);
}

/* The table of a dict's keys. */
struct keys {
    const char *entries;
    size_t entry_size, key_offset, value_offset, count, bytes;
};

/* How many bits of a hash the table's indices are told by: they are of one byte below
 * 2^8 of them, of two below 2^16, of four above. */
static unsigned log2_size(unsigned log2_index_bytes) {
    return log2_index_bytes < 8    ? log2_index_bytes
           : log2_index_bytes < 17 ? log2_index_bytes - 1
                                   : log2_index_bytes - 2;
}

static struct keys keys_at(const struct survey *survey, const char *at) {
    const struct hasten_layout *layout = survey->layout;
    const bool is_text = at[layout->keys_kind] != 0;
    const unsigned log2_bytes = (uint8_t)at[layout->keys_log2_index_bytes];
    const size_t usable = (((size_t)1 << log2_size(log2_bytes)) * 2) / 3;
    struct keys keys = {
        .entries = at + layout->keys_indices + ((size_t)1 << log2_bytes),
        .entry_size = is_text ? layout->str_entry_size : layout->entry_size,
        .key_offset = is_text ? layout->str_entry_key : layout->entry_key,
        .value_offset = is_text ? layout->str_entry_value : layout->entry_value,
        .count = (size_t)(Py_ssize_t)pointer_at(at, layout->keys_entry_count),
    };
    /* The keys of all empty dicts are the interpreter's. */
    keys.bytes = log2_bytes == 0
                     ? 0
                     : layout->keys_indices + ((size_t)1 << log2_bytes) + usable * keys.entry_size;
    return keys;
}

static PyObject *key_of(const struct keys *keys, size_t i) {
    return *(PyObject *const *)(const void *)(keys->entries + i * keys->entry_size +
                                              keys->key_offset);
}

/* Values in the order of keys that several instances share. */
static void count_shared(struct survey *survey, struct hasten_slots_kind *kind, const char *at,
                         const void *values) {
    const struct keys keys = keys_at(survey, at);
    PyObject *const *items =
        (PyObject *const *)(const void *)((const char *)values + survey->layout->values_items);
    for (size_t i = 0; i < keys.count; i++) {
        if (items[i] == NULL) {
            continue;
        }
        if (at == kind->shared_keys && i < HASTEN_SLOTS_SHARED) {
            kind->shared[i]++;
        } else {
            hasten_slots_count_name(&survey->kinds, kind, key_of(&keys, i), i);
        }
    }
}

/* Values that lie in a block of their own, not in the instance. */
static size_t bytes_of_values(const struct survey *survey, const char *at, const void *values) {
    const struct hasten_layout *layout = survey->layout;
    if (layout->type_inline_values_flag != 0) {
        return hasten_py_values_behind(((const uint8_t *)values)[layout->values_capacity]);
    }
    /* The room that is left stands before the count of those there are. New instances get
     * room for as many as the keys have room for at that time. */
    const uint32_t count_at = layout->keys_entry_count;
    const size_t left = (size_t)pointer_at(at, count_at - (uint32_t)sizeof(Py_ssize_t));
    return hasten_py_values_block(values, (size_t)pointer_at(at, count_at) + left);
}

/* `behind`: the values in the instance, which its dict may use too. */
static size_t measure_dict(struct survey *survey, struct hasten_slots_kind *kind,
                           const PyObject *dict, const void *behind) {
    const char *at = pointer_at(dict, survey->layout->dict_keys);
    const void *values = pointer_at(dict, survey->layout->dict_values);
    size_t bytes = as_allocated(survey, survey->dict_bytes);
    kind->with_dict++;
    if (values != NULL) {
        count_shared(survey, kind, at, values);
        return values == behind ? bytes
                                : bytes + as_allocated(survey, bytes_of_values(survey, at, values));
    }
    const struct keys keys = keys_at(survey, at);
    kind->unshared++;
    for (size_t i = 0; i < keys.count; i++) {
        if (pointer_at(keys.entries + i * keys.entry_size, (uint32_t)keys.value_offset) != NULL) {
            hasten_slots_count_name(&survey->kinds, kind, key_of(&keys, i), i);
        }
    }
    return keys.bytes == 0 ? bytes : bytes + as_allocated(survey, keys.bytes);
}

struct attributes {
    const PyObject *dict;
    const void *values; /* that belong to no dict */
    const void *behind; /* the room for values in the instance, in use or not */
};

static struct attributes attributes_of(const struct survey *survey, PyObject *object) {
    const struct hasten_layout *layout = survey->layout;
    const PyTypeObject *type = Py_TYPE(object);
    struct attributes found = {.dict = NULL};
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT)) {
        if (type->tp_dictoffset > 0) {
            found.dict = pointer_at(object, (uint32_t)type->tp_dictoffset);
        } else if (type->tp_dictoffset < 0) { /* 3.11, of varying size: from the end */
            const Py_ssize_t items = Py_SIZE(object) < 0 ? -Py_SIZE(object) : Py_SIZE(object);
            const Py_ssize_t size = type->tp_basicsize + items * type->tp_itemsize;
            const Py_ssize_t mask = (Py_ssize_t)sizeof(PyObject *) - 1;
            found.dict =
                pointer_at(object, (uint32_t)(((size + mask) & ~mask) + type->tp_dictoffset));
        }
        return found;
    }
    const uintptr_t place = (uintptr_t)pointer_at((char *)object - layout->instance_dict_before, 0);
    if (layout->type_inline_values_flag != 0) {
        found.dict = (const PyObject *)place;
        if (type->tp_flags & layout->type_inline_values_flag) {
            const char *behind = (const char *)object + type->tp_basicsize;
            found.behind = behind;
            found.values = found.dict == NULL && behind[layout->values_valid] != 0 ? behind : NULL;
        }
    } else if (layout->instance_values_tag != 0) {
        if (place & layout->instance_values_tag) {
            found.values = (const void *)(place + 1);
        } else {
            found.dict = (const PyObject *)place;
        }
    } else {
        found.dict = (const PyObject *)place;
        found.values = pointer_at((char *)object - layout->instance_values_before, 0);
    }
    return found;
}

/* What every instance of the class takes. */
static void begin_kind(const struct survey *survey, struct hasten_slots_kind *kind,
                       PyObject *object) {
    const PyTypeObject *type = kind->type;
    kind->fixed_bytes = hasten_py_bytes_before(object) + (size_t)type->tp_basicsize;
    kind->block_bytes = as_allocated(survey, kind->fixed_bytes);
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        kind->shared_keys = pointer_at(type, survey->layout->type_cached_keys);
    }
}

static size_t bytes_of_block(const struct survey *survey, const struct hasten_slots_kind *kind,
                             PyObject *object, const void *behind) {
    const PyTypeObject *type = kind->type;
    if (behind != NULL) {
        const uint8_t capacity = ((const uint8_t *)behind)[survey->layout->values_capacity];
        return as_allocated(survey, kind->fixed_bytes + hasten_py_values_behind(capacity));
    }
    if (type->tp_itemsize > 0 && !PyLong_Check(object)) {
        const Py_ssize_t items = Py_SIZE(object) < 0 ? -Py_SIZE(object) : Py_SIZE(object);
        return as_allocated(survey, kind->fixed_bytes + (size_t)items * (size_t)type->tp_itemsize);
    }
    return kind->block_bytes;
}

static int look(PyObject *object, void *data) {
    struct survey *survey = data;
    struct hasten_slots_kind *kind = hasten_slots_kind_of(&survey->kinds, object);
    survey->objects++;
    if (kind == NULL) {
        return !survey->kinds.failed;
    }
    if (kind->count++ == 0) {
        begin_kind(survey, kind, object);
    }
    const struct attributes found = attributes_of(survey, object);
    size_t bytes = bytes_of_block(survey, kind, object, found.behind);
    if (found.dict != NULL) {
        bytes += measure_dict(survey, kind, found.dict, found.behind);
    } else if (found.values != NULL && kind->shared_keys != NULL) {
        count_shared(survey, kind, kind->shared_keys, found.values);
        if (found.values != found.behind) {
            bytes += as_allocated(survey, bytes_of_values(survey, kind->shared_keys, found.values));
        }
    }
    kind->bytes += bytes;
    kind->weak += hasten_py_weak_references(object) != NULL;
    return !survey->kinds.failed; /* go on */
}

/* All names that instances have, with how many have each: a new list of pairs. Equal text
 * may be there twice. */
static PyObject *names_of(const struct survey *survey, const struct hasten_slots_kind *kind) {
    PyObject *list = PyList_New(0);
    const struct keys keys =
        kind->shared_keys == NULL ? (struct keys){.count = 0} : keys_at(survey, kind->shared_keys);
    const size_t shared = keys.count < HASTEN_SLOTS_SHARED ? keys.count : HASTEN_SLOTS_SHARED;
    for (size_t i = 0; list != NULL && i < shared + kind->name_count; i++) {
        const struct hasten_slots_name found =
            i < shared ? (struct hasten_slots_name){key_of(&keys, i), kind->shared[i]}
                       : kind->names[i - shared];
        if (found.name == NULL || found.count == 0) {
            continue;
        }
        PyObject *pair = Py_BuildValue("OK", found.name, (unsigned long long)found.count);
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
    }
    return list;
}

/* Bytes of each instance if it had so many slots and no dict. */
static size_t with_slots(const struct survey *survey, const struct hasten_slots_kind *kind,
                         size_t slots) {
    const PyTypeObject *type = kind->type;
    size_t size = (size_t)(type->tp_basicsize - hasten_py_bytes_for_weak(type)) +
                  2 * sizeof(uintptr_t) + slots * sizeof(PyObject *);
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT) && type->tp_dictoffset > 0) {
        size -= sizeof(PyObject *);
    }
    return as_allocated(survey, size + (kind->weak > 0 ? HASTEN_PY_WEAK_SLOT_BYTES : 0));
}

static PyObject *report_kind(const struct survey *survey, const struct hasten_slots_kind *kind) {
    PyObject *names = names_of(survey, kind);
    if (names == NULL) {
        return NULL;
    }
    const size_t each = with_slots(survey, kind, (size_t)PyList_GET_SIZE(names));
    return Py_BuildValue("{s:O,s:K,s:K,s:K,s:K,s:K,s:n,s:N}", "type", kind->type, "count",
                         (unsigned long long)kind->count, "bytes", (unsigned long long)kind->bytes,
                         "with_dict", (unsigned long long)kind->with_dict, "unshared",
                         (unsigned long long)kind->unshared, "weak", (unsigned long long)kind->weak,
                         "slotted_bytes", (Py_ssize_t)each, "names", names);
}

static PyObject *report(const struct survey *survey) {
    PyObject *rows = PyList_New(0);
    for (size_t i = 0; rows != NULL && i < survey->kinds.count; i++) {
        PyObject *row = report_kind(survey, &survey->kinds.items[i]);
        if (row == NULL || PyList_Append(rows, row) < 0) {
            Py_CLEAR(rows);
        }
        Py_XDECREF(row);
    }
    return rows == NULL ? NULL : Py_BuildValue("KN", (unsigned long long)survey->objects, rows);
}

/* Whether small blocks are pymalloc's: without it, none are counted. */
static bool uses_pymalloc(void) {
    PyObject *function = PySys_GetObject("getallocatedblocks");
    PyObject *blocks = function == NULL ? NULL : PyObject_CallNoArgs(function);
    const long long count = blocks == NULL ? 1 : PyLong_AsLongLong(blocks);
    Py_XDECREF(blocks);
    PyErr_Clear();
    return count != 0;
}

const char hasten_slots_survey_doc[] =
    "survey($module, /)\n--\n\n"
    "How many objects the collector knows, and a dict for each class of the program's.";

PyObject *hasten_slots_survey(PyObject *module, PyObject *Py_UNUSED(unused)) {
    struct survey survey = {
        .layout = hasten_layout_of(hasten_py_running_version() >> 16),
        .dict_bytes = (size_t)PyDict_Type.tp_basicsize + 2 * sizeof(uintptr_t),
        .is_pymalloc = uses_pymalloc(),
    };
    if (survey.layout == NULL || HASTEN_PY_IS_UNUSUAL) {
        PyErr_SetString(PyExc_NotImplementedError, "hasten.slots.survey() knows release builds of "
                                                   "CPython 3.11 to 3.15 with the GIL");
        return NULL;
    }
    PyObject *held = NULL;
    PyObject *answer = NULL;
    hasten_slots_kinds_init(&survey.kinds);
    const bool collects = PyGC_Disable() != 0;
    if (hasten_py_visit_objects(hasten_slots_state_of(module)->gc, look, &survey, &held)) {
        answer = survey.kinds.failed ? PyErr_NoMemory() : report(&survey);
    }
    Py_XDECREF(held);
    if (collects) {
        PyGC_Enable();
    }
    hasten_slots_kinds_done(&survey.kinds);
    return answer;
}
