/* SPDX-License-Identifier: MIT
 *
 * The lines of one file after the other: hasten._stream.Lines.
 *
 * A region of whole lines is read, looked through and split without the GIL; what is found
 * are spans, and a span becomes an object when it is asked for. In a region that cannot be
 * decoded as it is, or where what is looked for may be hidden by how lines are decoded, each
 * line is made and looked at instead: slower, never otherwise.
 *
 * While the GIL is let go of, or an iterator of str is asked, the stream is busy: another
 * thread waits, the same one (a file object that reads the stream that reads it) is refused. */
#ifndef HASTEN_EXT_STREAM_LINES_H
#define HASTEN_EXT_STREAM_LINES_H

#include "core/stream/regions.h"
#include "core/stream/scanner.h"
#include "ext/stream/line_objects.h"
#include "ext/stream/reader.h"
#include "ext/stream/stage.h"

#include <pthread.h>

/* Lines that are found at a time. */
#define HASTEN_PY_SPANS 512

struct hasten_py_lines {
    struct hasten_py_stage stage; /* for its methods: it has no source */
    PyObject *readers;            /* an iterator of those to come */
    PyObject *current;            /* a reader, or an iterator of str; NULL: none */
    PyObject *needles;            /* whose bytes the scanner borrows */
    PyObject *contains;           /* a tuple: one of them must be in a line; NULL: any line */
    PyObject *search;             /* a pattern's method; NULL: none */
    PyObject *progress;           /* called with the reader now and then; NULL: nobody */
    struct hasten_py_line_form form;
    bool is_inverted;
    bool is_slow; /* every line is made and looked at */
    bool is_ready;
    bool is_over;
    bool is_current_reader;
    uint64_t file_number; /* of those that were begun */
    Py_ssize_t limit;

    struct hasten_regions regions;
    struct hasten_scanner scanner;
    struct hasten_scanner every; /* the lines of regions that are gone through slowly */
    struct hasten_scanner *active;
    struct hasten_py_region region;
    bool is_region_open;
    bool is_region_fast;
    struct hasten_span spans[HASTEN_PY_SPANS];
    size_t span_at;
    size_t span_count;
    uint64_t unreported_bytes; /* since progress was told */

    bool is_counting; /* what needs no object is counted and not answered */
    uint64_t counted;

    bool is_busy;
    pthread_t busy_thread;
    pid_t busy_pid;
};

/* Finds the next spans, or the next iterator of str: 1; 0: it is over; -1: an exception. */
int hasten_py_lines_fill(struct hasten_py_lines *lines);
/* Keeps other threads from reading, until its end, where `answer` is of a failure (-1) or
 * not. The answer, or where somebody ended the stream meanwhile: 0, or -1 with an exception. */
void hasten_py_lines_take_turn(struct hasten_py_lines *lines);
int hasten_py_lines_end_turn(struct hasten_py_lines *lines, int answer);
/* Ends what is being read, and does not begin another; in another thread's turn, that one
 * does so. */
int hasten_py_lines_stop(struct hasten_py_lines *lines);

#endif
