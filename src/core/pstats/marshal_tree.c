/* SPDX-License-Identifier: MIT
 *
 * Reading marshal data without recursion: a small stack of open containers, each
 * with how many objects it still wants. Every object takes at least a byte, so
 * that the size of the data bounds the tree. */
#include "core/pstats/marshal_tree.h"

#include "core/pstats/marshal_codes.h"
#include "core/pstats/marshal_scalar.h"

#include <stdbool.h>
#include <string.h>

struct open_container {
    uint32_t node;
    uint32_t left; /* objects that are still wanted; unused for dicts */
    bool until_null;
    bool wants_value;
};

struct parser {
    struct hasten_marshal_input input;
    struct hasten_marshal_tree tree;
    uint32_t *shared; /* node of each object that may be referred to */
    size_t shared_count;
    size_t shared_capacity;
    struct open_container open[HASTEN_MARSHAL_DEPTH_MAX];
    size_t depth;
};

static hasten_status add_node(struct parser *parser, struct hasten_marshal_node node) {
    struct hasten_marshal_tree *tree = &parser->tree;
    void *nodes = tree->nodes;
    if (tree->count == tree->capacity && hasten_grow(tree->allocator, &nodes, &tree->capacity,
                                                     tree->count + 1, sizeof *tree->nodes) != 0) {
        return hasten_error_set(parser->input.error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    tree->nodes = nodes;
    tree->nodes[tree->count++] = node;
    return HASTEN_OK;
}

static hasten_status share_last(struct parser *parser) {
    void *shared = parser->shared;
    if (parser->shared_count == parser->shared_capacity &&
        hasten_grow(parser->tree.allocator, &shared, &parser->shared_capacity,
                    parser->shared_count + 1, sizeof *parser->shared) != 0) {
        return hasten_error_set(parser->input.error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    parser->shared = shared;
    parser->shared[parser->shared_count++] = (uint32_t)parser->tree.count - 1;
    return HASTEN_OK;
}

static hasten_status add_reference(struct parser *parser) {
    uint32_t number = 0;
    hasten_status status = hasten_marshal_u32(&parser->input, &number);
    if (status != HASTEN_OK) {
        return status;
    }
    if (number >= parser->shared_count) {
        return hasten_marshal_fault(&parser->input, HASTEN_CORRUPT, "invalid reference");
    }
    const uint32_t target = parser->shared[number];
    const struct hasten_marshal_node *node = &parser->tree.nodes[target];
    const bool is_container =
        node->kind >= HASTEN_MARSHAL_TUPLE && node->kind <= HASTEN_MARSHAL_BAG;
    if (is_container && node->end == 0) {
        return hasten_marshal_fault(&parser->input, HASTEN_CORRUPT,
                                    "invalid reference: an object that holds itself");
    }
    return add_node(
        parser, (struct hasten_marshal_node){.kind = HASTEN_MARSHAL_REFERENCE, .target = target});
}

/* Opens a container of `count` objects, or one that a null ends. */
static hasten_status open_container(struct parser *parser, uint32_t kind, uint32_t count,
                                    bool until_null) {
    if (parser->depth == HASTEN_MARSHAL_DEPTH_MAX) {
        return hasten_marshal_fault(&parser->input, HASTEN_CORRUPT, "nested too deeply");
    }
    if (count > parser->input.size - parser->input.position) {
        return hasten_marshal_too_short(&parser->input);
    }
    hasten_status status =
        add_node(parser, (struct hasten_marshal_node){.kind = kind, .count = count});
    if (status == HASTEN_OK) {
        parser->open[parser->depth++] = (struct open_container){
            .node = (uint32_t)parser->tree.count - 1, .left = count, .until_null = until_null};
    }
    return status;
}

static hasten_status open_counted(struct parser *parser, uint8_t code) {
    uint32_t count = 3; /* a slice: start, stop, step */
    hasten_status status = HASTEN_OK;
    if (code == MARSHAL_SMALL_TUPLE) {
        uint8_t small = 0;
        status = hasten_marshal_u8(&parser->input, &small);
        count = small;
    } else if (code != MARSHAL_SLICE) {
        status = hasten_marshal_u32(&parser->input, &count);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    if (count > INT32_MAX) {
        return hasten_marshal_fault(&parser->input, HASTEN_CORRUPT, "size out of range");
    }
    const bool is_tuple = code == MARSHAL_TUPLE || code == MARSHAL_SMALL_TUPLE;
    return open_container(parser, is_tuple ? HASTEN_MARSHAL_TUPLE : HASTEN_MARSHAL_BAG, count,
                          false);
}

/* CPython gives these no number, whatever their mark says. */
static bool is_constant(uint8_t code) {
    return code == MARSHAL_NONE || code == MARSHAL_TRUE || code == MARSHAL_FALSE ||
           code == MARSHAL_ELLIPSIS || code == MARSHAL_STOP_ITERATION;
}

static hasten_status read_object(struct parser *parser, uint8_t byte) {
    const uint8_t code = byte & (uint8_t)~MARSHAL_SHARED;
    hasten_status status = HASTEN_OK;
    switch (code) {
    case MARSHAL_REFERENCE:
        return add_reference(parser);
    case MARSHAL_SMALL_TUPLE:
    case MARSHAL_TUPLE:
    case MARSHAL_LIST:
    case MARSHAL_SET:
    case MARSHAL_FROZENSET:
    case MARSHAL_SLICE:
        status = open_counted(parser, code);
        break;
    case MARSHAL_DICT:
        status = open_container(parser, HASTEN_MARSHAL_DICT, 0, true);
        break;
    case MARSHAL_FROZENDICT:
        status = open_container(parser, HASTEN_MARSHAL_BAG, 0, true);
        break;
    default: {
        struct hasten_marshal_node node = {0};
        status = hasten_marshal_scalar(&parser->input, code, &node);
        if (status == HASTEN_OK) {
            status = add_node(parser, node);
        }
        break;
    }
    }
    if (status == HASTEN_OK && (byte & MARSHAL_SHARED) != 0 && !is_constant(code)) {
        status = share_last(parser);
    }
    return status;
}

static void close_last(struct parser *parser) {
    parser->depth--;
    parser->tree.nodes[parser->open[parser->depth].node].end = (uint32_t)parser->tree.count;
}

/* One more object was begun in the innermost container. */
static void count_object(struct parser *parser, struct open_container *container) {
    if (!container->until_null) {
        container->left--;
    } else if (container->wants_value) {
        parser->tree.nodes[container->node].count++;
        container->wants_value = false;
    } else {
        container->wants_value = true;
    }
}

/* Closes every container that has what it wants. */
static void close_complete(struct parser *parser) {
    while (parser->depth > 0 && !parser->open[parser->depth - 1].until_null &&
           parser->open[parser->depth - 1].left == 0) {
        close_last(parser);
    }
}

static hasten_status parse(struct parser *parser) {
    do {
        uint8_t byte = 0;
        hasten_status status = hasten_marshal_code(&parser->input, &byte);
        if (status != HASTEN_OK) {
            return status;
        }
        struct open_container *container =
            parser->depth == 0 ? NULL : &parser->open[parser->depth - 1];
        if ((byte & (uint8_t)~MARSHAL_SHARED) == MARSHAL_NULL) {
            if (container == NULL || !container->until_null || container->wants_value) {
                return hasten_marshal_fault(&parser->input, HASTEN_INVALID,
                                            "NULL object in marshal data");
            }
            close_last(parser);
        } else {
            if (container != NULL) {
                count_object(parser, container);
            }
            status = read_object(parser, byte);
            if (status != HASTEN_OK) {
                return status;
            }
        }
        close_complete(parser);
    } while (parser->depth > 0);
    return HASTEN_OK;
}

hasten_status hasten_marshal_parse(const void *data, size_t size,
                                   const struct hasten_allocator *allocator,
                                   struct hasten_marshal_tree *ret_tree,
                                   struct hasten_error *error) {
    if (size > UINT32_MAX) {
        return hasten_error_set(error, HASTEN_LIMIT, -1, "more than 4 GiB of marshal data");
    }
    struct parser parser = {
        .input = {.data = data, .size = size, .error = error},
        .tree = {.allocator = allocator, .data = data},
    };
    hasten_status status = parse(&parser);
    hasten_release(allocator, parser.shared, parser.shared_capacity * sizeof *parser.shared);
    if (status != HASTEN_OK) {
        hasten_marshal_done(&parser.tree);
        return status;
    }
    *ret_tree = parser.tree;
    return HASTEN_OK;
}

void hasten_marshal_done(struct hasten_marshal_tree *tree) {
    hasten_release(tree->allocator, tree->nodes, tree->capacity * sizeof *tree->nodes);
    *tree = (struct hasten_marshal_tree){.allocator = tree->allocator};
}
