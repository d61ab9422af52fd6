/* SPDX-License-Identifier: MIT
 *
 * What a step from a holder to what it holds is called: the way in which a program
 * would write it, where there is one. */
#include "ext/leaks/watcher.h"

#include <string.h>

#define MOST_KEY_CHARACTERS 40
#define MOST_KEY_DEPTH 2
/* Keys of dicts that are no larger are told apart where steps are compared. */
#define SMALL_DICT 8
/* Attributes beyond this many are no names that a programmer wrote. */
#define MOST_NAMES 1000

struct step {
    const struct hasten_leaks_analysis *analysis;
    PyObject *holder;
    PyObject *held;
    uint32_t holder_node;
    bool brief;
    struct hasten_buffer *out;
};

static void append_character(Py_UCS4 character, struct hasten_buffer *out) {
    if (character < 0x20 || character == 0x7f) {
        hasten_buffer_format(out, "\\x%02x", character);
    } else if (character < 0x80) {
        hasten_buffer_byte(out, (uint8_t)character);
    } else if (character < 0x800) {
        hasten_buffer_byte(out, (uint8_t)(0xc0 | character >> 6));
        hasten_buffer_byte(out, (uint8_t)(0x80 | (character & 0x3f)));
    } else if (character >= 0xd800 && character < 0xe000) {
        hasten_buffer_format(out, "\\u%04x", character); /* UTF-8 has no such thing */
    } else {
        if (character < 0x10000) {
            hasten_buffer_byte(out, (uint8_t)(0xe0 | character >> 12));
        } else {
            hasten_buffer_byte(out, (uint8_t)(0xf0 | character >> 18));
            hasten_buffer_byte(out, (uint8_t)(0x80 | (character >> 12 & 0x3f)));
        }
        hasten_buffer_byte(out, (uint8_t)(0x80 | (character >> 6 & 0x3f)));
        hasten_buffer_byte(out, (uint8_t)(0x80 | (character & 0x3f)));
    }
}

/* The string's own UTF-8 is not asked for: it would stay with the string. */
static void append_text(PyObject *unicode, Py_ssize_t most, struct hasten_buffer *out) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(unicode);
    for (Py_ssize_t i = 0; i < length && i < most; i++) {
        append_character(PyUnicode_READ_CHAR(unicode, i), out);
    }
    if (length > most) {
        hasten_buffer_text(out, "...");
    }
}

void hasten_leaks_text(PyObject *unicode, struct hasten_buffer *out) {
    append_text(unicode, PY_SSIZE_T_MAX, out);
}

static void append_bytes(PyObject *bytes, struct hasten_buffer *out) {
    Py_ssize_t size = PyBytes_GET_SIZE(bytes);
    hasten_buffer_text(out, "b'");
    for (Py_ssize_t i = 0; i < size && i < MOST_KEY_CHARACTERS; i++) {
        unsigned char byte = (unsigned char)PyBytes_AS_STRING(bytes)[i];
        if (byte < 0x20 || byte >= 0x7f) {
            hasten_buffer_format(out, "\\x%02x", byte);
        } else {
            hasten_buffer_byte(out, byte);
        }
    }
    hasten_buffer_text(out, size > MOST_KEY_CHARACTERS ? "...'" : "'");
}

static void append_key(PyObject *key, int depth, struct hasten_buffer *out) {
    if (PyUnicode_Check(key)) {
        hasten_buffer_byte(out, '\'');
        append_text(key, MOST_KEY_CHARACTERS, out);
        hasten_buffer_byte(out, '\'');
    } else if (PyBool_Check(key) || key == Py_None) {
        hasten_buffer_text(out, key == Py_None ? "None" : key == Py_True ? "True" : "False");
    } else if (PyLong_CheckExact(key)) {
        int overflow = 0;
        long long value = PyLong_AsLongLongAndOverflow(key, &overflow);
        if (overflow == 0) {
            hasten_buffer_format(out, "%lld", value);
        } else {
            hasten_buffer_text(out, "<int>");
        }
    } else if (PyBytes_Check(key)) {
        append_bytes(key, out);
    } else if (PyTuple_CheckExact(key) && depth < MOST_KEY_DEPTH && PyTuple_GET_SIZE(key) <= 6) {
        Py_ssize_t count = PyTuple_GET_SIZE(key);
        hasten_buffer_byte(out, '(');
        for (Py_ssize_t i = 0; i < count; i++) {
            hasten_buffer_text(out, i == 0 ? "" : ", ");
            append_key(PyTuple_GET_ITEM(key, i), depth + 1, out);
        }
        hasten_buffer_text(out, count == 1 ? ",)" : ")");
    } else {
        hasten_buffer_byte(out, '<');
        hasten_leaks_type_name(Py_TYPE(key), out);
        hasten_buffer_byte(out, '>');
    }
}

void hasten_leaks_key_text(PyObject *key, struct hasten_buffer *out) {
    append_key(key, 0, out);
}

static enum hasten_leaks_step attribute(const struct step *step, PyObject *name) {
    hasten_buffer_byte(step->out, '.');
    append_text(name, MOST_KEY_CHARACTERS, step->out);
    return HASTEN_STEP_ATTRIBUTE;
}

static enum hasten_leaks_step attribute_called(const struct step *step, const char *name) {
    hasten_buffer_byte(step->out, '.');
    hasten_buffer_text(step->out, name);
    return HASTEN_STEP_ATTRIBUTE;
}

static enum hasten_leaks_step item(const struct step *step, Py_ssize_t i) {
    if (step->brief || i < 0) {
        hasten_buffer_text(step->out, "[*]");
    } else {
        hasten_buffer_format(step->out, "[%zd]", i);
    }
    return HASTEN_STEP_ITEM;
}

/* Whether a dict is where `owner` keeps its attributes. */
static bool is_own_dict(const struct step *step, PyObject *owner, PyObject *dict) {
    if (PyModule_Check(owner)) {
        return PyModule_GetDict(owner) == dict;
    }
    if (PyType_Check(owner)) {
        return ((PyTypeObject *)owner)->tp_dict == dict;
    }
    if (PyFunction_Check(owner)) {
        return ((PyFunctionObject *)owner)->func_dict == dict;
    }
    return hasten_access_dict(&step->analysis->watcher->access, owner) == dict;
}

/* The holder's own holder along the chain; NULL: it is the root. */
static PyObject *holder_of(const struct step *step) {
    uint32_t node = step->holder_node;
    uint32_t parent = step->analysis->paths.parents[node];
    return parent == HASTEN_HEAP_NONE || parent == node
               ? NULL
               : hasten_leaks_object(step->analysis->heap, parent);
}

static PyObject *holder_of_holder(const struct step *step) {
    const uint32_t *parents = step->analysis->paths.parents;
    uint32_t parent = parents[step->holder_node];
    bool is_there = parent != HASTEN_HEAP_NONE && parent != step->holder_node &&
                    parents[parent] != HASTEN_HEAP_NONE && parents[parent] != parent;
    return is_there ? hasten_leaks_object(step->analysis->heap, parents[parent]) : NULL;
}

/* An object of threading.local, or of a class made of it. */
static bool is_thread_local(PyObject *object) {
    const PyTypeObject *type = Py_TYPE(object);
    while (type != NULL && strcmp(type->tp_name, "_thread._local") != 0) {
        type = type->tp_base;
    }
    return type != NULL;
}

/* threading.local has a dict of dicts, one for each thread. */
static bool is_thread_table(PyObject *owner, PyObject *dict) {
    return owner != NULL && is_thread_local(owner) && PyDict_CheckExact(dict);
}

static bool is_namespace(const struct step *step) {
    PyObject *owner = holder_of(step);
    if (owner == NULL) {
        const struct hasten_leaks_root *root =
            hasten_leaks_root_at(step->analysis, step->holder_node);
        return root != NULL && root->kind == HASTEN_ROOT_MODULE;
    }
    PyObject *above = holder_of_holder(step);
    return is_own_dict(step, owner, step->holder) ||
           (above != NULL && PyDict_CheckExact(owner) && is_thread_table(above, owner)) ||
           strncmp(Py_TYPE(owner)->tp_name, "_thread._localdummy", 19) == 0;
}

/* threading.local keeps a thread's values under a key that names the object. */
static bool is_thread_data(const struct step *step) {
    return holder_of(step) == NULL &&
           strncmp(Py_TYPE(step->held)->tp_name, "_thread._localdummy", 19) == 0;
}

static enum hasten_leaks_step dict_step(const struct step *step) {
    Py_ssize_t size = PyDict_GET_SIZE(step->holder);
    bool names = size <= MOST_NAMES && is_namespace(step);
    PyObject *key = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    if (is_thread_data(step)) {
        return HASTEN_STEP_SILENT;
    }
    if (PyDict_CheckExact(step->held) && is_thread_table(holder_of(step), step->holder)) {
        hasten_buffer_text(step->out, " (of a thread)");
        return HASTEN_STEP_ATTRIBUTE;
    }
    if (step->brief && !names && size > SMALL_DICT) {
        return item(step, -1);
    }
    while (PyDict_Next(step->holder, &at, &key, &value)) {
        if (value == step->held && names && PyUnicode_Check(key)) {
            return attribute(step, key);
        }
        if (value != step->held && key != step->held) {
            continue;
        }
        if (step->brief && !PyUnicode_CheckExact(key)) {
            return item(step, -1);
        }
        hasten_buffer_text(step->out, value == step->held ? "[" : " (key ");
        hasten_leaks_key_text(key, step->out);
        hasten_buffer_text(step->out, value == step->held ? "]" : ")");
        return HASTEN_STEP_ITEM;
    }
    return HASTEN_STEP_OTHER;
}

struct counting {
    PyObject *holder, *held;
    PyObject *after;  /* what is told of just after it */
    Py_ssize_t count; /* of its own type's instances not: heap types tell of their type */
    bool found;
};

static int count_visit(PyObject *object, void *data) {
    struct counting *counting = data;
    if (counting->found) {
        counting->after = object;
        return 1;
    }
    counting->found = object == counting->held;
    counting->count += !counting->found && object != (PyObject *)Py_TYPE(counting->holder);
    return 0;
}

/* Where among what the holder tells of. */
static struct counting place_of(const struct step *step) {
    struct counting counting = {.holder = step->holder, .held = step->held};
    if (Py_TYPE(step->holder)->tp_traverse != NULL && PyObject_IS_GC(step->holder)) {
        Py_TYPE(step->holder)->tp_traverse(step->holder, count_visit, &counting);
    }
    return counting;
}

static enum hasten_leaks_step sequence_step(const struct step *step, PyObject *const *items,
                                            Py_ssize_t count) {
    Py_ssize_t i = 0;
    while (!step->brief && i < count && items[i] != step->held) {
        i++;
    }
    return i < count || step->brief ? item(step, i) : HASTEN_STEP_OTHER;
}

static enum hasten_leaks_step tuple_step(const struct step *step) {
    PyObject *owner = holder_of(step);
    PyObject *const *items = ((PyTupleObject *)step->holder)->ob_item;
    Py_ssize_t count = PyTuple_GET_SIZE(step->holder);
    if (owner == NULL || !PyFunction_Check(owner) ||
        ((PyFunctionObject *)owner)->func_closure != step->holder) {
        return sequence_step(step, items, count);
    }
    PyCodeObject *code = (PyCodeObject *)((PyFunctionObject *)owner)->func_code;
    int first = code->co_nlocalsplus - (int)count; /* free variables come last */
    for (Py_ssize_t i = 0; i < count && first >= 0; i++) {
        if (items[i] == step->held) {
            hasten_buffer_text(step->out, " (");
            hasten_leaks_text(PyTuple_GET_ITEM(code->co_localsplusnames, first + i), step->out);
            hasten_buffer_byte(step->out, ')');
            return HASTEN_STEP_ATTRIBUTE;
        }
    }
    return HASTEN_STEP_OTHER;
}

static enum hasten_leaks_step function_step(const struct step *step) {
    const PyFunctionObject *function = (const PyFunctionObject *)step->holder;
    const struct {
        PyObject *object;
        const char *name;
    } parts[] = {
        {function->func_closure, "__closure__"},       {function->func_defaults, "__defaults__"},
        {function->func_kwdefaults, "__kwdefaults__"}, {function->func_code, "__code__"},
        {function->func_globals, "__globals__"},
    };
    if (step->held == function->func_dict) {
        return HASTEN_STEP_SILENT;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].object == step->held) {
            return attribute_called(step, parts[i].name);
        }
    }
    return HASTEN_STEP_OTHER;
}

static enum hasten_leaks_step local_of(const struct step *step, const char *frame) {
    const struct hasten_access *access = &step->analysis->watcher->access;
    PyCodeObject *code = frame == NULL ? NULL : hasten_access_code(access, frame);
    for (int i = 0; code != NULL && i < code->co_nlocalsplus; i++) {
        if (hasten_access_local(access, frame, i) == step->held) {
            hasten_buffer_text(step->out, " (local ");
            hasten_leaks_text(PyTuple_GET_ITEM(code->co_localsplusnames, i), step->out);
            hasten_buffer_text(step->out, " of ");
            hasten_leaks_text(code->co_name, step->out);
            hasten_buffer_text(step->out, "())");
            return HASTEN_STEP_ATTRIBUTE;
        }
    }
    return HASTEN_STEP_OTHER;
}

static enum hasten_leaks_step exception_step(const struct step *step) {
    const PyBaseExceptionObject *exception = (const PyBaseExceptionObject *)step->holder;
    const char *name = step->held == exception->traceback ? "__traceback__"
                       : step->held == exception->context ? "__context__"
                       : step->held == exception->cause   ? "__cause__"
                       : step->held == exception->args    ? "args"
                                                          : NULL;
    return name == NULL ? HASTEN_STEP_OTHER : attribute_called(step, name);
}

/* Where a frame's object is known, who called it hardly ever matters. */
static enum hasten_leaks_step frame_step(const struct step *step) {
    enum hasten_leaks_step found =
        local_of(step, hasten_access_object_frame(&step->analysis->watcher->access, step->holder));
    return found == HASTEN_STEP_OTHER && PyFrame_Check(step->held)
               ? attribute_called(step, "f_back")
               : found;
}

static enum hasten_leaks_step traceback_step(const struct step *step) {
    const PyTracebackObject *traceback = (const PyTracebackObject *)step->holder;
    return step->held == (PyObject *)traceback->tb_frame ? attribute_called(step, "tb_frame")
                                                         : attribute_called(step, "tb_next");
}

/* A cache of functools: what it holds are arguments, which are keys, and results. */
static enum hasten_leaks_step cache_step(const struct step *step) {
    if (step->held == hasten_access_dict(&step->analysis->watcher->access, step->holder)) {
        return HASTEN_STEP_SILENT;
    }
    if (PyDict_CheckExact(step->held)) {
        return HASTEN_STEP_SILENT; /* its table */
    }
    hasten_buffer_text(step->out, PyTuple_CheckExact(step->held) ||
                                          strstr(Py_TYPE(step->held)->tp_name, "_HashedSeq")
                                      ? " (lru_cache) -> args"
                                      : " (lru_cache) -> result");
    return HASTEN_STEP_ITEM;
}

static bool is_cache(PyObject *object) {
    return strcmp(Py_TYPE(object)->tp_name, "functools._lru_cache_wrapper") == 0;
}

/* The table of an unbounded cache: arguments are its keys, results its values. */
static enum hasten_leaks_step cache_table_step(const struct step *step) {
    PyObject *key = NULL;
    PyObject *value = NULL;
    Py_ssize_t at = 0;
    bool is_key = false;
    bool is_value = false;
    while (!is_key && !is_value && PyDict_Next(step->holder, &at, &key, &value)) {
        is_key = key == step->held;
        is_value = value == step->held;
    }
    hasten_buffer_text(step->out, is_key ? " (lru_cache) -> args" : " (lru_cache) -> result");
    return HASTEN_STEP_ITEM;
}

/* contextvars: a tree of nodes that tell of a value and then of its variable. */
static enum hasten_leaks_step context_step(const struct step *step) {
    struct counting place = place_of(step);
    if (place.after != NULL && PyContextVar_CheckExact(place.after)) {
        PyObject *name = PyObject_GetAttrString(place.after, "name");
        hasten_buffer_text(step->out, ".ContextVar(");
        if (name != NULL && PyUnicode_Check(name)) {
            hasten_leaks_key_text(name, step->out);
        }
        Py_XDECREF(name);
        PyErr_Clear();
        hasten_buffer_byte(step->out, ')');
        return HASTEN_STEP_ATTRIBUTE;
    }
    return HASTEN_STEP_SILENT;
}

/* The type's own table of members: slots, and what C types keep. */
static enum hasten_leaks_step member_step(const struct step *step) {
    PyTypeObject *type = Py_TYPE(step->holder);
    for (; type != NULL; type = type->tp_base) {
        const PyMemberDef *member = type->tp_members;
        for (; member != NULL && member->name != NULL; member++) {
            bool is_object = member->type == HASTEN_PY_T_OBJECT || member->type == Py_T_OBJECT_EX;
            if (is_object && *(PyObject *const *)(const void *)((const char *)step->holder +
                                                                member->offset) == step->held) {
                return attribute_called(step, member->name);
            }
        }
    }
    return HASTEN_STEP_OTHER;
}

static enum hasten_leaks_step instance_step(const struct step *step) {
    struct hasten_inline_values values;
    if (hasten_access_inline(&step->analysis->watcher->access, step->holder, &values)) {
        for (size_t i = 0; i < values.count; i++) {
            PyObject *name = hasten_inline_name(&values, i);
            if (values.values[i] == step->held && name != NULL && PyUnicode_Check(name)) {
                return attribute(step, name);
            }
        }
    }
    enum hasten_leaks_step found = member_step(step);
    if (found != HASTEN_STEP_OTHER) {
        return found;
    }
    if (is_own_dict(step, step->holder, step->held)) {
        return HASTEN_STEP_SILENT;
    }
    if (step->held == (PyObject *)Py_TYPE(step->holder)) {
        return attribute_called(step, "__class__");
    }
    return HASTEN_STEP_OTHER;
}

static enum hasten_leaks_step type_step(const struct step *step) {
    const PyTypeObject *type = (const PyTypeObject *)step->holder;
    return step->held == type->tp_dict  ? HASTEN_STEP_SILENT
           : step->held == type->tp_mro ? attribute_called(step, "__mro__")
                                        : member_step(step);
}

/* Python's own kinds of objects that are neither containers nor instances. */
static enum hasten_leaks_step kind_step(const struct step *step) {
    PyObject *holder = step->holder;
    const char *name = Py_TYPE(holder)->tp_name;
    if (PyFunction_Check(holder)) {
        return function_step(step);
    }
    if (PyType_Check(holder)) {
        return type_step(step);
    }
    if (PyCell_Check(holder)) {
        PyObject *owner = holder_of(step);
        return owner != NULL && PyTuple_CheckExact(owner) ? HASTEN_STEP_SILENT
                                                          : attribute_called(step, "cell_contents");
    }
    if (PyGen_Check(holder) || PyCoro_CheckExact(holder) || PyAsyncGen_CheckExact(holder)) {
        return local_of(step,
                        hasten_access_generator_frame(&step->analysis->watcher->access, holder));
    }
    if (PyExceptionInstance_Check(holder)) {
        enum hasten_leaks_step found = exception_step(step);
        return found == HASTEN_STEP_OTHER ? instance_step(step) : found;
    }
    if (PyTraceBack_Check(holder)) {
        return traceback_step(step);
    }
    if (PyFrame_Check(holder)) {
        return frame_step(step);
    }
    if (PyModule_Check(holder)) {
        return is_own_dict(step, holder, step->held) ? HASTEN_STEP_SILENT : HASTEN_STEP_OTHER;
    }
    if (is_cache(holder)) {
        return cache_step(step);
    }
    if (PyContext_CheckExact(holder) || strncmp(name, "hamt", 4) == 0) {
        return context_step(step);
    }
    if (is_thread_local(holder) || strncmp(name, "_thread._localdummy", 19) == 0) {
        return PyDict_CheckExact(step->held) ? HASTEN_STEP_SILENT : HASTEN_STEP_OTHER;
    }
    return instance_step(step);
}

static enum hasten_leaks_step container_step(const struct step *step) {
    PyObject *holder = step->holder;
    PyObject *owner = NULL;
    if (PyDict_Check(holder)) {
        owner = holder_of(step);
        return owner != NULL && is_cache(owner) && !is_namespace(step) ? cache_table_step(step)
                                                                       : dict_step(step);
    }
    if (PyList_Check(holder)) {
        return sequence_step(step, ((PyListObject *)holder)->ob_item, PyList_GET_SIZE(holder));
    }
    if (PyTuple_Check(holder)) {
        return tuple_step(step);
    }
    if (PyAnySet_Check(holder)) {
        hasten_buffer_text(step->out, " (member)");
        return HASTEN_STEP_ITEM;
    }
    if (strcmp(Py_TYPE(holder)->tp_name, "collections.deque") == 0) {
        return item(step, step->brief ? -1 : place_of(step).count);
    }
    return HASTEN_STEP_OTHER;
}

enum hasten_leaks_step hasten_leaks_step_name(const struct hasten_leaks_analysis *analysis,
                                              uint32_t holder, uint32_t held, bool brief,
                                              struct hasten_buffer *out) {
    const struct step step = {
        .analysis = analysis,
        .holder = hasten_leaks_object(analysis->heap, holder),
        .held = hasten_leaks_object(analysis->heap, held),
        .holder_node = holder,
        .brief = brief,
        .out = out,
    };
    enum hasten_leaks_step found = container_step(&step);
    if (found == HASTEN_STEP_OTHER) {
        found = kind_step(&step);
    }
    if (found == HASTEN_STEP_OTHER) {
        hasten_buffer_text(out, " -> ");
        hasten_leaks_type_name(Py_TYPE(step.held), out);
    }
    return found;
}
