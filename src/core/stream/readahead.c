/* SPDX-License-Identifier: MIT */
#include "core/stream/readahead.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long a reader waits for the thread before it looks at signals. */
#define PATIENCE_NS 50000000

/* Reads until a slot is at least half full, so that the two threads do not wake each other
 * for little; a source that would wait is not waited for with data in hand. */
static hasten_status fill_slot(struct hasten_readahead *readahead, uint8_t *slot, size_t *ret_size,
                               bool *ret_interrupted, struct hasten_error *error) {
    size_t size = 0;
    hasten_status status = HASTEN_OK;
    while (size < (readahead->slot_size + 1) / 2) {
        size_t got = 0;
        status = readahead->below.read(readahead->below.context, slot + size,
                                       readahead->slot_size - size, &got, error);
        if (status != HASTEN_OK || got == 0) {
            break;
        }
        size += got;
    }
    *ret_size = size;
    *ret_interrupted = status == HASTEN_INTERRUPTED;
    return status == HASTEN_INTERRUPTED ? HASTEN_OK : status;
}

/* A free slot, or none because the thread is to stop. */
static uint8_t *wait_for_slot(struct hasten_readahead *readahead, size_t *ret_index) {
    (void)pthread_mutex_lock(&readahead->lock);
    while (readahead->filled == HASTEN_READAHEAD_SLOTS && !readahead->is_stopping) {
        (void)pthread_cond_wait(&readahead->changed, &readahead->lock);
    }
    const bool is_stopping = readahead->is_stopping;
    *ret_index = (readahead->first + readahead->filled) % HASTEN_READAHEAD_SLOTS;
    (void)pthread_mutex_unlock(&readahead->lock);
    return is_stopping ? NULL : readahead->data + *ret_index * readahead->slot_size;
}

static void *work(void *argument) {
    struct hasten_readahead *readahead = argument;
    bool is_over = false;
    size_t index = 0;
    for (uint8_t *slot; !is_over && (slot = wait_for_slot(readahead, &index)) != NULL;) {
        struct hasten_error error = {HASTEN_OK, -1, ""};
        size_t size = 0;
        bool was_interrupted = false;
        const hasten_status status = fill_slot(readahead, slot, &size, &was_interrupted, &error);
        is_over = status != HASTEN_OK || (size == 0 && !was_interrupted);
        (void)pthread_mutex_lock(&readahead->lock);
        if (size != 0) {
            readahead->sizes[index] = size;
            readahead->filled++;
        }
        if (is_over) {
            readahead->status = status;
            readahead->error = error;
            readahead->is_over = true;
        }
        (void)pthread_cond_signal(&readahead->changed);
        (void)pthread_mutex_unlock(&readahead->lock);
    }
    return NULL;
}

static hasten_status start(struct hasten_readahead *readahead, struct hasten_error *error) {
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&readahead->thread, NULL, work, readahead);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 ? HASTEN_OK
                       : hasten_error_set(error, HASTEN_LIMIT, -1,
                                          "no thread could be started to decompress on");
}

hasten_status hasten_readahead_init(struct hasten_readahead *readahead, struct hasten_source below,
                                    size_t slot_size, const struct hasten_allocator *allocator,
                                    struct hasten_error *error) {
    const size_t all_size = slot_size * HASTEN_READAHEAD_SLOTS;
    pthread_condattr_t attributes;
    *readahead = (struct hasten_readahead){
        .below = below,
        .allocator = allocator,
        .pid = getpid(),
        .slot_size = slot_size,
    };
    readahead->data = hasten_allocate(allocator, all_size);
    if (readahead->data == NULL) {
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    (void)pthread_mutex_init(&readahead->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&readahead->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    const hasten_status status = start(readahead, error);
    if (status != HASTEN_OK) {
        (void)pthread_cond_destroy(&readahead->changed);
        (void)pthread_mutex_destroy(&readahead->lock);
        hasten_release(allocator, readahead->data, all_size);
        readahead->data = NULL;
    }
    return status;
}

void hasten_readahead_done(struct hasten_readahead *readahead) {
    if (readahead->data == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&readahead->lock);
    readahead->is_stopping = true;
    (void)pthread_cond_signal(&readahead->changed);
    (void)pthread_mutex_unlock(&readahead->lock);
    (void)pthread_join(readahead->thread, NULL);
    (void)pthread_cond_destroy(&readahead->changed);
    (void)pthread_mutex_destroy(&readahead->lock);
    hasten_release(readahead->allocator, readahead->data,
                   readahead->slot_size * HASTEN_READAHEAD_SLOTS);
    readahead->data = NULL;
}

/* Waits for a filled slot, at most for a while. */
static bool wait_for_data(struct hasten_readahead *readahead) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += PATIENCE_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int answer = 0;
    while (readahead->filled == 0 && !readahead->is_over && answer == 0) {
        answer = pthread_cond_timedwait(&readahead->changed, &readahead->lock, &until);
    }
    return readahead->filled != 0 || readahead->is_over;
}

static hasten_status readahead_read(void *context, uint8_t *buffer, size_t size, size_t *ret_size,
                                    struct hasten_error *error) {
    struct hasten_readahead *readahead = context;
    if (readahead->pid != getpid()) {
        return hasten_error_set(error, HASTEN_INVALID, -1,
                                "a compressed stream cannot be read on in a child of fork()");
    }
    (void)pthread_mutex_lock(&readahead->lock);
    const bool is_there = wait_for_data(readahead);
    const bool has_slot = readahead->filled != 0;
    const size_t slot = readahead->first;
    hasten_status status = !is_there ? HASTEN_INTERRUPTED : readahead->status;
    if (is_there && !has_slot && status != HASTEN_OK && error != NULL) {
        *error = readahead->error;
    }
    (void)pthread_mutex_unlock(&readahead->lock);
    if (!has_slot) {
        if (status == HASTEN_OK) {
            *ret_size = 0;
        }
        return status;
    }
    /* A slot that is filled is its reader's. */
    const size_t left = readahead->sizes[slot] - readahead->read_at;
    const size_t given = left < size ? left : size;
    memcpy(buffer, readahead->data + slot * readahead->slot_size + readahead->read_at, given);
    readahead->read_at += given;
    if (given == left) {
        readahead->read_at = 0;
        (void)pthread_mutex_lock(&readahead->lock);
        readahead->first = (slot + 1) % HASTEN_READAHEAD_SLOTS;
        readahead->filled--;
        (void)pthread_cond_signal(&readahead->changed);
        (void)pthread_mutex_unlock(&readahead->lock);
    }
    *ret_size = given;
    return HASTEN_OK;
}

struct hasten_source hasten_readahead_source(struct hasten_readahead *readahead) {
    return (struct hasten_source){readahead, readahead_read};
}
