/* SPDX-License-Identifier: MIT
 *
 * What little of bytecode must be understood to know what a CALL calls. */
#ifndef HASTEN_EXT_CPROFILE_BYTECODE_H
#define HASTEN_EXT_CPROFILE_BYTECODE_H

#include "ext/common/pycompat.h"

/* Opcodes by what they mean here; made of the interpreter's own `opcode` module. */
enum hasten_opcode_kind {
    HASTEN_OPCODE_ANY,
    HASTEN_OPCODE_CACHE,
    HASTEN_OPCODE_EXTENDED_ARG,
    HASTEN_OPCODE_LOAD_GLOBAL,
    HASTEN_OPCODE_CALL,
    HASTEN_OPCODE_CALL_KW,
    HASTEN_OPCODE_REACHES, /* looks into the stack as deep as its argument says */
    HASTEN_OPCODE_LEAVES,  /* may not go on with the next instruction, or only later */
};

struct hasten_bytecode {
    bool ready;
    uint8_t kinds[256];
};

/* False where the module does not look as it should; no exception stays set. */
bool hasten_bytecode_prepare(struct hasten_bytecode *bytecode);

/* A CALL whose callee is what a LOAD_GLOBAL before it loaded, and nothing else. */
struct hasten_global_call {
    int offset;     /* in bytes */
    PyObject *name; /* borrowed from the code object */
};

#define HASTEN_MOST_GLOBAL_CALLS 256

/* Finds them; how many there are, of the first HASTEN_MOST_GLOBAL_CALLS. An
 * exception may be set. */
uint32_t hasten_bytecode_global_calls(const struct hasten_bytecode *bytecode, PyCodeObject *code,
                                      struct hasten_global_call *ret_calls);

#endif
