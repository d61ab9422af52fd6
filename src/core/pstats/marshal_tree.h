/* SPDX-License-Identifier: MIT
 *
 * A stream of Python's `marshal` as a tree of nodes, checked as a whole: every
 * version's codes for plain data, with references. Code objects, which no data
 * file has a use for, are refused. docs/formats/pstats.md describes the bytes.
 *
 * Nodes are in the order of the stream: a container is followed by what it
 * holds, and `end` leads past it. The tree borrows the data it was made of. */
#ifndef HASTEN_PSTATS_MARSHAL_TREE_H
#define HASTEN_PSTATS_MARSHAL_TREE_H

#include "core/base/allocator.h"
#include "hasten/status.h"

#include <stddef.h>
#include <stdint.h>

/* Containers in containers; a file of statistics has four. */
#define HASTEN_MARSHAL_DEPTH_MAX 64

enum hasten_marshal_kind {
    HASTEN_MARSHAL_OTHER, /* None, booleans, bytes, complex and large numbers: no more is kept */
    HASTEN_MARSHAL_INT,
    HASTEN_MARSHAL_FLOAT,
    HASTEN_MARSHAL_TEXT,
    HASTEN_MARSHAL_TUPLE,
    HASTEN_MARSHAL_DICT,
    HASTEN_MARSHAL_BAG, /* lists, sets and other containers */
    HASTEN_MARSHAL_REFERENCE,
};

struct hasten_marshal_node {
    uint32_t kind;
    uint32_t count; /* items of a container (a dict's pairs), bytes of a text */
    union {
        int64_t integer;
        double number;
        struct {
            uint32_t tag; /* for whoever reads the tree; zero at first */
            union {
                uint32_t offset; /* of a text in the data: UTF-8, surrogates allowed */
                uint32_t end;    /* node after a container */
                uint32_t target; /* of a reference; never a reference itself */
            };
        };
    };
};

struct hasten_marshal_tree {
    const struct hasten_allocator *allocator;
    const uint8_t *data;
    struct hasten_marshal_node *nodes; /* the first is the object itself */
    size_t count;
    size_t capacity;
};

/* Reads one object; bytes after it are ignored, as `marshal.load` does.
 * TRUNCATED: the data ends within it; CORRUPT: it is no marshal data; INVALID:
 * an object is missing in it; LIMIT: more than 4 GiB. */
HASTEN_CHECKED hasten_status hasten_marshal_parse(const void *data, size_t size,
                                                  const struct hasten_allocator *allocator,
                                                  struct hasten_marshal_tree *ret_tree,
                                                  struct hasten_error *error);
void hasten_marshal_done(struct hasten_marshal_tree *tree);

#endif
