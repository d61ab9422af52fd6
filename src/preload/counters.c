/* SPDX-License-Identifier: MIT
 *
 * hasten_counters.so: exact counts of what a process allocates, without stacks. It is
 * loaded into processes of benchmarks that are not timed; core/heap/counters.h says how it
 * is asked. Python's own allocators are set aside meanwhile (PYTHONMALLOC=malloc), so that
 * malloc sees everything.
 *
 * Counted are the bytes that were asked for, not those that an allocator makes of them:
 * the size is kept in the last bytes of the block, for which each is asked to be longer. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/heap/counters.h"
#include "preload/real.h"
#include "preload/self.h"

#define MARKS "marks:"
#define ALL "all:"

/* real.c notes there which blocks are its own. */
uint8_t hasten_filter[HASTEN_SAMPLES_FILTER_SIZE];

/* Of this process. Other threads allocate at the same time: relaxed atomics. */
static struct {
    int64_t live_bytes, peak_bytes, base_bytes;
    uint64_t allocated_bytes, blocks;
} counted;
static struct hasten_counters *page; /* NULL: nobody asks */
/* All processes of a command count into the page; there are no marks. */
static bool counts_all;

/* Where the size stands: at the end of what the allocator gave, where nothing tells it
 * where that begins but the block itself. */
#define TAIL sizeof(uint64_t)

static char *tail_of(void *block) {
    return (char *)block + malloc_usable_size(block) - TAIL;
}

static uint64_t disguise(const void *block, uint64_t size) {
    return size ^ (uintptr_t)block ^ UINT64_C(0x9e3779b97f4a7c15);
}

/* A block that did not come by here, or whose owner wrote to its end, counts with what
 * the allocator gave. */
static size_t size_of(void *block) {
    size_t usable = malloc_usable_size(block);
    uint64_t tail = 0;
    if (usable >= TAIL) {
        memcpy(&tail, tail_of(block), TAIL);
    }
    uint64_t size = disguise(block, tail);
    return size <= usable - TAIL ? size : usable;
}

/* How much to ask for; 0 bytes more where that does not fit. */
static size_t longer(size_t size) {
    return size <= SIZE_MAX - TAIL ? size + TAIL : size;
}

static void *begin_block(void *block, size_t size) {
    if (block == NULL || hasten_real_is_early(block)) {
        return block;
    }
    uint64_t tail = disguise(block, size);
    memcpy(tail_of(block), &tail, TAIL);
    int64_t live = __atomic_add_fetch(&counted.live_bytes, (int64_t)size, __ATOMIC_RELAXED);
    int64_t peak = __atomic_load_n(&counted.peak_bytes, __ATOMIC_RELAXED);
    while (live > peak && !__atomic_compare_exchange_n(&counted.peak_bytes, &peak, live, true,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    uint64_t *bytes = counts_all ? &page->allocated_bytes : &counted.allocated_bytes;
    uint64_t *blocks = counts_all ? &page->blocks : &counted.blocks;
    __atomic_add_fetch(bytes, size, __ATOMIC_RELAXED);
    __atomic_add_fetch(blocks, 1, __ATOMIC_RELAXED);
    return block;
}

static void end_block(size_t size) {
    __atomic_sub_fetch(&counted.live_bytes, (int64_t)size, __ATOMIC_RELAXED);
}

HASTEN_EXPORT void *malloc(size_t size) {
    return begin_block(hasten_real.malloc(longer(size)), size);
}

HASTEN_EXPORT void free(void *block) {
    if (block != NULL && !hasten_real_is_early(block)) {
        end_block(size_of(block));
        hasten_real.free(block);
    }
}

HASTEN_EXPORT void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return begin_block(hasten_real.calloc(1, longer(bytes)), bytes);
}

HASTEN_EXPORT void *realloc(void *block, size_t size) {
    if (block == NULL) {
        return malloc(size);
    }
    if (hasten_real_is_early(block)) {
        void *moved = malloc(size);
        if (moved != NULL) {
            hasten_real_copy_early(moved, block, size);
        }
        return moved;
    }
    if (size == 0) { /* frees, as it does without us */
        free(block);
        return NULL;
    }
    size_t before = size_of(block);
    void *moved = hasten_real.realloc(block, longer(size));
    if (moved != NULL) {
        end_block(before);
    }
    return begin_block(moved, size);
}

HASTEN_EXPORT void *reallocarray(void *block, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

HASTEN_EXPORT int posix_memalign(void **block, size_t alignment, size_t size) {
    hasten_real_find();
    int answer = hasten_real.posix_memalign(block, alignment, longer(size));
    if (answer == 0) {
        begin_block(*block, size);
    }
    return answer;
}

HASTEN_EXPORT void *aligned_alloc(size_t alignment, size_t size) {
    hasten_real_find();
    return begin_block(hasten_real.memalign(alignment, longer(size)), size);
}

HASTEN_EXPORT void *memalign(size_t alignment, size_t size) {
    hasten_real_find();
    return begin_block(hasten_real.memalign(alignment, longer(size)), size);
}

HASTEN_EXPORT void *valloc(size_t size) {
    hasten_real_find();
    return begin_block(hasten_real.valloc(longer(size)), size);
}

HASTEN_EXPORT void *pvalloc(size_t size) {
    hasten_real_find();
    return begin_block(hasten_real.pvalloc(longer(size)), size);
}

static void mark_begin(void) {
    counted.base_bytes = __atomic_load_n(&counted.live_bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&counted.peak_bytes, counted.base_bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&counted.allocated_bytes, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&counted.blocks, 0, __ATOMIC_RELAXED);
}

static void mark_end(void) {
    int64_t peak = __atomic_load_n(&counted.peak_bytes, __ATOMIC_RELAXED);
    *page = (struct hasten_counters){
        .marks = page->marks + 1,
        .peak_bytes = (uint64_t)(peak - counted.base_bytes),
        .allocated_bytes = __atomic_load_n(&counted.allocated_bytes, __ATOMIC_RELAXED),
        .blocks = __atomic_load_n(&counted.blocks, __ATOMIC_RELAXED),
    };
}

HASTEN_EXPORT int fdatasync(int file) {
    if (page != NULL && !counts_all && (file == HASTEN_MARK_BEGIN || file == HASTEN_MARK_END)) {
        if (file == HASTEN_MARK_BEGIN) {
            mark_begin();
        } else {
            mark_end();
        }
        return 0;
    }
    return (int)syscall(SYS_fdatasync, file);
}

/* The program that is measured, and what it starts, see what they would see without. */
static void hide(void) {
    const char *list = getenv("LD_PRELOAD");
    const char *rest = list == NULL ? NULL : strchr(list, ':');
    if (rest == NULL) {
        unsetenv("LD_PRELOAD");
    } else {
        setenv("LD_PRELOAD", rest + 1, 1);
    }
    unsetenv(HASTEN_COUNTERS_VARIABLE);
}

__attribute__((constructor)) static void begin(void) {
    const char *value = getenv(HASTEN_COUNTERS_VARIABLE);
    bool wants_all = value != NULL && strncmp(value, ALL, sizeof ALL - 1) == 0;
    bool wants_marks = value != NULL && strncmp(value, MARKS, sizeof MARKS - 1) == 0;
    hasten_real_find();
    if (!wants_all && !wants_marks) {
        return;
    }
    int file = open(strchr(value, ':') + 1, O_RDWR | O_CLOEXEC);
    if (file >= 0) {
        void *shared = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        (void)close(file);
        page = shared == MAP_FAILED ? NULL : shared;
    }
    counts_all = wants_all && page != NULL;
    /* A script that starts the interpreter passes it on. */
    if (!wants_all && dlsym(RTLD_DEFAULT, "Py_GetVersion") != NULL) {
        hide();
    }
}
