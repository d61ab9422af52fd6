/* SPDX-License-Identifier: MIT
 *
 * Pickling and copying of classes with slots as if they had none: an instance's state is
 * the dict that its __dict__ would be. So every protocol works, pickles that were made
 * before the class had slots can be read, and new ones by whoever has the class without. */
#include "ext/slots/slots.h"

#include <string.h>

/* A cached_property of hasten keeps its value in the slot of this name and its own. */
#define CACHED "_cached_"

static bool is_slot(PyObject *descriptor) {
    return descriptor != NULL && Py_IS_TYPE(descriptor, &PyMemberDescr_Type);
}

static bool is_cached_property(PyObject *descriptor) {
    return descriptor != NULL &&
           strcmp(Py_TYPE(descriptor)->tp_name, "hasten.functools.cached_property") == 0;
}

/* The name that a slot's value has in the state: a new reference. */
static PyObject *name_in_state(PyTypeObject *type, PyObject *slot_name) {
    const Py_ssize_t prefix = (Py_ssize_t)strlen(CACHED);
    const Py_ssize_t length = PyUnicode_GET_LENGTH(slot_name);
    PyObject *start = PyUnicode_Substring(slot_name, 0, prefix);
    PyObject *rest = PyUnicode_Substring(slot_name, prefix, length);
    bool is_cached =
        start != NULL && rest != NULL && PyUnicode_CompareWithASCIIString(start, CACHED) == 0;
    if (is_cached) {
        PyUnicode_InternInPlace(&rest); /* the interpreter's cache of look-ups keeps the name */
        is_cached = is_cached_property(_PyType_Lookup(type, rest));
    }
    Py_XDECREF(start);
    if (rest == NULL || is_cached) {
        return rest;
    }
    Py_DECREF(rest);
    return Py_NewRef(slot_name);
}

/* Adds a slot's value to the state where there is one. */
static int add_slot(PyObject *self, PyObject *name, PyObject *state) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject *slot = PyUnicode_Check(name) ? _PyType_Lookup(type, name) : NULL;
    if (!is_slot(slot)) {
        return 0;
    }
    PyObject *value = Py_TYPE(slot)->tp_descr_get(slot, self, (PyObject *)type);
    if (value == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    PyObject *key = name_in_state(type, name);
    const int answer = key == NULL ? -1 : PyDict_SetItem(state, key, value);
    Py_XDECREF(key);
    Py_DECREF(value);
    return answer;
}

static bool has_dict(const PyTypeObject *type) {
    return type->tp_dictoffset != 0 ||
           PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_MANAGED_DICT);
}

/* Names of all slots, the bases' included: a new reference to a list. */
static PyObject *slot_names(PyTypeObject *type) {
    PyObject *copyreg = PyImport_ImportModule("copyreg");
    PyObject *names =
        copyreg == NULL ? NULL : PyObject_CallMethod(copyreg, "_slotnames", "O", (PyObject *)type);
    Py_XDECREF(copyreg);
    if (names != NULL && !PyList_Check(names)) {
        PyErr_Format(PyExc_TypeError, "%.200s.__slotnames__ should be a list", type->tp_name);
        Py_CLEAR(names);
    }
    return names;
}

static PyObject *get_state(PyObject *self, PyObject *Py_UNUSED(unused)) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject *state = PyDict_New();
    PyObject *names = state == NULL ? NULL : slot_names(type);
    bool good = names != NULL;
    for (Py_ssize_t i = 0; good && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = Py_NewRef(PyList_GET_ITEM(names, i));
        good = add_slot(self, name, state) == 0;
        Py_DECREF(name);
    }
    if (good && has_dict(type)) {
        PyObject *dict = PyObject_GenericGetDict(self, NULL);
        good = dict != NULL && PyDict_Update(state, dict) == 0;
        Py_XDECREF(dict);
    }
    Py_XDECREF(names);
    if (!good) {
        Py_CLEAR(state);
    }
    return state;
}

/* The slot of a name in the state, borrowed; NULL where there is none. */
static PyObject *slot_for(PyTypeObject *type, PyObject *name) {
    PyObject *found = _PyType_Lookup(type, name);
    if (is_cached_property(found)) {
        PyObject *slot_name = PyUnicode_FromFormat(CACHED "%U", name);
        if (slot_name != NULL) {
            PyUnicode_InternInPlace(&slot_name);
        }
        found = slot_name == NULL ? NULL : _PyType_Lookup(type, slot_name);
        Py_XDECREF(slot_name);
    }
    return is_slot(found) ? found : NULL;
}

static int set_one(PyObject *self, PyObject *name, PyObject *value) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject *slot = PyUnicode_Check(name) ? slot_for(type, name) : NULL;
    if (PyErr_Occurred()) {
        return -1;
    }
    if (slot != NULL) {
        return Py_TYPE(slot)->tp_descr_set(slot, self, value);
    }
    if (has_dict(type)) {
        PyObject *dict = PyObject_GenericGetDict(self, NULL);
        const int answer = dict == NULL ? -1 : PyObject_SetItem(dict, name, value);
        Py_XDECREF(dict);
        return answer;
    }
    PyErr_Format(PyExc_AttributeError, "%.200s has no slot %R, which the pickled state has",
                 type->tp_name, name);
    return -1;
}

static int set_all(PyObject *self, PyObject *values) {
    PyObject *name = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    int answer = 0;
    if (!PyDict_Check(values)) {
        if (values != Py_None) {
            PyErr_Format(PyExc_TypeError, "the state of a %.200s should be a dict, not %.200s",
                         Py_TYPE(self)->tp_name, Py_TYPE(values)->tp_name);
            return -1;
        }
        return 0;
    }
    PyObject *copy = PyDict_Copy(values); /* what is set aside may be code of the program */
    while (copy != NULL && answer == 0 && PyDict_Next(copy, &at, &name, &value)) {
        answer = set_one(self, name, value);
    }
    Py_XDECREF(copy);
    return copy == NULL ? -1 : answer;
}

/* A dict; or a pair of the __dict__ and the slots, as the interpreter makes of classes
 * with slots. */
static PyObject *set_state(PyObject *self, PyObject *state) {
    if (PyTuple_CheckExact(state) && PyTuple_GET_SIZE(state) == 2) {
        if (set_all(self, PyTuple_GET_ITEM(state, 0)) < 0 ||
            set_all(self, PyTuple_GET_ITEM(state, 1)) < 0) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    if (set_all(self, state) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef get_state_method = {
    "__getstate__", get_state, METH_NOARGS,
    "__getstate__($self, /)\n--\n\nThe attributes as a dict, as without slots."};
static PyMethodDef set_state_method = {
    "__setstate__", set_state, METH_O,
    "__setstate__($self, state, /)\n--\n\nSets the attributes from such a dict."};

static int add_method(PyTypeObject *type, PyMethodDef *definition) {
    PyObject *method = PyDescr_NewMethod(type, definition);
    const int answer =
        method == NULL
            ? -1
            : PyType_Type.tp_setattro((PyObject *)type,
                                      ((PyMethodDescrObject *)method)->d_common.d_name, method);
    Py_XDECREF(method);
    return answer;
}

const char hasten_slots_add_state_doc[] = "add_state($module, cls, get, set, /)\n--\n\n"
                                          "Gives a class __getstate__ and __setstate__.";

PyObject *hasten_slots_add_state(PyObject *Py_UNUSED(module), PyObject *args) {
    PyTypeObject *type = NULL;
    int get = 0;
    int set = 0;
    if (!PyArg_ParseTuple(args, "O!pp:add_state", &PyType_Type, &type, &get, &set)) {
        return NULL;
    }
    if ((get && add_method(type, &get_state_method) < 0) ||
        (set && add_method(type, &set_state_method) < 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}
