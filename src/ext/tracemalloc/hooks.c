/* SPDX-License-Identifier: MIT
 *
 * The allocator's hooks. They never change what the allocator answers: where there is
 * no memory to remember a block, the block is lost to the tracer, not to the program. */
#include "ext/tracemalloc/tracer.h"

#include "ext/common/pycompat_values.h"

/* CPython's allocator asks the raw one for large blocks and for its arenas: what it
 * gets is not another block of the program. */
static __thread bool is_inside __attribute__((tls_model("initial-exec")));
/* The block that this thread allocated last: an object that is made of it is told of next,
 * and has the right place already. */
static __thread uint64_t last_address __attribute__((tls_model("initial-exec")));

static inline bool is_idle(void) {
    return !__atomic_load_n(&hasten_tracer.is_armed, __ATOMIC_RELAXED) || is_inside;
}

static void put_block(struct hasten_tracer *tracer, const struct hasten_spot *spot,
                      uint64_t address, size_t size_bytes) {
    const struct hasten_block block = {
        .address = address, .size_bytes = size_bytes, .path = hasten_tracer_step(spot)};
    if (block.path == 0) {
        tracer->own.lost++;
        return;
    }
    hasten_ledger_put_block(&tracer->own, &block);
}

static inline uint32_t kind_of(struct hasten_tracer *tracer, const struct hasten_spot *spot,
                               size_t size_bytes) {
    uint32_t kind =
        hasten_kinds_cached(&tracer->own.kinds, spot->parent, spot->place, (uint32_t)size_bytes);
    return kind != 0 ? kind : hasten_tracer_kind(spot, (uint32_t)size_bytes);
}

static inline void remember_own(const PyThreadState *thread, uint64_t address, size_t size_bytes) {
    struct hasten_tracer *tracer = &hasten_tracer;
    struct hasten_spot spot;
    if (hasten_tracer_spot(thread, &spot) < 0) {
        tracer->own.lost++;
        return;
    }
    last_address = address;
    if (!hasten_ledger_is_small(address, size_bytes)) {
        put_block(tracer, &spot, address, size_bytes);
        return;
    }
    uint32_t kind = kind_of(tracer, &spot, size_bytes);
    if (kind == 0) {
        tracer->own.lost++;
        return;
    }
    hasten_ledger_put_small(&tracer->own, address, kind);
}

static inline void remember(const PyThreadState *thread, uint64_t address, size_t size_bytes) {
    if (__builtin_expect(thread != NULL && thread->interp == hasten_tracer.main, 1)) {
        remember_own(thread, address, size_bytes);
    } else {
        __atomic_store_n(&hasten_tracer.has_foreign, true, __ATOMIC_RELAXED);
        hasten_tracer_share(thread, 0, address, size_bytes);
    }
}

static inline bool forget(const PyThreadState *thread, uint64_t address) {
    struct hasten_tracer *tracer = &hasten_tracer;
    const bool has_gil =
        thread != NULL && (thread->interp == tracer->main || hasten_py_has_one_gil());
    if (__builtin_expect(has_gil, 1) && hasten_ledger_forget(&tracer->own, address)) {
        return true;
    }
    return __atomic_load_n(&tracer->has_foreign, __ATOMIC_RELAXED) &&
           hasten_tracer_unshare(0, address, NULL);
}

void hasten_hooks_remember(const PyThreadState *thread, uint64_t address, size_t size_bytes) {
    remember(thread, address, size_bytes);
}

bool hasten_hooks_forget(const PyThreadState *thread, uint64_t address) {
    return forget(thread, address);
}

static void created_large(struct hasten_tracer *tracer, const PyThreadState *thread,
                          uint64_t address) {
    struct hasten_block block;
    struct hasten_spot spot;
    if (hasten_blocks_find(&tracer->own.blocks, 0, address, &block) &&
        hasten_tracer_spot(thread, &spot) == 0) {
        put_block(tracer, &spot, address, (size_t)block.size_bytes);
    }
}

static inline void created_small(struct hasten_tracer *tracer, const PyThreadState *thread,
                                 uint32_t *number, uint32_t old) {
    struct hasten_spot spot;
    if (hasten_tracer_spot(thread, &spot) == 0) {
        uint32_t kind = kind_of(tracer, &spot, tracer->own.kinds.items[old].size_bytes);
        if (kind != 0 && kind != old) {
            hasten_ledger_turn_small(&tracer->own, number, old, kind);
        }
    }
}

void hasten_hooks_created(PyObject *object) {
    struct hasten_tracer *tracer = &hasten_tracer;
    if (!__atomic_load_n(&tracer->is_armed, __ATOMIC_RELAXED)) {
        return;
    }
    const uint64_t address = (uint64_t)(uintptr_t)object - hasten_py_bytes_before(object);
    if (address == last_address) {
        last_address = 0;
        return;
    }
    const PyThreadState *thread = hasten_py_thread();
    if (thread == NULL || thread->interp != tracer->main) {
        return;
    }
    uint32_t *number = NULL;
    uint32_t old =
        hasten_ledger_is_aligned(address) ? hasten_ledger_small(&tracer->own, address, &number) : 0;
    if (old != 0) {
        created_small(tracer, thread, number, old);
    } else if (hasten_py_most_bytes(object) > HASTEN_LEDGER_SMALL_BYTES ||
               !hasten_ledger_is_aligned(address)) {
        created_large(tracer, thread, address);
    }
}

/* What follows is called by two names each, for the mem and for the object domain. */

static inline void *own_malloc(const PyMemAllocatorEx *original, size_t size) {
    if (is_idle()) {
        return original->malloc(original->ctx, size);
    }
    is_inside = true;
    void *block = original->malloc(original->ctx, size);
    is_inside = false;
    if (block != NULL) {
        remember(hasten_py_thread(), (uintptr_t)block, size);
    }
    return block;
}

static inline void *own_calloc(const PyMemAllocatorEx *original, size_t count, size_t size) {
    if (is_idle()) {
        return original->calloc(original->ctx, count, size);
    }
    is_inside = true;
    void *block = original->calloc(original->ctx, count, size);
    is_inside = false;
    if (block != NULL) {
        /* It was allocated, and so the product is no larger than a size can be. */
        remember(hasten_py_thread(), (uintptr_t)block, count * size);
    }
    return block;
}

static inline void *own_realloc(const PyMemAllocatorEx *original, void *old, size_t size) {
    if (is_idle()) {
        return original->realloc(original->ctx, old, size);
    }
    const uint64_t old_address = (uintptr_t)old;
    is_inside = true;
    void *block = original->realloc(original->ctx, old, size);
    is_inside = false;
    if (block != NULL) {
        const PyThreadState *thread = hasten_py_thread();
        if (old_address != 0) {
            forget(thread, old_address);
        }
        remember(thread, (uintptr_t)block, size);
    }
    return block;
}

static inline void own_free(const PyMemAllocatorEx *original, void *block) {
    if (block == NULL || is_idle()) {
        original->free(original->ctx, block);
        return;
    }
    /* Before it is free: it may be another's at once. */
    forget(hasten_py_thread(), (uintptr_t)block);
    is_inside = true;
    original->free(original->ctx, block);
    is_inside = false;
}

static PyMemAllocatorEx *original_of(PyMemAllocatorDomain domain) {
    return &hasten_tracer.original[domain];
}

static void *mem_malloc(void *Py_UNUSED(context), size_t size) {
    return own_malloc(original_of(PYMEM_DOMAIN_MEM), size);
}

static void *mem_calloc(void *Py_UNUSED(context), size_t count, size_t size) {
    return own_calloc(original_of(PYMEM_DOMAIN_MEM), count, size);
}

static void *mem_realloc(void *Py_UNUSED(context), void *old, size_t size) {
    return own_realloc(original_of(PYMEM_DOMAIN_MEM), old, size);
}

static void mem_free(void *Py_UNUSED(context), void *block) {
    own_free(original_of(PYMEM_DOMAIN_MEM), block);
}

static void *object_malloc(void *Py_UNUSED(context), size_t size) {
    return own_malloc(original_of(PYMEM_DOMAIN_OBJ), size);
}

static void *object_calloc(void *Py_UNUSED(context), size_t count, size_t size) {
    return own_calloc(original_of(PYMEM_DOMAIN_OBJ), count, size);
}

static void *object_realloc(void *Py_UNUSED(context), void *old, size_t size) {
    return own_realloc(original_of(PYMEM_DOMAIN_OBJ), old, size);
}

static void object_free(void *Py_UNUSED(context), void *block) {
    own_free(original_of(PYMEM_DOMAIN_OBJ), block);
}

/* The raw domain: with a GIL or without. */

static void *raw_malloc(void *Py_UNUSED(context), size_t size) {
    const PyMemAllocatorEx *original = original_of(PYMEM_DOMAIN_RAW);
    void *block = original->malloc(original->ctx, size);
    if (block != NULL && !is_idle()) {
        hasten_tracer_share(hasten_py_attached_thread(), 0, (uintptr_t)block, size);
    }
    return block;
}

static void *raw_calloc(void *Py_UNUSED(context), size_t count, size_t size) {
    const PyMemAllocatorEx *original = original_of(PYMEM_DOMAIN_RAW);
    void *block = original->calloc(original->ctx, count, size);
    if (block != NULL && !is_idle()) {
        hasten_tracer_share(hasten_py_attached_thread(), 0, (uintptr_t)block, count * size);
    }
    return block;
}

static void *raw_realloc(void *Py_UNUSED(context), void *old, size_t size) {
    const PyMemAllocatorEx *original = original_of(PYMEM_DOMAIN_RAW);
    if (is_idle()) {
        return original->realloc(original->ctx, old, size);
    }
    /* Before: as soon as it is free, another thread may get the same address. */
    struct hasten_block known;
    bool was_known = old != NULL && hasten_tracer_unshare(0, (uintptr_t)old, &known);
    void *block = original->realloc(original->ctx, old, size);
    if (block != NULL) {
        hasten_tracer_share(hasten_py_attached_thread(), 0, (uintptr_t)block, size);
    } else if (was_known) {
        hasten_tracer_restore(&known);
    }
    return block;
}

static void raw_free(void *Py_UNUSED(context), void *block) {
    const PyMemAllocatorEx *original = original_of(PYMEM_DOMAIN_RAW);
    if (block != NULL && !is_idle()) {
        hasten_tracer_unshare(0, (uintptr_t)block, NULL);
    }
    original->free(original->ctx, block);
}

void hasten_hooks_install(void) {
    static const PyMemAllocatorEx hooks[3] = {
        [PYMEM_DOMAIN_RAW] = {NULL, raw_malloc, raw_calloc, raw_realloc, raw_free},
        [PYMEM_DOMAIN_MEM] = {NULL, mem_malloc, mem_calloc, mem_realloc, mem_free},
        [PYMEM_DOMAIN_OBJ] = {NULL, object_malloc, object_calloc, object_realloc, object_free},
    };
    for (int domain = PYMEM_DOMAIN_RAW; domain <= PYMEM_DOMAIN_OBJ; domain++) {
        PyMemAllocatorEx hook = hooks[domain];
        PyMem_GetAllocator((PyMemAllocatorDomain)domain, original_of(domain));
        /* A thread without the GIL may call the raw domain while this is written, and
         * meet the functions of one with the context of the other: contexts stay the
         * same, and ours are not looked at. */
        hook.ctx = original_of(domain)->ctx;
        PyMem_SetAllocator((PyMemAllocatorDomain)domain, &hook);
    }
}
