/* SPDX-License-Identifier: MIT
 *
 * Calls of coroutines that go on while they wait: a call lasts from the first
 * step to the end, however often the coroutine is suspended in between. Each task
 * thereby has a stack of its own.
 *
 * While coroutines run they are on the stack of their thread like any other call.
 * A coroutine that is suspended is taken off and kept aside, and put back when it
 * is resumed. Its caller (the event loop, or the coroutine that awaits it) gets as
 * nested time only what passed while both were on the stack. The time of waiting
 * is that of the innermost coroutine, as it would be a blocking call's. */
#ifndef HASTEN_EXT_CPROFILE_TASKS_H
#define HASTEN_EXT_CPROFILE_TASKS_H

#include "ext/common/pycompat.h"

#include "core/tracing/calls.h"

struct hasten_tasks;

/* With `waiting_counts`, the time of waiting is part of a call. NULL: MemoryError
 * is set. */
struct hasten_tasks *hasten_tasks_new(bool waiting_counts);
/* Forgets all coroutines. */
void hasten_tasks_clear(struct hasten_tasks *tasks);
void hasten_tasks_free(struct hasten_tasks *tasks);

/* The call that was just pushed is of the coroutine with that frame. */
void hasten_tasks_began(struct hasten_tasks *tasks, struct hasten_calls *calls, PyObject *frame,
                        int64_t now);
/* Puts the coroutine of that frame back on the stack; false where it was not
 * suspended here. */
bool hasten_tasks_resume(struct hasten_tasks *tasks, struct hasten_calls *calls, PyObject *frame,
                         int64_t now);
/* Whether the current call is a coroutine's that began or was resumed here. */
bool hasten_tasks_on_top(const struct hasten_tasks *tasks, const struct hasten_calls *calls);
/* The current call, which is a coroutine's, is suspended; or it ends, after so
 * long. What is returned (may be NULL) is a reference to be released when the
 * event is over: that may run code. */
PyObject *hasten_tasks_suspend(struct hasten_tasks *tasks, struct hasten_calls *calls, int64_t now);
PyObject *hasten_tasks_leave(struct hasten_tasks *tasks, struct hasten_calls *calls, int64_t now,
                             int64_t *ret_total);
/* Ends one suspended coroutine's call; false where there is none. */
bool hasten_tasks_flush(struct hasten_tasks *tasks, struct hasten_calls *calls, int64_t now);

#endif
