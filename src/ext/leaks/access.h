/* SPDX-License-Identifier: MIT
 *
 * Looks into objects of the running interpreter without asking it: values that lie
 * behind an instance, locals of frames, shared keys. Nothing here takes a reference,
 * makes an object or runs code of the program. Where things are is what the table of
 * the version says (core/pyabi). */
#ifndef HASTEN_EXT_LEAKS_ACCESS_H
#define HASTEN_EXT_LEAKS_ACCESS_H

#include "ext/common/pycompat_values.h"

#include "core/pyabi/layout.h"

struct hasten_access {
    const struct hasten_layout *layout;
    bool knows_frames; /* they are where the table says */
};

/* False, with an exception set: an unknown version or build. */
bool hasten_access_init(struct hasten_access *access);

/* The attributes of an instance that has no dict for them: names and values, the
 * values NULL where not set. 0: it keeps none that way. */
struct hasten_inline_values {
    const char *entries; /* of the shared keys */
    uint32_t entry_size, entry_key;
    PyObject *const *values;
    size_t count;
};
bool hasten_access_inline(const struct hasten_access *access, PyObject *object,
                          struct hasten_inline_values *ret_values);
static inline PyObject *hasten_inline_name(const struct hasten_inline_values *values, size_t i) {
    return *(PyObject *const *)(const void *)(values->entries + i * values->entry_size +
                                              values->entry_key);
}
/* The dict of an instance's attributes, NULL where it has none (yet). */
PyObject *hasten_access_dict(const struct hasten_access *access, PyObject *object);
/* Bytes of an instance that no tp_basicsize counts: what lies before and behind it. */
size_t hasten_access_hidden_size(const struct hasten_access *access, PyObject *object);

/* A frame of the interpreter (struct _PyInterpreterFrame), NULL: none. */
const char *hasten_access_thread_frame(const struct hasten_access *access, PyThreadState *thread);
const char *hasten_access_previous(const struct hasten_access *access, const char *frame);
const char *hasten_access_generator_frame(const struct hasten_access *access, PyObject *generator);
const char *hasten_access_object_frame(const struct hasten_access *access, PyObject *frame_object);
/* NULL: a frame that is none of Python code. */
PyCodeObject *hasten_access_code(const struct hasten_access *access, const char *frame);
/* What it runs a call of; may be NULL. */
PyObject *hasten_access_function(const struct hasten_access *access, const char *frame);
/* The i-th of co_localsplusnames; NULL: not set. */
PyObject *hasten_access_local(const struct hasten_access *access, const char *frame, int i);

#endif
