/* SPDX-License-Identifier: MIT */
#include "ext/lazy/places.h"

#include "ext/common/pycompat_types.h"

/* Of an object with more attributes, those behind are read the long way. */
enum { MOST_ATTRIBUTES = 64 };

struct hasten_py_places hasten_py_places;

void hasten_py_places_open(const PyTypeObject *owner) {
#ifndef Py_GIL_DISABLED
    if (PyInterpreterState_Get() == PyInterpreterState_Main() && hasten_py_places.owner == NULL) {
        hasten_py_places.owner = owner;
    }
#else
    (void)owner;
#endif
}

void hasten_py_places_close(const PyTypeObject *owner) {
    if (owner == NULL || hasten_py_places.owner != owner) {
        return;
    }
    hasten_py_places.owner = NULL;
    for (size_t i = 0; i < HASTEN_PY_PLACES; i++) {
        Py_CLEAR(hasten_py_places.places[i].name);
    }
}

/* Where an object's values have a name; HASTEN_PY_NOWHERE: not among the first. */
static Py_ssize_t find(PyObject *object, PyObject *name) {
    struct hasten_py_attributes attributes;
    if (!hasten_py_attributes_of(object, &attributes)) {
        return HASTEN_PY_NOWHERE;
    }
    const Py_ssize_t count = hasten_py_attributes_count(&attributes);
    for (Py_ssize_t i = 0; i < count && i < MOST_ATTRIBUTES; i++) {
        if (hasten_py_attributes_name(&attributes, i) == name) {
            return i;
        }
    }
    return HASTEN_PY_NOWHERE;
}

void hasten_py_places_replace(struct hasten_py_place *place, PyObject *object, PyObject *name) {
    PyTypeObject *type = Py_TYPE(object);
    place->missed = 0;
    PyObject *found = hasten_py_type_lookup(type, name);
    const bool is_plain = found == NULL && type->tp_getattro == PyObject_GenericGetAttr;
    const Py_ssize_t index = is_plain ? find(object, name) : HASTEN_PY_NOWHERE;
    Py_XDECREF(found);
    /* Only after the look-up has the type a version; 0 is none. */
    const unsigned version = type->tp_version_tag;
    if (version != 0) {
        Py_XSETREF(place->name, Py_NewRef(name));
        place->type = type;
        place->version = version;
        place->index = index;
    }
}
