/* SPDX-License-Identifier: MIT
 *
 * What happens when a module that waits is used.
 *
 * While the module's code runs, the object is in sys.modules already, with the type of those
 * that wait: the thread that runs the code sees the attributes that there are (circular
 * imports do), others wait for the end by importing the module themselves. */
#include "ext/imports/lazy_module.h"

#include "ext/imports/namespace.h"

/* What the import system asks of modules that are being loaded; anybody may have it. */
static bool is_plain(PyObject *name) {
    static const char *const names[] = {"__class__", "__dict__",    "__file__", "__loader__",
                                        "__name__",  "__package__", "__path__", "__spec__"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the import system still executes it. */
static bool is_initializing(PyObject *module) {
    PyObject *spec = PyDict_GetItemString(PyModule_GetDict(module), "__spec__");
    PyObject *value = spec == NULL ? NULL : PyObject_GetAttrString(spec, "_initializing");
    const bool is = value != NULL && PyObject_IsTrue(value) == 1;
    Py_XDECREF(value);
    PyErr_Clear();
    return is;
}

/* The import is over, whoever asked for it: 1 it went well and the books are closed, 0 it
 * failed and nothing was loaded, -1 with an exception. */
static int end_loading(struct imports *imports, struct pending *pending, PyObject *self) {
    PyObject *there = modules_loaded(pending->name);
    int result = PyErr_Occurred() ? -1 : 0;
    if (there == self) {
        result = modules_settle(imports, pending, self) < 0 ? -1 : 1;
    } else if (result == 0) {
        pending->is_loading = false;
        PyObject *own = PyModule_GetDict(self);
        PyDict_Clear(own);
        result = PyDict_SetItemString(own, "__name__", pending->name);
    }
    Py_XDECREF(there);
    return result;
}

/* The module to ask for the attribute: a new reference, NULL with an exception. `self` itself
 * is to be asked as an ordinary module. */
static PyObject *target_of(struct imports *imports, PyObject *self, PyObject *attribute) {
    PyObject *own = PyModule_GetDict(self);
    PyObject *real = PyDict_GetItemString(own, LAZY_MODULE_REAL);
    if (real != NULL) {
        return Py_NewRef(real);
    }
    PyObject *name = PyDict_GetItemString(own, "__name__");
    struct pending *pending =
        name == NULL || !PyUnicode_Check(name) ? NULL : modules_find(imports, name);
    if (pending == NULL || pending->module != self) {
        return PyErr_Occurred() ? NULL : Py_NewRef(self);
    }
    Py_INCREF(pending);
    PyObject *result = NULL;
    if (pending->is_loading && is_plain(attribute)) {
        result = Py_NewRef(self);
    } else if (pending->is_loading && is_initializing(self)) {
        if (pending->owner == PyThread_get_thread_ident()) {
            result = Py_NewRef(self);
        }
    } else if (pending->is_loading) {
        const int ended = end_loading(imports, pending, self);
        result = ended == 1 ? Py_NewRef(self) : NULL;
    }
    if (result == NULL && !PyErr_Occurred()) {
        result = modules_load(imports, pending);
    }
    Py_DECREF(pending);
    return result;
}

/* What the object itself answers, loaded or not: its type, and that a name is no text. */
static bool is_own(PyObject *name) {
    return !PyUnicode_Check(name) || PyUnicode_CompareWithASCIIString(name, "__class__") == 0;
}

static PyObject *lazy_getattro(PyObject *self, PyObject *name) {
    struct imports *imports = imports_of(Py_TYPE(self));
    if (imports == NULL || is_own(name)) {
        return imports == NULL ? NULL : PyObject_GenericGetAttr(self, name);
    }
    PyObject *target = target_of(imports, self, name);
    if (target == NULL) {
        return NULL;
    }
    PyObject *value =
        target == self ? namespace_attribute(imports, self, name) : PyObject_GetAttr(target, name);
    Py_DECREF(target);
    return value;
}

static int lazy_setattro(PyObject *self, PyObject *name, PyObject *value) {
    struct imports *imports = imports_of(Py_TYPE(self));
    if (imports == NULL || is_own(name)) {
        return imports == NULL ? -1 : PyObject_GenericSetAttr(self, name, value);
    }
    PyObject *target = target_of(imports, self, name);
    if (target == NULL) {
        return -1;
    }
    const int result = target == self ? PyObject_GenericSetAttr(self, name, value)
                                      : PyObject_SetAttr(target, name, value);
    Py_DECREF(target);
    return result;
}

static PyObject *lazy_repr(PyObject *self) {
    struct imports *imports = imports_of(Py_TYPE(self));
    PyObject *name = PyUnicode_FromString("__repr__");
    PyObject *target = imports == NULL || name == NULL ? NULL : target_of(imports, self, name);
    PyObject *text = NULL;
    if (target != NULL) {
        text = target == self ? PyModule_Type.tp_repr(self) : PyObject_Repr(target);
    }
    Py_XDECREF(name);
    Py_XDECREF(target);
    return text;
}

static PyType_Slot lazy_slots[] = {
    {Py_tp_getattro, lazy_getattro},
    {Py_tp_setattro, lazy_setattro},
    {Py_tp_repr, lazy_repr},
    {0, NULL},
};

PyType_Spec lazy_module_spec = {
    .name = "hasten._imports.LazyModule",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = lazy_slots,
};
