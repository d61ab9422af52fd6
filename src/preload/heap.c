/* SPDX-License-Identifier: MIT
 *
 * Samples: taken, kept, given up. */
#include "preload/heap.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/heap/poisson.h"
#include "preload/real.h"

/* What is freed soon: before its thread has allocated so much more, or so many times its
 * own size. */
#define SOON_BYTES 65536u
#define SOON_SIZES 4u
/* Between two points of the live heap's series. */
#define POINT_INTERVAL_NS 20000000u

_Thread_local struct hasten_self hasten_self;
uint8_t hasten_filter[HASTEN_SAMPLES_FILTER_SIZE];
struct hasten_heap hasten_heap = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .table_lock = PTHREAD_MUTEX_INITIALIZER,
};

static uint64_t draw(struct hasten_self *self) {
    return hasten_heap.is_active ? hasten_poisson_draw(&self->random, hasten_heap.mean_bytes)
                                 : HASTEN_SELF_NEVER;
}

/* A thread's first allocation. */
static void begin(struct hasten_self *self) {
    static uint64_t threads;
    uint64_t number = __atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
    uint64_t seed =
        hasten_heap.seed != 0 ? hasten_heap.seed : hasten_clock_monotonic_ns() ^ (uintptr_t)self;
    self->random = seed + number * 0xd1342543de82ef95u;
    self->has_begun = true;
    self->left = self->drawn = draw(self);
}

static struct hasten_heap_amount weight_of(uint64_t size) {
    double blocks = 1 / hasten_poisson_chance(size, hasten_heap.mean_bytes);
    return (struct hasten_heap_amount){(double)size * blocks, blocks};
}

/* The index of the running thread; HASTEN_SITES_NONE: no memory. */
static uint32_t thread_index(struct hasten_heap *heap, struct hasten_self *self) {
    struct hasten_heap_book *book = &heap->book;
    if (self->generation == heap->generation) {
        return self->thread;
    }
    void *threads = book->threads;
    if (hasten_grow(&book->arena.allocator, &threads, &book->thread_capacity,
                    book->thread_count + 1, sizeof *book->threads) != 0) {
        return HASTEN_SITES_NONE;
    }
    book->threads = threads;
    uint32_t index = (uint32_t)book->thread_count;
    uint32_t root = hasten_sites_root(&book->sites, index);
    if (root == HASTEN_SITES_NONE) {
        return HASTEN_SITES_NONE;
    }
    book->threads[book->thread_count++] =
        (struct hasten_heap_thread){(uint32_t)syscall(SYS_gettid), root, HASTEN_NONE};
    self->thread = index;
    self->generation = heap->generation;
    return index;
}

static void check_python(void *argument) {
    struct hasten_heap *heap = argument;
    if (hasten_python_is_ready(&heap->python)) {
        hasten_domains_check(heap);
    }
}

/* The node of the running Python stack below a thread's root. */
static uint32_t python_node(struct hasten_heap *heap, uint32_t node) {
    struct hasten_heap_book *book = &heap->book;
    const struct hasten_own_stack *stack = &book->stack;
    bool attached = false;
    if (heap->python.state == HASTEN_PYTHON_STARTING) {
        hasten_stack_call(check_python, heap);
    }
    if (heap->python.state != HASTEN_PYTHON_READY) {
        return node;
    }
    uint64_t thread = hasten_python_thread(&heap->python, &attached);
    if (thread == 0) {
        return node;
    }
    if (attached) {
        hasten_domains_check(heap);
    }
    hasten_reader_begin(&heap->reader, attached);
    if (!hasten_frames_read(&book->stack, &heap->python, &heap->reader, &book->codes, thread)) {
        return node;
    }
    for (size_t i = stack->count; i-- > 0;) {
        const struct hasten_own_frame *frame = &stack->frames[i];
        bool is_new = false;
        uint32_t child = hasten_sites_child(&book->sites, node, frame->code, frame->unit, &is_new);
        if (is_new) { /* now its bytecode is there; later it may not be */
            book->sites.nodes[child].place = hasten_frames_instruction(
                &heap->python, &heap->reader, frame->code_address, frame->unit);
        }
        node = child;
    }
    return node;
}

static void add_point(struct hasten_heap *heap, uint64_t now_ns) {
    struct hasten_heap_book *book = &heap->book;
    const struct hasten_heap_point *last =
        book->point_count == 0 ? NULL : &book->points[book->point_count - 1];
    if (book->point_count < HASTEN_HEAP_POINTS &&
        (last == NULL || now_ns >= last->time_ns + POINT_INTERVAL_NS)) {
        book->points[book->point_count++] =
            (struct hasten_heap_point){now_ns, book->sites.live.bytes};
    }
}

/* Enters a block in the table. One that is there at the same address was freed without
 * our being asked: by what the C library calls itself, or another library's free. */
static bool enter(struct hasten_heap *heap, const struct hasten_heap_sample *sample) {
    struct hasten_heap_sample stale = {0};
    bool entered;
    hasten_heap_lock(&heap->table_lock);
    if (hasten_samples_may_hold(hasten_filter, sample->address)) {
        if (!hasten_samples_take(&heap->samples, sample->address, &stale)) {
            stale.address = 0;
        }
    }
    entered = hasten_samples_put(&heap->samples, sample);
    hasten_heap_unlock(&heap->table_lock);
    if (stale.address != 0) {
        hasten_sites_freed(&heap->book.sites, stale.site, weight_of(stale.size), false);
    }
    return entered;
}

static void record(struct hasten_heap *heap, struct hasten_self *self, const void *block,
                   size_t size, enum hasten_heap_origin origin, const void *caller) {
    struct hasten_sites *sites = &heap->book.sites;
    uint32_t thread = thread_index(heap, self);
    if (thread == HASTEN_SITES_NONE) {
        return;
    }
    if (hasten_python_is_ending(&heap->python)) {
        heap->is_ending = true;
        return;
    }
    uint32_t node = python_node(heap, heap->book.threads[thread].root);
    if (origin == HASTEN_ORIGIN_NATIVE) {
        bool is_new;
        node = hasten_sites_child(sites, node, HASTEN_CODE_NATIVE, (uintptr_t)caller, &is_new);
    }
    uint32_t site = hasten_sites_at(sites, node);
    const struct hasten_heap_sample sample = {
        .address = (uintptr_t)block,
        .size = size,
        .volume = self->done,
        .site = site,
        .thread = thread,
    };
    if (site == HASTEN_SITES_NONE || !enter(heap, &sample)) {
        return;
    }
    hasten_sites_allocated(sites, site, weight_of(size));
    uint64_t now_ns = hasten_clock_monotonic_ns();
    add_point(heap, now_ns - heap->start_ns);
    if (now_ns >= heap->write_ns) {
        hasten_heap_write(heap, HASTEN_HEAP_GOES_ON);
    }
}

void hasten_heap_allocated(struct hasten_self *self, const void *block, size_t size,
                           enum hasten_heap_origin origin, const void *caller) {
    struct hasten_heap *heap = &hasten_heap;
    if (!self->has_begun) {
        begin(self);
    }
    if (size < self->left || size >= HASTEN_SELF_NEVER) {
        self->left -= size < self->left ? size + 1 : 0;
        return;
    }
    if (self->locks > 0) {
        return; /* a signal's handler allocates in the middle of a hook */
    }
    int error_number = errno;
    self->done += self->drawn - self->left + size + 1;
    uint64_t left = self->drawn = draw(self);
    self->left = HASTEN_SELF_NEVER;
    hasten_heap_lock(&heap->lock);
    if (heap->has_forked) {
        hasten_heap_drop(heap);
    }
    if (!heap->is_closed && !heap->is_ending) {
        record(heap, self, block, size, origin, caller);
    }
    hasten_heap_unlock(&heap->lock);
    self->left = left;
    errno = error_number;
}

static bool was_soon(const struct hasten_heap *heap, const struct hasten_self *self,
                     const struct hasten_heap_sample *sample) {
    uint64_t most = sample->size > SOON_BYTES / SOON_SIZES ? sample->size * SOON_SIZES : SOON_BYTES;
    return self->generation == heap->generation && self->thread == sample->thread &&
           hasten_self_volume(self) - sample->volume <= most;
}

bool hasten_heap_take(const void *block, struct hasten_heap_sample *ret_sample) {
    struct hasten_heap *heap = &hasten_heap;
    bool found = false;
    /* Inside a hook, this is what it had taken out before, or a signal's handler that
     * interrupted us, perhaps with a lock: a block that it frees counts as alive. */
    if (hasten_self_is_inside(&hasten_self)) {
        return false;
    }
    hasten_heap_lock(&heap->table_lock);
    if (!heap->has_forked) {
        found = hasten_samples_take(&heap->samples, (uintptr_t)block, ret_sample);
    }
    hasten_heap_unlock(&heap->table_lock);
    return found;
}

void hasten_heap_put_back(const struct hasten_heap_sample *sample) {
    struct hasten_heap *heap = &hasten_heap;
    bool put = true;
    hasten_heap_lock(&heap->table_lock);
    if (!heap->has_forked) {
        put = hasten_samples_put(&heap->samples, sample);
    }
    hasten_heap_unlock(&heap->table_lock);
    (void)put; /* there was room before; else it counts as alive for good */
}

void hasten_heap_gone(const struct hasten_self *self, const struct hasten_heap_sample *sample) {
    struct hasten_heap *heap = &hasten_heap;
    hasten_heap_lock(&heap->lock);
    heap->is_ending = heap->is_ending || hasten_python_is_ending(&heap->python);
    if (!heap->has_forked && !heap->is_closed && !heap->is_ending) {
        hasten_sites_freed(&heap->book.sites, sample->site, weight_of(sample->size),
                           was_soon(heap, self, sample));
        add_point(heap, hasten_clock_monotonic_ns() - heap->start_ns);
    }
    hasten_heap_unlock(&heap->lock);
}

bool hasten_heap_freed(const struct hasten_self *self, const void *block) {
    struct hasten_heap_sample sample;
    if (hasten_real_is_early(block)) {
        return false;
    }
    if (hasten_heap_take(block, &sample)) {
        hasten_heap_gone(self, &sample);
    }
    return true;
}
