/* SPDX-License-Identifier: MIT
 *
 * Anonymous memory that a program maps itself. The C library's allocator does so too, but
 * by calls that do not come by here. Only what can be written counts: address space that
 * is reserved without that is no memory yet. */
#undef _FILE_OFFSET_BITS /* with it the C library's headers call mmap mmap64 */
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>

#include "preload/heap.h"
#include "preload/real.h"

#define CALLER __builtin_return_address(0)

static void *map(void *address, size_t size, int protection, int flags, int file, off_t offset,
                 const void *caller) {
    struct hasten_self *self = &hasten_self;
    hasten_real_find();
    void *block = hasten_real.mmap(address, size, protection, flags, file, offset);
    if (block != MAP_FAILED && (flags & MAP_ANONYMOUS) != 0 && (protection & PROT_WRITE) != 0 &&
        !hasten_self_passes(self, size)) {
        hasten_heap_allocated(self, block, size, HASTEN_ORIGIN_NATIVE, caller);
    }
    return block;
}

HASTEN_EXPORT void *mmap(void *address, size_t size, int protection, int flags, int file,
                         off_t offset) {
    return map(address, size, protection, flags, file, offset, CALLER);
}

HASTEN_EXPORT void *mmap64(void *address, size_t size, int protection, int flags, int file,
                           off_t offset) {
    return map(address, size, protection, flags, file, offset, CALLER);
}

HASTEN_EXPORT int munmap(void *address, size_t size) {
    struct hasten_heap_sample sample;
    hasten_real_find();
    bool known = hasten_self_may_know(address) && hasten_heap_take(address, &sample);
    int answer = hasten_real.munmap(address, size);
    if (known && answer != 0) {
        hasten_heap_put_back(&sample);
    } else if (known) {
        /* Where only its beginning goes (allocators align so), the rest counts as gone
         * too: it can never be told what becomes of it. */
        hasten_heap_gone(&hasten_self, &sample);
    }
    return answer;
}

HASTEN_EXPORT void *mremap(void *address, size_t old_size, size_t new_size, int flags, ...) {
    struct hasten_self *self = &hasten_self;
    struct hasten_heap_sample sample;
    void *wanted = NULL;
    if ((flags & MREMAP_FIXED) != 0) {
        va_list more;
        va_start(more, flags);
        wanted = va_arg(more, void *);
        va_end(more);
    }
    hasten_real_find();
    bool known = hasten_self_may_know(address) && hasten_heap_take(address, &sample);
    void *moved = hasten_real.mremap(address, old_size, new_size, flags, wanted);
    if (known && moved == MAP_FAILED) {
        hasten_heap_put_back(&sample);
    } else if (known) {
        hasten_heap_gone(self, &sample);
    }
    if (moved != MAP_FAILED && new_size > old_size && !hasten_self_passes(self, new_size)) {
        hasten_heap_allocated(self, moved, new_size, HASTEN_ORIGIN_NATIVE, CALLER);
    }
    return moved;
}
