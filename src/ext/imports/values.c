/* SPDX-License-Identifier: MIT
 *
 * Values that wait, and what takes the place of a module in `from x import y`. */
#include "ext/imports/values.h"

#include "ext/imports/modules.h"
#include "ext/imports/namespace.h"

struct value {
    PyObject_HEAD PyObject *module; /* names */
    PyObject *attribute;
    PyObject *namespace; /* a dict in which `name` is this object */
    PyObject *name;
    PyObject *file;
    PyObject *loaded; /* the value, once it was needed */
    int line;
};

static int value_traverse(PyObject *self, visitproc visit, void *arg) {
    const struct value *value = (struct value *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(value->namespace);
    Py_VISIT(value->loaded);
    return 0;
}

static int value_clear(PyObject *self) {
    struct value *value = (struct value *)self;
    Py_CLEAR(value->module);
    Py_CLEAR(value->attribute);
    Py_CLEAR(value->namespace);
    Py_CLEAR(value->name);
    Py_CLEAR(value->file);
    Py_CLEAR(value->loaded);
    return 0;
}

static void value_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    value_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *values_new(struct imports *imports, PyObject *module, PyObject *attribute,
                     PyObject *namespace, PyObject *name, PyObject *file, int line) {
    struct value *value = (struct value *)imports->value_type->tp_alloc(imports->value_type, 0);
    if (value != NULL) {
        value->module = Py_NewRef(module);
        value->attribute = Py_NewRef(attribute);
        value->namespace = Py_NewRef(namespace);
        value->name = Py_NewRef(name);
        value->file = Py_XNewRef(file);
        value->line = line;
    }
    return (PyObject *)value;
}

PyObject *values_again(struct imports *imports, PyObject *self, PyObject *namespace,
                       PyObject *name) {
    const struct value *value = (struct value *)self;
    return values_new(imports, value->module, value->attribute, namespace, name, value->file,
                      value->line);
}

static void complain(const struct value *value, PyObject *module) {
    PyObject *file = PyObject_GetAttrString(module, "__file__");
    if (file == NULL) {
        PyErr_Clear();
        file = PyUnicode_FromString("unknown location");
    }
    if (file != NULL) {
        PyErr_Format(PyExc_ImportError, "cannot import name %R from %R (%S)", value->attribute,
                     value->module, file);
    }
    Py_XDECREF(file);
}

/* What IMPORT_FROM does: an attribute, else a submodule. */
static PyObject *take(const struct value *value, PyObject *module) {
    PyObject *found = PyObject_GetAttr(module, value->attribute);
    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return found;
    }
    PyErr_Clear();
    PyObject *full = PyUnicode_FromFormat("%U.%U", value->module, value->attribute);
    found = full == NULL ? NULL : modules_loaded(full);
    Py_XDECREF(full);
    if (found == NULL && !PyErr_Occurred()) {
        complain(value, module);
    }
    return found;
}

static PyObject *import_value(struct imports *imports, const struct value *value) {
    PyObject *names = PyTuple_Pack(1, value->attribute);
    PyObject *module = names == NULL ? NULL : hook_import_from_now(imports, value->module, names);
    PyObject *found = module == NULL ? NULL : take(value, module);
    Py_XDECREF(names);
    Py_XDECREF(module);
    if (found == NULL) {
        modules_note(value->module, value->file, value->line);
    }
    return found;
}

/* The name gets the value, if it still has what stands for it. */
static int store(struct imports *imports, const struct value *value) {
    PyObject *there = PyDict_GetItemWithError(value->namespace, value->name);
    if (there == (const PyObject *)value &&
        PyDict_SetItem(value->namespace, value->name, value->loaded) < 0) {
        return -1;
    }
    PyObject *module_name = PyDict_GetItemString(value->namespace, "__name__");
    PyObject *module =
        module_name == NULL || !PyUnicode_Check(module_name) ? NULL : modules_loaded(module_name);
    int result = PyErr_Occurred() ? -1 : 0;
    if (module != NULL && Py_IS_TYPE(module, imports->namespace_type) &&
        PyModule_GetDict(module) == value->namespace) {
        result = namespace_become_ordinary(imports, module);
    }
    Py_XDECREF(module);
    return result;
}

PyObject *values_load(struct imports *imports, PyObject *self) {
    struct value *value = (struct value *)self;
    if (value->loaded != NULL) {
        return Py_NewRef(value->loaded);
    }
    Py_INCREF(self); /* storing the value drops the name's reference */
    PyObject *found = import_value(imports, value);
    if (found != NULL && Py_IS_TYPE(found, imports->value_type) && found != self) {
        PyObject *next = values_load(imports, found);
        Py_SETREF(found, next);
    }
    if (found != NULL && value->loaded == NULL) {
        value->loaded = Py_NewRef(found);
    }
    if (found != NULL && store(imports, value) < 0) {
        Py_CLEAR(found);
    }
    Py_DECREF(self);
    return found;
}

static PyObject *load(PyObject *self) {
    struct imports *imports = imports_of(Py_TYPE(self));
    return imports == NULL ? NULL : values_load(imports, self);
}

static PyObject *value_call(PyObject *self, PyObject *arguments, PyObject *keywords) {
    PyObject *loaded = load(self);
    PyObject *result = loaded == NULL ? NULL : PyObject_Call(loaded, arguments, keywords);
    Py_XDECREF(loaded);
    return result;
}

static PyObject *value_getattro(PyObject *self, PyObject *name) {
    /* The class statement asks bases that are no types for it. */
    if (!PyUnicode_Check(name) || PyUnicode_CompareWithASCIIString(name, "__mro_entries__") == 0) {
        return PyObject_GenericGetAttr(self, name);
    }
    PyObject *loaded = load(self);
    PyObject *result = loaded == NULL ? NULL : PyObject_GetAttr(loaded, name);
    Py_XDECREF(loaded);
    return result;
}

static int value_setattro(PyObject *self, PyObject *name, PyObject *item) {
    PyObject *loaded = load(self);
    const int result = loaded == NULL ? -1 : PyObject_SetAttr(loaded, name, item);
    Py_XDECREF(loaded);
    return result;
}

static PyObject *apply(PyObject *self, PyObject *(*function)(PyObject *)) {
    PyObject *loaded = load(self);
    PyObject *result = loaded == NULL ? NULL : function(loaded);
    Py_XDECREF(loaded);
    return result;
}

static PyObject *value_repr(PyObject *self) {
    return apply(self, PyObject_Repr);
}

static PyObject *value_str(PyObject *self) {
    return apply(self, PyObject_Str);
}

static PyObject *value_iter(PyObject *self) {
    return apply(self, PyObject_GetIter);
}

static Py_hash_t value_hash(PyObject *self) {
    PyObject *loaded = load(self);
    const Py_hash_t hash = loaded == NULL ? -1 : PyObject_Hash(loaded);
    Py_XDECREF(loaded);
    return hash;
}

static int value_bool(PyObject *self) {
    PyObject *loaded = load(self);
    const int is_true = loaded == NULL ? -1 : PyObject_IsTrue(loaded);
    Py_XDECREF(loaded);
    return is_true;
}

static PyObject *value_compare(PyObject *self, PyObject *other, int operation) {
    PyObject *loaded = load(self);
    PyObject *result = loaded == NULL ? NULL : PyObject_RichCompare(loaded, other, operation);
    Py_XDECREF(loaded);
    return result;
}

static Py_ssize_t value_length(PyObject *self) {
    PyObject *loaded = load(self);
    const Py_ssize_t size = loaded == NULL ? -1 : PyObject_Size(loaded);
    Py_XDECREF(loaded);
    return size;
}

static PyObject *value_item(PyObject *self, PyObject *key) {
    PyObject *loaded = load(self);
    PyObject *item = loaded == NULL ? NULL : PyObject_GetItem(loaded, key);
    Py_XDECREF(loaded);
    return item;
}

static int value_contains(PyObject *self, PyObject *item) {
    PyObject *loaded = load(self);
    const int result = loaded == NULL ? -1 : PySequence_Contains(loaded, item);
    Py_XDECREF(loaded);
    return result;
}

/* Types in annotations: `y | None`. */
static PyObject *value_or(PyObject *left, PyObject *right) {
    const bool is_left = Py_TYPE(left)->tp_getattro == value_getattro;
    PyObject *loaded = load(is_left ? left : right);
    PyObject *result = NULL;
    if (loaded != NULL) {
        result = is_left ? PyNumber_Or(loaded, right) : PyNumber_Or(left, loaded);
    }
    Py_XDECREF(loaded);
    return result;
}

static PyObject *value_instancecheck(PyObject *self, PyObject *object) {
    PyObject *loaded = load(self);
    const int is = loaded == NULL ? -1 : PyObject_IsInstance(object, loaded);
    Py_XDECREF(loaded);
    return is < 0 ? NULL : PyBool_FromLong(is);
}

static PyObject *value_subclasscheck(PyObject *self, PyObject *type) {
    PyObject *loaded = load(self);
    const int is = loaded == NULL ? -1 : PyObject_IsSubclass(type, loaded);
    Py_XDECREF(loaded);
    return is < 0 ? NULL : PyBool_FromLong(is);
}

static PyObject *value_mro_entries(PyObject *self, PyObject *bases) {
    (void)bases;
    PyObject *loaded = load(self);
    PyObject *result = loaded == NULL ? NULL : PyTuple_Pack(1, loaded);
    Py_XDECREF(loaded);
    return result;
}

static PyMethodDef value_methods[] = {
    {"__instancecheck__", value_instancecheck, METH_O, NULL},
    {"__subclasscheck__", value_subclasscheck, METH_O, NULL},
    {"__mro_entries__", value_mro_entries, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot value_slots[] = {
    {Py_tp_traverse, value_traverse},
    {Py_tp_clear, value_clear},
    {Py_tp_dealloc, value_dealloc},
    {Py_tp_call, value_call},
    {Py_tp_getattro, value_getattro},
    {Py_tp_setattro, value_setattro},
    {Py_tp_repr, value_repr},
    {Py_tp_str, value_str},
    {Py_tp_iter, value_iter},
    {Py_tp_hash, value_hash},
    {Py_tp_richcompare, value_compare},
    {Py_nb_bool, value_bool},
    {Py_nb_or, value_or},
    {Py_mp_length, value_length},
    {Py_mp_subscript, value_item},
    {Py_sq_contains, value_contains},
    {Py_tp_methods, value_methods},
    {0, NULL},
};

PyType_Spec values_spec = {
    .name = "hasten._imports.LazyValue",
    .basicsize = sizeof(struct value),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = value_slots,
};
