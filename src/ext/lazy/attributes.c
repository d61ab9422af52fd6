/* SPDX-License-Identifier: MIT
 *
 * Whose attribute a name is. Of a plain lazy object, all but a few special names are the
 * other object's, which is asked at once: what those few have in common is that they begin
 * with two underscores. Objects of subclasses have what the subclass defines and what was
 * set on them, too. */
#include "ext/common/pycompat_types.h"
#include "ext/common/pycompat_values.h"
#include "ext/lazy/module.h"
#include "ext/lazy/places.h"
#include "ext/lazy/proxy.h"

#include <string.h>

/* What every class has, which says nothing of the object: of an object of a subclass, these
 * are the other object's. */
static const char *const CLASS_NAMES[] = {
    "__annotate__", "__annotate_func__",     "__annotations__", "__annotations_cache__",
    "__dict__",     "__firstlineno__",       "__orig_bases__",  "__parameters__",
    "__slots__",    "__static_attributes__", "__weakref__",
};
/* The same, but where a subclass defines more than a text. */
static const char *const CLASS_TEXTS[] = {"__doc__", "__module__"};

static bool is_special(PyObject *name) {
    /* Called by its name, __getattribute__ may be given anything. */
    if (!PyUnicode_Check(name) || !hasten_py_text_is_ready(name) ||
        PyUnicode_KIND(name) != PyUnicode_1BYTE_KIND) {
        return false;
    }
    /* There is a zero behind the last character. */
    const Py_UCS1 *text = PyUnicode_1BYTE_DATA(name);
    return text[0] == '_' && text[1] == '_';
}

/* Whether a special name is that of something of a lazy object's own. */
static bool is_of_proxy(PyObject *name) {
    const char *text = (const char *)PyUnicode_1BYTE_DATA(name);
    switch (text[2]) {
    case 'c':
        return strcmp(text, "__copy__") == 0;
    case 'd':
        return strcmp(text, "__deepcopy__") == 0;
    case 'f':
        return strcmp(text, "__factory__") == 0 || strcmp(text, "__fspath__") == 0;
    case 'g':
        return strcmp(text, "__getattr__") == 0;
    case 'i':
        return strcmp(text, "__init__") == 0;
    case 'm':
        return strcmp(text, "__mro_entries__") == 0;
    case 'r':
        return strcmp(text, "__resolved__") == 0 || strcmp(text, "__reduce_ex__") == 0 ||
               strcmp(text, "__reduce__") == 0;
    case 'w':
        return strcmp(text, "__wrapped__") == 0;
    default:
        return false;
    }
}

static bool is_among(PyObject *name, const char *const *names, size_t count) {
    const char *text = (const char *)PyUnicode_1BYTE_DATA(name);
    size_t i = 0;
    while (i < count && strcmp(names[i], text) != 0) {
        i++;
    }
    return i < count;
}

static PyObject *ask_wrapped(PyObject *self, PyObject *name) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *value = PyObject_GetAttr(held.object, name);
    hasten_py_release(held);
    return value;
}

/* The same for a name that is not special, of a lazy object that has the table of places. */
static PyObject *ask_and_note(PyObject *self, PyObject *name) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *value = PyObject_GetAttr(held.object, name);
    if (value != NULL) {
        hasten_py_places_note(held.object, name);
    }
    hasten_py_release(held);
    return value;
}

/* `__class__`, which isinstance() asks for: nearly always object's own, the type. */
static PyObject *class_of(PyObject *self, PyObject *name) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyTypeObject *type = Py_TYPE(held.object);
    PyObject *found =
        type->tp_getattro == PyObject_GenericGetAttr ? hasten_py_type_lookup(type, name) : NULL;
    const bool is_type = found != NULL && Py_IS_TYPE(found, &PyGetSetDescr_Type) &&
                         PyDescr_TYPE(found) == &PyBaseObject_Type;
    Py_XDECREF(found);
    PyObject *class = is_type ? Py_NewRef((PyObject *)type) : PyObject_GetAttr(held.object, name);
    hasten_py_release(held);
    return class;
}

/* An attribute of the other object, where the class may have a __getattr__ of its own. */
static PyObject *ask_class(PyObject *self, PyObject *name) {
    PyTypeObject *type = Py_TYPE(self);
    const struct hasten_py_lazy *state = hasten_py_lazy_of(type);
    if (state == NULL) {
        return NULL;
    }
    PyObject *found = hasten_py_type_lookup(type, state->getattr);
    PyObject *ours = hasten_py_type_lookup(state->proxy_type, state->getattr);
    PyObject *value = NULL;
    if (found == ours) {
        value = ask_wrapped(self, name);
    } else {
        PyObject *method = PyObject_GenericGetAttr(self, state->getattr);
        value = method == NULL ? NULL : PyObject_CallOneArg(method, name);
        Py_XDECREF(method);
    }
    Py_XDECREF(found);
    Py_XDECREF(ours);
    return value;
}

/* Whether a subclass, or a type of C that adds to ours, has something of its own by the
 * name; or the object itself has. -1 with an exception set. */
static int is_own(PyObject *self, PyObject *name) {
    PyTypeObject *type = Py_TYPE(self);
    const struct hasten_py_lazy *state = hasten_py_lazy_of(type);
    if (state == NULL) {
        return -1;
    }
    const bool special = is_special(name);
    if (special && is_of_proxy(name)) {
        return 1;
    }
    if (special && is_among(name, CLASS_NAMES, sizeof(CLASS_NAMES) / sizeof(CLASS_NAMES[0]))) {
        return 0;
    }
    PyObject *found = hasten_py_type_lookup(type, name);
    PyObject *ours = hasten_py_type_lookup(state->proxy_type, name);
    bool answer = found != NULL && found != ours;
    if (answer && special &&
        is_among(name, CLASS_TEXTS, sizeof(CLASS_TEXTS) / sizeof(CLASS_TEXTS[0]))) {
        answer = Py_TYPE(found)->tp_descr_get != NULL;
    } else if (found == NULL && type->tp_dictoffset != 0) {
        PyObject *value = hasten_py_own_attribute(self, name);
        answer = value != NULL;
        Py_XDECREF(value);
        if (PyErr_Occurred()) {
            Py_XDECREF(ours);
            return -1;
        }
    }
    Py_XDECREF(found);
    Py_XDECREF(ours);
    return answer;
}

PyObject *hasten_py_proxy_getattro(PyObject *self, PyObject *name) {
    const bool has_places =
        hasten_py_proxy_is_ready(self) && Py_TYPE(self) == hasten_py_places.owner;
    if (has_places) {
        /* Reads only, so that the object need not be held. No special name is in the table. */
        PyObject *value = hasten_py_places_value(hasten_py_proxy_glance(self), name);
        if (value != NULL) {
            return value;
        }
    }
    const bool may_be_own = is_special(name);
    if (has_places && !may_be_own) {
        return ask_and_note(self, name);
    }
    if (hasten_py_proxy_is_plain(self)) {
        if (may_be_own && strcmp((const char *)PyUnicode_1BYTE_DATA(name), "__class__") == 0) {
            return class_of(self, name);
        }
        return may_be_own && is_of_proxy(name) ? PyObject_GenericGetAttr(self, name)
                                               : ask_wrapped(self, name);
    }
    if (!may_be_own) {
        /* The type that we have no such names. */
        PyObject *value = hasten_py_own_attribute(self, name);
        return value != NULL || PyErr_Occurred() ? value : ask_class(self, name);
    }
    const int own = is_own(self, name);
    if (own < 0) {
        return NULL;
    }
    return own ? PyObject_GenericGetAttr(self, name) : ask_class(self, name);
}

int hasten_py_proxy_setattro(PyObject *self, PyObject *name, PyObject *value) {
    int own = 0;
    if (hasten_py_proxy_is_plain(self)) {
        own = is_special(name) && is_of_proxy(name);
    } else {
        own = is_own(self, name);
    }
    if (own != 0) {
        return own < 0 ? -1 : PyObject_GenericSetAttr(self, name, value);
    }
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return -1;
    }
    const int answer = PyObject_SetAttr(held.object, name, value);
    hasten_py_release(held);
    return answer;
}
