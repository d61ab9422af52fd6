/* SPDX-License-Identifier: MIT
 *
 * The bytes of one file, descriptor or file object, decompressed: hasten._stream.Reader.
 *
 * The core runs without the GIL. A file object needs it to be read: its source takes it
 * back meanwhile, and an exception is kept until what was read before is delivered. */
#ifndef HASTEN_EXT_STREAM_READER_H
#define HASTEN_EXT_STREAM_READER_H

#include "core/stream/input.h"
#include "ext/stream/module.h"

struct hasten_py_reader {
    PyObject_HEAD struct hasten_input input;
    PyObject *path;                       /* what messages call it; None: nothing */
    PyObject *file;                       /* NULL: a descriptor */
    PyObject *read_into;                  /* its method that takes a buffer, or NULL... */
    PyObject *read;                       /* ...that answers bytes */
    PyObject *memory;                     /* a bytearray: where it puts them */
    PyThreadState *thread;                /* of who reads, while the GIL is not held */
    struct hasten_py_exception exception; /* of the file object */
    bool has_exception;
    int fd;
    bool is_owner; /* closes the descriptor */
    bool is_open;
    bool is_busy;
    uint64_t read_bytes; /* of a file object */
    size_t block_size;
};

/* NULL with an exception set, if it is no reader, closed, or read by another thread. */
struct hasten_py_reader *hasten_py_reader_begin(PyObject *object, PyTypeObject *type);
void hasten_py_reader_end(struct hasten_py_reader *reader);
/* Lets go of the GIL and takes it back, around what uses the source. */
void hasten_py_reader_detach(struct hasten_py_reader *reader);
void hasten_py_reader_attach(struct hasten_py_reader *reader);
/* Sets the exception for a failure, and answers NULL. */
PyObject *hasten_py_reader_raise(struct hasten_py_reader *reader, hasten_status status,
                                 const struct hasten_error *error);
/* Legal for one that is closed. -1 with an exception set: it is read by another thread. */
int hasten_py_reader_close(struct hasten_py_reader *reader);
/* Bytes that were read of what is perhaps compressed. */
uint64_t hasten_py_reader_position(const struct hasten_py_reader *reader);

#endif
