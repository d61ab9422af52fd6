/* SPDX-License-Identifier: MIT
 *
 * What the stack walker needs to know of a version's bytecode, by opcode byte
 * (specialised and instrumented opcodes included). */
#ifndef HASTEN_PYABI_OPCODES_H
#define HASTEN_PYABI_OPCODES_H

#include <stdint.h>

struct hasten_opcodes {
    uint8_t caches[256];    /* inline cache units that follow the instruction */
    uint8_t may_push[256];  /* a Python frame may be pushed above it without C in between */
    uint8_t call[256];      /* it calls an arbitrary callable */
    uint8_t iterates[256];  /* resumes the generator on top of the value stack */
    uint8_t returns[256];   /* it ends the frame */
    uint8_t versioned[256]; /* its cache has the version of the function that it calls */
    uint8_t opaque[256];    /* stands in place of another, unknown instruction */
    uint8_t iterator_slots; /* what is iterated over is so many slots below the stack's top */
};

/* `minor_version` as in struct hasten_layout (0x030d); NULL where unknown. */
const struct hasten_opcodes *hasten_opcodes_of(uint32_t minor_version);

extern const struct hasten_opcodes hasten_opcodes_311;
extern const struct hasten_opcodes hasten_opcodes_312;
extern const struct hasten_opcodes hasten_opcodes_313;
extern const struct hasten_opcodes hasten_opcodes_314;
extern const struct hasten_opcodes hasten_opcodes_315;

#endif
