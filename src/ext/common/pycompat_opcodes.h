/* SPDX-License-Identifier: MIT
 *
 * Numbers of instructions, as the headers of the interpreter that we are built for have
 * them. Where a version has no such instruction the number is one that no byte has. */
#ifndef HASTEN_EXT_PYCOMPAT_OPCODES_H
#define HASTEN_EXT_PYCOMPAT_OPCODES_H

#include "ext/common/pycompat.h"

#include <opcode.h>

#ifndef LOAD_METHOD
#define LOAD_METHOD 1000
#endif
#ifndef LOAD_FROM_DICT_OR_GLOBALS
#define LOAD_FROM_DICT_OR_GLOBALS 1001
#endif
#ifndef LOAD_SMALL_INT
#define LOAD_SMALL_INT 1003
#endif
#ifndef LOAD_COMMON_CONSTANT
#define LOAD_COMMON_CONSTANT 1004
#endif
#ifndef CALL_KW
#define CALL_KW 1002
#endif

/* How far the number of a name is shifted in the argument of LOAD_GLOBAL, whose lowest bit
 * says that the value is called, and of LOAD_ATTR. */
#define HASTEN_PY_LOAD_GLOBAL_SHIFT 1
#if PY_VERSION_HEX >= 0x030c0000
#define HASTEN_PY_LOAD_ATTR_SHIFT 1
#else
#define HASTEN_PY_LOAD_ATTR_SHIFT 0
#endif
/* From 3.15 on the lowest bits of IMPORT_NAME's argument say whether it is lazy. */
#if PY_VERSION_HEX >= 0x030f0000
#define HASTEN_PY_IMPORT_NAME_SHIFT 2
#else
#define HASTEN_PY_IMPORT_NAME_SHIFT 0
#endif

/* How often a code object of 3.11 was executed, up to 8, which is told by its counter towards
 * being specialised: that starts at -8 and ends at 0. -1: the version does not tell. */
#if PY_VERSION_HEX < 0x030c0000
#define HASTEN_PY_CODE_TELLS_RUNS true
static inline int hasten_py_code_runs(const PyCodeObject *code) {
    return 8 + code->co_warmup;
}
#else
#define HASTEN_PY_CODE_TELLS_RUNS false
static inline int hasten_py_code_runs(const PyCodeObject *code) {
    (void)code;
    return -1;
}
#endif

#endif
