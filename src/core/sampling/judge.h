/* SPDX-License-Identifier: MIT
 *
 * Decides whether one frame was called by another at the instant of copy 1 (walk.h
 * says why that is in question). */
#ifndef HASTEN_SAMPLING_JUDGE_H
#define HASTEN_SAMPLING_JUDGE_H

#include "core/sampling/frames.h"

enum hasten_verdict {
    HASTEN_LINKED,
    HASTEN_RETURNED, /* the callee is over: the caller runs itself */
    HASTEN_DOUBTFUL, /* read again */
    HASTEN_UNKNOWN,  /* find out about walk->unknown_call first */
};

/* Of two frames of the chain. The caller's instruction is corrected where the callee
 * proves that it has gone on since it was copied, and what a generator runs where its copy
 * is not of the same instant. */
enum hasten_verdict hasten_judge_call(const struct hasten_view *view, struct hasten_frame *caller,
                                      struct hasten_frame *callee);
/* Of a generator that C code runs and that names `caller`. */
enum hasten_verdict hasten_judge_driven(const struct hasten_view *view, struct hasten_frame *caller,
                                        const struct hasten_frame *callee);
/* Of a frame that was found right above the suspended `caller` and names it. */
enum hasten_verdict hasten_judge_pushed(const struct hasten_view *view, struct hasten_frame *caller,
                                        const struct hasten_frame *callee);
/* The same where it says that C code entered it, and nothing stands for that (3.11): the
 * caller was copied earlier and may have been anywhere. */
enum hasten_verdict hasten_judge_pushed_from_c(const struct hasten_view *view,
                                               struct hasten_frame *caller,
                                               const struct hasten_frame *callee);
/* What is known of the frame that stands for C code: */
enum hasten_shim {
    HASTEN_SHIM_NONE,
    HASTEN_SHIM_OVERWRITTEN, /* it lay on the C stack */
    HASTEN_SHIM_SHOWN,       /* it was copied, and names the caller */
};

/* Of a frame right above `caller` that C code has entered. */
enum hasten_verdict hasten_judge_from_c(const struct hasten_view *view,
                                        const struct hasten_frame *caller,
                                        const struct hasten_frame *callee, enum hasten_shim shim);

#endif
