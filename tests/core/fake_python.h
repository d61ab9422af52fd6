/* SPDX-License-Identifier: MIT
 *
 * An interpreter that does not run: its structures as one version of CPython lays
 * them out, built by hand in our own memory, so that reading our own process shows
 * them. Each function does what CPython does at that point, as far as readers of its
 * memory can tell (docs/internals/cpython-memory.md); what is then torn or damaged is
 * the test's business. */
#ifndef HASTEN_TESTS_FAKE_PYTHON_H
#define HASTEN_TESTS_FAKE_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/pyabi/interpreter.h"

/* The instructions that every fake function has. */
enum fake_site {
    FAKE_START, /* before the function has begun */
    FAKE_WORK,
    FAKE_CALL,       /* of anything */
    FAKE_EXACT_CALL, /* specialised for one function: fake_specialise */
    FAKE_ITERATE,    /* resumes a generator */
    FAKE_ATTRIBUTE,  /* a property: pushes a frame and is no call */
    FAKE_RETURN,
    FAKE_SITES,
};

enum fake_way { FAKE_DIRECT, FAKE_THROUGH_C };

struct fake_code {
    uint64_t address;
    uint64_t function; /* address of a function object that runs it */
};

struct fake_frame {
    uint64_t address;
    uint64_t cframe; /* 3.11, 3.12: the one that it belongs to */
    uint64_t chunk;  /* newest chunk and its top before it was pushed */
    uint64_t old_top;
    bool through_c;
};

struct fake_python {
    struct hasten_interpreter interpreter;
    uint8_t *memory; /* one mapping, followed by a page that is not mapped */
    size_t size, used;
    uint64_t unmapped; /* an address where nothing is */
    uint64_t interp, thread, gil, code_counter, base_frame;
    uint64_t cframe;
    uint64_t code_type, none;
    uint64_t chunk, top;
    uint64_t chunk_bytes; /* of chunks to come */
    uint32_t units[FAKE_SITES];
    uint32_t widths[FAKE_SITES];
    uint32_t unit_count, frame_words;
    uint32_t versions; /* given out so far */
    struct fake_frame *frames;
    size_t depth, capacity;
};

/* `version` as in struct hasten_layout. False where there is no memory for it. */
bool fake_python_init(struct fake_python *python, uint32_t version, size_t size);
void fake_python_done(struct fake_python *python);

/* Plain memory: the address is one of ours. */
void fake_put(uint64_t address, uint64_t value, size_t size);
uint64_t fake_get(uint64_t address, size_t size);
uint64_t fake_allocate(struct fake_python *python, size_t size);

/* A function: its code object and function object. */
struct fake_code fake_code_new(struct fake_python *python, const char *name, uint32_t first_line);
/* Another code object where a freed one was; CPython's counters take note. */
void fake_code_replace(struct fake_python *python, struct fake_code *code, const char *name,
                       uint32_t first_line);
/* The helper that CPython puts between a class's call and its __init__. */
struct fake_code fake_helper_new(struct fake_python *python);
/* The specialised call in `caller` is for `callee`. */
void fake_specialise(const struct fake_python *python, const struct fake_code *caller,
                     const struct fake_code *callee);

/* The innermost frame stands at `site` and calls; the new frame runs at FAKE_WORK. The
 * first frame of a thread is always called through C. Returns the new frame. */
uint64_t fake_call(struct fake_python *python, const struct fake_code *code, enum fake_way way,
                   enum fake_site site);
/* Same for a generator, whose frame is not on the data stack. */
uint64_t fake_resume_generator(struct fake_python *python, const struct fake_code *code);
/* The innermost frame runs at `site`. */
void fake_run_at(struct fake_python *python, enum fake_site site);
/* The innermost frame returns and leaves its memory as it is; its caller runs on. */
void fake_return(struct fake_python *python);

/* The i-th frame from the innermost one, 0. */
uint64_t fake_frame_at(const struct fake_python *python, size_t index);
/* What the thread says is its current frame: a reader's hint, perhaps out of date. */
void fake_set_current(const struct fake_python *python, uint64_t frame);

#endif
