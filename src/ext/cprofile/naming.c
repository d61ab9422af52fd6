/* SPDX-License-Identifier: MIT
 *
 * What a function is called in results. A Python function is its code object. A
 * function of C is a string that says where it is from, because keeping the
 * callable would keep the object it is bound to. */
#include "ext/cprofile/profiler.h"

/* "<built-in function>" of a module: <len>'s is builtins and goes without. */
static PyObject *name_module_function(PyCFunctionObject *function) {
    const char *name = function->m_ml->ml_name;
    PyObject *module = function->m_module;
    PyObject *module_name = NULL;
    if (module != NULL && PyUnicode_Check(module)) {
        module_name = Py_NewRef(module);
    } else if (module != NULL && PyModule_Check(module)) {
        module_name = PyModule_GetNameObject(module);
        if (module_name == NULL) {
            PyErr_Clear();
        }
    }
    PyObject *result;
    if (module_name != NULL && PyUnicode_CompareWithASCIIString(module_name, "builtins") != 0) {
        result = PyUnicode_FromFormat("<%U.%s>", module_name, name);
    } else {
        result = PyUnicode_FromFormat("<%s>", name);
    }
    Py_XDECREF(module_name);
    return result;
}

/* A bound one is named by what its type has under its name, "<method 'append' of
 * 'list' objects>", or by its module. */
static PyObject *name_bound_function(PyCFunctionObject *function) {
    const char *text = function->m_ml->ml_name;
    PyObject *name = PyUnicode_FromString(text);
    if (name != NULL) {
        PyObject *found = Py_XNewRef(_PyType_Lookup(Py_TYPE(function->m_self), name));
        Py_DECREF(name);
        PyObject *result = found == NULL ? NULL : PyObject_Repr(found);
        Py_XDECREF(found);
        if (result != NULL) {
            return result;
        }
    }
    PyErr_Clear();
    if (function->m_module != NULL && PyUnicode_Check(function->m_module)) {
        return PyUnicode_FromFormat("<built-in method %S.%s>", function->m_module, text);
    }
    return PyUnicode_FromFormat("<built-in method %s>", text);
}

PyObject *hasten_name_of(PyObject *callable, PyObject *self_arg) {
    PyObject *bound = NULL;
    if (Py_IS_TYPE(callable, &PyMethodDescr_Type)) {
        bound = Py_TYPE(callable)->tp_descr_get(callable, self_arg, (PyObject *)Py_TYPE(self_arg));
        if (bound == NULL) {
            return NULL;
        }
        callable = bound;
    }
    PyObject *result;
    if (!PyCFunction_Check(callable)) {
        result = Py_NewRef(callable);
    } else if (((PyCFunctionObject *)callable)->m_self == NULL) {
        result = name_module_function((PyCFunctionObject *)callable);
    } else {
        result = name_bound_function((PyCFunctionObject *)callable);
    }
    Py_XDECREF(bound);
    return result;
}
