/* SPDX-License-Identifier: MIT
 *
 * A stack of calls for each thread, and for each greenlet of a thread. */
#ifndef HASTEN_EXT_CPROFILE_STACKS_H
#define HASTEN_EXT_CPROFILE_STACKS_H

#include "ext/common/pycompat.h"

#include "core/tracing/calls.h"

struct hasten_stacks;

struct hasten_stacks *hasten_stacks_new(void); /* NULL: MemoryError is set */
void hasten_stacks_free(struct hasten_stacks *stacks, struct hasten_calls *calls);

/* Makes the running thread's stack the current one. False where there was no
 * memory for it: the event must not be counted. */
bool hasten_stacks_select(struct hasten_stacks *stacks, struct hasten_calls *calls);
/* The running thread switched to this greenlet. */
bool hasten_stacks_select_greenlet(struct hasten_stacks *stacks, struct hasten_calls *calls,
                                   const void *greenlet);
/* Makes the stack that has that `id` the current one, whoever runs. */
void hasten_stacks_select_id(struct hasten_stacks *stacks, struct hasten_calls *calls, uint32_t id);
/* The stack that has that `id`, be it the current one; NULL: there is none. */
struct hasten_call_stack *hasten_stacks_at(struct hasten_stacks *stacks, struct hasten_calls *calls,
                                           uint32_t id);
/* Makes another stack with active calls the current one; false where there is
 * none left. */
bool hasten_stacks_select_busy(struct hasten_stacks *stacks, struct hasten_calls *calls);
/* Forgets the active calls of all stacks but the current one. */
void hasten_stacks_clear(struct hasten_stacks *stacks);

#endif
