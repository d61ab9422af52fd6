/* SPDX-License-Identifier: MIT
 *
 * The books of modules that wait, and how one of them is loaded. */
#include "ext/imports/modules.h"

#include "ext/imports/lazy_module.h"
#include "ext/imports/namespace.h"

static int pending_traverse(PyObject *self, visitproc visit, void *arg) {
    const struct pending *pending = (struct pending *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(pending->module);
    Py_VISIT(pending->spec);
    Py_VISIT(pending->bindings);
    Py_VISIT(pending->children);
    return 0;
}

static int pending_clear(PyObject *self) {
    struct pending *pending = (struct pending *)self;
    Py_CLEAR(pending->name);
    Py_CLEAR(pending->module);
    Py_CLEAR(pending->spec);
    Py_CLEAR(pending->bindings);
    Py_CLEAR(pending->children);
    Py_CLEAR(pending->file);
    return 0;
}

static void pending_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    pending_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot pending_slots[] = {
    {Py_tp_traverse, pending_traverse},
    {Py_tp_clear, pending_clear},
    {Py_tp_dealloc, pending_dealloc},
    {0, NULL},
};

PyType_Spec modules_pending_spec = {
    .name = "hasten._imports.Pending",
    .basicsize = sizeof(struct pending),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = pending_slots,
};

PyObject *modules_loaded(PyObject *name) {
    PyObject *all = PyImport_GetModuleDict();
    if (PyDict_CheckExact(all)) {
        return Py_XNewRef(PyDict_GetItemWithError(all, name));
    }
    PyObject *module = PyObject_GetItem(all, name);
    if (module == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
    }
    return module;
}

struct pending *modules_find(const struct imports *imports, PyObject *name) {
    return imports->pending == NULL /* at the interpreter's end */
               ? NULL
               : (struct pending *)PyDict_GetItemWithError(imports->pending, name);
}

static struct pending *make(struct imports *imports, PyObject *name, PyObject *spec, PyObject *file,
                            int line) {
    PyTypeObject *type = imports->pending_type;
    struct pending *pending = (struct pending *)type->tp_alloc(type, 0);
    if (pending == NULL) {
        return NULL;
    }
    pending->name = Py_NewRef(name);
    pending->spec = Py_XNewRef(spec);
    pending->file = Py_XNewRef(file);
    pending->line = line;
    pending->bindings = PyList_New(0);
    pending->module = PyObject_CallOneArg((PyObject *)imports->module_type, name);
    if (pending->module == NULL || pending->bindings == NULL) {
        Py_CLEAR(pending);
    }
    return pending;
}

struct pending *modules_wait(struct imports *imports, PyObject *name, PyObject *spec,
                             PyObject *file, int line) {
    struct pending *pending = modules_find(imports, name);
    if (pending != NULL || PyErr_Occurred()) {
        Py_XINCREF(pending);
        return pending;
    }
    pending = make(imports, name, spec, file, line);
    if (pending != NULL && PyDict_SetItem(imports->pending, name, (PyObject *)pending) < 0) {
        Py_CLEAR(pending);
    }
    return pending;
}

int modules_bind(struct pending *pending, PyObject *namespace, PyObject *name) {
    PyObject *binding = PyTuple_Pack(2, namespace, name);
    const int result = binding == NULL ? -1 : PyList_Append(pending->bindings, binding);
    Py_XDECREF(binding);
    return result;
}

int modules_add_child(struct pending *pending, PyObject *name) {
    if (pending->children == NULL) {
        pending->children = PySet_New(NULL);
    }
    return pending->children == NULL ? -1 : PySet_Add(pending->children, name);
}

PyObject *modules_top(PyObject *name) {
    const Py_ssize_t size = PyUnicode_GetLength(name);
    const Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, size, 1);
    return dot < 0 ? Py_NewRef(name) : PyUnicode_Substring(name, 0, dot);
}

void modules_note(PyObject *name, PyObject *file, int line) {
    struct hasten_py_exception raised = hasten_py_exception_take();
    hasten_py_exception_normalize(&raised);
    PyObject *value = raised.value;
    if (file != NULL && value != NULL && PyObject_IsInstance(value, PyExc_Exception) == 1) {
        PyObject *text =
            PyUnicode_FromFormat("%U was imported lazily, by %U, line %d", name, file, line);
        PyObject *done = text == NULL ? NULL : PyObject_CallMethod(value, "add_note", "O", text);
        Py_XDECREF(text);
        Py_XDECREF(done);
    }
    PyErr_Clear();
    hasten_py_exception_put(raised);
}

/* a.b of a.b.c.d, for the parent a. */
static PyObject *direct_child(PyObject *parent, PyObject *name) {
    const Py_ssize_t size = PyUnicode_GetLength(name);
    const Py_ssize_t start = PyUnicode_GetLength(parent) + 1;
    const Py_ssize_t dot = PyUnicode_FindChar(name, '.', start, size, 1);
    return PyUnicode_Substring(name, 0, dot < 0 ? size : dot);
}

/* `import a.b` gives `a` an attribute `b`. */
static int store_child(struct pending *child, PyObject *module, PyObject *name) {
    const Py_ssize_t size = PyUnicode_GetLength(name);
    const Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, size, -1);
    PyObject *attribute = PyUnicode_Substring(name, dot + 1, size);
    int result = attribute == NULL ? -1 : PyObject_SetAttr(module, attribute, child->module);
    if (result == 0 && PyModule_Check(module)) {
        result = modules_bind(child, PyModule_GetDict(module), attribute);
    }
    Py_XDECREF(attribute);
    return result;
}

static int attach_child(struct imports *imports, const struct pending *pending, PyObject *module,
                        PyObject *name) {
    PyObject *direct = direct_child(pending->name, name);
    PyObject *loaded = direct == NULL ? NULL : modules_loaded(direct);
    struct pending *child = NULL;
    PyObject *later = NULL;
    int result = PyErr_Occurred() ? -1 : 0;
    if (result == 0 && loaded == NULL) {
        later = modules_later(imports, direct, true, pending->file, pending->line, &child);
        result = PyErr_Occurred() ? -1 : 0;
    }
    const bool is_there = loaded != NULL && PyUnicode_Compare(direct, name) == 0;
    if (result == 0 && later != NULL && child != NULL) {
        result = store_child(child, module, direct);
        if (result == 0 && PyUnicode_Compare(direct, name) != 0) {
            result = modules_add_child(child, name);
        }
    } else if (result == 0 && !is_there) {
        result = hook_import_now(imports, name);
    }
    Py_XDECREF(child);
    Py_XDECREF(direct);
    Py_XDECREF(loaded);
    Py_XDECREF(later);
    return result;
}

/* Submodules that statements imported together with this one. */
static int attach_children(struct imports *imports, const struct pending *pending,
                           PyObject *module) {
    PyObject *children = pending->children == NULL ? NULL : PySequence_List(pending->children);
    int result = PyErr_Occurred() ? -1 : 0;
    for (Py_ssize_t i = 0; children != NULL && result == 0 && i < PyList_GET_SIZE(children); i++) {
        result = attach_child(imports, pending, module, PyList_GET_ITEM(children, i));
    }
    Py_XDECREF(children);
    return result;
}

/* Names that have the object get the module which it could not become. */
static int rebind(const struct pending *pending, PyObject *module) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pending->bindings); i++) {
        PyObject *binding = PyList_GET_ITEM(pending->bindings, i);
        PyObject *namespace = PyTuple_GET_ITEM(binding, 0);
        PyObject *name = PyTuple_GET_ITEM(binding, 1);
        PyObject *value = PyDict_GetItemWithError(namespace, name);
        if (value == NULL && PyErr_Occurred()) {
            return -1;
        }
        if (value == pending->module && PyDict_SetItem(namespace, name, module) < 0) {
            return -1;
        }
    }
    return 0;
}

int modules_settle(struct imports *imports, struct pending *pending, PyObject *module) {
    int result = 0;
    if (modules_find(imports, pending->name) != pending) {
        return PyErr_Occurred() ? -1 : 0; /* another thread was here */
    }
    if (PyDict_DelItem(imports->pending, pending->name) < 0) {
        return -1;
    }
    if (module == pending->module) {
        result = namespace_become_ordinary(imports, module);
    } else {
        PyObject *own = PyModule_GetDict(pending->module);
        result =
            PyDict_SetItemString(own, LAZY_MODULE_REAL, module) < 0 || rebind(pending, module) < 0
                ? -1
                : 0;
    }
    return result < 0 ? -1 : attach_children(imports, pending, module);
}

PyObject *modules_load(struct imports *imports, struct pending *pending) {
    Py_INCREF(pending);
    PyObject *module = NULL;
    if (hook_import_now(imports, pending->name) == 0) {
        module = modules_loaded(pending->name);
        if (module == NULL && !PyErr_Occurred()) {
            PyErr_Format(PyExc_ImportError, "import of %U left no module of that name",
                         pending->name);
        }
        if (module != NULL && modules_settle(imports, pending, module) < 0) {
            Py_CLEAR(module);
        }
    }
    if (module == NULL) {
        modules_note(pending->name, pending->file, pending->line);
    }
    Py_DECREF(pending);
    return module;
}

/* What is there for the first part of a name, loaded or to wait: 1 a module that is loaded, 0
 * one that waits (a new reference), -1 with an exception, or without where it should be imported
 * now. */
static int look_top(struct imports *imports, PyObject *top, PyObject *file, int line,
                    struct pending **ret_pending) {
    PyObject *loaded = modules_loaded(top);
    if (loaded != NULL || PyErr_Occurred()) {
        Py_XDECREF(loaded);
        return loaded != NULL ? 1 : -1;
    }
    *ret_pending = modules_find(imports, top);
    if (*ret_pending != NULL || PyErr_Occurred()) {
        Py_XINCREF(*ret_pending);
        return *ret_pending != NULL ? 0 : -1;
    }
    PyObject *spec = machinery_look(imports, top);
    if (spec != NULL && machinery_can_become(imports, spec)) {
        *ret_pending = modules_wait(imports, top, spec, file, line);
    }
    Py_XDECREF(spec);
    return *ret_pending != NULL ? 0 : -1;
}

static bool is_parent_loaded(PyObject *name) {
    const Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GetLength(name), -1);
    PyObject *parent = dot < 0 ? NULL : PyUnicode_Substring(name, 0, dot);
    PyObject *module = parent == NULL ? NULL : modules_loaded(parent);
    Py_XDECREF(parent);
    Py_XDECREF(module);
    return module != NULL;
}

/* A submodule, whose parent may not be loaded: then nobody knows yet what it is. A new
 * reference. */
static struct pending *wait_leaf(struct imports *imports, PyObject *name, PyObject *file,
                                 int line) {
    struct pending *pending = modules_find(imports, name);
    PyObject *spec = NULL;
    if (pending != NULL || PyErr_Occurred()) {
        Py_XINCREF(pending);
        return pending;
    }
    if (is_parent_loaded(name)) {
        spec = machinery_look(imports, name);
        if (spec == NULL || !machinery_can_become(imports, spec)) {
            Py_XDECREF(spec);
            return NULL;
        }
    }
    if (!PyErr_Occurred()) {
        pending = modules_wait(imports, name, spec, file, line);
    }
    Py_XDECREF(spec);
    return pending;
}

/* `import a.b.c` where a is loaded: a new reference to a, whose submodule waits at its place,
 * as long as the way there is loaded; NULL: now. */
static PyObject *store_in_parent(struct imports *imports, PyObject *top, PyObject *name,
                                 PyObject *file, int line) {
    const Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GetLength(name), -1);
    PyObject *parent_name = PyUnicode_Substring(name, 0, dot);
    PyObject *parent = parent_name == NULL ? NULL : modules_loaded(parent_name);
    struct pending *pending = parent == NULL ? NULL : wait_leaf(imports, name, file, line);
    PyObject *result = NULL;
    if (pending != NULL && store_child(pending, parent, name) == 0) {
        result = modules_loaded(top);
    }
    Py_XDECREF(pending);
    Py_XDECREF(parent_name);
    Py_XDECREF(parent);
    return result;
}

PyObject *modules_later(struct imports *imports, PyObject *name, bool leaf, PyObject *file,
                        int line, struct pending **ret_pending) {
    PyObject *top = modules_top(name);
    struct pending *first = NULL;
    struct pending *wanted = NULL;
    PyObject *result = NULL;
    if (top == NULL) {
        return NULL;
    }
    const int is_loaded = look_top(imports, top, file, line, &first);
    const bool is_top = PyUnicode_Compare(top, name) == 0;
    if (is_loaded >= 0 && leaf && !is_top) {
        wanted = wait_leaf(imports, name, file, line);
    } else if (is_loaded == 1 && !is_top) {
        result = store_in_parent(imports, top, name, file, line);
    } else if (is_loaded == 0) {
        Py_XINCREF(first);
        wanted = first;
    }
    if (wanted != NULL && first != NULL && !is_top && modules_add_child(first, name) < 0) {
        Py_CLEAR(wanted);
    }
    if (wanted != NULL) {
        *ret_pending = wanted;
        result = Py_NewRef(wanted->module);
    }
    Py_XDECREF(first);
    Py_DECREF(top);
    return result;
}
