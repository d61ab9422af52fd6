/* SPDX-License-Identifier: MIT
 *
 * Every difference between CPython versions that extension code meets. The only
 * file under src/ext/ that may look at PY_VERSION_HEX. */
#ifndef HASTEN_EXT_PYCOMPAT_H
#define HASTEN_EXT_PYCOMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030b0000
#error "hasten needs CPython 3.11 or newer"
#endif

/* Slots that tell the interpreter that a module keeps its state in the module
 * object and guards what threads share: one copy an interpreter, no GIL needed.
 * Followed by the module's own {0, NULL}. */
#if PY_VERSION_HEX >= 0x030d0000
#define HASTEN_PY_ISOLATED_SLOTS                                          \
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, \
        {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#elif PY_VERSION_HEX >= 0x030c0000
#define HASTEN_PY_ISOLATED_SLOTS \
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#else
#define HASTEN_PY_ISOLATED_SLOTS
#endif

/* The names of member definitions, which had no prefix before 3.12. */
#if PY_VERSION_HEX < 0x030c0000
#include <structmember.h>
#define Py_T_OBJECT_EX T_OBJECT_EX
#define Py_READONLY READONLY
#endif

/* Guards an object's own fields: its lock where threads run free, nothing where
 * the GIL is the guard. Used as a pair around code that cannot leave early. */
#if PY_VERSION_HEX >= 0x030d0000
#define HASTEN_PY_BEGIN_LOCKED(object) Py_BEGIN_CRITICAL_SECTION(object)
#define HASTEN_PY_END_LOCKED() Py_END_CRITICAL_SECTION()
#define HASTEN_PY_BEGIN_LOCKED2(one, other) Py_BEGIN_CRITICAL_SECTION2(one, other)
#define HASTEN_PY_END_LOCKED2() Py_END_CRITICAL_SECTION2()
#else
#define HASTEN_PY_BEGIN_LOCKED(object) \
    {                                  \
        (void)(object);
#define HASTEN_PY_END_LOCKED() }
#define HASTEN_PY_BEGIN_LOCKED2(one, other) \
    {                                       \
        (void)(one);                        \
        (void)(other);
#define HASTEN_PY_END_LOCKED2() }
#endif

#endif
