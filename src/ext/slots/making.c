/* SPDX-License-Identifier: MIT
 *
 * A class made anew with slots, and the traces of the one it replaces. How instances are
 * laid out is fixed when a class is made, so there has to be a second one; the hooks that
 * saw the first must not run twice, functions that mean "this class" must mean the second,
 * and the first must be gone afterwards. */
#include "ext/slots/slots.h"

#include "core/base/allocator.h"
#include "core/base/map.h"

/* Objects that are looked at in search of a class's cells. Where there is one it is at
 * hand: the functions themselves, or a wrapper or two away. */
#define MOST_LOOKED_AT 20000

static PyObject *quiet(PyObject *Py_UNUSED(cls), PyObject *Py_UNUSED(args),
                       PyObject *Py_UNUSED(keywords)) {
    Py_RETURN_NONE;
}

PyMethodDef hasten_slots_quiet_method = {"__init_subclass__", (PyCFunction)(void (*)(void))quiet,
                                         METH_VARARGS | METH_KEYWORDS, "Ran already."};

/* The dict of the first class along the bases that has the hook, unless that is object:
 * a new reference, or NULL. */
static PyObject *dict_with_hook(PyObject *bases, PyObject *name) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(bases, i);
        if (!PyType_Check(base) || base == (PyObject *)&PyBaseObject_Type) {
            continue;
        }
        PyObject *dict = hasten_py_type_dict((PyTypeObject *)base);
        if (dict != NULL && PyDict_Contains(dict, name) == 1) {
            return dict;
        }
        Py_XDECREF(dict);
    }
    return NULL;
}

const char hasten_slots_remake_doc[] =
    "remake($module, mro, arguments, /)\n--\n\n"
    "type.__new__(*arguments) without the call of __init_subclass__, which saw the class\n"
    "before. The mro is that of the class without itself.";

/* The hook is found by super(), which asks the dicts of the bases and no cache. For the
 * call of type.__new__ another one lies there; no code of the program runs meanwhile,
 * since the collector is off and the caller gives nothing that has a __set_name__. */
PyObject *hasten_slots_remake(PyObject *module, PyObject *args) {
    struct hasten_slots_state *state = hasten_slots_state_of(module);
    PyObject *mro = NULL;
    PyObject *arguments = NULL;
    if (!PyArg_ParseTuple(args, "O!O!:remake", &PyTuple_Type, &mro, &PyTuple_Type, &arguments)) {
        return NULL;
    }
    PyObject *name = PyUnicode_InternFromString("__init_subclass__");
    PyObject *made = NULL;
    PyObject *hook = NULL;
    PyObject *dict = name == NULL ? NULL : dict_with_hook(mro, name);
    const bool collects = PyGC_Disable() != 0;
    if (dict != NULL) {
        hook = Py_XNewRef(PyDict_GetItemWithError(dict, name));
        if (hook == NULL || PyDict_SetItem(dict, name, state->quiet) < 0) {
            goto done;
        }
    }
    if (name != NULL) {
        made = PyObject_Call(state->type_new, arguments, NULL);
    }
    if (dict != NULL) {
        struct hasten_py_exception exception = hasten_py_exception_take();
        if (PyDict_SetItem(dict, name, hook) < 0) {
            Py_FatalError("hasten.slots: a key that is there could not be set");
        }
        hasten_py_exception_put(exception);
    }
done:
    if (collects) {
        PyGC_Enable();
    }
    Py_XDECREF(hook);
    Py_XDECREF(dict);
    Py_XDECREF(name);
    return made;
}

struct search {
    struct hasten_map seen;
    PyObject **queue; /* borrowed: nothing goes away during the search */
    size_t count, capacity;
    bool failed;
};

static int find(PyObject *object, void *data) {
    struct search *search = data;
    bool is_new = false;
    if (object == NULL || search->count >= MOST_LOOKED_AT || PyType_Check(object) ||
        PyModule_Check(object) || !PyObject_IS_GC(object)) {
        return 0;
    }
    struct hasten_map_key key = {.low = (uint64_t)(uintptr_t)object};
    void *queue = search->queue;
    if (hasten_map_insert(&search->seen, key, 1, &is_new) == NULL ||
        (is_new && hasten_grow(NULL, &queue, &search->capacity, search->count + 1,
                               sizeof *search->queue) < 0)) {
        search->failed = true;
        return 1;
    }
    search->queue = queue;
    if (is_new) {
        search->queue[search->count++] = object;
    }
    return 0;
}

/* What a function has of its own: not the globals that it shares with its module. */
static void find_in_function(PyObject *function, struct search *search) {
    (void)find(PyFunction_GetClosure(function), search);
    (void)find(PyFunction_GetDefaults(function), search);
    (void)find(PyFunction_GetKwDefaults(function), search);
    (void)find(((PyFunctionObject *)function)->func_dict, search);
    (void)find(hasten_py_function_annotate(function), search);
}

static bool is_running(PyObject *object) {
    return PyFrame_Check(object) || PyGen_Check(object) || PyCoro_CheckExact(object) ||
           PyAsyncGen_CheckExact(object);
}

struct swap {
    PyObject *old, *new;
};

/* A cell that means the class, or (annotations, type parameters) its dict. */
static bool mend_cell(PyObject *cell, const struct swap *swaps, size_t count) {
    PyObject *content = PyCell_GET(cell);
    for (size_t i = 0; i < count && content != NULL; i++) {
        if (content == swaps[i].old) {
            (void)PyCell_Set(cell, swaps[i].new);
            return true;
        }
    }
    return false;
}

const char hasten_slots_mend_doc[] =
    "mend($module, old, new, roots, /)\n--\n\n"
    "Sets cells that hold the old class, and can be reached from the roots, to the new one;\n"
    "answers how many.";

PyObject *hasten_slots_mend(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *old = NULL;
    PyObject *new = NULL;
    PyObject *roots = NULL;
    if (!PyArg_ParseTuple(args, "O!O!O!:mend", &PyType_Type, &old, &PyType_Type, &new, &PyList_Type,
                          &roots)) {
        return NULL;
    }
    PyObject *old_dict = hasten_py_type_dict((PyTypeObject *)old);
    PyObject *new_dict = hasten_py_type_dict((PyTypeObject *)new);
    const struct swap swaps[] = {{old, new}, {old_dict, new_dict}};
    struct search search = {.count = 0};
    Py_ssize_t mended = 0;
    const bool collects = PyGC_Disable() != 0;
    hasten_map_init(&search.seen, NULL);
    (void)find(roots, &search);
    for (size_t i = 0; i < search.count && !search.failed; i++) {
        PyObject *object = search.queue[i];
        if (PyCell_Check(object) && mend_cell(object, swaps, 2)) {
            mended++;
        } else if (PyFunction_Check(object)) {
            find_in_function(object, &search);
        } else if (!is_running(object) && Py_TYPE(object)->tp_traverse != NULL) {
            (void)Py_TYPE(object)->tp_traverse(object, find, &search);
        }
    }
    if (collects) {
        PyGC_Enable();
    }
    hasten_map_done(&search.seen);
    hasten_release(NULL, search.queue, search.capacity * sizeof *search.queue);
    Py_XDECREF(old_dict);
    Py_XDECREF(new_dict);
    return search.failed ? PyErr_NoMemory() : PyLong_FromSsize_t(mended);
}

/* References to a class that are its own parts', and go away with it. -1: a part of it is
 * held by somebody else. */
static Py_ssize_t own_references(PyTypeObject *type, PyObject *dict) {
    PyObject *mro = type->tp_mro;
    PyObject *key = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    Py_ssize_t count = 0;
    /* Two of the dict: the type's, and that of whoever asks here. */
    if (mro == NULL || Py_REFCNT(mro) != 1 || Py_REFCNT(dict) != 2) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        count += PyTuple_GET_ITEM(mro, i) == (PyObject *)type;
    }
    while (PyDict_Next(dict, &at, &key, &value)) {
        const bool is_descriptor =
            Py_IS_TYPE(value, &PyGetSetDescr_Type) || Py_IS_TYPE(value, &PyMemberDescr_Type);
        if (is_descriptor && PyDescr_TYPE(value) == type) {
            if (Py_REFCNT(value) != 1) {
                return -1;
            }
            count++;
        }
    }
    return count;
}

const char hasten_slots_retire_doc[] =
    "retire($module, box, /)\n--\n\n"
    "Takes a class out of a list of one and, where nothing else refers to it, ends it at\n"
    "once. A class is a part of itself and would else wait for the collector, among the\n"
    "subclasses of its bases. Answers whether it is gone.";

PyObject *hasten_slots_retire(PyObject *Py_UNUSED(module), PyObject *box) {
    if (!PyList_CheckExact(box) || PyList_GET_SIZE(box) != 1 ||
        !PyType_Check(PyList_GET_ITEM(box, 0))) {
        PyErr_SetString(PyExc_TypeError, "retire() takes a list of one class");
        return NULL;
    }
    PyObject *old = Py_NewRef(PyList_GET_ITEM(box, 0));
    PyTypeObject *type = (PyTypeObject *)old;
    PyObject *dict = NULL;
    bool gone = false;
    if (PyList_SetSlice(box, 0, 1, NULL) == 0 && PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
        dict = hasten_py_type_dict(type);
        const Py_ssize_t own = dict == NULL ? -1 : own_references(type, dict);
        gone = own >= 0 && Py_REFCNT(old) == own + 1;
    }
    Py_XDECREF(dict);
    if (gone) {
        /* What the collector does with a class that is garbage. */
        (void)Py_TYPE(old)->tp_clear(old);
    }
    Py_DECREF(old);
    return PyErr_Occurred() ? NULL : PyBool_FromLong(gone);
}
