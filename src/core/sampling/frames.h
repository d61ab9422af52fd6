/* SPDX-License-Identifier: MIT
 *
 * What the copied bytes of a frame say of it.
 *
 * "Suspended" means that the frame itself says that a Python frame is above it:
 * up to 3.13 its stack top is saved exactly while a callee runs that was pushed
 * without C in between; from 3.14 on the stack top is never cleared, but the
 * instruction is one that may push. */
#ifndef HASTEN_SAMPLING_FRAMES_H
#define HASTEN_SAMPLING_FRAMES_H

#include "core/sampling/walk.h"

/* All that one look at a stack works with. */
struct hasten_view {
    struct hasten_walk *walk;
    struct hasten_snapshot *snapshot;
    const struct hasten_interpreter *interpreter;
    const struct hasten_layout *layout;
    const struct hasten_codes *codes;
    struct hasten_edges *edges;
};

/* Whether frames stand for C code that calls Python (3.12+). */
bool hasten_layout_has_shims(const struct hasten_layout *layout);
bool hasten_owner_is_shim(const struct hasten_layout *layout, uint8_t owner);
/* Address of the code that the frame runs; 0: it was popped (3.14+). */
uint64_t hasten_frame_code(const struct hasten_layout *layout, const uint8_t *bytes);
/* 3.11: C code has entered it. */
bool hasten_frame_is_entry(const struct hasten_layout *layout, const uint8_t *bytes);
bool hasten_frame_stack_top_saved(const struct hasten_layout *layout, const uint8_t *bytes);
/* Its fixed part in copy 0; NULL where that was not taken. */
const uint8_t *hasten_frame_before(const struct hasten_view *view,
                                   const struct hasten_frame *frame);
/* It did not run between the copies. */
bool hasten_frame_stands_still(const struct hasten_view *view, const struct hasten_frame *frame);
/* It ran the same code in copy 0. */
bool hasten_frame_keeps_code(const struct hasten_view *view, const struct hasten_frame *frame);
/* Its instruction may call something. */
bool hasten_frame_may_call(const struct hasten_frame *frame);
bool hasten_frame_is_suspended(const struct hasten_view *view, const struct hasten_frame *frame);
/* False when its bytes say that it was popped. Of a generator's frame on 3.14+ nothing
 * is known. */
bool hasten_frame_is_live(const struct hasten_view *view, const struct hasten_frame *frame);
/* Address of the first free slot of its value stack as last saved; 0: not saved. */
uint64_t hasten_frame_stack_top(const struct hasten_layout *layout,
                                const struct hasten_frame *frame);
/* The object in a slot of its value stack; 0 where that is not the frame's, or was not
 * copied. */
uint64_t hasten_frame_slot(const struct hasten_view *view, const struct hasten_frame *frame,
                           uint64_t slot);
/* The caller's value stack names the callee: the two slots above its top still hold
 * what it called (callable and self, in either order). */
bool hasten_frame_names_callee(const struct hasten_view *view, const struct hasten_frame *caller,
                               const struct hasten_frame *callee);
/* It stands where it resumes a generator, if what it iterates over is one: the address of
 * that one's frame. 0: it does not. */
uint64_t hasten_frame_resumed(const struct hasten_view *view, const struct hasten_frame *frame);
/* It has resumed the generator whose frame is `callee`. */
bool hasten_frame_resumes(const struct hasten_view *view, const struct hasten_frame *caller,
                          const struct hasten_frame *callee);
/* A tracing tool's instruction stands where it is: what it does is not known. */
bool hasten_frame_is_hidden(const struct hasten_frame *frame);
/* The first address behind it. */
uint64_t hasten_frame_end(const struct hasten_frame *frame);

#endif
