/* SPDX-License-Identifier: MIT
 *
 * The frames of the running program as the interpreter has them, for code that is
 * called at moments when no frame object may be made. */
#ifndef HASTEN_EXT_PYCOMPAT_FRAMES_H
#define HASTEN_EXT_PYCOMPAT_FRAMES_H

#include "ext/common/pycompat.h"

#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wpedantic"
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_interpframe_structs.h>
#else
#include <internal/pycore_frame.h>
#endif
#pragma GCC diagnostic pop
#undef Py_BUILD_CORE

typedef struct _PyInterpreterFrame hasten_py_frame;

static inline const hasten_py_frame *hasten_py_current_frame(const PyThreadState *thread) {
#if PY_VERSION_HEX >= 0x030d0000
    return thread->current_frame;
#else
    return thread->cframe->current_frame;
#endif
}

static inline const hasten_py_frame *hasten_py_frame_previous(const hasten_py_frame *frame) {
    return frame->previous;
}

/* An address in the bytecode that tells the running instruction. */
static inline uintptr_t hasten_py_frame_place(const hasten_py_frame *frame) {
#if PY_VERSION_HEX >= 0x030d0000
    return (uintptr_t)frame->instr_ptr;
#else
    return (uintptr_t)frame->prev_instr;
#endif
}

/* A borrowed reference. Only of frames that are visible. */
static inline PyCodeObject *hasten_py_frame_code(const hasten_py_frame *frame) {
#if PY_VERSION_HEX >= 0x030e0000
    /* The lowest bits say who owns the reference. */
    return (PyCodeObject *)(frame->f_executable.bits & ~(uintptr_t)3);
#elif PY_VERSION_HEX >= 0x030d0000
    return (PyCodeObject *)frame->f_executable;
#else
    return frame->f_code;
#endif
}

static inline uintptr_t hasten_py_code_start(const PyCodeObject *code) {
    return (uintptr_t)code->co_code_adaptive;
}

/* The line of a place in a code object, 0 where it has none. Only reads. */
static inline int hasten_py_code_line(PyCodeObject *code, uintptr_t place) {
    int line =
        PyCode_Addr2Line(code, (int)((intptr_t)place - (intptr_t)hasten_py_code_start(code)));
    return line < 0 ? 0 : line;
}

/* What runs in a frame and who owns it, to be compared only: while both are what they were,
 * the place from which on the frame is visible is the same. */
static inline uintptr_t hasten_py_frame_executable(const hasten_py_frame *frame) {
#if PY_VERSION_HEX >= 0x030e0000
    return frame->f_executable.bits;
#elif PY_VERSION_HEX >= 0x030d0000
    return (uintptr_t)frame->f_executable;
#else
    return (uintptr_t)frame->f_code;
#endif
}

static inline uint8_t hasten_py_frame_owner(const hasten_py_frame *frame) {
    return (uint8_t)frame->owner;
}

/* The first place at which tracebacks show the frame. UINTPTR_MAX: they never do, because it
 * is one between C and Python. Before it, the frame is still being set up. */
static inline uintptr_t hasten_py_frame_first_visible(const hasten_py_frame *frame) {
#if PY_VERSION_HEX >= 0x030e0000
    if (frame->owner >= FRAME_OWNED_BY_INTERPRETER) {
        return UINTPTR_MAX;
    }
#elif PY_VERSION_HEX >= 0x030d0000
    if (frame->owner >= FRAME_OWNED_BY_CSTACK) {
        return UINTPTR_MAX;
    }
#endif
    if (frame->owner == FRAME_OWNED_BY_GENERATOR) {
        return 0;
    }
    const PyCodeObject *code = hasten_py_frame_code(frame);
    return hasten_py_code_start(code) + (size_t)code->_co_firsttraceable * sizeof(_Py_CODEUNIT);
}

/* How many frames a thread has by the interpreter's own count, which it keeps for the limit
 * on recursion, and which frames are in it: all that are not between C and Python. Up to
 * 3.11 calls of C are counted too. */
#if PY_VERSION_HEX >= 0x030c0000
#define HASTEN_PY_COUNTS_FRAMES true
#else
#define HASTEN_PY_COUNTS_FRAMES false
#endif

static inline uint32_t hasten_py_frame_count(const PyThreadState *thread) {
#if PY_VERSION_HEX >= 0x030c0000
    return (uint32_t)thread->py_recursion_limit - (uint32_t)thread->py_recursion_remaining;
#else
    (void)thread;
    return 0;
#endif
}

static inline bool hasten_py_frame_is_counted(const hasten_py_frame *frame) {
#if PY_VERSION_HEX >= 0x030e0000
    return frame->owner < FRAME_OWNED_BY_INTERPRETER;
#elif PY_VERSION_HEX >= 0x030c0000
    return frame->owner < FRAME_OWNED_BY_CSTACK;
#else
    (void)frame;
    return true;
#endif
}

static inline bool hasten_py_frame_is_visible(const hasten_py_frame *frame) {
    return hasten_py_frame_place(frame) >= hasten_py_frame_first_visible(frame);
}

#endif
