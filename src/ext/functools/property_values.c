/* SPDX-License-Identifier: MIT
 *
 * Where the values of a cached_property are: in a slot, in the instance's attributes, or
 * in whatever its __dict__ is. */
#include "ext/functools/property_timed.h"

/* Above that, looking a name up by its hash is faster than looking at all. */
#define MOST_NAMES_LOOKED_AT 64

static bool same_name(PyObject *one, PyObject *other) {
    return one != NULL && PyUnicode_GET_LENGTH(one) == PyUnicode_GET_LENGTH(other) &&
           PyUnicode_Compare(one, other) == 0;
}

/* The name's index, or -1. */
static Py_ssize_t index_of(const struct hasten_py_attributes *attributes, PyObject *name) {
    const Py_ssize_t count = hasten_py_attributes_count(attributes);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (hasten_py_attributes_name(attributes, i) == name) {
            return i;
        }
    }
    /* Names of attributes are interned; those of a dict need not be. */
    for (Py_ssize_t i = 0; i < count; i++) {
        if (same_name(hasten_py_attributes_name(attributes, i), name)) {
            return i;
        }
    }
    return -1;
}

/* As hasten_py_property_peek(); -2 where it cannot be told in this way. */
static inline int peek_attributes(struct hasten_py_property *self, PyObject *instance,
                                  PyObject **ret_value) {
    struct hasten_py_attributes attributes;
    if (!hasten_py_attributes_of(instance, &attributes)) {
        return -2;
    }
    const Py_ssize_t count = hasten_py_attributes_count(&attributes);
    Py_ssize_t index = self->hint;
    if (index >= count || hasten_py_attributes_name(&attributes, index) != self->name) {
        if (count > MOST_NAMES_LOOKED_AT) {
            return -2;
        }
        index = index_of(&attributes, self->name);
        if (index < 0) {
            return 0;
        }
        self->hint = index;
    }
    PyObject *value = hasten_py_attributes_value(&attributes, index);
    if (value == NULL) {
        return 0;
    }
    *ret_value = Py_NewRef(value);
    return 1;
}

/* The instance's __dict__: a new reference, or NULL with the standard module's exception. */
static PyObject *dict_of(struct hasten_py_property *self, PyObject *instance) {
    PyObject *dict = PyObject_GetAttrString(instance, "__dict__");
    if (dict == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        PyObject *type_name = PyObject_GetAttrString((PyObject *)Py_TYPE(instance), "__name__");
        if (type_name != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "No '__dict__' attribute on %R instance to cache %R property.", type_name,
                         self->name);
            Py_DECREF(type_name);
        }
    }
    return dict;
}

static int peek_dict(struct hasten_py_property *self, PyObject *instance, PyObject **ret_value) {
    PyObject *dict = dict_of(self, instance);
    if (dict == NULL) {
        return -1;
    }
    PyObject *value = NULL;
    int found = 0;
    if (PyDict_CheckExact(dict)) {
        value = Py_XNewRef(PyDict_GetItemWithError(dict, self->name));
        found = value != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
    } else {
        /* A mapping of the program's: asked as the standard module does, with something
         * that it cannot have. */
        value = PyObject_CallMethod(dict, "get", "OO", self->name, (PyObject *)self);
        found = value == NULL ? -1 : value != (PyObject *)self;
        if (found == 0) {
            Py_CLEAR(value);
        }
    }
    Py_DECREF(dict);
    if (found == 1) {
        *ret_value = value;
    }
    return found;
}

static bool has_slot(const struct hasten_py_property *self, PyObject *instance) {
    return self->slot != NULL && PyObject_TypeCheck(instance, PyDescr_TYPE(self->slot));
}

static PyObject **slot_of(const struct hasten_py_property *self, PyObject *instance) {
    return (PyObject **)((char *)instance + self->slot_offset);
}

int hasten_py_property_peek(struct hasten_py_property *self, PyObject *instance,
                            PyObject **ret_value) {
    if (has_slot(self, instance)) {
        PyObject *value = *slot_of(self, instance);
        if (value == NULL) {
            return 0;
        }
        *ret_value = Py_NewRef(value);
        return 1;
    }
    const int found = peek_attributes(self, instance, ret_value);
    return found == -2 ? peek_dict(self, instance, ret_value) : found;
}

int hasten_py_property_value(struct hasten_py_property *self, PyObject *instance,
                             PyObject **ret_value) {
    if (self->ttl_ns == 0) {
        return hasten_py_property_peek(self, instance, ret_value);
    }
    PyObject *kept = NULL;
    const int found = hasten_py_property_peek(self, instance, &kept);
    return found == 1 ? hasten_py_timed_read(self, kept, ret_value) : found;
}

static int store_in_dict(struct hasten_py_property *self, PyObject *instance, PyObject *value) {
    PyObject *dict = dict_of(self, instance);
    if (dict == NULL) {
        return -1;
    }
    int answer = 0;
    if (PyDict_CheckExact(dict)) {
        answer = PyDict_SetItem(dict, self->name, value);
    } else {
        answer = PyObject_SetItem(dict, self->name, value);
        if (answer < 0 && PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            PyObject *type_name = PyObject_GetAttrString((PyObject *)Py_TYPE(instance), "__name__");
            if (type_name != NULL) {
                PyErr_Format(PyExc_TypeError,
                             "The '__dict__' attribute on %R instance does not support item "
                             "assignment for caching %R property.",
                             type_name, self->name);
                Py_DECREF(type_name);
            }
        }
    }
    Py_DECREF(dict);
    return answer;
}

/* Whether the interpreter's own way to set an attribute does the same as a change of the
 * instance's __dict__: it makes no dict where none is needed. */
static bool is_plain_attribute(struct hasten_py_property *self, PyObject *instance) {
    PyTypeObject *type = Py_TYPE(instance);
    struct hasten_py_attributes attributes;
    if (Py_TYPE(self)->tp_descr_set != NULL || type->tp_getattro != PyObject_GenericGetAttr ||
        PyType_Check(instance) || !hasten_py_attributes_of(instance, &attributes)) {
        return false;
    }
    const PyObject *hidden = _PyType_Lookup(type, self->name);
    return hidden == NULL || hidden == (PyObject *)self;
}

int hasten_py_property_store(struct hasten_py_property *self, PyObject *instance, PyObject *value) {
    if (has_slot(self, instance)) {
        PyObject *old = *slot_of(self, instance);
        *slot_of(self, instance) = Py_NewRef(value);
        Py_XDECREF(old);
        return 0;
    }
    if (is_plain_attribute(self, instance)) {
        return PyObject_GenericSetAttr(instance, self->name, value);
    }
    return store_in_dict(self, instance, value);
}

int hasten_py_property_keep(struct hasten_py_property *self, PyObject *instance, PyObject *value) {
    if (self->ttl_ns == 0) {
        return hasten_py_property_store(self, instance, value);
    }
    PyObject *made = hasten_py_timed_make(self, value);
    const int answer = made == NULL ? -1 : hasten_py_property_store(self, instance, made);
    Py_XDECREF(made);
    return answer;
}

int hasten_py_property_remove(struct hasten_py_property *self, PyObject *instance) {
    if (has_slot(self, instance)) {
        PyObject *old = *slot_of(self, instance);
        *slot_of(self, instance) = NULL;
        Py_XDECREF(old);
        return 0;
    }
    PyObject *dict = dict_of(self, instance);
    if (dict == NULL) {
        return -1;
    }
    const int answer = PyObject_DelItem(dict, self->name);
    Py_DECREF(dict);
    return answer;
}

int hasten_py_property_find_slot(struct hasten_py_property *self, PyObject *owner, PyObject *name) {
    if (!PyType_Check(owner)) {
        return 0;
    }
    PyObject *slot_name = PyUnicode_FromFormat("_cached_%U", name);
    if (slot_name == NULL) {
        return -1;
    }
    PyObject *slot = _PyType_Lookup((PyTypeObject *)owner, slot_name);
    Py_DECREF(slot_name);
    if (slot != NULL && Py_IS_TYPE(slot, &PyMemberDescr_Type)) {
        const PyMemberDef *member = ((PyMemberDescrObject *)slot)->d_member;
        if (member->type == Py_T_OBJECT_EX && (member->flags & Py_READONLY) == 0) {
            self->slot_offset = member->offset;
            Py_XSETREF(self->slot, Py_NewRef(slot));
        }
    }
    return 0;
}
