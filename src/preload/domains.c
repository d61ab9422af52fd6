/* SPDX-License-Identifier: MIT
 *
 * In front of Python's three allocators, by its own interface for that: most of its
 * blocks are parts of arenas and never come by malloc. While one of them works, what it
 * asks of malloc or mmap is not counted again.
 *
 * They are wrapped before the interpreter starts. Where it replaces them afterwards
 * (PYTHONMALLOC, -X dev), they are wrapped once more as soon as that is noticed; what
 * came in between was seen as native memory only. They are never unwrapped. */
#include <dlfcn.h>
#include <string.h>

#include "preload/heap.h"

/* What pymalloc serves itself: larger blocks are malloc's. */
#define SMALL_SIZE 512u

/* PyMemAllocatorEx and PyMemAllocatorDomain. */
struct allocator {
    void *context;
    void *(*malloc)(void *context, size_t size);
    void *(*calloc)(void *context, size_t count, size_t size);
    void *(*realloc)(void *context, void *block, size_t size);
    void (*free)(void *context, void *block);
};
enum domain { DOMAIN_RAW, DOMAIN_MEM, DOMAIN_OBJECT, DOMAINS };

/* PyObjectArenaAllocator. */
struct arenas {
    void *context;
    void *(*allocate)(void *context, size_t size);
    void (*free)(void *context, void *arena, size_t size);
};

/* Never changed once Python has it, so that nobody can see one half done. */
struct wrapped {
    struct allocator inner;
};
static struct wrapped wrapped_first[DOMAINS], wrapped_again[DOMAINS];
static struct arenas inner_arenas;
static struct {
    void (*get)(int domain, struct allocator *allocator);
    void (*set)(int domain, struct allocator *allocator);
    void (*get_arenas)(struct arenas *arenas);
    void (*set_arenas)(struct arenas *arenas);
} python;

static void *note(struct hasten_self *self, void *block, size_t size) {
    if (block != NULL) {
        hasten_heap_allocated(self, block, size, HASTEN_ORIGIN_PYTHON, NULL);
    }
    return block;
}

/* Not small, or one to sample. */
static __attribute__((noinline)) void *malloc_slowly(const struct wrapped *wrapped, size_t size) {
    struct hasten_self *self = &hasten_self;
    uint64_t left = self->left;
    self->left = HASTEN_SELF_NEVER;
    void *block = wrapped->inner.malloc(wrapped->inner.context, size);
    self->left = left;
    return hasten_self_passes(self, size) ? block : note(self, block, size);
}

static void *small_malloc(void *context, size_t size) {
    const struct wrapped *wrapped = context;
    if (HASTEN_LIKELY(size <= SMALL_SIZE) && hasten_self_passes(&hasten_self, size)) {
        return wrapped->inner.malloc(wrapped->inner.context, size);
    }
    return malloc_slowly(wrapped, size);
}

/* Where small blocks, too, may be malloc's: never without the guard. */
static void *guarded_malloc(void *context, size_t size) {
    return malloc_slowly(context, size);
}

static void *domain_calloc(void *context, size_t count, size_t size) {
    const struct wrapped *wrapped = context;
    struct hasten_self *self = &hasten_self;
    uint64_t left = self->left;
    self->left = HASTEN_SELF_NEVER;
    void *block = wrapped->inner.calloc(wrapped->inner.context, count, size);
    self->left = left;
    return block == NULL || hasten_self_passes(self, count * size)
               ? block
               : note(self, block, count * size);
}

static void *domain_realloc(void *context, void *block, size_t size) {
    const struct wrapped *wrapped = context;
    struct hasten_self *self = &hasten_self;
    struct hasten_heap_sample sample;
    bool known = hasten_self_may_know(block) && hasten_heap_take(block, &sample);
    uint64_t left = self->left;
    self->left = HASTEN_SELF_NEVER;
    void *moved = wrapped->inner.realloc(wrapped->inner.context, block, size);
    self->left = left;
    if (known && moved == NULL) {
        hasten_heap_put_back(&sample); /* Python's realloc never frees */
    } else if (known) {
        hasten_heap_gone(self, &sample);
    }
    return moved == NULL || hasten_self_passes(self, size) ? moved : note(self, moved, size);
}

static HASTEN_SELDOM void free_known(const struct wrapped *wrapped, void *block) {
    (void)hasten_heap_freed(&hasten_self, block);
    wrapped->inner.free(wrapped->inner.context, block);
}

static void domain_free(void *context, void *block) {
    const struct wrapped *wrapped = context;
    if (hasten_self_may_know(block)) {
        free_known(wrapped, block);
    } else {
        wrapped->inner.free(wrapped->inner.context, block);
    }
}

static void *arena_allocate(void *context, size_t size) {
    struct hasten_self *self = &hasten_self;
    (void)context;
    uint64_t left = self->left;
    self->left = HASTEN_SELF_NEVER;
    void *arena = inner_arenas.allocate(inner_arenas.context, size);
    self->left = left;
    return arena;
}

static void arena_free(void *context, void *arena, size_t size) {
    (void)context;
    inner_arenas.free(inner_arenas.context, arena, size);
}

static void wrap(enum domain domain, struct wrapped *wrapped, bool guards) {
    python.get((int)domain, &wrapped->inner);
    struct allocator ours = {
        .context = wrapped,
        .malloc = guards ? guarded_malloc : small_malloc,
        .calloc = domain_calloc,
        .realloc = domain_realloc,
        .free = domain_free,
    };
    python.set((int)domain, &ours);
}

static bool find(const char *name, void *ret_function) {
    void *symbol = dlsym(RTLD_DEFAULT, name);
    memcpy(ret_function, &symbol, sizeof symbol);
    return symbol != NULL;
}

void hasten_domains_wrap(struct hasten_heap *heap) {
    if (!find("PyMem_GetAllocator", &python.get) || !find("PyMem_SetAllocator", &python.set) ||
        !find("PyObject_GetArenaAllocator", &python.get_arenas) ||
        !find("PyObject_SetArenaAllocator", &python.set_arenas)) {
        heap->unseen_domains = true;
        python.get = NULL;
        return;
    }
    python.get_arenas(&inner_arenas);
    struct arenas ours = {NULL, arena_allocate, arena_free};
    python.set_arenas(&ours);
    for (int domain = 0; domain < DOMAINS; domain++) {
        wrap((enum domain)domain, &wrapped_first[domain], domain == DOMAIN_RAW);
    }
}

static bool is_ours(enum domain domain) {
    struct allocator current;
    python.get((int)domain, &current);
    return current.free == domain_free;
}

void hasten_domains_check(struct hasten_heap *heap) {
    static bool is_checked;
    if (is_checked || python.get == NULL || heap->python.state != HASTEN_PYTHON_READY) {
        return;
    }
    bool attached = false;
    if (hasten_python_thread(&heap->python, &attached) == 0 || !attached) {
        return;
    }
    is_checked = true; /* what comes in front of ours later has ours behind it */
    if (is_ours(DOMAIN_OBJECT)) {
        return;
    }
    /* The raw one is used without the GIL, so that it cannot be changed any more. */
    wrap(DOMAIN_MEM, &wrapped_again[DOMAIN_MEM], true);
    wrap(DOMAIN_OBJECT, &wrapped_again[DOMAIN_OBJECT], true);
}
