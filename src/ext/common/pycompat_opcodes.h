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

/* Whether a code object of 3.11 was executed at all, which is told by its counter towards being
 * specialised: that starts at -8. Later versions do not tell. */
#if PY_VERSION_HEX < 0x030c0000
#define HASTEN_PY_CODE_TELLS_RUN true
static inline bool hasten_py_code_ran(const PyCodeObject *code) {
    return code->co_warmup != -8;
}
#else
#define HASTEN_PY_CODE_TELLS_RUN false
static inline bool hasten_py_code_ran(const PyCodeObject *code) {
    (void)code;
    return false;
}
#endif

#endif
