/* SPDX-License-Identifier: MIT
 *
 * Special methods that the interpreter and the standard library find by their name in the
 * type. Where the other object's type has none of that name, the error is the one that it
 * would be without a lazy object in between. */
#include "ext/common/pycompat_types.h"
#include "ext/lazy/module.h"
#include "ext/lazy/proxy.h"

/* The method as the interpreter finds it, bound: NULL without an exception where there is
 * none. */
static PyObject *special_of(PyObject *object, const char *text) {
    PyObject *name = PyUnicode_InternFromString(text);
    PyObject *found = name == NULL ? NULL : hasten_py_type_lookup(Py_TYPE(object), name);
    Py_XDECREF(name);
    const descrgetfunc get = found == NULL ? NULL : Py_TYPE(found)->tp_descr_get;
    if (get != NULL) {
        PyObject *bound = get(found, object, (PyObject *)Py_TYPE(object));
        Py_DECREF(found);
        found = bound;
    }
    return found;
}

/* Calls it. `message` has the type's name. */
static PyObject *call_special(PyObject *self, const char *name, const char *message,
                              PyObject *const *arguments, Py_ssize_t count) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *method = special_of(held.object, name);
    PyObject *answer = NULL;
    if (method != NULL) {
        answer = PyObject_Vectorcall(method, arguments, (size_t)count, NULL);
        Py_DECREF(method);
    } else if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, message, Py_TYPE(held.object)->tp_name);
    }
    hasten_py_release(held);
    return answer;
}

#define CONTEXT(method, kind)                                                               \
    static PyObject *method_##method(PyObject *self, PyObject *const *arguments,            \
                                     Py_ssize_t count) {                                    \
        return call_special(self, "__" #method "__",                                        \
                            "'%.200s' object does not support the " kind "context manager " \
                            "protocol",                                                     \
                            arguments, count);                                              \
    }
CONTEXT(enter, "")
CONTEXT(exit, "")
CONTEXT(aenter, "asynchronous ")
CONTEXT(aexit, "asynchronous ")

static PyObject *method_round(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    return call_special(self, "__round__", "type %.100s doesn't define __round__ method", arguments,
                        count);
}

static PyObject *method_trunc(PyObject *self, PyObject *none) {
    (void)none;
    return call_special(self, "__trunc__", "type %.100s doesn't define __trunc__ method", NULL, 0);
}

/* What math's function of that name answers, which does without such a method. */
static PyObject *of_math(PyObject *self, const char *name) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *math = PyImport_ImportModule("math");
    PyObject *answer = math == NULL ? NULL : PyObject_CallMethod(math, name, "O", held.object);
    Py_XDECREF(math);
    hasten_py_release(held);
    return answer;
}

static PyObject *method_floor(PyObject *self, PyObject *none) {
    (void)none;
    return of_math(self, "floor");
}

static PyObject *method_ceil(PyObject *self, PyObject *none) {
    (void)none;
    return of_math(self, "ceil");
}

static PyObject *called(PyObject *self, PyTypeObject *type) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *answer = PyObject_CallOneArg((PyObject *)type, held.object);
    hasten_py_release(held);
    return answer;
}

static PyObject *method_bytes(PyObject *self, PyObject *none) {
    (void)none;
    return called(self, &PyBytes_Type);
}

static PyObject *method_complex(PyObject *self, PyObject *none) {
    (void)none;
    return called(self, &PyComplex_Type);
}

static PyObject *method_reversed(PyObject *self, PyObject *none) {
    (void)none;
    return called(self, &PyReversed_Type);
}

static PyObject *method_format(PyObject *self, PyObject *specification) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *answer = PyObject_Format(held.object, specification);
    hasten_py_release(held);
    return answer;
}

static PyObject *method_dir(PyObject *self, PyObject *none) {
    (void)none;
    return hasten_py_proxy_pass(self, PyObject_Dir);
}

static PyObject *method_length_hint(PyObject *self, PyObject *none) {
    (void)none;
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    const Py_ssize_t hint = PyObject_LengthHint(held.object, -1);
    hasten_py_release(held);
    if (hint >= 0) {
        return PyLong_FromSsize_t(hint);
    }
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_NotImplemented);
}

/* A path of text stands for itself, and so does what is none: whoever asked complains. */
static PyObject *path_of(PyObject *object) {
    PyObject *method = special_of(object, "__fspath__");
    if (method == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(object);
    }
    PyObject *path = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    return path;
}

static PyObject *method_fspath(PyObject *self, PyObject *none) {
    (void)none;
    return hasten_py_proxy_pass(self, path_of);
}

/* Of an object that is a class. */

static PyObject *check_class(PyObject *self, PyObject *object,
                             int (*check)(PyObject *, PyObject *)) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    const struct hasten_py_held operand = hasten_py_operand_hold(object);
    const int answer = operand.object == NULL ? -1 : check(operand.object, held.object);
    hasten_py_release(operand);
    hasten_py_release(held);
    return answer < 0 ? NULL : PyBool_FromLong(answer);
}

static PyObject *method_instancecheck(PyObject *self, PyObject *object) {
    return check_class(self, object, PyObject_IsInstance);
}

static PyObject *method_subclasscheck(PyObject *self, PyObject *type) {
    return check_class(self, type, PyObject_IsSubclass);
}

static PyObject *method_mro_entries(PyObject *self, PyObject *bases) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *method =
        PyType_Check(held.object) ? NULL : special_of(held.object, "__mro_entries__");
    PyObject *answer = NULL;
    if (method != NULL) {
        answer = PyObject_CallOneArg(method, bases);
        Py_DECREF(method);
    } else if (!PyErr_Occurred()) {
        answer = PyTuple_Pack(1, held.object);
    }
    hasten_py_release(held);
    return answer;
}

/* Copies, pickled ones included, are of the other object, and plain. */

/* Of functions that the standard library has wherever what was pickled is read. */
static PyObject *method_reduce(PyObject *self, PyObject *protocol) {
    (void)protocol;
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *module = PyImport_ImportModule("operator");
    PyObject *function = module == NULL ? NULL : PyObject_GetAttrString(module, "getitem");
    PyObject *answer = function == NULL ? NULL : Py_BuildValue("O((O)i)", function, held.object, 0);
    Py_XDECREF(function);
    Py_XDECREF(module);
    hasten_py_release(held);
    return answer;
}

static PyObject *copied(PyObject *self, const char *name, PyObject *memo) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *module = PyImport_ImportModule("copy");
    PyObject *answer = NULL;
    if (module != NULL) {
        answer = memo == NULL ? PyObject_CallMethod(module, name, "O", held.object)
                              : PyObject_CallMethod(module, name, "OO", held.object, memo);
    }
    Py_XDECREF(module);
    hasten_py_release(held);
    return answer;
}

static PyObject *method_copy(PyObject *self, PyObject *none) {
    (void)none;
    return copied(self, "copy", NULL);
}

static PyObject *method_deepcopy(PyObject *self, PyObject *memo) {
    return copied(self, "deepcopy", memo);
}

static PyObject *method_getattr(PyObject *self, PyObject *name) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *value = PyObject_GetAttr(held.object, name);
    hasten_py_release(held);
    return value;
}

/* A subclass made by a class statement reaches attributes by way of two look-ups of methods,
 * because it has a __getattr__. Ours does what they do. Whatever is done to the class later
 * makes the interpreter choose again. */
static PyObject *method_init_subclass(PyObject *class, PyObject *args, PyObject *kwargs) {
    PyTypeObject *type = (PyTypeObject *)class;
    const struct hasten_py_lazy *state = hasten_py_lazy_of(type);
    if (state == NULL) {
        return NULL;
    }
    PyObject *found = hasten_py_type_lookup(type, state->getattribute);
    PyObject *ours = hasten_py_type_lookup(state->proxy_type, state->getattribute);
    if (found == ours) {
        type->tp_getattro = hasten_py_proxy_getattro;
    }
    Py_XDECREF(found);
    Py_XDECREF(ours);
    PyObject *super =
        PyObject_CallFunctionObjArgs((PyObject *)&PySuper_Type, state->proxy_type, class, NULL);
    PyObject *method = super == NULL ? NULL : PyObject_GetAttrString(super, "__init_subclass__");
    PyObject *answer = method == NULL ? NULL : PyObject_Call(method, args, kwargs);
    Py_XDECREF(method);
    Py_XDECREF(super);
    return answer;
}

#define FAST(method) (PyCFunction)(void (*)(void))(method), METH_FASTCALL, NULL

PyMethodDef hasten_py_proxy_methods[] = {
    {"__enter__", FAST(method_enter)},
    {"__exit__", FAST(method_exit)},
    {"__aenter__", FAST(method_aenter)},
    {"__aexit__", FAST(method_aexit)},
    {"__round__", FAST(method_round)},
    {"__trunc__", method_trunc, METH_NOARGS, NULL},
    {"__floor__", method_floor, METH_NOARGS, NULL},
    {"__ceil__", method_ceil, METH_NOARGS, NULL},
    {"__bytes__", method_bytes, METH_NOARGS, NULL},
    {"__complex__", method_complex, METH_NOARGS, NULL},
    {"__reversed__", method_reversed, METH_NOARGS, NULL},
    {"__format__", method_format, METH_O, NULL},
    {"__dir__", method_dir, METH_NOARGS, NULL},
    {"__length_hint__", method_length_hint, METH_NOARGS, NULL},
    {"__fspath__", method_fspath, METH_NOARGS, NULL},
    {"__instancecheck__", method_instancecheck, METH_O, NULL},
    {"__subclasscheck__", method_subclasscheck, METH_O, NULL},
    {"__mro_entries__", method_mro_entries, METH_O, NULL},
    {"__reduce__", method_reduce, METH_NOARGS, NULL},
    {"__reduce_ex__", method_reduce, METH_O, NULL},
    {"__copy__", method_copy, METH_NOARGS, NULL},
    {"__deepcopy__", method_deepcopy, METH_O, NULL},
    {"__getattr__", method_getattr, METH_O, NULL},
    {"__init_subclass__", (PyCFunction)(void (*)(void))method_init_subclass,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};
