/* SPDX-License-Identifier: MIT
 *
 * `_Py_DebugOffsets`: the numbers with which CPython 3.13 and later describes
 * itself at the start of `_PyRuntime`. The structure's own shape differs from
 * minor to minor version, so every table says where each number lies. */
#ifndef HASTEN_PYABI_DEBUGMAP_H
#define HASTEN_PYABI_DEBUGMAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/pyabi/layout.h"
#include "hasten/status.h"

/* Its first eight bytes. */
#define HASTEN_DEBUG_COOKIE "xdebugpy"
/* Cookie, version, free_threaded: the same place in every version. */
#define HASTEN_DEBUG_HEAD_SIZE 24
/* No version's structure comes near this; bounds what is read. */
#define HASTEN_DEBUG_SIZE_MAX 4096

/* X(name): the numbers that the core reads. */
#define HASTEN_DEBUG_MAP(X)        \
    X(version)                     \
    X(free_threaded)               \
    X(runtime_size)                \
    X(runtime_finalizing)          \
    X(runtime_interpreters_head)   \
    X(interpreter_size)            \
    X(interpreter_id)              \
    X(interpreter_next)            \
    X(interpreter_threads_head)    \
    X(interpreter_threads_main)    \
    X(interpreter_gc)              \
    X(interpreter_modules)         \
    X(interpreter_gil_pointer)     \
    X(interpreter_gil)             \
    X(interpreter_gil_locked)      \
    X(interpreter_gil_holder)      \
    X(interpreter_code_generation) \
    X(thread_size)                 \
    X(thread_prev)                 \
    X(thread_next)                 \
    X(thread_interp)               \
    X(thread_current_frame)        \
    X(thread_base_frame)           \
    X(thread_thread_id)            \
    X(thread_native_thread_id)     \
    X(thread_datastack_chunk)      \
    X(thread_status)               \
    X(thread_holds_gil)            \
    X(thread_gil_requested)        \
    X(frame_size)                  \
    X(frame_previous)              \
    X(frame_code)                  \
    X(frame_instruction)           \
    X(frame_localsplus)            \
    X(frame_owner)                 \
    X(frame_stack_top)             \
    X(code_size)                   \
    X(code_file)                   \
    X(code_name)                   \
    X(code_qualname)               \
    X(code_linetable)              \
    X(code_first_line)             \
    X(code_bytecode)               \
    X(object_size)                 \
    X(object_type)                 \
    X(type_name)                   \
    X(type_flags)                  \
    X(type_basic_size)             \
    X(type_dict_offset)            \
    X(type_cached_keys)            \
    X(dict_keys)                   \
    X(dict_values)                 \
    X(int_tag)                     \
    X(int_digits)                  \
    X(bytes_length)                \
    X(bytes_data)                  \
    X(unicode_state)               \
    X(unicode_length)              \
    X(unicode_ascii_size)          \
    X(unicode_compact_size)        \
    X(gc_collecting)               \
    X(gc_frame)                    \
    X(generator_frame)

/* Byte positions in the structure of one minor version; HASTEN_ABSENT where it
 * lacks the number. */
struct hasten_debug_positions {
    uint32_t total; /* bytes of the whole structure */
#define HASTEN_DEBUG_POSITION(name) uint32_t name;
    HASTEN_DEBUG_MAP(HASTEN_DEBUG_POSITION)
#undef HASTEN_DEBUG_POSITION
};

/* NULL for a minor version (0x030d) that does not describe itself. */
const struct hasten_debug_positions *hasten_debug_positions_of(uint32_t minor_version);

/* Reads cookie and version off the first HASTEN_DEBUG_HEAD_SIZE bytes. BAD_LAYOUT:
 * no cookie. */
HASTEN_CHECKED hasten_status hasten_debug_head(const uint8_t *bytes, uint32_t *ret_version_hex,
                                               uint32_t *ret_free_threaded,
                                               struct hasten_error *error);

/* Makes the layout of one process from its debug offsets (`size` bytes, all that
 * its minor version has) and the compiled-in table. A described field that lies
 * elsewhere than in the table is taken where nothing else depends on it; the
 * fields that are not described keep their place between their described
 * neighbours, or the layout is refused. UNSUPPORTED: version or build;
 * BAD_LAYOUT: the numbers contradict the version. */
HASTEN_CHECKED hasten_status hasten_debug_layout(const uint8_t *bytes, size_t size,
                                                 const struct hasten_layout *table,
                                                 const struct hasten_debug_positions *positions,
                                                 struct hasten_layout *ret_layout,
                                                 struct hasten_error *error);

#endif
