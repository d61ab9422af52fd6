/* SPDX-License-Identifier: MIT
 *
 * Two functions of importlib with ours before them. `_find_spec` answers for a module that
 * waits with what was found when it was imported, so that it is the same module even where
 * sys.path has changed since; `module_from_spec` answers with the object that waits. Both only
 * to the import system itself: who calls them otherwise gets what he always got. */
#include "ext/imports/imports.h"
#include "ext/imports/modules.h"

static PyObject *bootstrap(void) {
    return PyImport_ImportModule("_frozen_importlib");
}

/* create_module of a loader class, where importlib has one that makes nothing. */
static int add_creation(PyObject *set, PyObject *module, const char *class_name) {
    PyObject *class = PyObject_GetAttrString(module, class_name);
    PyObject *function = class == NULL ? NULL : PyObject_GetAttrString(class, "create_module");
    const int result = function == NULL ? -1 : PySet_Add(set, function);
    Py_XDECREF(class);
    Py_XDECREF(function);
    return result;
}

static PyObject *find_creations(void) {
    PyObject *external = PyImport_ImportModule("_frozen_importlib_external");
    PyObject *set = external == NULL ? NULL : PySet_New(NULL);
    if (set != NULL && (add_creation(set, external, "SourceFileLoader") < 0 ||
                        add_creation(set, external, "SourcelessFileLoader") < 0 ||
                        add_creation(set, external, "NamespaceLoader") < 0)) {
        Py_CLEAR(set);
    }
    Py_XDECREF(external);
    return set;
}

bool machinery_can_become(struct imports *imports, PyObject *spec) {
    PyObject *loader = spec == Py_None ? NULL : PyObject_GetAttrString(spec, "loader");
    PyObject *function = loader == NULL || loader == Py_None
                             ? NULL
                             : PyObject_GetAttrString((PyObject *)Py_TYPE(loader), "create_module");
    const bool can = function != NULL && PySet_Contains(imports->default_creations, function) == 1;
    Py_XDECREF(loader);
    Py_XDECREF(function);
    PyErr_Clear();
    return can;
}

PyObject *machinery_look(struct imports *imports, PyObject *name) {
    const Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GetLength(name), -1);
    PyObject *path = Py_NewRef(Py_None);
    if (dot >= 0) {
        PyObject *parent_name = PyUnicode_Substring(name, 0, dot);
        PyObject *parent = parent_name == NULL ? NULL : modules_loaded(parent_name);
        Py_SETREF(path, parent == NULL ? NULL : PyObject_GetAttrString(parent, "__path__"));
        Py_XDECREF(parent_name);
        Py_XDECREF(parent);
    }
    PyObject *spec = NULL;
    if (path != NULL) {
        spec = PyObject_CallFunctionObjArgs(imports->find_spec_before, name, path, NULL);
    }
    Py_XDECREF(path);
    if (spec == NULL) {
        PyErr_Clear(); /* what is wrong is best said by the import itself */
        spec = Py_NewRef(Py_None);
    }
    return spec;
}

/* Whether it is importlib's function `name` that calls us. */
static bool is_called_by(const char *name) {
    PyFrameObject *frame = PyEval_GetFrame();
    PyCodeObject *code = frame == NULL ? NULL : PyFrame_GetCode(frame);
    const bool is =
        code != NULL && PyUnicode_CompareWithASCIIString(code->co_name, name) == 0 &&
        PyUnicode_CompareWithASCIIString(code->co_filename, "<frozen importlib._bootstrap>") == 0;
    Py_XDECREF(code);
    return is;
}

/* The interpreter has taken our state away already, and still imports. */
static PyObject *is_over(void) {
    PyErr_SetString(PyExc_ImportError, "the interpreter is shutting down");
    return NULL;
}

PyObject *machinery_find_spec(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    struct imports *imports = PyModule_GetState(module);
    if (count >= 1 && PyUnicode_CheckExact(arguments[0]) &&
        is_called_by("_find_and_load_unlocked")) {
        const struct pending *pending = modules_find(imports, arguments[0]);
        if (pending != NULL && pending->spec != NULL) {
            return Py_NewRef(pending->spec);
        }
    }
    if (imports->find_spec_before == NULL) {
        return is_over();
    }
    return PyObject_Vectorcall(imports->find_spec_before, arguments, (size_t)count, NULL);
}

/* Makes the object that waits what `fresh` is: an empty module with its specification. */
static PyObject *take_over(struct pending *pending, PyObject *fresh) {
    PyObject *own = PyModule_GetDict(pending->module);
    PyDict_Clear(own);
    pending->is_loading = true;
    pending->owner = PyThread_get_thread_ident();
    if (PyDict_Update(own, PyModule_GetDict(fresh)) < 0) {
        return NULL;
    }
    return Py_NewRef(pending->module);
}

PyObject *machinery_make(PyObject *module, PyObject *spec) {
    struct imports *imports = PyModule_GetState(module);
    PyObject *fresh =
        imports->make_before == NULL ? is_over() : PyObject_CallOneArg(imports->make_before, spec);
    if (fresh == NULL || !PyModule_CheckExact(fresh) || imports->pending == NULL ||
        PyDict_GET_SIZE(imports->pending) == 0) {
        return fresh;
    }
    PyObject *name = PyObject_GetAttrString(spec, "name");
    struct pending *pending =
        name == NULL || !PyUnicode_CheckExact(name) ? NULL : modules_find(imports, name);
    Py_XDECREF(name);
    PyErr_Clear();
    if (pending == NULL || !Py_IS_TYPE(pending->module, imports->module_type) ||
        !is_called_by("_load_unlocked") || !machinery_can_become(imports, spec)) {
        return fresh;
    }
    Py_INCREF(pending);
    PyObject *object = take_over(pending, fresh);
    Py_DECREF(pending);
    Py_DECREF(fresh);
    return object;
}

static int replace(PyObject *owner, const char *name, PyObject *module, const char *ours,
                   PyObject **ret_before) {
    PyObject *before = PyObject_GetAttrString(owner, name);
    PyObject *function = before == NULL ? NULL : PyObject_GetAttrString(module, ours);
    if (function == NULL) {
        Py_XDECREF(before);
        return -1;
    }
    *ret_before = before;
    const int result = PyObject_SetAttrString(owner, name, function);
    Py_DECREF(function);
    return result;
}

bool machinery_put(struct imports *imports, PyObject *module) {
    if (imports->make_before != NULL) {
        return true;
    }
    PyObject *owner = bootstrap();
    imports->default_creations = owner == NULL ? NULL : find_creations();
    bool is_put =
        imports->default_creations != NULL &&
        replace(owner, "_find_spec", module, "_find_spec", &imports->find_spec_before) == 0 &&
        replace(owner, "module_from_spec", module, "_module_from_spec", &imports->make_before) == 0;
    Py_XDECREF(owner);
    return is_put;
}
