/* SPDX-License-Identifier: MIT
 *
 * Where objects of a class were found to keep an attribute, so that the next read through a
 * lazy object is a few comparisons: the class is the same and unchanged, so it has nothing
 * by that name that would come first; and at that place of the object's values is the name.
 * That is what the interpreter does for attributes of objects that it knows.
 *
 * There is one table, of the main interpreter, guarded by its GIL: a lazy object has no room
 * for one, and its type none for a pointer that is found fast enough. Lazy objects of other
 * interpreters, and all where threads run free, do without. */
#ifndef HASTEN_EXT_LAZY_PLACES_H
#define HASTEN_EXT_LAZY_PLACES_H

#include "ext/common/pycompat_attributes.h"

enum {
    HASTEN_PY_PLACES = 256,
    HASTEN_PY_NOWHERE = -1,
    /* An entry is replaced when others were looked for in its place so often. */
    HASTEN_PY_PATIENCE = 8,
};

struct hasten_py_place {
    const PyTypeObject *type; /* only compared: it may be gone */
    PyObject *name;           /* NULL: nothing yet */
    unsigned version;         /* of the type; no two types, nor changes of one, have the same */
    unsigned missed;          /* how often something else was looked for here */
    Py_ssize_t index;         /* HASTEN_PY_NOWHERE: it is the class's, or kept in another way */
};

struct hasten_py_places {
    const PyTypeObject *owner; /* of the lazy objects; NULL: of none */
    struct hasten_py_place places[HASTEN_PY_PLACES];
};

extern struct hasten_py_places hasten_py_places;

/* Of the interpreter's type, if it is the main one and the first. */
void hasten_py_places_open(const PyTypeObject *owner);
void hasten_py_places_close(const PyTypeObject *owner);
/* The next time, where an attribute is that was read the long way. */
void hasten_py_places_replace(struct hasten_py_place *place, PyObject *object, PyObject *name);

static inline struct hasten_py_place *hasten_py_places_at(const PyTypeObject *type,
                                                          const PyObject *name) {
    const uintptr_t mixed = ((uintptr_t)name >> 4) ^ ((uintptr_t)type >> 5);
    return &hasten_py_places.places[mixed % HASTEN_PY_PLACES];
}

/* The value of an attribute that is where it was before: a new reference. NULL without an
 * exception: ask the object. */
static inline PyObject *hasten_py_places_value(PyObject *object, PyObject *name) {
    const PyTypeObject *type = Py_TYPE(object);
    const struct hasten_py_place *place = hasten_py_places_at(type, name);
    struct hasten_py_attributes attributes;
    if (place->name != name || place->type != type || place->version != type->tp_version_tag ||
        place->index == HASTEN_PY_NOWHERE || !hasten_py_attributes_of(object, &attributes) ||
        place->index >= hasten_py_attributes_count(&attributes) ||
        hasten_py_attributes_name(&attributes, place->index) != name) {
        return NULL;
    }
    return Py_XNewRef(hasten_py_attributes_value(&attributes, place->index));
}

/* After a read the long way. */
static inline void hasten_py_places_note(PyObject *object, PyObject *name) {
    const PyTypeObject *type = Py_TYPE(object);
    struct hasten_py_place *place = hasten_py_places_at(type, name);
    const bool is_known = place->name == name && place->type == type &&
                          place->version == type->tp_version_tag &&
                          place->index == HASTEN_PY_NOWHERE;
    if (!is_known && ++place->missed >= HASTEN_PY_PATIENCE) {
        hasten_py_places_replace(place, object, name);
    }
}

#endif
