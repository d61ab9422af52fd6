/* SPDX-License-Identifier: MIT
 *
 * What builtins.__import__ is while imports may be lazy: which of them wait, and what the
 * program gets meanwhile. All others go where they went before; those within functions at once.
 *
 * An import waits where it stands by itself at the top of a module (or at the top of the body
 * of `with hasten.lazy.imports():`), so that nobody catches its exceptions; where there is such
 * a module; and where the program would not notice, by what code.h says of the names. */
#include "ext/imports/code.h"
#include "ext/imports/imports.h"
#include "ext/imports/modules.h"
#include "ext/imports/namespace.h"
#include "ext/imports/source.h"
#include "ext/imports/values.h"

/* An import statement that could wait. */
struct request {
    PyObject *name; /* absolute; a reference */
    PyObject *globals;
    PyObject *names; /* of the `from` form; NULL */
    bool is_explicit;
    struct statement statement;
};

static PyObject *import_before(struct imports *imports, PyObject *const *arguments,
                               Py_ssize_t count, PyObject *keywords) {
    if (imports->import_before_is_builtin && count == 5 && keywords == NULL) {
        const int level = (int)PyLong_AsLong(arguments[4]);
        if (level == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return PyImport_ImportModuleLevelObject(arguments[0], arguments[1], arguments[2],
                                                arguments[3], level);
    }
    if (imports->import_before == NULL) { /* somebody kept ours */
        PyErr_SetString(PyExc_ImportError, "hasten._imports was shut down");
        return NULL;
    }
    return PyObject_Vectorcall(imports->import_before, arguments, (size_t)count, keywords);
}

PyObject *hook_import_from_now(struct imports *imports, PyObject *name, PyObject *names) {
    if (imports->import_before == NULL || imports->import_before_is_builtin) {
        return PyImport_ImportModuleLevelObject(name, NULL, NULL, names, 0);
    }
    return PyObject_CallFunction(imports->import_before, "OOOOi", name, Py_None, Py_None,
                                 names == NULL ? Py_None : names, 0);
}

int hook_import_now(struct imports *imports, PyObject *name) {
    PyObject *module = hook_import_from_now(imports, name, NULL);
    Py_XDECREF(module);
    return module == NULL ? -1 : 0;
}

/* The absolute name, by the module's package: a new reference, NULL where it is not plain
 * (no exception) or with an exception. */
static PyObject *absolute_name(PyObject *name, PyObject *globals, long level) {
    if (level == 0) {
        return Py_NewRef(name);
    }
    PyObject *package = PyDict_GetItemString(globals, "__package__");
    if (package == NULL || !PyUnicode_CheckExact(package) || PyUnicode_GetLength(package) == 0) {
        return NULL;
    }
    Py_ssize_t end = PyUnicode_GetLength(package);
    for (; level > 1; level--) {
        end = PyUnicode_FindChar(package, '.', 0, end, -1);
        if (end < 0) {
            return NULL;
        }
    }
    PyObject *base = PyUnicode_Substring(package, 0, end);
    if (base != NULL && PyUnicode_GetLength(name) > 0) {
        PyObject *full = PyUnicode_FromFormat("%U.%U", base, name);
        Py_SETREF(base, full);
    }
    return base;
}

/* Whether there is nothing to wait for: all is loaded. */
static bool is_loaded(PyObject *name, PyObject *names, PyTypeObject *value_type) {
    PyObject *module = modules_loaded(name);
    bool is = module != NULL;
    if (is && names != NULL) {
        PyObject *own = PyModule_Check(module) ? PyModule_GetDict(module) : NULL;
        for (Py_ssize_t i = 0; is && own != NULL && i < PyTuple_GET_SIZE(names); i++) {
            PyObject *value = PyDict_GetItemWithError(own, PyTuple_GET_ITEM(names, i));
            is = value != NULL && !Py_IS_TYPE(value, value_type);
        }
    }
    Py_XDECREF(module);
    return is;
}

/* Whether the statement stands where it may wait, and who says so. */
static bool is_wanted(const struct imports *imports, struct request *request) {
    const struct statement *statement = &request->statement;
    request->is_explicit = false;
    if (statement->handler >= 0) {
        for (int i = imports->scope_count - 1; i >= 0 && !request->is_explicit; i--) {
            request->is_explicit = imports->scopes[i].code == statement->info->code &&
                                   imports->scopes[i].handler == statement->handler;
        }
        return request->is_explicit;
    }
    return imports->is_everywhere && imports_may_wait(imports, request->name);
}

static bool is_package(PyObject *globals) {
    return PyDict_GetItemString(globals, "__path__") != NULL;
}

/* A module that is imported and never mentioned is imported for what importing it does. */
static bool is_for_effect(const struct request *request, int use) {
    return !request->is_explicit && use == 0 && !is_package(request->globals);
}

/* All the code that can use the names is that of the module's file. */
static bool is_whole_module(const struct request *request) {
    PyObject *file = PyDict_GetItemString(request->globals, "__file__");
    return file != NULL && PyUnicode_Check(file) &&
           PyUnicode_Compare(file, request->statement.file) == 0;
}

static PyObject *import_plain(struct imports *imports, const struct request *request) {
    const struct statement *statement = &request->statement;
    const int use = code_uses(statement->info, statement->names[0]);
    if (use < 0 || is_for_effect(request, use)) {
        return NULL;
    }
    struct pending *pending = NULL;
    PyObject *module = modules_later(imports, request->name, statement->form == FORM_AS,
                                     statement->file, statement->line, &pending);
    if (module != NULL && pending != NULL &&
        modules_bind(pending, request->globals, statement->names[0]) < 0) {
        Py_CLEAR(module);
    }
    Py_XDECREF(pending);
    return module;
}

/* `import a.b.c as d` takes b and then c, wherever they come from. */
static PyObject *import_alias(struct imports *imports, const struct request *request) {
    PyObject *result = import_plain(imports, request);
    Py_ssize_t end = PyUnicode_GetLength(request->name);
    for (;;) {
        const Py_ssize_t dot = PyUnicode_FindChar(request->name, '.', 0, end, -1);
        if (result == NULL || dot < 0) {
            return result;
        }
        PyObject *attribute = PyUnicode_Substring(request->name, dot + 1, end);
        PyObject *values = PyDict_New();
        PyObject *source = NULL;
        if (attribute != NULL && values != NULL && PyDict_SetItem(values, attribute, result) == 0) {
            source = source_new(imports, values);
        }
        Py_XDECREF(attribute);
        Py_XDECREF(values);
        Py_SETREF(result, source);
        end = dot;
    }
}

/* Whether every name is used in ways that allow for an object in its place. */
static bool may_stand_in(const struct request *request) {
    const struct statement *statement = &request->statement;
    bool may = is_whole_module(request);
    for (Py_ssize_t i = 0; may && i < statement->count; i++) {
        const int use = code_uses(statement->info, statement->names[i]);
        may = use >= 0 && (use & (USE_NOW | USE_BARE)) == 0 && !is_for_effect(request, use);
    }
    return may;
}

/* From a module that is loaded: what is there at once, else a submodule for later. NULL: all of
 * it now. */
static PyObject *take_from_loaded(struct imports *imports, const struct request *request,
                                  PyObject *module, Py_ssize_t i) {
    const struct statement *statement = &request->statement;
    PyObject *own = PyModule_GetDict(module);
    PyObject *value = PyDict_GetItemWithError(own, statement->attributes[i]);
    if (value != NULL && Py_IS_TYPE(value, imports->value_type)) {
        return may_stand_in(request)
                   ? values_again(imports, value, request->globals, statement->names[i])
                   : NULL;
    }
    if (value != NULL || PyErr_Occurred() || PyDict_GetItemString(own, "__path__") == NULL) {
        return Py_XNewRef(value);
    }
    if (PyDict_GetItemString(own, "__getattr__") != NULL) {
        return NULL; /* it knows of names that nobody sees */
    }
    struct pending *pending = NULL;
    PyObject *full = PyUnicode_FromFormat("%U.%U", request->name, statement->attributes[i]);
    PyObject *later = full == NULL ? NULL
                                   : modules_later(imports, full, true, statement->file,
                                                   statement->line, &pending);
    if (later != NULL && pending != NULL &&
        (modules_bind(pending, request->globals, statement->names[i]) < 0 ||
         modules_bind(pending, own, statement->attributes[i]) < 0 ||
         PyDict_SetItem(own, statement->attributes[i], later) < 0)) {
        Py_CLEAR(later);
    }
    Py_XDECREF(pending);
    Py_XDECREF(full);
    return later;
}

/* Whether the first part of the name waits already or can: a module that is not there fails
 * at once. */
static bool top_can_wait(struct imports *imports, const struct request *request) {
    struct pending *pending = NULL;
    PyObject *top = modules_top(request->name);
    PyObject *loaded = top == NULL ? NULL : modules_loaded(top);
    PyObject *later = NULL;
    if (top != NULL && loaded == NULL && !PyErr_Occurred()) {
        later = modules_later(imports, top, true, request->statement.file, request->statement.line,
                              &pending);
    }
    const bool can = loaded != NULL || later != NULL;
    Py_XDECREF(pending);
    Py_XDECREF(top);
    Py_XDECREF(loaded);
    Py_XDECREF(later);
    return can;
}

static PyObject *import_from(struct imports *imports, const struct request *request) {
    const struct statement *statement = &request->statement;
    PyObject *module = modules_loaded(request->name);
    PyObject *values = NULL;
    bool can = !PyErr_Occurred();
    if (can && module == NULL) {
        can = may_stand_in(request) && top_can_wait(imports, request);
    } else if (can) {
        can = PyModule_Check(module);
    }
    if (can && namespace_of(imports, request->globals) == NULL) {
        can = false;
    }
    values = can ? PyDict_New() : NULL;
    for (Py_ssize_t i = 0; values != NULL && i < statement->count; i++) {
        PyObject *value =
            module == NULL
                ? values_new(imports, request->name, statement->attributes[i], request->globals,
                             statement->names[i], statement->file, statement->line)
                : take_from_loaded(imports, request, module, i);
        if (value == NULL || PyDict_SetItem(values, statement->attributes[i], value) < 0) {
            Py_CLEAR(values);
        }
        Py_XDECREF(value);
    }
    PyObject *source = values == NULL ? NULL : source_new(imports, values);
    Py_XDECREF(values);
    Py_XDECREF(module);
    return source;
}

/* From 3.15 on the language has such imports, and knows how to wait. */
static PyObject *import_natively(const struct imports *imports, PyObject *const *arguments) {
    return PyObject_Vectorcall(imports->lazy_import, arguments, 5, NULL);
}

static PyObject *import_in_form(struct imports *imports, const struct request *request) {
    switch (request->statement.form) {
    case FORM_FROM:
        return import_from(imports, request);
    case FORM_AS:
        return import_alias(imports, request);
    default:
        return import_plain(imports, request);
    }
}

static PyObject *import_later(struct imports *imports, PyObject *const *arguments,
                              struct request *request) {
    if (!code_statement(imports, request->globals, request->names != NULL, &request->statement)) {
        return NULL;
    }
    PyObject *result = NULL;
    if (is_wanted(imports, request)) {
        result = imports->lazy_import != NULL ? import_natively(imports, arguments)
                                              : import_in_form(imports, request);
    }
    code_release(request->statement.info);
    return result;
}

/* Of what is asked for by code of the program, which may ask for anything. */
static bool are_texts(PyObject *names) {
    bool are = PyTuple_CheckExact(names);
    for (Py_ssize_t i = 0; are && i < PyTuple_GET_SIZE(names); i++) {
        are = PyUnicode_Check(PyTuple_GET_ITEM(names, i));
    }
    return are;
}

/* What an import at the top of a module gives that can wait; NULL where it cannot (no
 * exception), or with an exception. */
static PyObject *try_later(struct imports *imports, PyObject *const *arguments) {
    PyObject *names = arguments[3];
    const long level = PyLong_AsLong(arguments[4]);
    if (!PyUnicode_CheckExact(arguments[0]) || level < 0 ||
        (names != Py_None && !are_texts(names))) {
        return NULL;
    }
    struct request request = {.globals = arguments[1]};
    request.names = names == Py_None || PyTuple_GET_SIZE(names) == 0 ? NULL : names;
    if (request.names != NULL &&
        PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "*") == 0) {
        return NULL;
    }
    request.name = absolute_name(arguments[0], request.globals, level);
    PyObject *result = NULL;
    if (request.name != NULL && !is_loaded(request.name, request.names, imports->value_type) &&
        !PyErr_Occurred()) {
        result = import_later(imports, arguments, &request);
    }
    Py_XDECREF(request.name);
    return result;
}

PyObject *hook_import(PyObject *module, PyObject *const *arguments, Py_ssize_t count,
                      PyObject *keywords) {
    struct imports *imports = PyModule_GetState(module);
    /* At the top of a module, and only there, the local names are the global ones. */
    if (count == 5 && keywords == NULL && arguments[1] == arguments[2] &&
        PyDict_CheckExact(arguments[1]) && (imports->is_everywhere || imports->scope_count > 0)) {
        PyObject *result = try_later(imports, arguments);
        if (result != NULL || PyErr_Occurred()) {
            return result;
        }
    }
    return import_before(imports, arguments, count, keywords);
}

/* The interpreter's own. */
static bool is_builtin(PyObject *function) {
    PyObject *module =
        PyCFunction_Check(function) ? ((PyCFunctionObject *)function)->m_module : NULL;
    return module != NULL && PyUnicode_Check(module) &&
           PyUnicode_CompareWithASCIIString(module, "builtins") == 0;
}

bool hook_put(struct imports *imports, PyObject *module) {
    PyObject *names = PyEval_GetBuiltins();
    PyObject *ours = PyObject_GetAttrString(module, "_import");
    PyObject *before = PyDict_GetItemString(names, "__import__");
    bool is_put = false;
    if (ours != NULL && before == NULL) {
        PyErr_SetString(PyExc_ImportError, "there is no builtins.__import__");
    } else if (ours != NULL && PyObject_RichCompareBool(before, ours, Py_EQ) == 1) {
        is_put = true;
    } else if (ours != NULL && imports->is_beneath && before != imports->import_before &&
               !is_builtin(before)) {
        is_put = true; /* it may call ours: put above it, ours would call itself */
    } else if (ours != NULL) {
        imports->import_before_is_builtin = is_builtin(before);
        Py_XSETREF(imports->import_before, Py_NewRef(before));
        Py_XSETREF(imports->lazy_import,
                   Py_XNewRef(PyDict_GetItemString(names, "__lazy_import__")));
        is_put = PyDict_SetItemString(names, "__import__", ours) == 0;
        imports->is_beneath = is_put;
    }
    Py_XDECREF(ours);
    return is_put;
}

void hook_remove(struct imports *imports, PyObject *module) {
    PyObject *names = PyEval_GetBuiltins();
    PyObject *ours = PyObject_GetAttrString(module, "_import");
    PyObject *there = PyDict_GetItemString(names, "__import__");
    /* Somebody else's may call ours: then it stays, and passes everything on. */
    if (ours != NULL && there != NULL && PyObject_RichCompareBool(there, ours, Py_EQ) == 1) {
        imports->is_beneath = PyDict_SetItemString(names, "__import__", imports->import_before) < 0;
    }
    Py_XDECREF(ours);
}
