/* SPDX-License-Identifier: MIT
 *
 * Finds calls of global variables: from a LOAD_GLOBAL that loads a callable, over
 * straight-line code, to the CALL that finds it right below its arguments. Where
 * anything else may happen in between, the call is not found. */
#include "ext/cprofile/bytecode.h"

/* What LOAD_GLOBAL leaves for a call: the callable and a place for self. */
#define CALLABLE_SLOTS 2
/* Arguments that take more instructions than this are not followed. */
#define MOST_INSTRUCTIONS 200

static bool mark_named(struct hasten_bytecode *bytecode, PyObject *numbers, const char *name,
                       enum hasten_opcode_kind kind, bool optional) {
    PyObject *number = PyMapping_GetItemString(numbers, name);
    long opcode = number == NULL ? -1 : PyLong_AsLong(number);
    Py_XDECREF(number);
    PyErr_Clear();
    if (opcode < 0 || opcode > 255) {
        return optional;
    }
    bytecode->kinds[opcode] = (uint8_t)kind;
    return true;
}

static bool mark_listed(struct hasten_bytecode *bytecode, PyObject *module, const char *list) {
    PyObject *attribute = PyObject_GetAttrString(module, list);
    PyObject *opcodes =
        attribute == NULL ? NULL : PySequence_Fast(attribute, "not a list of opcodes");
    for (Py_ssize_t i = 0; opcodes != NULL && i < PySequence_Fast_GET_SIZE(opcodes); i++) {
        long opcode = PyLong_AsLong(PySequence_Fast_GET_ITEM(opcodes, i));
        if (opcode >= 0 && opcode <= 255) { /* above are those that the compiler uses only */
            bytecode->kinds[opcode] = HASTEN_OPCODE_LEAVES;
        }
    }
    Py_XDECREF(attribute);
    Py_XDECREF(opcodes);
    return opcodes != NULL;
}

bool hasten_bytecode_prepare(struct hasten_bytecode *bytecode) {
    if (bytecode->ready) {
        return true;
    }
    PyObject *module = PyImport_ImportModule("opcode");
    PyObject *numbers = module == NULL ? NULL : PyObject_GetAttrString(module, "opmap");
    bytecode->ready =
        numbers != NULL && mark_listed(bytecode, module, "hasjrel") &&
        mark_listed(bytecode, module, "hasjabs") &&
        mark_named(bytecode, numbers, "CACHE", HASTEN_OPCODE_CACHE, false) &&
        mark_named(bytecode, numbers, "EXTENDED_ARG", HASTEN_OPCODE_EXTENDED_ARG, false) &&
        mark_named(bytecode, numbers, "LOAD_GLOBAL", HASTEN_OPCODE_LOAD_GLOBAL, false) &&
        mark_named(bytecode, numbers, "CALL", HASTEN_OPCODE_CALL, false) &&
        mark_named(bytecode, numbers, "CALL_KW", HASTEN_OPCODE_CALL_KW, true) &&
        mark_named(bytecode, numbers, "SWAP", HASTEN_OPCODE_REACHES, false) &&
        mark_named(bytecode, numbers, "COPY", HASTEN_OPCODE_REACHES, false) &&
        mark_named(bytecode, numbers, "RETURN_VALUE", HASTEN_OPCODE_LEAVES, false) &&
        mark_named(bytecode, numbers, "YIELD_VALUE", HASTEN_OPCODE_LEAVES, false) &&
        mark_named(bytecode, numbers, "RAISE_VARARGS", HASTEN_OPCODE_LEAVES, false) &&
        mark_named(bytecode, numbers, "RERAISE", HASTEN_OPCODE_LEAVES, false);
    Py_XDECREF(module);
    Py_XDECREF(numbers);
    PyErr_Clear();
    return bytecode->ready;
}

struct reader {
    const struct hasten_bytecode *bytecode;
    const uint8_t *bytes;
    Py_ssize_t size;
    Py_ssize_t at; /* of the next instruction */
};

struct instruction {
    enum hasten_opcode_kind kind;
    int opcode, argument;
    int offset;
};

static bool next_instruction(struct reader *reader, struct instruction *ret) {
    int argument = 0;
    while (reader->at + 1 < reader->size) {
        int offset = (int)reader->at;
        int opcode = reader->bytes[reader->at];
        enum hasten_opcode_kind kind = reader->bytecode->kinds[opcode];
        argument |= reader->bytes[reader->at + 1];
        reader->at += 2;
        if (kind == HASTEN_OPCODE_EXTENDED_ARG) {
            argument = (int)((unsigned)argument << 8);
        } else if (kind == HASTEN_OPCODE_CACHE) {
            argument = 0;
        } else {
            *ret = (struct instruction){
                .kind = kind, .opcode = opcode, .argument = argument, .offset = offset};
            return true;
        }
    }
    return false;
}

/* The offset of the CALL that calls what is on top of the stack now; -1: none. */
static int find_call(struct reader reader) {
    struct instruction instruction;
    int depth = 0; /* values above the callable */
    for (int i = 0; i < MOST_INSTRUCTIONS && next_instruction(&reader, &instruction); i++) {
        bool with_names = instruction.kind == HASTEN_OPCODE_CALL_KW;
        int arguments = instruction.argument + with_names;
        if (instruction.kind == HASTEN_OPCODE_LEAVES ||
            (instruction.kind == HASTEN_OPCODE_REACHES && instruction.argument > depth)) {
            return -1;
        }
        if (instruction.kind == HASTEN_OPCODE_CALL || with_names) {
            if (arguments == depth) {
                return instruction.offset;
            }
            if (arguments + CALLABLE_SLOTS > depth) {
                return -1;
            }
        }
        int change =
            PyCompile_OpcodeStackEffectWithJump(instruction.opcode, instruction.argument, 0);
        if (change == PY_INVALID_STACK_EFFECT || depth + change < 0) {
            return -1;
        }
        depth += change;
    }
    return -1;
}

uint32_t hasten_bytecode_global_calls(const struct hasten_bytecode *bytecode, PyCodeObject *code,
                                      struct hasten_global_call *ret_calls) {
    PyObject *bytes = PyCode_GetCode(code);
    if (bytes == NULL) {
        return 0;
    }
    struct reader reader = {
        .bytecode = bytecode,
        .bytes = (const uint8_t *)PyBytes_AS_STRING(bytes),
        .size = PyBytes_GET_SIZE(bytes),
    };
    struct instruction instruction;
    uint32_t count = 0;
    while (count < HASTEN_MOST_GLOBAL_CALLS && next_instruction(&reader, &instruction)) {
        /* The lowest bit says that it is for a call. */
        if (instruction.kind != HASTEN_OPCODE_LOAD_GLOBAL || (instruction.argument & 1) == 0 ||
            (instruction.argument >> 1) >= PyTuple_GET_SIZE(code->co_names)) {
            continue;
        }
        int offset = find_call(reader);
        if (offset >= 0) {
            PyObject *name = PyTuple_GET_ITEM(code->co_names, instruction.argument >> 1);
            ret_calls[count++] = (struct hasten_global_call){.offset = offset, .name = name};
        }
    }
    Py_DECREF(bytes);
    return count;
}
