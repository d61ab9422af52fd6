/* SPDX-License-Identifier: MIT
 *
 * The table of types. A type is known again by address and name; its name is copied,
 * so that a type that is gone still has one.
 *
 * Sizes are asked of __sizeof__ only where that is a function of C: those of the
 * program are its own code. */
#include "ext/leaks/watcher.h"

#include <stdlib.h>
#include <string.h>

/* The first __sizeof__ along the type's bases that is C's; NULL: object's. */
static PyMethodDef *find_size_of(PyTypeObject *type) {
    PyObject *bases = type->tp_mro;
    for (Py_ssize_t i = 0; bases != NULL && i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (base == &PyBaseObject_Type || !PyType_Check((PyObject *)base)) {
            return NULL;
        }
        for (PyMethodDef *method = base->tp_methods; method != NULL && method->ml_name != NULL;
             method++) {
            if (strcmp(method->ml_name, "__sizeof__") == 0 && method->ml_flags == METH_NOARGS) {
                return method;
            }
        }
    }
    return NULL;
}

/* The module of a type that has a dict to say so. */
static PyObject *module_of(PyTypeObject *type) {
    PyObject *found = NULL;
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type->tp_dict != NULL) {
        PyObject *key = NULL;
        PyObject *value = NULL;
        Py_ssize_t at = 0;
        while (found == NULL && PyDict_Next(type->tp_dict, &at, &key, &value)) {
            if (PyUnicode_CheckExact(key) &&
                PyUnicode_CompareWithASCIIString(key, "__module__") == 0 &&
                PyUnicode_Check(value)) {
                found = value;
            }
        }
    }
    return found;
}

void hasten_leaks_type_name(PyTypeObject *type, struct hasten_buffer *out) {
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        const char *name = type->tp_name;
        hasten_buffer_text(out, strncmp(name, "builtins.", 9) == 0 ? name + 9 : name);
        return;
    }
    PyObject *module = module_of(type);
    PyObject *name = ((PyHeapTypeObject *)type)->ht_qualname;
    if (module != NULL && PyUnicode_CompareWithASCIIString(module, "builtins") != 0) {
        hasten_leaks_text(module, out);
        hasten_buffer_byte(out, '.');
    }
    if (name != NULL) {
        hasten_leaks_text(name, out);
    } else {
        hasten_buffer_text(out, type->tp_name);
    }
}

static char *name_of(PyTypeObject *type) {
    struct hasten_buffer text;
    hasten_buffer_init(&text, NULL);
    hasten_leaks_type_name(type, &text);
    char *copy = text.failed ? NULL : strdup(hasten_buffer_cstring(&text));
    hasten_buffer_done(&text);
    return copy;
}

/* Made by a class statement: C gives its types methods or a module. */
static bool is_programs(PyTypeObject *type) {
    return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type->tp_methods == NULL &&
           ((PyHeapTypeObject *)type)->ht_module == NULL;
}

static uint32_t add_type(struct hasten_leaks_types *types, PyTypeObject *type, char *name) {
    void *items = types->items;
    if (name == NULL ||
        hasten_grow(NULL, &items, &types->capacity, types->count + 1, sizeof *types->items) < 0) {
        free(name);
        return HASTEN_HEAP_NONE;
    }
    types->items = items;
    struct hasten_map_key key = {.low = (uint64_t)(uintptr_t)type};
    uint32_t number = (uint32_t)types->count;
    uint32_t *place = hasten_map_insert(&types->numbers, key, number, NULL);
    if (place == NULL) {
        free(name);
        return HASTEN_HEAP_NONE;
    }
    *place = number; /* another type may have lain there */
    types->items[types->count++] = (struct hasten_leaks_type){
        .address = key.low,
        .name = name,
        .is_programs = is_programs(type),
        .is_container = type == &PyList_Type || type == &PyDict_Type || type == &PyTuple_Type,
        .walk = types->walk,
        .size_of = find_size_of(type),
    };
    return number;
}

uint32_t hasten_leaks_type_of(struct hasten_leaks_watcher *watcher, PyObject *object) {
    struct hasten_leaks_types *types = &watcher->types;
    PyTypeObject *type = Py_TYPE(object);
    uint64_t address = (uint64_t)(uintptr_t)type;
    if (address == types->last_address) {
        return types->last_number;
    }
    uint32_t *known = hasten_map_find(&types->numbers, (struct hasten_map_key){.low = address});
    uint32_t number = known == NULL ? HASTEN_HEAP_NONE : *known;
    if (number == HASTEN_HEAP_NONE || types->items[number].walk != types->walk) {
        char *name = name_of(type);
        if (number == HASTEN_HEAP_NONE || name == NULL ||
            strcmp(name, types->items[number].name) != 0) {
            number = add_type(types, type, name);
        } else {
            free(name);
            types->items[number].walk = types->walk;
            types->items[number].size_of = find_size_of(type);
        }
    }
    if (number != HASTEN_HEAP_NONE) {
        types->last_address = address;
        types->last_number = number;
    }
    return number;
}

/* As str.__sizeof__ has it, which would make an int for each: most objects are text. */
static uint64_t size_of_text(PyObject *text) {
    uint64_t length = (uint64_t)PyUnicode_GET_LENGTH(text) + 1;
    return PyUnicode_IS_COMPACT_ASCII(text)
               ? sizeof(PyASCIIObject) + length
               : sizeof(PyCompactUnicodeObject) + length * (uint64_t)PyUnicode_KIND(text);
}

uint64_t hasten_leaks_size_of(struct hasten_leaks_watcher *watcher, PyObject *object,
                              uint32_t number) {
    PyTypeObject *type = Py_TYPE(object);
    PyMethodDef *size_of = watcher->types.items[number].size_of;
    uint64_t size = 0;
    if (PyUnicode_CheckExact(object)) {
        return size_of_text(object);
    }
    if (size_of != NULL) {
        PyObject *answer = size_of->ml_meth(object, NULL);
        long long asked = answer == NULL ? -1 : PyLong_AsLongLong(answer);
        Py_XDECREF(answer);
        PyErr_Clear();
        size = asked > 0 ? (uint64_t)asked : 0;
    }
    if (size == 0) {
        Py_ssize_t items = type->tp_itemsize > 0 ? Py_SIZE(object) : 0;
        size = (uint64_t)type->tp_basicsize +
               (uint64_t)(items < 0 ? -items : items) * (uint64_t)type->tp_itemsize;
    }
    if (type->tp_flags & Py_TPFLAGS_HAVE_GC) {
        size += hasten_access_hidden_size(&watcher->access, object);
    }
    return size;
}

bool hasten_leaks_is_container(void *watcher, uint32_t type) {
    return ((const struct hasten_leaks_watcher *)watcher)->types.items[type].is_container;
}

void hasten_leaks_types_begin(struct hasten_leaks_types *types) {
    types->walk++;
    types->last_address = 0;
    for (size_t i = 0; i < types->count; i++) {
        types->items[i].count = 0;
        types->items[i].bytes = 0;
    }
}

void hasten_leaks_types_mark(struct hasten_leaks_types *types, uint32_t mark) {
    for (size_t i = 0; i < types->count; i++) {
        struct hasten_leaks_type *type = &types->items[i];
        if (mark == 0) {
            type->first_count = type->count;
            type->first_bytes = type->bytes;
        }
        if ((mark & (mark - 1)) == 0) { /* as history.h has it */
            memmove(type->counts + 1, type->counts, sizeof type->counts - sizeof *type->counts);
            type->counts[0] = type->count;
        }
    }
}

void hasten_leaks_types_done(struct hasten_leaks_types *types) {
    for (size_t i = 0; i < types->count; i++) {
        free(types->items[i].name);
    }
    hasten_release(NULL, types->items, types->capacity * sizeof *types->items);
    hasten_map_done(&types->numbers);
    types->items = NULL;
    types->count = 0;
    types->capacity = 0;
}
