/* SPDX-License-Identifier: MIT
 *
 * How instances come into being.
 *
 * Initial values of slots. A class attribute is what an instance has until it is given its
 * own; a slot has nothing until then, and hides the class attribute. So each new instance
 * is given them, when its memory is made: below every __new__, hence also where copies and
 * pickles make instances, and without a call of Python's. Reading a slot costs what it
 * always does.
 *
 * Calls of the class. The interpreter makes instances whose values lie in them (3.13) by an
 * instruction of its own, others through a tuple of the arguments and two functions more.
 * With slots that would be slower than without. Here the arguments go to __init__ as they
 * are, where that is a Python function and nothing but object makes instances; whether that
 * is so is looked at in every call, so that the class may be changed at any time.
 *
 * What is needed for both is in a field of the type that the interpreter has no use for but
 * visits and releases (tp_cache). Classes made later from such a class have an allocator of
 * their own, so they are told too (inherit). */
#include "ext/slots/slots.h"

#include "core/base/allocator.h"

#include <string.h>

/* Arguments that are copied without asking for memory. */
#define FEW_ARGUMENTS 8

struct initial {
    Py_ssize_t offset;
    PyObject *value;
};

struct creation {
    PyObject_HEAD PyObject *init_name; /* "__init__" */
    /* What that was when the type, whose calls these are, had this version; borrowed: while
     * the version is the same, so is the attribute. 0: not known. */
    PyObject *init;
    unsigned version;
    size_t count, capacity;
    struct initial *items;
};

static PyObject *allocate(PyTypeObject *type, Py_ssize_t item_count) {
    PyObject *made = PyType_GenericAlloc(type, item_count);
    const struct creation *creation = (const struct creation *)(const void *)type->tp_cache;
    for (size_t i = 0; made != NULL && creation != NULL && i < creation->count; i++) {
        *(PyObject **)(void *)((char *)made + creation->items[i].offset) =
            Py_NewRef(creation->items[i].value);
    }
    return made;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    const struct creation *creation = (const struct creation *)(const void *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(creation->init_name);
    for (size_t i = 0; i < creation->count; i++) {
        Py_VISIT(creation->items[i].value);
    }
    return 0;
}

/* The name stays: a destructor may yet call a class that goes in the same collection. */
static int clear(PyObject *self) {
    struct creation *creation = (struct creation *)(void *)self;
    const size_t count = creation->count;
    creation->count = 0;
    for (size_t i = 0; i < count; i++) {
        Py_DECREF(creation->items[i].value);
    }
    hasten_release(NULL, creation->items, creation->capacity * sizeof *creation->items);
    creation->items = NULL;
    return 0;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    (void)clear(self);
    Py_CLEAR(((struct creation *)(void *)self)->init_name);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot creation_slots[] = {
    {Py_tp_doc, "How instances of a class are made."},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_dealloc, dealloc},
    {0, NULL},
};

PyType_Spec hasten_slots_creation_spec = {
    .name = "hasten._slots.Creation",
    .basicsize = sizeof(struct creation),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = creation_slots,
};

/* What a type has in the field, if that is ours; else NULL. */
static struct creation *creation_of(const PyTypeObject *type) {
    PyObject *found = type->tp_cache;
    return found != NULL && Py_TYPE(found)->tp_dealloc == dealloc ? (struct creation *)(void *)found
                                                                  : NULL;
}

static void attach(PyTypeObject *type, PyObject *creation) {
    Py_XSETREF(type->tp_cache, Py_NewRef(creation));
    if (((const struct creation *)(const void *)creation)->count > 0) {
        type->tp_alloc = allocate;
    }
}

/* Where the slot lies that an attribute is kept in; -1 with an exception set. */
static Py_ssize_t offset_of(PyTypeObject *type, PyObject *name) {
    PyObject *slot = _PyType_Lookup(type, name);
    if (slot != NULL && Py_IS_TYPE(slot, &PyMemberDescr_Type)) {
        const PyMemberDef *member = ((PyMemberDescrObject *)slot)->d_member;
        if (member->type == Py_T_OBJECT_EX) {
            return member->offset;
        }
    }
    PyErr_Format(PyExc_TypeError, "%R is no slot of %R", name, type);
    return -1;
}

/* The field is ours unless somebody else came first, who would keep something else there. */
static bool can_attach(const PyTypeObject *type) {
    return creation_of(type) != NULL ||
           (type->tp_alloc == PyType_GenericAlloc && type->tp_cache == NULL);
}

/* The call as the interpreter does it. */
static PyObject *call_slowly(PyObject *callable, PyObject *const *args, Py_ssize_t count,
                             PyObject *names) {
    PyObject *tuple = PyTuple_New(count);
    PyObject *keywords = names == NULL ? NULL : PyDict_New();
    PyObject *made = NULL;
    if (tuple == NULL || (names != NULL && keywords == NULL)) {
        goto done;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    }
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[count + i]) < 0) {
            goto done;
        }
    }
    made = Py_TYPE(callable)->tp_call(callable, tuple, keywords);
done:
    Py_XDECREF(tuple);
    Py_XDECREF(keywords);
    return made;
}

/* __init__ with the instance before the arguments. */
static PyObject *call_init(PyObject *init, PyObject *made, PyObject *const *args, size_t nargsf,
                           PyObject *names) {
    const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {
        /* The caller lets us have the place before the arguments for the time of the call. */
        PyObject **with_made = (PyObject **)(uintptr_t)args - 1;
        PyObject *saved = with_made[0];
        with_made[0] = made;
        PyObject *result = PyObject_Vectorcall(init, with_made, (size_t)count + 1, names);
        with_made[0] = saved;
        return result;
    }
    const size_t total = (size_t)count + (names == NULL ? 0 : (size_t)PyTuple_GET_SIZE(names));
    PyObject *few[FEW_ARGUMENTS + 1];
    PyObject **copy = total <= FEW_ARGUMENTS ? few : PyMem_Malloc((total + 1) * sizeof *copy);
    if (copy == NULL) {
        return PyErr_NoMemory();
    }
    copy[0] = made;
    memcpy(copy + 1, args, total * sizeof *copy);
    PyObject *result = PyObject_Vectorcall(init, copy, (size_t)count + 1, names);
    if (copy != few) {
        PyMem_Free(copy);
    }
    return result;
}

static PyObject *init_of(PyTypeObject *type, struct creation *creation) {
    if (creation->version == 0 || creation->version != type->tp_version_tag) {
        creation->init = _PyType_Lookup(type, creation->init_name);
        creation->version = creation->init == NULL ? 0 : type->tp_version_tag;
    }
    return creation->init;
}

static PyObject *call_class(PyObject *callable, PyObject *const *args, size_t nargsf,
                            PyObject *names) {
    PyTypeObject *type = (PyTypeObject *)callable;
    struct creation *creation = creation_of(type);
    PyObject *init = NULL;
    if (creation != NULL && type->tp_new == PyBaseObject_Type.tp_new &&
        Py_TYPE(callable)->tp_call == PyType_Type.tp_call &&
        !PyType_HasFeature(type, Py_TPFLAGS_IS_ABSTRACT)) {
        init = init_of(type, creation);
    }
    if (init == NULL || !PyFunction_Check(init)) {
        return call_slowly(callable, args, PyVectorcall_NARGS(nargsf), names);
    }
    Py_INCREF(init);
    PyObject *made = type->tp_alloc(type, 0);
    PyObject *result = made == NULL ? NULL : call_init(init, made, args, nargsf, names);
    Py_DECREF(init);
    if (result == NULL) {
        Py_XDECREF(made);
        return NULL;
    }
    if (result != Py_None) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'",
                     Py_TYPE(result)->tp_name);
        Py_CLEAR(made);
    }
    Py_DECREF(result);
    return made;
}

/* Whether the class's calls are what call_class does faster. */
static bool is_called_as_usual(PyTypeObject *type, PyObject *init_name) {
    PyObject *init = _PyType_Lookup(type, init_name);
    return type->tp_vectorcall == NULL && Py_TYPE(type)->tp_call == PyType_Type.tp_call &&
           type->tp_new == PyBaseObject_Type.tp_new && init != NULL && PyFunction_Check(init);
}

static int fill(struct creation *made, PyTypeObject *type, PyObject *values) {
    const size_t count = (size_t)PyDict_GET_SIZE(values);
    PyObject *name = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    made->init_name = PyUnicode_InternFromString("__init__");
    made->items = hasten_allocate(NULL, (count == 0 ? 1 : count) * sizeof *made->items);
    made->capacity = count == 0 ? 1 : count;
    if (made->init_name == NULL || made->items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    while (PyDict_Next(values, &at, &name, &value)) {
        const Py_ssize_t offset = offset_of(type, name);
        if (offset < 0) {
            return -1;
        }
        made->items[made->count++] = (struct initial){offset, Py_NewRef(value)};
    }
    return 0;
}

const char hasten_slots_set_creation_doc[] =
    "set_creation($module, cls, values, /)\n--\n\n"
    "Makes the values what new instances have in the slots of these names, and calls of the\n"
    "class as fast as without slots.";

PyObject *hasten_slots_set_creation(PyObject *module, PyObject *args) {
    PyTypeObject *type = NULL;
    PyObject *values = NULL;
    if (!PyArg_ParseTuple(args, "O!O!:set_creation", &PyType_Type, &type, &PyDict_Type, &values)) {
        return NULL;
    }
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) || !can_attach(type)) {
        if (PyDict_GET_SIZE(values) == 0) {
            Py_RETURN_NONE;
        }
        PyErr_Format(PyExc_TypeError, "%R has an allocator of its own", type);
        return NULL;
    }
    PyTypeObject *kind = (PyTypeObject *)hasten_slots_state_of(module)->creation_type;
    struct creation *made = (struct creation *)(void *)kind->tp_alloc(kind, 0);
    if (made == NULL || fill(made, type, values) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    const bool as_usual = is_called_as_usual(type, made->init_name);
    if (as_usual || made->count > 0) {
        attach(type, (PyObject *)made);
    }
    if (as_usual) {
        type->tp_vectorcall = call_class;
    }
    Py_DECREF(made);
    Py_RETURN_NONE;
}

const char hasten_slots_inherit_doc[] =
    "inherit($module, cls, /)\n--\n\n"
    "Gives a class the initial values of the class that its layout is from.";

PyObject *hasten_slots_inherit(PyObject *Py_UNUSED(module), PyObject *cls) {
    if (!PyType_Check(cls)) {
        PyErr_SetString(PyExc_TypeError, "inherit() takes a class");
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)cls;
    const struct creation *creation = type->tp_base == NULL ? NULL : creation_of(type->tp_base);
    if (creation != NULL && can_attach(type) && type->tp_cache == NULL) {
        attach(type, (PyObject *)creation);
    }
    Py_RETURN_NONE;
}
