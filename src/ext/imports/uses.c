/* SPDX-License-Identifier: MIT
 *
 * Goes through the instructions of a module once. A value that is only loaded later may stand
 * in for another as long as all that is done with it is a call or taking an attribute, so the
 * uses are told apart. Annotations may be text that is evaluated later: any word in a constant
 * text counts as a use of that name, but for those of __all__. */
#include "ext/imports/uses.h"

#include "ext/imports/code.h"
#include "ext/imports/instructions.h"

/* Functions in functions in functions ... */
#define MOST_DEPTH 64
/* No annotation is longer. */
#define MOST_TEXT 2000

static bool add_use(PyObject *uses, PyObject *name, int use) {
    PyObject *known = PyDict_GetItemWithError(uses, name);
    if (known == NULL && PyErr_Occurred()) {
        return false;
    }
    const int before = known == NULL ? 0 : (int)PyLong_AsLong(known);
    if ((before | use) == before) {
        return true;
    }
    PyObject *number = PyLong_FromLong(before | use);
    const bool is_set = number != NULL && PyDict_SetItem(uses, name, number) == 0;
    Py_XDECREF(number);
    return is_set;
}

static bool is_word(unsigned char byte) {
    return byte == '_' || byte >= 0x80 || (byte >= '0' && byte <= '9') ||
           (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* Two words with nothing but spaces between them are language, no expression. */
static bool is_expression(const char *at, const char *end) {
    bool is_after_word = false;
    bool is_after_space = false;
    for (; at < end; at++) {
        const bool is_space = *at == ' ';
        const bool is_now = is_word((unsigned char)*at);
        if (*at == '\n' || (is_now && is_after_word && is_after_space)) {
            return false;
        }
        is_after_space = is_space;
        is_after_word = is_now || (is_space && is_after_word);
    }
    return true;
}

/* Every word of a text that may be an annotation. */
static bool add_words(PyObject *uses, PyObject *text, int use) {
    Py_ssize_t size = 0;
    const char *at = PyUnicode_AsUTF8AndSize(text, &size);
    if (at == NULL) {
        PyErr_Clear(); /* surrogates: no expression */
        return true;
    }
    const char *end = at + size;
    if (size > MOST_TEXT || !is_expression(at, end)) {
        return true;
    }
    while (at < end) {
        const char *start = at;
        while (at < end && is_word((unsigned char)*at)) {
            at++;
        }
        if (at > start) {
            PyObject *word = PyUnicode_FromStringAndSize(start, at - start);
            const bool is_added = word != NULL && add_use(uses, word, use);
            Py_XDECREF(word);
            if (!is_added) {
                return false;
            }
        }
        at += at < end;
    }
    return true;
}

static bool add_constant(PyObject *uses, PyObject *constant, int use) {
    if (PyUnicode_CheckExact(constant)) {
        return add_words(uses, constant, use);
    }
    for (Py_ssize_t i = 0; PyTuple_CheckExact(constant) && i < PyTuple_GET_SIZE(constant); i++) {
        PyObject *item = PyTuple_GET_ITEM(constant, i);
        if (PyUnicode_CheckExact(item) && !add_words(uses, item, use)) {
            return false;
        }
    }
    return true;
}

/* From the constant that was just read on: other constants, what makes a list of them, and then
 * STORE_NAME __all__? Takes a copy of the reader. */
static bool is_for_all(PyCodeObject *code, struct instructions reader) {
    struct instruction next;
    while (instructions_next(&reader, &next)) {
        switch (next.opcode) {
        case LOAD_CONST:
        case BUILD_LIST:
        case BUILD_TUPLE:
        case LIST_EXTEND:
            break;
        case STORE_NAME:
            return PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(code->co_names, next.argument),
                                                    "__all__") == 0;
        default:
            return false;
        }
    }
    return false;
}

/* Whether the constant has the names of a call's arguments, or of what is imported. */
static bool is_of_names(struct instructions reader) {
    struct instruction next;
    return instructions_next(&reader, &next) &&
           (next.opcode == CALL_KW || next.opcode == IMPORT_NAME);
}

static bool is_attribute(struct instructions reader) {
    struct instruction next;
    return instructions_next(&reader, &next) &&
           (next.opcode == LOAD_ATTR || next.opcode == LOAD_METHOD);
}

static bool read_instruction(PyCodeObject *code, const struct instructions *reader,
                             const struct instruction *found, PyObject *constants, PyObject *uses) {
    uint32_t number = found->argument;
    int use = USE_NAMED;
    switch (found->opcode) {
    case LOAD_CONST:
        if (number >= (size_t)PyTuple_GET_SIZE(constants) || is_of_names(*reader)) {
            return true;
        }
        return add_constant(uses, PyTuple_GET_ITEM(constants, number),
                            is_for_all(code, *reader) ? USE_LISTED : USE_NAMED | USE_BARE);
    case LOAD_GLOBAL:
        use |= (number & 1) != 0 || is_attribute(*reader) ? 0 : USE_BARE;
        number >>= HASTEN_PY_LOAD_GLOBAL_SHIFT;
        break;
    case LOAD_NAME:
        use |= USE_NOW;
        break;
    case LOAD_FROM_DICT_OR_GLOBALS:
        use |= USE_BARE;
        break;
    default:
        return true;
    }
    return number >= (size_t)PyTuple_GET_SIZE(code->co_names) ||
           add_use(uses, PyTuple_GET_ITEM(code->co_names, number), use);
}

static bool read_tree(PyObject *object, PyObject *uses, int depth) {
    PyCodeObject *code = (PyCodeObject *)object;
    PyObject *bytes = PyCode_GetCode(code);
    PyObject *constants = code->co_consts;
    bool is_read = bytes != NULL;
    struct instructions reader;
    struct instruction found;
    if (is_read) {
        instructions_at(&reader, bytes, 0);
    }
    while (is_read && instructions_next(&reader, &found)) {
        is_read = read_instruction(code, &reader, &found, constants, uses);
    }
    for (Py_ssize_t i = 0; is_read && i < PyTuple_GET_SIZE(constants); i++) {
        PyObject *constant = PyTuple_GET_ITEM(constants, i);
        if (PyCode_Check(constant) && depth < MOST_DEPTH) {
            is_read = read_tree(constant, uses, depth + 1);
        }
    }
    Py_XDECREF(bytes);
    return is_read;
}

PyObject *uses_read(PyObject *code) {
    PyObject *uses = PyDict_New();
    if (uses != NULL && !read_tree(code, uses, 0)) {
        Py_CLEAR(uses);
    }
    return uses;
}

/* Adds the name that an instruction loads: a variable's to `names`, an attribute's to `asked`. */
static bool collect(PyCodeObject *code, const struct instruction *found, PyObject *names,
                    PyObject *asked) {
    uint32_t number = found->argument;
    PyObject *set = names;
    switch (found->opcode) {
    case LOAD_GLOBAL:
        number >>= HASTEN_PY_LOAD_GLOBAL_SHIFT;
        break;
    case LOAD_ATTR:
        number >>= HASTEN_PY_LOAD_ATTR_SHIFT;
        set = asked;
        break;
    case LOAD_METHOD:
        set = asked;
        break;
    case LOAD_NAME:
    case LOAD_FROM_DICT_OR_GLOBALS:
        break;
    default:
        return true;
    }
    return number >= (size_t)PyTuple_GET_SIZE(code->co_names) ||
           PySet_Add(set, PyTuple_GET_ITEM(code->co_names, number)) == 0;
}

bool uses_collect(PyObject *object, PyObject *names, PyObject *asked) {
    PyCodeObject *code = (PyCodeObject *)object;
    PyObject *bytes = PyCode_GetCode(code);
    struct instructions reader;
    struct instruction found;
    bool is_collected = bytes != NULL;
    if (is_collected) {
        instructions_at(&reader, bytes, 0);
    }
    while (is_collected && instructions_next(&reader, &found)) {
        is_collected = collect(code, &found, names, asked);
    }
    Py_XDECREF(bytes);
    return is_collected;
}
