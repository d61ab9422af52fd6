/* SPDX-License-Identifier: MIT
 *
 * The type of modules that have names whose values wait. */
#include "ext/imports/namespace.h"

#include "ext/imports/modules.h"
#include "ext/imports/values.h"

static bool has_waiting(const struct imports *imports, PyObject *module) {
    PyObject *key = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    while (PyDict_Next(PyModule_GetDict(module), &at, &key, &value)) {
        if (Py_IS_TYPE(value, imports->value_type)) {
            return true;
        }
    }
    return false;
}

static int take_type(PyObject *module, PyTypeObject *type) {
    PyObject *name = PyUnicode_FromString("__class__");
    const int result = name == NULL ? -1 : PyObject_GenericSetAttr(module, name, (PyObject *)type);
    Py_XDECREF(name);
    return result;
}

int namespace_become_ordinary(struct imports *imports, PyObject *module) {
    if (!Py_IS_TYPE(module, imports->module_type) && !Py_IS_TYPE(module, imports->namespace_type)) {
        return 0; /* it has given itself a type of its own */
    }
    PyTypeObject *type = has_waiting(imports, module) ? imports->namespace_type : &PyModule_Type;
    return Py_IS_TYPE(module, type) ? 0 : take_type(module, type);
}

PyObject *namespace_of(struct imports *imports, PyObject *globals) {
    PyObject *name = PyDict_GetItemString(globals, "__name__");
    PyObject *module = name == NULL || !PyUnicode_Check(name) ? NULL : modules_loaded(name);
    if (module == NULL) {
        return NULL;
    }
    Py_DECREF(module); /* sys.modules has it, or nobody */
    if (!PyModule_Check(module) || PyModule_GetDict(module) != globals) {
        return NULL;
    }
    if (PyModule_CheckExact(module) && take_type(module, imports->namespace_type) < 0) {
        return NULL;
    }
    /* While a module that waited is loaded, its own type does the same. */
    return Py_IS_TYPE(module, imports->namespace_type) || Py_IS_TYPE(module, imports->module_type)
               ? module
               : NULL;
}

PyObject *namespace_attribute(struct imports *imports, PyObject *module, PyObject *name) {
    PyObject *value = PyModule_Type.tp_getattro(module, name);
    if (value == NULL || !Py_IS_TYPE(value, imports->value_type)) {
        return value;
    }
    PyObject *loaded = values_load(imports, value);
    Py_DECREF(value);
    if (loaded != NULL && Py_IS_TYPE(module, imports->namespace_type) &&
        namespace_become_ordinary(imports, module) < 0) {
        Py_CLEAR(loaded);
    }
    return loaded;
}

static PyObject *namespace_getattro(PyObject *self, PyObject *name) {
    struct imports *imports = imports_of(Py_TYPE(self));
    return imports == NULL ? NULL : namespace_attribute(imports, self, name);
}

static PyType_Slot namespace_slots[] = {
    {Py_tp_getattro, namespace_getattro},
    {0, NULL},
};

PyType_Spec namespace_spec = {
    .name = "hasten._imports.Namespace",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = namespace_slots,
};
