/* SPDX-License-Identifier: MIT
 *
 * Compiled (not linked, not run) by generate.py against one interpreter's own
 * headers: the object file then holds one record for every offset that the core
 * wants to know. Nothing else includes CPython's internal headers.
 *
 * Every entry of HASTEN_LAYOUT_MAP needs a definition `at_STRUCTURE_FIELD` here;
 * ABSENT where the version has no such field. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>
#include <stdint.h>

#include "internal/pycore_code.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_gil.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"

#if PY_VERSION_HEX >= 0x030e0000
#include "internal/pycore_interpframe.h"
#include "internal/pycore_interpframe_structs.h"
#include "internal/pycore_runtime_structs.h"
#include "internal/pycore_tstate.h"
#elif PY_VERSION_HEX >= 0x030d0000
#include "internal/pycore_tstate.h"
#endif

#include "core/pyabi/debugmap.h"
#include "core/pyabi/layout.h"

#define ABSENT HASTEN_ABSENT
#define END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

typedef _PyRuntimeState Runtime;
typedef PyInterpreterState Interpreter;
typedef PyThreadState Thread;
typedef _PyInterpreterFrame Frame;
typedef struct _gil_runtime_state Gil;
typedef PyCodeObject Code;

/* The tails of structures differ from build to build and from patch to patch:
 * "size" is where the last field of interest ends. */
#if PY_VERSION_HEX < 0x030c0000
#define at_runtime_size END_OF(Runtime, gilstate.tstate_current)
#define at_runtime_gil offsetof(Runtime, ceval.gil)
#define at_runtime_tstate_current offsetof(Runtime, gilstate.tstate_current)
#else
#define at_runtime_size END_OF(Runtime, interpreters.head)
#define at_runtime_gil ABSENT
#define at_runtime_tstate_current ABSENT
#endif
#define at_runtime_finalizing offsetof(Runtime, _finalizing)
#define at_runtime_initialized offsetof(Runtime, initialized)
#define at_runtime_interpreters_head offsetof(Runtime, interpreters.head)

#if PY_VERSION_HEX < 0x030c0000
#define at_interpreter_size END_OF(Interpreter, gc.collecting)
#define at_interpreter_gil ABSENT
#define at_interpreter_own_gil ABSENT
#define at_interpreter_finalizing ABSENT
#elif PY_VERSION_HEX < 0x030d0000
#define at_interpreter_size END_OF(Interpreter, ceval.gil)
#define at_interpreter_gil offsetof(Interpreter, ceval.gil)
#define at_interpreter_own_gil offsetof(Interpreter, _gil)
#define at_interpreter_finalizing offsetof(Interpreter, _finalizing)
#elif PY_VERSION_HEX < 0x030e0000
#define at_interpreter_size END_OF(Interpreter, gc.collecting)
#define at_interpreter_gil offsetof(Interpreter, ceval.gil)
#define at_interpreter_own_gil offsetof(Interpreter, _gil)
#define at_interpreter_finalizing offsetof(Interpreter, _finalizing)
#else
#define at_interpreter_size END_OF(Interpreter, _code_object_generation)
#define at_interpreter_gil offsetof(Interpreter, ceval.gil)
#define at_interpreter_own_gil offsetof(Interpreter, _gil)
#define at_interpreter_finalizing offsetof(Interpreter, _finalizing)
#endif
#define at_interpreter_next offsetof(Interpreter, next)
#define at_interpreter_id offsetof(Interpreter, id)
#define at_interpreter_runtime offsetof(Interpreter, runtime)
#define at_interpreter_threads_head offsetof(Interpreter, threads.head)
#define at_interpreter_next_unique_id offsetof(Interpreter, threads.next_unique_id)
#define at_interpreter_gc_collecting offsetof(Interpreter, gc.collecting)
#if PY_VERSION_HEX >= 0x030d0000
#define at_interpreter_threads_main offsetof(Interpreter, threads.main)
#else
#define at_interpreter_threads_main ABSENT
#endif
#if PY_VERSION_HEX >= 0x030e0000
#define at_interpreter_code_generation offsetof(Interpreter, _code_object_generation)
#else
#define at_interpreter_code_generation ABSENT
#endif
#if PY_VERSION_HEX >= 0x030f0000
#define at_interpreter_gc_frame offsetof(Interpreter, gc.frame)
#else
#define at_interpreter_gc_frame ABSENT
#endif

#if PY_VERSION_HEX >= 0x030c0000
#define at_interpreter_modules offsetof(Interpreter, imports.modules)
#else
#define at_interpreter_modules offsetof(Interpreter, modules)
#endif
/* init_code in Objects/codeobject.c gives every code object the counter's value
 * and adds one, unless it is 0: it stays 0 after an overflow. What lies before
 * the counter serves to recognise it. 3.12 has the field but counts elsewhere
 * (_Py_next_func_version). */
#if PY_VERSION_HEX >= 0x030d0000 && PY_VERSION_HEX < 0x030e0000
#define at_interpreter_code_counter offsetof(Interpreter, func_state.next_version)
#define at_interpreter_number_pool offsetof(Interpreter, dtoa.preallocated)
#define at_interpreter_number_pool_next offsetof(Interpreter, dtoa.preallocated_next)
#else
#define at_interpreter_code_counter ABSENT
#define at_interpreter_number_pool ABSENT
#define at_interpreter_number_pool_next ABSENT
#endif

#define at_gil_size END_OF(Gil, locked)
#define at_gil_locked offsetof(Gil, locked)
#define at_gil_last_holder offsetof(Gil, last_holder)

#define at_thread_prev offsetof(Thread, prev)
#define at_thread_next offsetof(Thread, next)
#define at_thread_interp offsetof(Thread, interp)
#if PY_VERSION_HEX < 0x030d0000
#define at_thread_cframe offsetof(Thread, cframe)
#define at_thread_size END_OF(Thread, root_cframe)
#define at_thread_root_cframe offsetof(Thread, root_cframe)
#define at_thread_current_frame ABSENT
#define at_cframe_current_frame offsetof(_PyCFrame, current_frame)
#define at_cframe_previous offsetof(_PyCFrame, previous)
#else
#define at_thread_cframe ABSENT
#define at_thread_size END_OF(Thread, datastack_limit)
#define at_thread_root_cframe ABSENT
#define at_thread_current_frame offsetof(Thread, current_frame)
#define at_cframe_current_frame ABSENT
#define at_cframe_previous ABSENT
#endif
#if PY_VERSION_HEX >= 0x030f0000
#define at_thread_base_frame offsetof(Thread, base_frame)
#else
#define at_thread_base_frame ABSENT
#endif
#define at_thread_thread_id offsetof(Thread, thread_id)
#define at_thread_native_thread_id offsetof(Thread, native_thread_id)
#define at_thread_unique_id offsetof(Thread, id)
#define at_thread_datastack_chunk offsetof(Thread, datastack_chunk)
#define at_thread_datastack_top offsetof(Thread, datastack_top)
#define at_thread_datastack_limit offsetof(Thread, datastack_limit)
#if PY_VERSION_HEX >= 0x030c0000
#define at_thread_status offsetof(Thread, _status)
#else
#define at_thread_status ABSENT
#endif
#if PY_VERSION_HEX >= 0x030e0000
#define at_thread_holds_gil offsetof(Thread, holds_gil)
#else
#define at_thread_holds_gil ABSENT
#endif
#if PY_VERSION_HEX >= 0x030f0000
#define at_thread_gil_requested offsetof(Thread, gil_requested)
#else
#define at_thread_gil_requested ABSENT
#endif
#define at_thread_gc_frame ABSENT /* it lies in the interpreter */

#define at_chunk_previous offsetof(_PyStackChunk, previous)
#define at_chunk_size offsetof(_PyStackChunk, size)
#define at_chunk_top offsetof(_PyStackChunk, top)
#define at_chunk_data offsetof(_PyStackChunk, data)

#define at_frame_size offsetof(Frame, localsplus)
#define at_frame_previous offsetof(Frame, previous)
#define at_frame_localsplus offsetof(Frame, localsplus)
#define at_frame_owner offsetof(Frame, owner)
#if PY_VERSION_HEX < 0x030c0000
#define at_frame_function offsetof(Frame, f_func)
#define at_frame_is_entry offsetof(Frame, is_entry)
#define at_frame_return_offset ABSENT
#else
#define at_frame_function offsetof(Frame, f_funcobj)
#define at_frame_is_entry ABSENT
#define at_frame_return_offset offsetof(Frame, return_offset)
#endif
#if PY_VERSION_HEX < 0x030d0000
#define at_frame_code offsetof(Frame, f_code)
#define at_frame_instruction offsetof(Frame, prev_instr)
#else
#define at_frame_code offsetof(Frame, f_executable)
#define at_frame_instruction offsetof(Frame, instr_ptr)
#endif
#if PY_VERSION_HEX < 0x030e0000
#define at_frame_stack_top offsetof(Frame, stacktop)
#else
#define at_frame_stack_top offsetof(Frame, stackpointer)
#endif

#define at_code_size offsetof(Code, co_code_adaptive)
#define at_code_first_line offsetof(Code, co_firstlineno)
#define at_code_file offsetof(Code, co_filename)
#define at_code_name offsetof(Code, co_name)
#define at_code_qualname offsetof(Code, co_qualname)
#define at_code_linetable offsetof(Code, co_linetable)
#define at_code_locals_plus offsetof(Code, co_nlocalsplus)
#define at_code_stack_size offsetof(Code, co_stacksize)
#define at_code_flags offsetof(Code, co_flags)
#if PY_VERSION_HEX >= 0x030c0000
#define at_code_frame_size offsetof(Code, co_framesize)
#define at_code_version offsetof(Code, co_version)
#else
#define at_code_frame_size ABSENT
#define at_code_version ABSENT
#endif
#define at_code_first_traceable offsetof(Code, _co_firsttraceable)
#define at_code_code_units offsetof(Code, ob_base.ob_size)
#define at_code_bytecode offsetof(Code, co_code_adaptive)

#define at_object_type offsetof(PyObject, ob_type)
#define at_object_refcount offsetof(PyObject, ob_refcnt)
#define at_type_name offsetof(PyTypeObject, tp_name)
#define at_type_flags offsetof(PyTypeObject, tp_flags)
#define at_type_basic_size offsetof(PyTypeObject, tp_basicsize)
#define at_type_dict_offset offsetof(PyTypeObject, tp_dictoffset)
#define at_type_cached_keys offsetof(PyHeapTypeObject, ht_cached_keys)

/* Where instances have their attributes, see _PyObject_ManagedDictPointer and
 * its like in pycore_object.h: 3.11 has two pointers before the instance, 3.12
 * one for both (the values' is odd), later ones a dict before and values behind. */
#define POINTERS(count) ((count) * sizeof(void *))
#define at_instance_dict_before POINTERS(3)
#if PY_VERSION_HEX < 0x030c0000
#define at_instance_values_before POINTERS(4)
#else
#define at_instance_values_before ABSENT
#endif
#if PY_VERSION_HEX >= 0x030c0000 && PY_VERSION_HEX < 0x030d0000
#define at_instance_values_tag 1
#else
#define at_instance_values_tag 0
#endif
#if defined(MANAGED_DICT_OFFSET)
_Static_assert(-(MANAGED_DICT_OFFSET) == at_instance_dict_before, "a managed dict elsewhere");
#endif
#define at_values_items offsetof(PyDictValues, values)
#if PY_VERSION_HEX >= 0x030d0000
#define at_type_inline_values_flag Py_TPFLAGS_INLINE_VALUES
#define at_values_capacity offsetof(PyDictValues, capacity)
#define at_values_valid offsetof(PyDictValues, valid)
#else
#define at_type_inline_values_flag 0
#define at_values_capacity ABSENT
#define at_values_valid ABSENT
#endif

#define at_module_dict offsetof(PyModuleObject, md_dict)
#define at_dict_keys offsetof(PyDictObject, ma_keys)
#define at_dict_values offsetof(PyDictObject, ma_values)
#define at_keys_log2_index_bytes offsetof(PyDictKeysObject, dk_log2_index_bytes)
#define at_keys_kind offsetof(PyDictKeysObject, dk_kind)
#define at_keys_entry_count offsetof(PyDictKeysObject, dk_nentries)
#define at_keys_indices offsetof(PyDictKeysObject, dk_indices)
#define at_entry_size sizeof(PyDictKeyEntry)
#define at_entry_key offsetof(PyDictKeyEntry, me_key)
#define at_entry_value offsetof(PyDictKeyEntry, me_value)
#define at_str_entry_size sizeof(PyDictUnicodeEntry)
#define at_str_entry_key offsetof(PyDictUnicodeEntry, me_key)
#define at_str_entry_value offsetof(PyDictUnicodeEntry, me_value)
_Static_assert(DICT_KEYS_GENERAL == 0, "the kind of general entries");

#if PY_VERSION_HEX < 0x030c0000
#define at_int_tag offsetof(PyLongObject, ob_base.ob_size)
#define at_int_tag_shift 0
#define at_int_digits offsetof(PyLongObject, ob_digit)
#else
#define at_int_tag offsetof(PyLongObject, long_value.lv_tag)
#define at_int_tag_shift 3 /* _PyLong_NON_SIZE_BITS */
#define at_int_digits offsetof(PyLongObject, long_value.ob_digit)
#endif
_Static_assert(sizeof(digit) == 4 && PyLong_SHIFT == 30, "digits of 30 bits");

#define at_function_code offsetof(PyFunctionObject, func_code)
#define at_function_version offsetof(PyFunctionObject, func_version)
#define at_unicode_length offsetof(PyASCIIObject, length)
#define at_unicode_state offsetof(PyASCIIObject, state)
#define at_unicode_ascii_data sizeof(PyASCIIObject)
#define at_unicode_compact_data sizeof(PyCompactUnicodeObject)
#define at_bytes_length offsetof(PyBytesObject, ob_base.ob_size)
#define at_bytes_data offsetof(PyBytesObject, ob_sval)
#define at_generator_frame offsetof(PyGenObject, gi_iframe)

/* Where this version's _Py_DebugOffsets keeps each number that the core reads. */
#if PY_VERSION_HEX >= 0x030d0000
#define IN_DEBUG(member) offsetof(_Py_DebugOffsets, member)
#define debug_total sizeof(_Py_DebugOffsets)
#define debug_version IN_DEBUG(version)
#define debug_free_threaded IN_DEBUG(free_threaded)
#define debug_runtime_size IN_DEBUG(runtime_state.size)
#define debug_runtime_finalizing IN_DEBUG(runtime_state.finalizing)
#define debug_runtime_interpreters_head IN_DEBUG(runtime_state.interpreters_head)
#define debug_interpreter_size IN_DEBUG(interpreter_state.size)
#define debug_interpreter_id IN_DEBUG(interpreter_state.id)
#define debug_interpreter_next IN_DEBUG(interpreter_state.next)
#define debug_interpreter_threads_head IN_DEBUG(interpreter_state.threads_head)
#define debug_interpreter_gc IN_DEBUG(interpreter_state.gc)
#define debug_interpreter_modules IN_DEBUG(interpreter_state.imports_modules)
#define debug_interpreter_gil_pointer IN_DEBUG(interpreter_state.ceval_gil)
#define debug_interpreter_gil IN_DEBUG(interpreter_state.gil_runtime_state)
#define debug_interpreter_gil_locked IN_DEBUG(interpreter_state.gil_runtime_state_locked)
#define debug_interpreter_gil_holder IN_DEBUG(interpreter_state.gil_runtime_state_holder)
#define debug_thread_size IN_DEBUG(thread_state.size)
#define debug_thread_prev IN_DEBUG(thread_state.prev)
#define debug_thread_next IN_DEBUG(thread_state.next)
#define debug_thread_interp IN_DEBUG(thread_state.interp)
#define debug_thread_current_frame IN_DEBUG(thread_state.current_frame)
#define debug_thread_thread_id IN_DEBUG(thread_state.thread_id)
#define debug_thread_native_thread_id IN_DEBUG(thread_state.native_thread_id)
#define debug_thread_datastack_chunk IN_DEBUG(thread_state.datastack_chunk)
#define debug_thread_status IN_DEBUG(thread_state.status)
#define debug_frame_size IN_DEBUG(interpreter_frame.size)
#define debug_frame_previous IN_DEBUG(interpreter_frame.previous)
#define debug_frame_code IN_DEBUG(interpreter_frame.executable)
#define debug_frame_instruction IN_DEBUG(interpreter_frame.instr_ptr)
#define debug_frame_localsplus IN_DEBUG(interpreter_frame.localsplus)
#define debug_frame_owner IN_DEBUG(interpreter_frame.owner)
#define debug_code_size IN_DEBUG(code_object.size)
#define debug_code_file IN_DEBUG(code_object.filename)
#define debug_code_name IN_DEBUG(code_object.name)
#define debug_code_qualname IN_DEBUG(code_object.qualname)
#define debug_code_linetable IN_DEBUG(code_object.linetable)
#define debug_code_first_line IN_DEBUG(code_object.firstlineno)
#define debug_code_bytecode IN_DEBUG(code_object.co_code_adaptive)
#define debug_object_size IN_DEBUG(pyobject.size)
#define debug_object_type IN_DEBUG(pyobject.ob_type)
#define debug_type_name IN_DEBUG(type_object.tp_name)
#define debug_type_flags IN_DEBUG(type_object.tp_flags)
#define debug_dict_keys IN_DEBUG(dict_object.ma_keys)
#define debug_dict_values IN_DEBUG(dict_object.ma_values)
#define debug_int_tag IN_DEBUG(long_object.lv_tag)
#define debug_int_digits IN_DEBUG(long_object.ob_digit)
#define debug_bytes_length IN_DEBUG(bytes_object.ob_size)
#define debug_bytes_data IN_DEBUG(bytes_object.ob_sval)
#define debug_unicode_state IN_DEBUG(unicode_object.state)
#define debug_unicode_length IN_DEBUG(unicode_object.length)
#define debug_unicode_ascii_size IN_DEBUG(unicode_object.asciiobject_size)
#define debug_gc_collecting IN_DEBUG(gc.collecting)
#if PY_VERSION_HEX >= 0x030e0000
#define debug_interpreter_threads_main IN_DEBUG(interpreter_state.threads_main)
#define debug_interpreter_code_generation IN_DEBUG(interpreter_state.code_object_generation)
#define debug_frame_stack_top IN_DEBUG(interpreter_frame.stackpointer)
#define debug_generator_frame IN_DEBUG(gen_object.gi_iframe)
#else
#define debug_interpreter_threads_main ABSENT
#define debug_interpreter_code_generation ABSENT
#define debug_frame_stack_top ABSENT
#define debug_generator_frame ABSENT
#endif
#if PY_VERSION_HEX >= 0x030f0000
#define debug_thread_base_frame IN_DEBUG(thread_state.base_frame)
#define debug_thread_holds_gil IN_DEBUG(thread_state.holds_gil)
#define debug_thread_gil_requested IN_DEBUG(thread_state.gil_requested)
#define debug_unicode_compact_size IN_DEBUG(unicode_object.compactunicodeobject_size)
#define debug_gc_frame IN_DEBUG(gc.frame)
#define debug_type_basic_size IN_DEBUG(type_object.tp_basicsize)
#define debug_type_dict_offset IN_DEBUG(type_object.tp_dictoffset)
#define debug_type_cached_keys IN_DEBUG(heap_type_object.ht_cached_keys)
#else
#define debug_thread_base_frame ABSENT
#define debug_thread_holds_gil ABSENT
#define debug_thread_gil_requested ABSENT
#define debug_unicode_compact_size ABSENT
#define debug_gc_frame ABSENT
#define debug_type_basic_size ABSENT
#define debug_type_dict_offset ABSENT
#define debug_type_cached_keys ABSENT
#endif
#endif

struct record {
    char name[56];
    uint64_t value;
};

struct records {
    char magic[16];
    struct record records[];
};

#define LAYOUT_RECORD(structure, field) {#structure "_" #field, at_##structure##_##field},
#define DEBUG_RECORD(name) {"debug." #name, debug_##name},

/* generate.py looks for the magic in the object file; "end" ends the list. */
__attribute__((used)) const struct records hasten_layout_records = {
    .magic = "hasten\x01layout\x02\x03",
    .records =
        {
            {"python.version_hex", PY_VERSION_HEX},
#if defined(__aarch64__)
            {"python.is_aarch64", 1},
#else
            {"python.is_aarch64", 0},
#endif
            HASTEN_LAYOUT_MAP(LAYOUT_RECORD)
#if PY_VERSION_HEX >= 0x030d0000
                HASTEN_DEBUG_MAP(DEBUG_RECORD){"debug.total", debug_total},
#endif
            {"owner.thread", FRAME_OWNED_BY_THREAD},
            {"owner.generator", FRAME_OWNED_BY_GENERATOR},
            {"owner.frame_object", FRAME_OWNED_BY_FRAME_OBJECT},
#if PY_VERSION_HEX >= 0x030c0000 && PY_VERSION_HEX < 0x030f0000
            {"owner.c_stack", FRAME_OWNED_BY_CSTACK},
#else
            {"owner.c_stack", 0xff},
#endif
#if PY_VERSION_HEX >= 0x030e0000
            {"owner.interpreter", FRAME_OWNED_BY_INTERPRETER},
            {"reference.tag_bits", Py_TAG_BITS},
#else
            {"owner.interpreter", 0xff},
            {"reference.tag_bits", 0},
#endif
            {"end", 0},
        },
};
