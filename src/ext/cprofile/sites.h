/* SPDX-License-Identifier: MIT
 *
 * Calls that need not be told of, 3.12 and later. To hear of calls of C functions,
 * CALL events are armed, and then every call is told, also of a Python function,
 * whose own events are all that counts: that is a third of what such a call costs.
 *
 * Where the callee is a global variable, a place can be silenced without missing
 * anything. Its event is disabled once the variable was seen to hold a Python
 * function (or a class, of whose calls nobody is told), and armed again before the
 * variable gets any other value: the interpreter tells that of a watched
 * dictionary. Code may run with other globals than those that were looked at; so
 * whoever enters it is checked first. A place that was armed again stays so. */
#ifndef HASTEN_EXT_CPROFILE_SITES_H
#define HASTEN_EXT_CPROFILE_SITES_H

#include "ext/cprofile/profiler.h"

struct hasten_site_book;

/* Starts silencing, of a profiler about to be armed. Never fails: without memory,
 * or where all watchers of dictionaries are taken, nothing is silenced. */
void hasten_sites_start(struct hasten_profiler *profiler);
/* Arms all places again and forgets them. */
void hasten_sites_stop(struct hasten_profiler *profiler);
/* A function of the profiler is freed. hasten_sites_stop must have been called. */
void hasten_sites_free(struct hasten_sites *sites);

/* Whether the place of a CALL event may be disabled, in code that the current call
 * of the profiler runs. `function` is that call's; it is settled once there is no
 * more to find in it. */
bool hasten_sites_silence(struct hasten_profiler *profiler, struct hasten_call_function *function,
                          PyObject *offset, PyObject *callee);
/* Checks the call of a marked function that was just entered. */
void hasten_sites_check(struct hasten_profiler *profiler, struct hasten_call_function *function);

#endif
