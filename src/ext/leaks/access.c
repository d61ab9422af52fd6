/* SPDX-License-Identifier: MIT
 *
 * Offsets into live objects. */
#include "ext/leaks/access.h"

#include "core/pyabi/interpreter.h"

static const void *pointer_at(const void *base, uint32_t offset) {
    return *(const void *const *)(const void *)((const char *)base + offset);
}

const char *hasten_access_thread_frame(const struct hasten_access *access, PyThreadState *thread) {
    const struct hasten_layout *layout = access->layout;
    if (!access->knows_frames) {
        return NULL;
    }
    if (layout->thread_current_frame != HASTEN_ABSENT) {
        return pointer_at(thread, layout->thread_current_frame);
    }
    const void *cframe = pointer_at(thread, layout->thread_cframe);
    return cframe == NULL ? NULL : pointer_at(cframe, layout->cframe_current_frame);
}

const char *hasten_access_previous(const struct hasten_access *access, const char *frame) {
    return pointer_at(frame, access->layout->frame_previous);
}

static PyObject *untagged(const struct hasten_access *access, const void *reference) {
    return (PyObject *)((uintptr_t)reference & access->layout->reference_mask);
}

PyCodeObject *hasten_access_code(const struct hasten_access *access, const char *frame) {
    PyObject *code = untagged(access, pointer_at(frame, access->layout->frame_code));
    return code != NULL && PyCode_Check(code) ? (PyCodeObject *)code : NULL;
}

PyObject *hasten_access_function(const struct hasten_access *access, const char *frame) {
    return untagged(access, pointer_at(frame, access->layout->frame_function));
}

/* A tag with both low bits set marks a number that is no object (3.14+). */
PyObject *hasten_access_local(const struct hasten_access *access, const char *frame, int i) {
    const void *slot =
        pointer_at(frame, access->layout->frame_localsplus + (uint32_t)i * (uint32_t)sizeof slot);
    return ((uintptr_t)slot & 3) == 3 ? NULL : untagged(access, slot);
}

const char *hasten_access_generator_frame(const struct hasten_access *access, PyObject *generator) {
    return access->knows_frames ? (const char *)generator + access->layout->generator_frame : NULL;
}

/* The beginning of a frame object, the same since 3.11. */
struct frame_object {
    PyObject base;
    PyFrameObject *back;
    const char *frame;
};

const char *hasten_access_object_frame(const struct hasten_access *access, PyObject *object) {
    return access->knows_frames ? ((const struct frame_object *)(const void *)object)->frame : NULL;
}

bool hasten_access_inline(const struct hasten_access *access, PyObject *object,
                          struct hasten_inline_values *ret_values) {
    const struct hasten_layout *layout = access->layout;
    PyTypeObject *type = Py_TYPE(object);
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT) || !(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        return false;
    }
    const char *keys = pointer_at(type, layout->type_cached_keys);
    const char *values = NULL;
    size_t capacity = SIZE_MAX;
    if (layout->type_inline_values_flag != 0) {
        values = (const char *)object + type->tp_basicsize;
        if (!(type->tp_flags & layout->type_inline_values_flag) ||
            values[layout->values_valid] == 0) {
            return false;
        }
        capacity = (uint8_t)values[layout->values_capacity];
    } else if (layout->instance_values_tag != 0) {
        uintptr_t tagged = (uintptr_t)pointer_at((char *)object - layout->instance_dict_before, 0);
        values = (tagged & layout->instance_values_tag) ? (const char *)(tagged + 1) : NULL;
    } else {
        values = pointer_at((char *)object - layout->instance_values_before, 0);
    }
    if (keys == NULL || values == NULL) {
        return false;
    }
    size_t count = (size_t)(Py_ssize_t)pointer_at(keys, layout->keys_entry_count);
    size_t index_bytes = (size_t)1 << (uint8_t)keys[layout->keys_log2_index_bytes];
    *ret_values = (struct hasten_inline_values){
        .entries = keys + layout->keys_indices + index_bytes,
        .entry_size = layout->str_entry_size,
        .entry_key = layout->str_entry_key,
        .values = (PyObject *const *)(const void *)(values + layout->values_items),
        .count = count < capacity ? count : capacity,
    };
    return true;
}

PyObject *hasten_access_dict(const struct hasten_access *access, PyObject *object) {
    const struct hasten_layout *layout = access->layout;
    PyTypeObject *type = Py_TYPE(object);
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        uintptr_t found = (uintptr_t)pointer_at((char *)object - layout->instance_dict_before, 0);
        bool is_values = layout->instance_values_tag != 0 && (found & layout->instance_values_tag);
        return is_values ? NULL : (PyObject *)found;
    }
    if (type->tp_dictoffset > 0) {
        return (PyObject *)pointer_at(object, (uint32_t)type->tp_dictoffset);
    }
    return NULL;
}

size_t hasten_access_hidden_size(const struct hasten_access *access, PyObject *object) {
    struct hasten_inline_values values;
    size_t size = hasten_py_bytes_before(object);
    if (hasten_access_inline(access, object, &values)) {
        size += values.count * (sizeof(PyObject *) + 1) + sizeof(void *);
    }
    return size;
}

/* Looks at the frame of whoever asks. */
static bool frames_are_as_expected(struct hasten_access *access) {
    PyFrameObject *object = PyEval_GetFrame();
    PyThreadState *thread = hasten_py_thread();
    if (object == NULL || thread == NULL) {
        return false;
    }
    PyCodeObject *code = PyFrame_GetCode(object);
    access->knows_frames = true;
    const char *frame = hasten_access_thread_frame(access, thread);
    bool same = frame != NULL && hasten_access_code(access, frame) == code &&
                hasten_access_object_frame(access, (PyObject *)object) == frame;
    Py_DECREF(code);
    return same;
}

bool hasten_access_init(struct hasten_access *access) {
    *access = (struct hasten_access){.layout = hasten_layout_of(hasten_py_running_version() >> 16)};
    if (access->layout == NULL || HASTEN_PY_IS_UNUSUAL) {
        PyErr_SetString(PyExc_NotImplementedError,
                        "hasten.leaks knows release builds of CPython 3.11 to 3.15 with the GIL");
        return false;
    }
    access->knows_frames = frames_are_as_expected(access);
    return true;
}
