/* SPDX-License-Identifier: MIT
 *
 * hasten._imports: the module. */
#include "ext/imports/code.h"
#include "ext/imports/imports.h"
#include "ext/imports/lazy_module.h"
#include "ext/imports/modules.h"
#include "ext/imports/namespace.h"
#include "ext/imports/source.h"
#include "ext/imports/timing.h"
#include "ext/imports/values.h"

static struct PyModuleDef module_definition;

struct imports *imports_of(PyTypeObject *type) {
    PyObject *module = PyType_GetModuleByDef(type, &module_definition);
    return module == NULL ? NULL : PyModule_GetState(module);
}

/* set_patterns(include, exclude): for may_wait() alone. */
static PyObject *set_patterns(PyObject *module, PyObject *arguments) {
    struct imports *imports = PyModule_GetState(module);
    PyObject *include = NULL;
    PyObject *exclude = NULL;
    if (!PyArg_ParseTuple(arguments, "O!O!", &PyList_Type, &include, &PyList_Type, &exclude) ||
        !patterns_set(&imports->include, include) || !patterns_set(&imports->exclude, exclude)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *may_wait(PyObject *module, PyObject *name) {
    return PyBool_FromLong(PyUnicode_Check(name) &&
                           imports_may_wait(PyModule_GetState(module), name));
}

/* install(include, exclude): lists of text. From then on imports wait everywhere. */
static PyObject *install(PyObject *module, PyObject *arguments) {
    struct imports *imports = PyModule_GetState(module);
    PyObject *done = set_patterns(module, arguments);
    Py_XDECREF(done);
    if (done == NULL || !machinery_put(imports, module) || !hook_put(imports, module)) {
        return NULL;
    }
    imports->is_everywhere = true;
    Py_RETURN_NONE;
}

static PyObject *uninstall(PyObject *module, PyObject *none) {
    (void)none;
    struct imports *imports = PyModule_GetState(module);
    imports->is_everywhere = false;
    code_forget(imports);
    if (imports->scope_count == 0 && imports->import_before != NULL) {
        hook_remove(imports, module);
    }
    Py_RETURN_NONE;
}

static PyObject *is_installed(PyObject *module, PyObject *none) {
    (void)none;
    return PyBool_FromLong(((struct imports *)PyModule_GetState(module))->is_everywhere);
}

/* open_scope(owner, frame): the body of a `with` that the frame begins. False: it is not at the
 * top of a module, where nothing waits. */
static PyObject *open_scope(PyObject *module, PyObject *arguments) {
    struct imports *imports = PyModule_GetState(module);
    PyObject *owner = NULL;
    PyFrameObject *frame = NULL;
    if (!PyArg_ParseTuple(arguments, "OO!", &owner, &PyFrame_Type, &frame)) {
        return NULL;
    }
    const int handler = code_handler_after(imports, frame);
    if (handler < 0 || imports->scope_count == MOST_SCOPES) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_False);
    }
    if (!machinery_put(imports, module) || !hook_put(imports, module)) {
        return NULL;
    }
    imports->scopes[imports->scope_count++] = (struct scope){
        .code = (PyObject *)PyFrame_GetCode(frame), .handler = handler, .owner = owner};
    Py_RETURN_TRUE;
}

static PyObject *close_scope(PyObject *module, PyObject *owner) {
    struct imports *imports = PyModule_GetState(module);
    for (int i = imports->scope_count - 1; i >= 0; i--) {
        if (imports->scopes[i].owner == owner) {
            PyObject *code = imports->scopes[i].code;
            imports->scope_count--;
            for (int j = i; j < imports->scope_count; j++) {
                imports->scopes[j] = imports->scopes[j + 1];
            }
            Py_DECREF(code);
            break;
        }
    }
    if (imports->scope_count == 0 && !imports->is_everywhere) {
        code_forget(imports);
        hook_remove(imports, module);
    }
    Py_RETURN_NONE;
}

/* lazy_module(name): the module, loaded or to wait; None where it should be imported now. */
static PyObject *lazy_module(PyObject *module, PyObject *name) {
    struct imports *imports = PyModule_GetState(module);
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "a module's name is expected");
        return NULL;
    }
    if (!machinery_put(imports, module)) {
        return NULL;
    }
    PyObject *result = modules_loaded(name);
    if (result != NULL || PyErr_Occurred()) {
        return result;
    }
    PyFrameObject *frame = PyEval_GetFrame();
    PyFrameObject *caller = frame == NULL ? NULL : PyFrame_GetBack(frame);
    PyCodeObject *code = caller == NULL ? NULL : PyFrame_GetCode(caller);
    const int line = caller == NULL ? 0 : PyFrame_GetLineNumber(caller);
    struct pending *pending = NULL;
    result =
        modules_later(imports, name, true, code == NULL ? NULL : code->co_filename, line, &pending);
    Py_XDECREF(pending);
    Py_XDECREF(caller);
    Py_XDECREF(code);
    return result != NULL || PyErr_Occurred() ? result : Py_NewRef(Py_None);
}

/* waiting(): names of modules that are imported but not loaded. */
static PyObject *waiting(PyObject *module, PyObject *none) {
    (void)none;
    return PyDict_Keys(((struct imports *)PyModule_GetState(module))->pending);
}

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base) {
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, (PyObject *)base);
}

static int module_exec(PyObject *module) {
    struct imports *imports = PyModule_GetState(module);
    imports->pending = PyDict_New();
    imports->pending_type = add_type(module, &modules_pending_spec, NULL);
    imports->module_type = add_type(module, &lazy_module_spec, &PyModule_Type);
    imports->namespace_type = add_type(module, &namespace_spec, &PyModule_Type);
    imports->value_type = add_type(module, &values_spec, NULL);
    imports->source_type = add_type(module, &source_spec, NULL);
    return imports->pending == NULL || imports->pending_type == NULL ||
                   imports->module_type == NULL || imports->namespace_type == NULL ||
                   imports->value_type == NULL || imports->source_type == NULL
               ? -1
               : 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    const struct imports *imports = PyModule_GetState(module);
    Py_VISIT(imports->module_type);
    Py_VISIT(imports->namespace_type);
    Py_VISIT(imports->value_type);
    Py_VISIT(imports->pending_type);
    Py_VISIT(imports->source_type);
    Py_VISIT(imports->pending);
    Py_VISIT(imports->import_before);
    Py_VISIT(imports->lazy_import);
    Py_VISIT(imports->find_spec_before);
    Py_VISIT(imports->make_before);
    Py_VISIT(imports->default_creations);
    return 0;
}

static int module_clear(PyObject *module) {
    struct imports *imports = PyModule_GetState(module);
    imports->is_everywhere = false;
    Py_CLEAR(imports->pending);
    Py_CLEAR(imports->import_before);
    Py_CLEAR(imports->lazy_import);
    Py_CLEAR(imports->find_spec_before);
    Py_CLEAR(imports->make_before);
    Py_CLEAR(imports->default_creations);
    Py_CLEAR(imports->module_type);
    Py_CLEAR(imports->namespace_type);
    Py_CLEAR(imports->value_type);
    Py_CLEAR(imports->pending_type);
    Py_CLEAR(imports->source_type);
    return 0;
}

static void module_free(void *module) {
    struct imports *imports = PyModule_GetState(module);
    code_forget(imports);
    timing_free(imports);
    while (imports->scope_count > 0) {
        Py_CLEAR(imports->scopes[--imports->scope_count].code);
    }
    patterns_clear(&imports->include);
    patterns_clear(&imports->exclude);
    module_clear(module);
}

static PyMethodDef module_methods[] = {
    {"_import", (PyCFunction)(void (*)(void))hook_import, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"_find_spec", (PyCFunction)(void (*)(void))machinery_find_spec, METH_FASTCALL, NULL},
    {"_module_from_spec", machinery_make, METH_O, NULL},
    {"_load", (PyCFunction)(void (*)(void))timing_load, METH_FASTCALL, NULL},
    {"_call", (PyCFunction)(void (*)(void))timing_call, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"started", (PyCFunction)(void (*)(void))timing_started, METH_FASTCALL, NULL},
    {"timing_start", timing_start, METH_O, NULL},
    {"timing_write", timing_write, METH_O, NULL},
    {"install", install, METH_VARARGS, NULL},
    {"set_patterns", set_patterns, METH_VARARGS, NULL},
    {"may_wait", may_wait, METH_O, NULL},
    {"uninstall", uninstall, METH_NOARGS, NULL},
    {"is_installed", is_installed, METH_NOARGS, NULL},
    {"open_scope", open_scope, METH_VARARGS, NULL},
    {"close_scope", close_scope, METH_O, NULL},
    {"lazy_module", lazy_module, METH_O, NULL},
    {"waiting", waiting, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_GUARDED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._imports",
    .m_doc = "Imports that happen when what they import is used.",
    .m_size = sizeof(struct imports),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__imports(void);

PyMODINIT_FUNC PyInit__imports(void) {
    return PyModuleDef_Init(&module_definition);
}
