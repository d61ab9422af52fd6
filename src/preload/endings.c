/* SPDX-License-Identifier: MIT
 *
 * The process's beginning, fork, and its end. Memory that is in use when the interpreter
 * begins to take itself apart counts as in use at the end. */
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "preload/heap.h"
#include "preload/real.h"

/* The first part of a process is written soon: a program that is killed has something. */
#define FIRST_WRITE_NS 100000000u

void hasten_heap_begin(struct hasten_heap *heap) {
    struct hasten_heap_book *book = &heap->book;
    const struct hasten_allocator *allocator = &book->arena.allocator;
    if (allocator->resize == NULL) {
        hasten_arena_init(&book->arena);
        hasten_arena_init(&heap->table_arena);
    } else {
        hasten_heap_lock(&heap->table_lock);
        hasten_samples_done(&heap->samples);
        hasten_heap_unlock(&heap->table_lock);
    }
    struct hasten_arena arena = book->arena;
    *book = (struct hasten_heap_book){.arena = arena};
    book->arena.allocator.context = &book->arena;
    book->stack.allocator = allocator;
    hasten_sites_init(&book->sites, allocator);
    hasten_code_table_init(&book->codes, allocator);
    hasten_natives_init(&book->natives, allocator);
    hasten_samples_init(&heap->samples, hasten_filter, &heap->table_arena.allocator);
    heap->pid = (uint32_t)getpid();
    heap->generation++;
    heap->parts = 0;
    heap->has_forked = false;
    heap->is_closed = false;
    heap->write_ns = hasten_clock_monotonic_ns() + FIRST_WRITE_NS;
}

void hasten_heap_finish(enum hasten_heap_reason reason) {
    struct hasten_heap *heap = &hasten_heap;
    struct hasten_self *self = &hasten_self;
    if (!heap->is_active || heap->pid != (uint32_t)getpid()) {
        return; /* also after vfork: all of this is the parent's */
    }
    if (hasten_self_is_inside(self)) {
        return; /* a signal's handler ends the process in the middle of a hook */
    }
    uint64_t left = self->left;
    self->left = HASTEN_SELF_NEVER;
    hasten_heap_lock(&heap->lock);
    if (!heap->has_forked) {
        hasten_heap_write(heap, reason);
    }
    hasten_heap_unlock(&heap->lock);
    self->left = left;
}

/* Others may have handlers of their own, which allocate, and run while ours have the
 * locks: that is not sampled. */
static uint64_t left_before_fork; /* guarded by the lock */

static void before_fork(void) {
    uint64_t left = hasten_self.left;
    hasten_self.left = HASTEN_SELF_NEVER;
    pthread_mutex_lock(&hasten_heap.lock);
    pthread_mutex_lock(&hasten_heap.table_lock);
    left_before_fork = left;
}

static void after_fork_in_parent(void) {
    uint64_t left = left_before_fork;
    pthread_mutex_unlock(&hasten_heap.table_lock);
    pthread_mutex_unlock(&hasten_heap.lock);
    hasten_self.left = left;
}

/* Nothing more than this: most forked processes become another program at once. */
static void after_fork_in_child(void) {
    hasten_heap.has_forked = true;
    hasten_heap.label = "fork";
    after_fork_in_parent();
}

static __attribute__((constructor)) void load(void) {
    struct hasten_heap *heap = &hasten_heap;
    struct hasten_self *self = &hasten_self;
    hasten_real_find();
    if (!hasten_settings_read(heap) || !hasten_python_find(&heap->python)) {
        return;
    }
    heap->label = "";
    hasten_heap_begin(heap);
    if (pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0) {
        return;
    }
    heap->is_active = true;
    hasten_domains_wrap(heap);
    *self = (struct hasten_self){0};
}

static __attribute__((destructor)) void unload(void) {
    hasten_heap_finish(HASTEN_HEAP_ENDS);
}

HASTEN_EXPORT _Noreturn void _exit(int status) {
    hasten_real_find();
    hasten_heap_finish(HASTEN_HEAP_ENDS);
    hasten_real._exit(status);
    __builtin_unreachable();
}

HASTEN_EXPORT _Noreturn void _Exit(int status) {
    _exit(status);
}
