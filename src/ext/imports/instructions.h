/* SPDX-License-Identifier: MIT
 *
 * Instructions of a code object, one after the other, as the compiler made them. */
#ifndef HASTEN_EXT_IMPORTS_INSTRUCTIONS_H
#define HASTEN_EXT_IMPORTS_INSTRUCTIONS_H

#include "core/pyabi/opcodes.h"
#include "ext/common/pycompat.h"
#include "ext/common/pycompat_opcodes.h"

struct instruction {
    int opcode;
    uint32_t argument;
};

/* Does not own the bytes. */
struct instructions {
    const uint8_t *bytes;
    int size;
    int next; /* offset */
    const struct hasten_opcodes *opcodes;
};

static inline void instructions_at(struct instructions *reader, PyObject *bytes, int offset) {
    reader->bytes = (const uint8_t *)PyBytes_AS_STRING(bytes);
    reader->size = (int)PyBytes_GET_SIZE(bytes);
    reader->next = offset < 0 ? reader->size : offset;
    reader->opcodes = hasten_opcodes_of(hasten_py_running_version() >> 16);
}

/* The next instruction with its whole argument. False at the end. */
static inline bool instructions_next(struct instructions *reader,
                                     struct instruction *ret_instruction) {
    uint32_t argument = 0;
    while (reader->opcodes != NULL && reader->next + 1 < reader->size) {
        const uint8_t opcode = reader->bytes[reader->next];
        argument = argument << 8 | reader->bytes[reader->next + 1];
        reader->next += 2 + 2 * reader->opcodes->caches[opcode];
        if (opcode != EXTENDED_ARG) {
            *ret_instruction = (struct instruction){.opcode = opcode, .argument = argument};
            return true;
        }
    }
    return false;
}

#endif
