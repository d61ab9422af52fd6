/* SPDX-License-Identifier: MIT
 *
 * Initial values of slots. A class attribute is what an instance has until it is given its
 * own; a slot has nothing until then, and hides the class attribute. So each new instance
 * is given them, when its memory is made: below every __new__, hence also where copies and
 * pickles make instances, and without a call of Python's. Reading a slot costs what it
 * always does.
 *
 * The values are in a field of the type that the interpreter has no use for but visits and
 * releases (tp_cache). Classes made later from such a class have an allocator of their own,
 * so they are told too (inherit). */
#include "ext/slots/slots.h"

#include "core/base/allocator.h"

struct initial {
    Py_ssize_t offset;
    PyObject *value;
};

struct defaults {
    PyObject_HEAD size_t count;
    struct initial *items;
};

static PyObject *allocate(PyTypeObject *type, Py_ssize_t item_count) {
    PyObject *made = PyType_GenericAlloc(type, item_count);
    const struct defaults *defaults = (const struct defaults *)(const void *)type->tp_cache;
    for (size_t i = 0; made != NULL && defaults != NULL && i < defaults->count; i++) {
        *(PyObject **)(void *)((char *)made + defaults->items[i].offset) =
            Py_NewRef(defaults->items[i].value);
    }
    return made;
}

/* The defaults that a type has, or NULL: only our allocator says that the field is ours. */
static const struct defaults *defaults_of(const PyTypeObject *type) {
    return type->tp_alloc == allocate ? (const struct defaults *)(const void *)type->tp_cache
                                      : NULL;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    const struct defaults *defaults = (const struct defaults *)(const void *)self;
    Py_VISIT(Py_TYPE(self));
    for (size_t i = 0; i < defaults->count; i++) {
        Py_VISIT(defaults->items[i].value);
    }
    return 0;
}

static int clear(PyObject *self) {
    struct defaults *defaults = (struct defaults *)(void *)self;
    const size_t count = defaults->count;
    defaults->count = 0;
    for (size_t i = 0; i < count; i++) {
        Py_DECREF(defaults->items[i].value);
    }
    hasten_release(NULL, defaults->items, count * sizeof *defaults->items);
    defaults->items = NULL;
    return 0;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    (void)clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot defaults_slots[] = {
    {Py_tp_doc, "What new instances of a class have in their slots."},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_dealloc, dealloc},
    {0, NULL},
};

PyType_Spec hasten_slots_defaults_spec = {
    .name = "hasten._slots.Defaults",
    .basicsize = sizeof(struct defaults),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = defaults_slots,
};

static void attach(PyTypeObject *type, PyObject *defaults) {
    Py_XSETREF(type->tp_cache, Py_NewRef(defaults));
    type->tp_alloc = allocate;
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
    return type->tp_alloc == allocate ||
           (type->tp_alloc == PyType_GenericAlloc && type->tp_cache == NULL);
}

const char hasten_slots_set_defaults_doc[] =
    "set_defaults($module, cls, values, /)\n--\n\n"
    "Makes the values what new instances have in the slots of these names, besides those\n"
    "that the class inherits.";

PyObject *hasten_slots_set_defaults(PyObject *module, PyObject *args) {
    PyTypeObject *type = NULL;
    PyObject *values = NULL;
    if (!PyArg_ParseTuple(args, "O!O!:set_defaults", &PyType_Type, &type, &PyDict_Type, &values)) {
        return NULL;
    }
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) || !can_attach(type)) {
        PyErr_Format(PyExc_TypeError, "%R has an allocator of its own", type);
        return NULL;
    }
    PyTypeObject *kind = (PyTypeObject *)hasten_slots_state_of(module)->defaults_type;
    struct defaults *made = (struct defaults *)(void *)kind->tp_alloc(kind, 0);
    const size_t count = (size_t)PyDict_GET_SIZE(values);
    if (made == NULL) {
        return NULL;
    }
    made->items = hasten_allocate(NULL, (count == 0 ? 1 : count) * sizeof *made->items);
    if (made->items == NULL) {
        Py_DECREF(made);
        return PyErr_NoMemory();
    }
    PyObject *name = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    while (PyDict_Next(values, &at, &name, &value)) {
        const Py_ssize_t offset = offset_of(type, name);
        if (offset < 0) {
            Py_DECREF(made);
            return NULL;
        }
        made->items[made->count++] = (struct initial){offset, Py_NewRef(value)};
    }
    attach(type, (PyObject *)made);
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
    const struct defaults *defaults = type->tp_base == NULL ? NULL : defaults_of(type->tp_base);
    if (defaults != NULL && can_attach(type) && type->tp_cache == NULL) {
        attach(type, (PyObject *)defaults);
    }
    Py_RETURN_NONE;
}
