/* SPDX-License-Identifier: MIT
 *
 * Events of Python functions from the interpreter's frame evaluation hook (PEP
 * 523), CPython 3.11: a fifth of what the profile function costs, but without
 * functions of C.
 *
 * With a hook, calls between Python functions use the C stack, which they do not
 * otherwise. So no thread may go deep under it: at half of any thread's stack the
 * hook is removed, for all threads, and profilers that used it go on with the
 * profile function. */
#ifndef HASTEN_EXT_CPROFILE_EVALUATION_H
#define HASTEN_EXT_CPROFILE_EVALUATION_H

#include "ext/cprofile/profiler.h"

/* Starts events of the running thread; false where somebody else has a hook. */
bool hasten_evaluation_start(struct hasten_profiler *profiler);
/* Removes the hook unless a profiler of another thread needs it. */
void hasten_evaluation_stop(struct hasten_profiler *profiler);

/* setprofile.c: makes a thread's profiler go on with the profile function. */
void hasten_mechanism_take_over(PyThreadState *thread);

#endif
