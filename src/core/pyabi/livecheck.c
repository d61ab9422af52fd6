/* SPDX-License-Identifier: MIT
 *
 * Checks a layout on the process that it is for. The process runs meanwhile, so
 * a check that fails is repeated before it counts. */
#include "core/pyabi/livecheck.h"

#include <stdbool.h>
#include <time.h>

/* A thread that ends or grows its stack while we look spoils one look, or several
 * when the kernel takes its processor away just then: the first looks follow each
 * other, the rest wait. Together some 30 ms, and only where something is amiss. */
#define HASTEN_LIVECHECK_TRIES 38
#define HASTEN_LIVECHECK_TRIES_AT_ONCE 8
#define HASTEN_LIVECHECK_WAIT_NS 1000000
/* Interpreters that are passed over because they have no thread yet. */
#define HASTEN_LIVECHECK_INTERPRETERS_MAX 256
/* Largest chunk of a Python stack that is believed: CPython's begin with 16 KiB
 * and grow as a single frame needs. */
#define HASTEN_LIVECHECK_CHUNK_MAX (UINT64_C(1) << 32)

struct look {
    uint32_t pid;
    const struct hasten_layout *layout;
    struct hasten_error *error;
};

static hasten_status bad(const struct look *look, hasten_raddr address, const char *what) {
    return hasten_error_set(look->error, HASTEN_BAD_LAYOUT, (int64_t)address.value,
                            "process %u does not look like CPython %u.%u inside: %s", look->pid,
                            look->layout->version >> 8, look->layout->version & 0xff, what);
}

static hasten_status get(const struct look *look, hasten_raddr base, uint32_t offset,
                         uint64_t *ret_value) {
    return hasten_memory_read(look->pid, hasten_raddr_add(base, offset), ret_value,
                              sizeof *ret_value);
}

static hasten_status get_int(const struct look *look, hasten_raddr base, uint32_t offset,
                             int32_t *ret_value) {
    return hasten_memory_read(look->pid, hasten_raddr_add(base, offset), ret_value,
                              sizeof *ret_value);
}

/* The stack of frames ends in the newest chunk. While a chunk is added or given
 * back, either its limit or the top is still the other chunk's, but not both. */
static hasten_status check_stack(const struct look *look, hasten_raddr thread) {
    const struct hasten_layout *layout = look->layout;
    uint64_t chunk, top, limit, size;
    struct hasten_read fields[] = {
        {hasten_raddr_add(thread, layout->thread_datastack_chunk), &chunk, sizeof chunk},
        {hasten_raddr_add(thread, layout->thread_datastack_top), &top, sizeof top},
        {hasten_raddr_add(thread, layout->thread_datastack_limit), &limit, sizeof limit},
    };
    size_t bytes;

    /* Neighbours, so that one call sees them at nearly one moment. */
    hasten_status status = hasten_memory_read_batch(look->pid, fields, 3, &bytes);
    if (status != HASTEN_OK || chunk == 0)
        return status;
    status = get(look, hasten_raddr_at(chunk), layout->chunk_size, &size);
    if (status != HASTEN_OK)
        return status;
    bool holds_top = top >= chunk + layout->chunk_data && top <= chunk + size;
    if (size < layout->chunk_data || size > HASTEN_LIVECHECK_CHUNK_MAX ||
        (limit != chunk + size && !holds_top))
        return bad(look, thread, "a thread's stack of frames is not where it should be");
    return HASTEN_OK;
}

static hasten_status check_gil(const struct look *look, hasten_raddr runtime,
                               hasten_raddr interpreter) {
    const struct hasten_layout *layout = look->layout;
    uint64_t gil = 0;
    int32_t locked;

    if (layout->interpreter_gil == HASTEN_ABSENT) {
        gil = runtime.value + layout->runtime_gil;
    } else {
        hasten_status status = get(look, interpreter, layout->interpreter_gil, &gil);
        if (status != HASTEN_OK)
            return status;
    }
    if (gil == 0)
        return bad(look, interpreter, "an interpreter has no GIL");
    hasten_status status = get_int(look, hasten_raddr_at(gil), layout->gil_locked, &locked);
    if (status != HASTEN_OK)
        return status;
    if (locked < -1 || locked > 1)
        return bad(look, hasten_raddr_at(gil), "the GIL is neither locked nor free");
    return HASTEN_OK;
}

static hasten_status check_thread(const struct look *look, hasten_raddr interpreter,
                                  hasten_raddr thread) {
    uint64_t owner, previous;

    hasten_status status = get(look, thread, look->layout->thread_interp, &owner);
    if (status == HASTEN_OK)
        status = get(look, thread, look->layout->thread_prev, &previous);
    if (status != HASTEN_OK)
        return status;
    if (owner != interpreter.value)
        return bad(look, thread, "a thread does not point back to its interpreter");
    if (previous != 0)
        return bad(look, thread, "the first thread has one before it");
    return check_stack(look, thread);
}

/* OK: an interpreter with a thread was found and is sound. */
static hasten_status check_interpreters(const struct look *look, hasten_raddr runtime,
                                        uint64_t head) {
    const struct hasten_layout *layout = look->layout;
    uint64_t back, thread;

    for (int i = 0; head != 0 && i < HASTEN_LIVECHECK_INTERPRETERS_MAX; i++) {
        hasten_raddr interpreter = hasten_raddr_at(head);
        hasten_status status = get(look, interpreter, layout->interpreter_runtime, &back);
        if (status == HASTEN_OK)
            status = get(look, interpreter, layout->interpreter_threads_head, &thread);
        if (status == HASTEN_OK)
            status = get(look, interpreter, layout->interpreter_next, &head);
        if (status != HASTEN_OK)
            return status;
        if (back != runtime.value)
            return bad(look, interpreter, "an interpreter does not point back to the runtime");
        if (thread == 0)
            continue;
        status = check_gil(look, runtime, interpreter);
        if (status == HASTEN_OK)
            status = check_thread(look, interpreter, hasten_raddr_at(thread));
        return status;
    }
    return hasten_error_set(look->error, HASTEN_NOT_READY, -1,
                            "the Python in process %u has no thread yet", look->pid);
}

static hasten_status look_once(const struct look *look, hasten_raddr runtime) {
    const struct hasten_layout *layout = look->layout;
    uint64_t head, finalizing;
    int32_t initialized;

    hasten_status status = get_int(look, runtime, layout->runtime_initialized, &initialized);
    if (status == HASTEN_OK)
        status = get(look, runtime, layout->runtime_interpreters_head, &head);
    if (status == HASTEN_OK)
        status = get(look, runtime, layout->runtime_finalizing, &finalizing);
    if (status != HASTEN_OK)
        return status;
    if (initialized != 0 && initialized != 1)
        return bad(look, runtime, "the runtime is neither initialised nor not");
    if (finalizing != 0)
        return hasten_error_set(look->error, HASTEN_NOT_READY, -1,
                                "the Python in process %u is shutting down", look->pid);
    if (initialized == 0 || head == 0)
        return hasten_error_set(look->error, HASTEN_NOT_READY, -1,
                                "the Python in process %u is not initialised yet", look->pid);
    return check_interpreters(look, runtime, head);
}

hasten_status hasten_livecheck(uint32_t pid, hasten_raddr runtime,
                               const struct hasten_layout *layout, struct hasten_error *error) {
    struct look look = {pid, layout, error};
    hasten_status status = HASTEN_OK;

    for (int i = 0; i < HASTEN_LIVECHECK_TRIES; i++) {
        if (i >= HASTEN_LIVECHECK_TRIES_AT_ONCE)
            (void)nanosleep(&(struct timespec){.tv_nsec = HASTEN_LIVECHECK_WAIT_NS}, NULL);
        status = look_once(&look, runtime);
        if (status != HASTEN_BAD_LAYOUT && status != HASTEN_GONE)
            return status;
    }
    if (status == HASTEN_GONE)
        return bad(&look, runtime, "its pointers lead to memory that is not mapped");
    return status;
}
