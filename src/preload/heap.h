/* SPDX-License-Identifier: MIT
 *
 * The recording of this process's heap. In the program's processes this is preloaded;
 * the files around it:
 *
 *   self.h         what every allocation asks
 *   allocations.c  malloc and its kin       mappings.c  mmap
 *   domains.c      Python's own allocators
 *   heap.c         a sample is taken, a sampled block is freed
 *   python.c reader.c codes.c frames.c      the running thread's Python stack
 *   write.c natives.c                       the part that this process writes
 *   settings.c     what the command asked for, and the environment
 *   endings.c programs.c                    exit, fork, exec
 *   real.c arena.c stack.c unpacked.c       functions, memory and a stack of our own
 *
 * Two locks. `lock` guards everything but the table of live blocks, `table_lock` that;
 * who has both took `lock` first. Neither is ever held while the program's code runs, and
 * nothing that is called with them waits for the GIL or for the dynamic linker. */
#ifndef HASTEN_PRELOAD_HEAP_H
#define HASTEN_PRELOAD_HEAP_H

#include <limits.h>
#include <pthread.h>

#include "core/heap/sites.h"
#include "hasten/recorder.h"
#include "preload/arena.h"
#include "preload/frames.h"
#include "preload/self.h"

/* Where memory came from: Python's own allocators have no frame of their own. */
enum hasten_heap_origin { HASTEN_ORIGIN_PYTHON, HASTEN_ORIGIN_NATIVE };

struct hasten_heap_thread {
    uint32_t tid;
    uint32_t root;     /* its node */
    uint32_t recorded; /* HASTEN_NONE: not in the part yet */
};

/* What the part has of a site. */
struct hasten_heap_written {
    int64_t amounts[HASTEN_HEAP_COUNTS][2]; /* bytes, blocks */
};

struct hasten_heap_point {
    uint64_t time_ns; /* since the recording's start */
    double live_bytes;
};
#define HASTEN_HEAP_POINTS 256

/* What is mapped to run, as last read. */
struct hasten_natives {
    struct hasten_native_code *codes;
    size_t count, capacity;
    struct hasten_buffer paths;
    bool is_read;
};

/* All that belongs to this process and is made anew in a forked one. */
struct hasten_heap_book {
    struct hasten_arena arena;
    struct hasten_sites sites;
    struct hasten_code_table codes;
    struct hasten_own_stack stack;
    struct hasten_natives natives;
    struct hasten_heap_thread *threads;
    size_t thread_count, thread_capacity;
    struct hasten_heap_point points[HASTEN_HEAP_POINTS]; /* not written yet */
    size_t point_count;
    /* Of the part, by index here. */
    uint32_t *nodes, *code_ids;
    size_t node_capacity, code_capacity;
    size_t nodes_written;
    struct hasten_heap_written *sites_written;
    size_t site_capacity;
};

struct hasten_heap {
    pthread_mutex_t lock, table_lock;
    bool is_active;  /* Python, and asked for */
    bool is_closed;  /* nothing is recorded any more */
    bool has_forked; /* the book is the parent's */
    bool is_ending;  /* the interpreter is: what is freed by that counts as alive */
    double mean_bytes;
    uint64_t seed;     /* of the first draws; 0: any */
    uint64_t start_ns; /* of the recording, on the monotonic clock */
    uint64_t write_ns; /* when it is to be written next */
    uint32_t pid, generation;
    const char *label; /* "fork" */
    char folder[PATH_MAX];
    struct hasten_python python;
    struct hasten_reader reader;
    struct hasten_arena table_arena;
    struct hasten_samples samples;
    struct hasten_heap_book book;
    struct hasten_recorder *recorder; /* NULL: no part is open */
    uint32_t process, metrics[HASTEN_HEAP_COUNTS][2], series;
    uint32_t parts;
    bool unseen_domains; /* Python's allocators were replaced, and ours are not in front */
};

extern struct hasten_heap hasten_heap;

/* Takes one of the two locks. A handler of a signal that comes meanwhile sees it and does
 * not wait for what its own thread has. */
static inline void hasten_heap_lock(pthread_mutex_t *lock) {
    hasten_self.locks++;
    pthread_mutex_lock(lock);
}

static inline void hasten_heap_unlock(pthread_mutex_t *lock) {
    pthread_mutex_unlock(lock);
    hasten_self.locks--;
}

/* The slow half of counting a block that hasten_self_passes did not let pass. `caller`:
 * the return address of whoever asked, for native memory. errno stays. */
void hasten_heap_allocated(struct hasten_self *self, const void *block, size_t size,
                           enum hasten_heap_origin origin, const void *caller);
/* A block that may be a sampled one goes. False: it must not be given to the real free. */
bool hasten_heap_freed(const struct hasten_self *self, const void *block);
/* The same in steps, for what may fail: the block is taken out of the table before
 * anybody else can get its address, and is gone or put back afterwards. False: it was
 * not sampled. */
bool hasten_heap_take(const void *block, struct hasten_heap_sample *ret_sample);
void hasten_heap_gone(const struct hasten_self *self, const struct hasten_heap_sample *sample);
void hasten_heap_put_back(const struct hasten_heap_sample *sample);

/* settings.c: reads the environment and takes what is ours out of it. False: nothing was
 * asked for. */
bool hasten_settings_read(struct hasten_heap *heap);
/* domains.c */
void hasten_domains_wrap(struct hasten_heap *heap);
/* Looks whether they still are, with the GIL held. */
void hasten_domains_check(struct hasten_heap *heap);

/* write.c: with the lock held. */
enum hasten_heap_reason { HASTEN_HEAP_GOES_ON, HASTEN_HEAP_MAY_END, HASTEN_HEAP_ENDS };
void hasten_heap_write(struct hasten_heap *heap, enum hasten_heap_reason reason);
/* Forgets everything without writing, and begins anew: the book is another process's. */
void hasten_heap_drop(struct hasten_heap *heap);
/* endings.c: writes before this process goes away, from outside the lock. */
void hasten_heap_finish(enum hasten_heap_reason reason);
/* An empty book for this process. */
void hasten_heap_begin(struct hasten_heap *heap);

/* natives.c: libraries come and go, so that what was read is forgotten after each time
 * something was written. */
void hasten_natives_init(struct hasten_natives *natives, const struct hasten_allocator *allocator);
void hasten_natives_done(struct hasten_natives *natives);
void hasten_natives_forget(struct hasten_natives *natives);
/* The code of the part for a return address. */
HASTEN_CHECKED hasten_status hasten_natives_record(struct hasten_heap *heap, uint64_t address,
                                                   uint32_t *ret_code);

/* stack.c: calls the function on a stack of our own, for the program's may be small. With
 * the lock held. */
void hasten_stack_call(void (*function)(void *), void *argument);

#endif
