/* SPDX-License-Identifier: MIT
 *
 * What one build of CPython looks like in memory. Offsets are in bytes from the
 * start of the structure named in the field; HASTEN_ABSENT where the version
 * has no such field. Walking code asks the table, never the version.
 *
 * "size" is where the last field of interest ends (real ends differ from build
 * to build): reading that much gets all. Of frame it is the fixed part, of code
 * what precedes the bytecode. */
#ifndef HASTEN_PYABI_LAYOUT_H
#define HASTEN_PYABI_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#define HASTEN_ABSENT UINT32_MAX

/* X(structure, field): every offset that walking code uses. */
#define HASTEN_LAYOUT_MAP(X)                                                                     \
    X(runtime, size)                                                                             \
    X(runtime, finalizing)  /* thread state pointer, not NULL once shutdown started */           \
    X(runtime, initialized) /* int: Py_Initialize is done */                                     \
    X(runtime, interpreters_head)                                                                \
    X(runtime, gil)            /* 3.11: struct _gil_runtime_state inside the runtime */          \
    X(runtime, tstate_current) /* 3.11: thread that holds the GIL */                             \
    X(interpreter, size)                                                                         \
    X(interpreter, next)                                                                         \
    X(interpreter, id)                                                                           \
    X(interpreter, runtime) /* points back to the runtime */                                     \
    X(interpreter, threads_head)                                                                 \
    X(interpreter, threads_main)    /* 3.13+: main thread's state pointer */                     \
    X(interpreter, next_unique_id)  /* counts threads ever made */                               \
    X(interpreter, gc_collecting)   /* int: the collector runs */                                \
    X(interpreter, gil)             /* 3.12+: pointer to struct _gil_runtime_state */            \
    X(interpreter, own_gil)         /* 3.12+: the GIL embedded here; used unless it is shared */ \
    X(interpreter, code_generation) /* 3.14+: counts freed code objects */                       \
    X(interpreter, finalizing)                                                                   \
    X(interpreter, gc_frame)         /* 3.15: frame that started the collection, may be NULL */  \
    X(interpreter, modules)          /* the dict sys.modules */                                  \
    X(interpreter, code_counter)     /* 3.13: uint32, counts code objects made; 0: full */       \
    X(interpreter, number_pool)      /* 3.13: array before the next field */                     \
    X(interpreter, number_pool_next) /* points into number_pool; code_counter follows */         \
    X(gil, size)                                                                                 \
    X(gil, locked)      /* int */                                                                \
    X(gil, last_holder) /* thread state pointer */                                               \
    X(thread, size)                                                                              \
    X(thread, prev)                                                                              \
    X(thread, next)                                                                              \
    X(thread, interp)                                                                            \
    X(thread, cframe)        /* 3.11, 3.12: pointer to struct _PyCFrame */                       \
    X(thread, root_cframe)   /* 3.11, 3.12: embedded */                                          \
    X(thread, current_frame) /* 3.13+ */                                                         \
    X(thread, base_frame)    /* where the chain ends, when it ends in a sentinel frame */        \
    X(thread, thread_id)     /* pthread_t */                                                     \
    X(thread, native_thread_id)                                                                  \
    X(thread, unique_id)                                                                         \
    X(thread, datastack_chunk)                                                                   \
    X(thread, datastack_top)                                                                     \
    X(thread, datastack_limit)                                                                   \
    X(thread, status)        /* bit field word that has holds_gil (3.13+) */                     \
    X(thread, holds_gil)     /* 3.14+: an int of its own */                                      \
    X(thread, gil_requested) /* 3.15: int: waits for the GIL */                                  \
    X(thread, gc_frame)      /* no version has one: see interpreter.gc_frame */                  \
    X(cframe, current_frame)                                                                     \
    X(cframe, previous)                                                                          \
    X(chunk, previous)                                                                           \
    X(chunk, size) /* of the whole chunk, bytes */                                               \
    X(chunk, top)  /* used items; valid only in chunks that are not the newest */                \
    X(chunk, data)                                                                               \
    X(frame, size) /* of the fixed part: equals localsplus */                                    \
    X(frame, previous)                                                                           \
    X(frame, code)          /* f_code or f_executable */                                         \
    X(frame, function)      /* f_func or f_funcobj */                                            \
    X(frame, instruction)   /* prev_instr or instr_ptr */                                        \
    X(frame, stack_top)     /* int index (3.11-3.13) or pointer (3.14+), see stack_top_kind */   \
    X(frame, is_entry)      /* 3.11: bool */                                                     \
    X(frame, return_offset) /* uint16 (3.12+) */                                                 \
    X(frame, owner)         /* char */                                                           \
    X(frame, localsplus)                                                                         \
    X(code, size)                                                                                \
    X(code, first_line)                                                                          \
    X(code, file)                                                                                \
    X(code, name)                                                                                \
    X(code, qualname)                                                                            \
    X(code, linetable)                                                                           \
    X(code, locals_plus)     /* co_nlocalsplus, int */                                           \
    X(code, frame_size)      /* co_framesize, int, in words; 3.11: computed, see below */        \
    X(code, stack_size)      /* co_stacksize, int */                                             \
    X(code, flags)           /* co_flags, int */                                                 \
    X(code, version)         /* co_version, uint32 (3.12+) */                                    \
    X(code, first_traceable) /* _co_firsttraceable, int, code units */                           \
    X(code, code_units)      /* ob_size: number of 2-byte units */                               \
    X(code, bytecode)        /* co_code_adaptive */                                              \
    X(object, type)                                                                              \
    X(object, refcount)                                                                          \
    X(type, name)                                                                                \
    X(type, flags)                                                                               \
    X(type, basic_size)         /* ssize_t */                                                    \
    X(type, dict_offset)        /* ssize_t, of the pointer to an instance's dict, 0: none */     \
    X(type, cached_keys)        /* heap types: the keys that instances share, or NULL */         \
    X(type, inline_values_flag) /* bit in flags: values lie behind instances (3.13+), else 0 */  \
    X(instance, dict_before)    /* bytes from a managed dict's pointer to its instance */        \
    X(instance, values_before)  /* 3.11: bytes from the values' pointer to the instance */       \
    X(instance, values_tag)     /* 3.12: bit that tells values - 1 from a dict, else 0 */        \
    X(values, items)            /* array of objects, in the order of the keys */                 \
    X(values, capacity)         /* 3.13+: uint8 */                                               \
    X(values, valid)            /* 3.13+: uint8 */                                               \
    X(module, dict)                                                                              \
    X(dict, keys)                                                                                \
    X(dict, values)           /* NULL: the values are in the keys object */                      \
    X(keys, log2_index_bytes) /* uint8: log2 of the bytes between indices and entries */         \
    X(keys, kind)             /* uint8: 0 general entries, else entries with str keys only */    \
    X(keys, entry_count)      /* ssize_t: entries used so far, deleted ones included */          \
    X(keys, indices)                                                                             \
    X(entry, size)                                                                               \
    X(entry, key)                                                                                \
    X(entry, value) /* NULL: deleted */                                                          \
    X(str_entry, size)                                                                           \
    X(str_entry, key)                                                                            \
    X(str_entry, value)                                                                          \
    X(int, tag)       /* number of digits and, below tag_shift, the sign: 0 is plus */           \
    X(int, tag_shift) /* bits; 3.11: 0, the number of digits is negative there */                \
    X(int, digits)    /* uint32 each, of 30 bits, the lowest first */                            \
    X(unicode, length)                                                                           \
    X(unicode, state)                                                                            \
    X(unicode, ascii_data)   /* sizeof(PyASCIIObject) */                                         \
    X(unicode, compact_data) /* sizeof(PyCompactUnicodeObject) */                                \
    X(bytes, length)                                                                             \
    X(bytes, data)                                                                               \
    X(function, code)    /* func_code */                                                         \
    X(function, version) /* func_version, uint32 */                                              \
    X(generator, frame)  /* the frame embedded in a generator or coroutine */

/* What a frame says of its own stack. */
enum hasten_stack_top_kind {
    /* int: -1 while the frame runs, also inside a C function; >= 0 while a
     * Python call made by it without C in between runs, and for moments around
     * such a call (3.11 to 3.13). */
    HASTEN_STACK_TOP_INDEX,
    /* pointer: where the stack ended when it was last saved. Release builds do
     * not clear it, so it does not tell whether the frame runs (3.14+). */
    HASTEN_STACK_TOP_POINTER,
};

/* Whether `instruction` is the running instruction's own address or the code
 * unit before the next one (3.11, 3.12: prev_instr). */
enum hasten_instruction_kind { HASTEN_INSTRUCTION_PREVIOUS, HASTEN_INSTRUCTION_CURRENT };

struct hasten_layout {
#define HASTEN_LAYOUT_FIELD(structure, field) uint32_t structure##_##field;
    HASTEN_LAYOUT_MAP(HASTEN_LAYOUT_FIELD)
#undef HASTEN_LAYOUT_FIELD
    uint32_t version; /* 0x030d: the minor version that this table is for */
    uint32_t free_threaded;
    enum hasten_stack_top_kind stack_top_kind;
    enum hasten_instruction_kind instruction_kind;
    uint64_t reference_mask;        /* and-mask that untags f_executable, f_funcobj, stack slots */
    uint32_t status_holds_gil_mask; /* bit in thread.status; 0 where there is none */
    uint8_t owner_thread, owner_generator, owner_frame_object;
    uint8_t owner_c_stack;     /* shim between C and Python (3.12+); 0xff where none */
    uint8_t owner_interpreter; /* 3.14+: another shim; 0xff where none */
};

#endif
