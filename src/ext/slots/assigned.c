/* SPDX-License-Identifier: MIT
 *
 * Which attributes a function assigns to its first argument, by its bytecode: the
 * interpreter's own account of the program, there also where the source is not. What the
 * instructions mean is learnt from the interpreter's table of names, so that nothing here
 * knows versions.
 *
 * It looks at what is pushed right before an attribute is stored. That is exact for
 * assignments, whatever is assigned: the object comes last. Names that are computed
 * (setattr) and writes through __dict__ are not found but reported. */
#include "ext/slots/slots.h"

#include <string.h>

/* What was pushed last, the newest first. */
enum token {
    TOKEN_OTHER,
    TOKEN_SELF,
    TOKEN_GLOBAL,
    TOKEN_CONST,
    TOKEN_ATTR,
    TOKEN_SUPER_ATTR,
    TOKEN_COPY,
    TOKEN_CALL
};

struct pushed {
    enum token token;
    PyObject *name; /* borrowed from the code object, or NULL */
};

#define REMEMBERED 3

/* What the first argument is. */
enum { FIRST_INSTANCE, FIRST_CLASS, FIRST_NEITHER };

struct scan {
    const struct hasten_slots_state *state;
    PyObject *assigned;   /* dict: name -> line */
    PyObject *class_read; /* set of names read of the class */
    PyObject *class_name;
    bool of_class; /* the first argument is the class */
    int dict_line, computed_line;
};

struct place {
    struct scan *scan;
    PyCodeObject *code;
    Py_ssize_t self;    /* index of the variable, -1: none */
    uint64_t more_self; /* bits of further ones: what __new__ returns */
    bool is_setattr;    /* of its own name: passes on what it is given */
    int unit;           /* of the instruction, for its line */
    struct pushed last[REMEMBERED];
};

static bool is_text(PyObject *name, const char *text) {
    return name != NULL && PyUnicode_Check(name) &&
           PyUnicode_CompareWithASCIIString(name, text) == 0;
}

static int line_of(const struct place *place) {
    const int line = PyCode_Addr2Line(place->code, place->unit * 2);
    return line > 0 ? line : place->code->co_firstlineno;
}

static void report(const struct place *place, int *line) {
    if (*line == 0 && !place->scan->of_class) {
        *line = line_of(place);
    }
}

static int assign(struct place *place, PyObject *name) {
    struct scan *scan = place->scan;
    if (is_text(name, "__dict__")) {
        report(place, &scan->dict_line);
        return 0;
    }
    if (scan->of_class || PyDict_Contains(scan->assigned, name) != 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *line = PyLong_FromLong(line_of(place));
    const int answer = line == NULL ? -1 : PyDict_SetItem(scan->assigned, name, line);
    Py_XDECREF(line);
    return answer;
}

/* The name's place in a call that sets an attribute of the object: what was pushed before
 * is setattr and the object, or a bound method. */
static bool is_setter(const struct place *place) {
    const struct pushed *last = place->last;
    if (last[0].token == TOKEN_SELF) {
        return (last[1].token == TOKEN_GLOBAL && is_text(last[1].name, "setattr")) ||
               (last[1].token == TOKEN_ATTR && is_text(last[1].name, "__setattr__"));
    }
    if (!is_text(last[0].name, "__setattr__")) {
        return false;
    }
    return last[0].token == TOKEN_SUPER_ATTR ||
           (last[0].token == TOKEN_ATTR &&
            (last[1].token == TOKEN_SELF ||
             (last[1].token == TOKEN_CALL && is_text(last[2].name, "super"))));
}

static int read_attribute(struct place *place, PyObject *name) {
    const struct pushed *last = place->last;
    bool of_class = (last[0].token == TOKEN_GLOBAL &&
                     PyObject_RichCompareBool(last[0].name, place->scan->class_name, Py_EQ) == 1) ||
                    (last[0].token == TOKEN_ATTR && last[1].token == TOKEN_SELF &&
                     is_text(last[0].name, "__class__")) ||
                    (last[0].token == TOKEN_CALL && last[1].token == TOKEN_SELF &&
                     is_text(last[2].name, "type"));
    if (last[0].token == TOKEN_SELF) {
        if (is_text(name, "__dict__")) {
            report(place, &place->scan->dict_line);
        }
        of_class = place->scan->of_class;
    }
    if (last[0].token == TOKEN_COPY && last[1].token == TOKEN_SELF && assign(place, name) < 0) {
        return -1; /* `self.x += 1` reads before it stores */
    }
    return of_class ? PySet_Add(place->scan->class_read, name) : 0;
}

/* Takes note of what the next instruction does; `name` is its operand. */
static int step(struct place *place, enum token token, PyObject *name) {
    struct pushed *last = place->last;
    if (is_setter(place) && token != TOKEN_SELF) {
        if (token == TOKEN_CONST && PyUnicode_Check(name)) {
            if (assign(place, name) < 0) {
                return -1;
            }
        } else if (!place->is_setattr) {
            report(place, &place->scan->computed_line);
        }
    }
    if (token == TOKEN_SELF && last[0].token == TOKEN_GLOBAL && is_text(last[0].name, "vars")) {
        report(place, &place->scan->dict_line);
    }
    if (token == TOKEN_ATTR && read_attribute(place, name) < 0) {
        return -1;
    }
    memmove(last + 1, last, (REMEMBERED - 1) * sizeof *last);
    last[0] = (struct pushed){token, name};
    return 0;
}

static int load(struct place *place, Py_ssize_t index) {
    const bool is_self =
        index == place->self || (index < 64 && ((place->more_self >> index) & 1) != 0);
    return step(place, is_self ? TOKEN_SELF : TOKEN_OTHER, NULL);
}

static PyObject *item(PyObject *tuple, unsigned index) {
    return (Py_ssize_t)index < PyTuple_GET_SIZE(tuple) ? PyTuple_GET_ITEM(tuple, index) : NULL;
}

static int named(struct place *place, enum token token, unsigned index) {
    PyObject *name = item(place->code->co_names, index);
    return name == NULL ? 0 : step(place, token, name);
}

static int instruction(struct place *place, enum hasten_slots_meaning meaning, unsigned arg) {
    switch (meaning) {
    case HASTEN_OP_LOAD:
        return load(place, (Py_ssize_t)arg);
    case HASTEN_OP_LOAD_TWO:
        return load(place, (Py_ssize_t)(arg >> 4)) < 0 ? -1 : load(place, (Py_ssize_t)(arg & 15));
    case HASTEN_OP_STORE_LOAD:
        return load(place, (Py_ssize_t)(arg & 15));
    case HASTEN_OP_GLOBAL:
        return named(place, TOKEN_GLOBAL, arg >> 1);
    case HASTEN_OP_ATTR:
        return named(place, TOKEN_ATTR, arg >> HASTEN_PY_ATTR_SHIFT);
    case HASTEN_OP_METHOD:
        return named(place, TOKEN_ATTR, arg);
    case HASTEN_OP_SUPER_ATTR:
        return named(place, TOKEN_SUPER_ATTR, arg >> 2);
    case HASTEN_OP_STORE_ATTR:
        if (place->last[0].token == TOKEN_SELF && item(place->code->co_names, arg) != NULL &&
            assign(place, item(place->code->co_names, arg)) < 0) {
            return -1;
        }
        return step(place, TOKEN_OTHER, NULL);
    case HASTEN_OP_CONST: {
        PyObject *value = item(place->code->co_consts, arg);
        return value == NULL ? 0 : step(place, TOKEN_CONST, value);
    }
    case HASTEN_OP_COPY:
        return step(place, arg == 1 ? TOKEN_COPY : TOKEN_OTHER, NULL);
    case HASTEN_OP_CALL:
        return step(place, TOKEN_CALL, NULL);
    default:
        return step(place, TOKEN_OTHER, NULL);
    }
}

/* Variables that are returned, as bits of their indexes. */
static uint64_t returned(const struct hasten_slots_state *state, const uint8_t *bytes,
                         Py_ssize_t size) {
    uint64_t found = 0;
    unsigned previous = 64;
    for (Py_ssize_t i = 0; i + 1 < size; i += 2) {
        const enum hasten_slots_meaning meaning = state->meanings[bytes[i]];
        if (meaning == HASTEN_OP_RETURN && previous < 64) {
            found |= UINT64_C(1) << previous;
        }
        if (meaning != HASTEN_OP_SKIP) {
            previous = meaning == HASTEN_OP_LOAD ? bytes[i + 1] : 64;
        }
    }
    return found;
}

static int scan_code(struct scan *scan, PyCodeObject *code, Py_ssize_t self, PyObject *self_name);

/* Functions within, which know the object by the name that it has here. */
static int scan_within(struct scan *scan, PyCodeObject *code, PyObject *self_name) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *value = PyTuple_GET_ITEM(code->co_consts, i);
        if (!PyCode_Check(value)) {
            continue;
        }
        PyCodeObject *inner = (PyCodeObject *)value;
        PyObject *free = PyCode_GetFreevars(inner);
        if (free == NULL) {
            return -1;
        }
        const Py_ssize_t count = PyTuple_GET_SIZE(free);
        Py_ssize_t self = -1;
        for (Py_ssize_t j = 0; j < count && self_name != NULL; j++) {
            if (PyUnicode_Compare(PyTuple_GET_ITEM(free, j), self_name) == 0) {
                self = inner->co_nlocalsplus - count + j;
            }
        }
        Py_DECREF(free);
        if (Py_EnterRecursiveCall(" in a function")) {
            return -1;
        }
        const int answer = scan_code(scan, inner, self, self < 0 ? NULL : self_name);
        Py_LeaveRecursiveCall();
        if (answer < 0) {
            return -1;
        }
    }
    return 0;
}

static int scan_code(struct scan *scan, PyCodeObject *code, Py_ssize_t self, PyObject *self_name) {
    PyObject *text = PyCode_GetCode(code);
    if (text == NULL) {
        return -1;
    }
    const uint8_t *bytes = (const uint8_t *)PyBytes_AS_STRING(text);
    const Py_ssize_t size = PyBytes_GET_SIZE(text);
    struct place place = {.scan = scan, .code = code, .self = self};
    place.is_setattr = is_text(code->co_name, "__setattr__");
    if (is_text(code->co_name, "__new__")) {
        place.more_self = returned(scan->state, bytes, size);
        place.self = -1;
    }
    unsigned arg = 0;
    int answer = 0;
    for (Py_ssize_t i = 0; i + 1 < size && answer == 0; i += 2) {
        const enum hasten_slots_meaning meaning = scan->state->meanings[bytes[i]];
        if (meaning == HASTEN_OP_SKIP) {
            continue;
        }
        arg = arg << 8 | bytes[i + 1];
        if (meaning == HASTEN_OP_EXTENDED) {
            continue;
        }
        place.unit = (int)(i / 2);
        answer = instruction(&place, meaning, arg);
        arg = 0;
    }
    Py_DECREF(text);
    return answer < 0 ? -1 : scan_within(scan, code, self_name);
}

const char hasten_slots_assigned_doc[] =
    "assigned($module, code, class_name, first, assigned, class_read, /)\n--\n\n"
    "Adds what the code assigns to its first argument to a dict, by line, and what it reads\n"
    "of the class to a set. Answers the lines that touch __dict__ and that compute names.";

PyObject *hasten_slots_assigned(PyObject *module, PyObject *args) {
    struct scan scan = {.state = hasten_slots_state_of(module)};
    PyCodeObject *code = NULL;
    int first = 0;
    if (!PyArg_ParseTuple(args, "O!UiO!O!:assigned", &PyCode_Type, &code, &scan.class_name, &first,
                          &PyDict_Type, &scan.assigned, &PySet_Type, &scan.class_read)) {
        return NULL;
    }
    scan.of_class = first == FIRST_CLASS;
    PyObject *names =
        code->co_argcount > 0 && first != FIRST_NEITHER ? PyCode_GetVarnames(code) : NULL;
    if (names == NULL && PyErr_Occurred()) {
        return NULL;
    }
    PyObject *self_name = names == NULL ? NULL : item(names, 0);
    const int answer = scan_code(&scan, code, self_name == NULL ? -1 : 0, self_name);
    Py_XDECREF(names);
    return answer < 0 ? NULL : Py_BuildValue("ii", scan.dict_line, scan.computed_line);
}

int hasten_slots_learn(struct hasten_slots_state *state) {
    static const struct {
        const char *name;
        enum hasten_slots_meaning meaning;
    } known[] = {
        {"CACHE", HASTEN_OP_SKIP},
        {"NOP", HASTEN_OP_SKIP},
        {"RESUME", HASTEN_OP_SKIP},
        {"PUSH_NULL", HASTEN_OP_SKIP},
        {"PRECALL", HASTEN_OP_SKIP},
        {"NOT_TAKEN", HASTEN_OP_SKIP},
        {"EXTENDED_ARG", HASTEN_OP_EXTENDED},
        {"LOAD_FAST", HASTEN_OP_LOAD},
        {"LOAD_FAST_CHECK", HASTEN_OP_LOAD},
        {"LOAD_FAST_BORROW", HASTEN_OP_LOAD},
        {"LOAD_DEREF", HASTEN_OP_LOAD},
        {"LOAD_FAST_LOAD_FAST", HASTEN_OP_LOAD_TWO},
        {"LOAD_FAST_BORROW_LOAD_FAST_BORROW", HASTEN_OP_LOAD_TWO},
        {"STORE_FAST_LOAD_FAST", HASTEN_OP_STORE_LOAD},
        {"LOAD_GLOBAL", HASTEN_OP_GLOBAL},
        {"LOAD_CONST", HASTEN_OP_CONST},
        {"LOAD_ATTR", HASTEN_OP_ATTR},
        {"LOAD_METHOD", HASTEN_OP_METHOD},
        {"LOAD_SUPER_ATTR", HASTEN_OP_SUPER_ATTR},
        {"COPY", HASTEN_OP_COPY},
        {"CALL", HASTEN_OP_CALL},
        {"STORE_ATTR", HASTEN_OP_STORE_ATTR},
        {"RETURN_VALUE", HASTEN_OP_RETURN},
    };
    PyObject *opcode = PyImport_ImportModule("opcode");
    PyObject *numbers = opcode == NULL ? NULL : PyObject_GetAttrString(opcode, "opmap");
    for (size_t i = 0; numbers != NULL && i < sizeof known / sizeof *known; i++) {
        PyObject *number = PyMapping_GetItemString(numbers, known[i].name);
        if (number == NULL) {
            PyErr_Clear(); /* another version's */
            continue;
        }
        const long value = PyLong_AsLong(number);
        Py_DECREF(number);
        if (value >= 0 && value < 256) {
            state->meanings[value] = (uint8_t)known[i].meaning;
        }
    }
    Py_XDECREF(numbers);
    Py_XDECREF(opcode);
    return PyErr_Occurred() ? -1 : 0;
}
