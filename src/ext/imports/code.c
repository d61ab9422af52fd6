/* SPDX-License-Identifier: MIT
 *
 * Reads import statements and exception tables. */
#include "ext/imports/code.h"

#include "core/pyabi/opcodes.h"
#include "ext/common/pycompat_opcodes.h"
#include "ext/imports/instructions.h"
#include "ext/imports/uses.h"

static struct code_info *make_info(PyObject *code) {
    struct code_info *info = PyMem_Calloc(1, sizeof *info);
    if (info == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    info->bytes = PyCode_GetCode((PyCodeObject *)code);
    if (info->bytes == NULL) {
        PyMem_Free(info);
        return NULL;
    }
    info->code = Py_NewRef(code);
    info->holders = 1;
    return info;
}

void code_release(struct code_info *info) {
    if (info != NULL && --info->holders == 0) {
        Py_DECREF(info->code);
        Py_DECREF(info->bytes);
        Py_XDECREF(info->uses);
        PyMem_Free(info);
    }
}

void code_forget(struct imports *imports) {
    for (size_t i = 0; i < CODE_INFOS; i++) {
        struct code_info *info = imports->infos[i];
        imports->infos[i] = NULL;
        code_release(info);
    }
}

static struct code_info *find_info(struct imports *imports, PyObject *code) {
    for (size_t i = 0; i < CODE_INFOS; i++) {
        if (imports->infos[i] != NULL && imports->infos[i]->code == code) {
            return imports->infos[i];
        }
    }
    struct code_info *info = make_info(code);
    if (info != NULL) {
        struct code_info **place = &imports->infos[imports->next_info++ % CODE_INFOS];
        struct code_info *old = *place;
        *place = info;
        code_release(old);
    }
    return info;
}

/* A number of the exception table: six bits a byte, the first of them first. */
static int read_number(const uint8_t **at, const uint8_t *end) {
    int value = 0;
    while (*at < end) {
        const uint8_t byte = *(*at)++;
        value = value << 6 | (byte & 63);
        if ((byte & 64) == 0) {
            break;
        }
    }
    return value;
}

int code_handler(PyCodeObject *code, int offset) {
    const uint8_t *at = (const uint8_t *)PyBytes_AS_STRING(code->co_exceptiontable);
    const uint8_t *end = at + PyBytes_GET_SIZE(code->co_exceptiontable);
    while (at < end) {
        const int start = 2 * read_number(&at, end);
        const int size = 2 * read_number(&at, end);
        const int target = 2 * read_number(&at, end);
        read_number(&at, end); /* depth of the stack, and whether the place is kept */
        if (offset >= start && offset < start + size) {
            return target;
        }
    }
    return -1;
}

int code_handler_after(struct imports *imports, PyFrameObject *frame) {
    PyObject *code = (PyObject *)PyFrame_GetCode(frame);
    const struct code_info *info = find_info(imports, code);
    int handler = -1;
    if (info != NULL) {
        struct instructions reader;
        struct instruction found;
        instructions_at(&reader, info->bytes, PyFrame_GetLasti(frame));
        if (instructions_next(&reader, &found)) {
            handler = code_handler((PyCodeObject *)code, reader.next);
        }
    }
    Py_DECREF(code);
    return handler;
}

static PyObject *name_at(PyCodeObject *code, uint32_t number) {
    return number < (size_t)PyTuple_GET_SIZE(code->co_names)
               ? PyTuple_GET_ITEM(code->co_names, number)
               : NULL;
}

static bool is_store(const struct instruction *instruction) {
    return instruction->opcode == STORE_NAME || instruction->opcode == STORE_GLOBAL;
}

/* IMPORT_FROM a, STORE_NAME a, IMPORT_FROM b, STORE_NAME b, ..., POP_TOP. */
static bool read_names(struct instructions *reader, PyCodeObject *code,
                       struct instruction *instruction, struct statement *statement) {
    while (instruction->opcode == IMPORT_FROM) {
        PyObject *attribute = name_at(code, instruction->argument);
        if (statement->count == MOST_NAMES || !instructions_next(reader, instruction) ||
            !is_store(instruction)) {
            return false;
        }
        statement->attributes[statement->count] = attribute;
        statement->names[statement->count] = name_at(code, instruction->argument);
        statement->count++;
        if (!instructions_next(reader, instruction)) {
            return false;
        }
    }
    return statement->count > 0 && instruction->opcode == POP_TOP;
}

/* `import a.b.c as d`: IMPORT_FROM b, SWAP, POP_TOP, IMPORT_FROM c, STORE_NAME d, POP_TOP. */
static bool read_alias(struct instructions *reader, PyCodeObject *code,
                       struct instruction *instruction, struct statement *statement) {
    while (!is_store(instruction)) {
        if ((instruction->opcode != IMPORT_FROM && instruction->opcode != SWAP &&
             instruction->opcode != POP_TOP) ||
            !instructions_next(reader, instruction)) {
            return false;
        }
    }
    statement->form = FORM_AS;
    statement->count = 1;
    statement->names[0] = name_at(code, instruction->argument);
    return true;
}

static bool read_statement(struct code_info *info, int offset, bool is_from,
                           struct statement *statement) {
    PyCodeObject *code = (PyCodeObject *)info->code;
    struct instructions reader;
    struct instruction instruction;
    struct instruction first;
    instructions_at(&reader, info->bytes, offset);
    if (!instructions_next(&reader, &first) || first.opcode != IMPORT_NAME ||
        !instructions_next(&reader, &instruction)) {
        return false;
    }
    statement->info = info;
    statement->count = 0;
    statement->file = code->co_filename;
    statement->handler = code_handler(code, offset);
    if (is_store(&instruction)) {
        statement->form = FORM_PLAIN;
        statement->count = 1;
        statement->names[0] = name_at(code, instruction.argument);
        return true;
    }
    if (instruction.opcode != IMPORT_FROM) {
        return false;
    }
    if (!is_from) {
        return read_alias(&reader, code, &instruction, statement);
    }
    statement->form = FORM_FROM;
    return read_names(&reader, code, &instruction, statement);
}

bool code_statement(struct imports *imports, PyObject *globals, bool is_from,
                    struct statement *ret_statement) {
    PyFrameObject *frame = PyEval_GetFrame();
    if (frame == NULL) {
        return false;
    }
    PyObject *frame_globals = PyFrame_GetGlobals(frame);
    PyObject *code = (PyObject *)PyFrame_GetCode(frame);
    bool is_read = false;
    if (frame_globals == globals && (((PyCodeObject *)code)->co_flags & CO_OPTIMIZED) == 0) {
        struct code_info *info = find_info(imports, code);
        is_read =
            info != NULL && read_statement(info, PyFrame_GetLasti(frame), is_from, ret_statement);
        if (is_read) {
            info->holders++;
            ret_statement->line = PyFrame_GetLineNumber(frame);
        }
    }
    Py_XDECREF(frame_globals);
    Py_DECREF(code);
    return is_read;
}

int code_uses(struct code_info *info, PyObject *name) {
    if (info->uses == NULL) {
        info->uses = uses_read(info->code);
        if (info->uses == NULL) {
            return -1;
        }
    }
    PyObject *use = PyDict_GetItemWithError(info->uses, name);
    if (use == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    return (int)PyLong_AsLong(use);
}
