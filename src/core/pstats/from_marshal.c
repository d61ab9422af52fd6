/* SPDX-License-Identifier: MIT
 *
 * A tree of marshal data staged as a batch. What is of another shape than the
 * profilers write is not wrong, but nothing for a table: UNSUPPORTED. */
#include "core/pstats/marshal_tree.h"
#include "core/pstats/table.h"

#include <string.h>

#define SAMPLED_MARK "__sampled__"

struct reading {
    struct hasten_pstats *table;
    struct hasten_marshal_tree tree;
    bool is_sampled;
};

static struct hasten_marshal_node *resolve(const struct reading *it, size_t node) {
    struct hasten_marshal_node *found = &it->tree.nodes[node];
    return found->kind == HASTEN_MARSHAL_REFERENCE ? &it->tree.nodes[found->target] : found;
}

/* The node after this one and all that it holds. */
static size_t after(const struct reading *it, size_t node) {
    const struct hasten_marshal_node *found = &it->tree.nodes[node];
    const bool is_container =
        found->kind >= HASTEN_MARSHAL_TUPLE && found->kind <= HASTEN_MARSHAL_BAG;
    return is_container ? found->end : node + 1;
}

static size_t number_of(const struct reading *it, const struct hasten_marshal_node *node) {
    return (size_t)(node - it->tree.nodes);
}

/* A text's and a function's number is kept at its node, for those who refer to it. */
static hasten_status read_text(const struct reading *it, size_t node, uint32_t *ret_text) {
    struct hasten_marshal_node *text = resolve(it, node);
    if (text->kind != HASTEN_MARSHAL_TEXT) {
        return HASTEN_UNSUPPORTED;
    }
    if (text->tag == 0) {
        uint32_t number = 0;
        hasten_status status = hasten_pstats_names_text(
            &it->table->names, (const char *)it->tree.data + text->offset, text->count, &number);
        if (status != HASTEN_OK) {
            return status;
        }
        text->tag = number + 1;
    }
    *ret_text = text->tag - 1;
    return HASTEN_OK;
}

static hasten_status read_function(const struct reading *it, size_t node, uint32_t *ret_function) {
    struct hasten_marshal_node *function = resolve(it, node);
    if (function->kind != HASTEN_MARSHAL_TUPLE || function->count != 3) {
        return HASTEN_UNSUPPORTED;
    }
    if (function->tag == 0) {
        /* None of its members may be a container, so that they are neighbours. */
        const size_t first = number_of(it, function) + 1;
        uint32_t file = 0;
        uint32_t name = 0;
        uint32_t number = 0;
        hasten_status status = read_text(it, first, &file);
        if (status == HASTEN_OK) {
            status = read_text(it, first + 2, &name);
        }
        const struct hasten_marshal_node *line = resolve(it, first + 1);
        if (status == HASTEN_OK && line->kind != HASTEN_MARSHAL_INT) {
            status = HASTEN_UNSUPPORTED;
        }
        if (status == HASTEN_OK) {
            status =
                hasten_pstats_names_function(&it->table->names, file, line->integer, name, &number);
        }
        if (status != HASTEN_OK) {
            return status;
        }
        function->tag = number + 1;
    }
    *ret_function = function->tag - 1;
    return HASTEN_OK;
}

static bool read_count(const struct reading *it, size_t node, int64_t *ret_count) {
    const struct hasten_marshal_node *number = resolve(it, node);
    *ret_count = number->kind == HASTEN_MARSHAL_INT ? number->integer : 0;
    return number->kind == HASTEN_MARSHAL_INT;
}

static bool read_time(const struct reading *it, size_t node, uint32_t whole, double *ret_time,
                      uint32_t *kinds) {
    const struct hasten_marshal_node *number = resolve(it, node);
    if (number->kind == HASTEN_MARSHAL_FLOAT) {
        *ret_time = number->number;
        return true;
    }
    if (number->kind != HASTEN_MARSHAL_INT || number->integer > HASTEN_PSTATS_WHOLE_MAX ||
        number->integer < -HASTEN_PSTATS_WHOLE_MAX) {
        return false;
    }
    *ret_time = (double)number->integer;
    *kinds |= whole;
    return true;
}

/* The four numbers that begin at `first`; a row's are in another order than an
 * edge's. */
static bool read_cost(const struct reading *it, size_t first, bool is_row,
                      struct hasten_pstats_cost *ret_cost) {
    *ret_cost = (struct hasten_pstats_cost){0};
    return read_count(it, first, is_row ? &ret_cost->primitive_calls : &ret_cost->calls) &&
           read_count(it, first + 1, is_row ? &ret_cost->calls : &ret_cost->primitive_calls) &&
           read_time(it, first + 2, HASTEN_PSTATS_OWN_WHOLE, &ret_cost->own_s, &ret_cost->kinds) &&
           read_time(it, first + 3, HASTEN_PSTATS_TOTAL_WHOLE, &ret_cost->total_s,
                     &ret_cost->kinds);
}

static hasten_status read_caller(const struct reading *it, size_t key, size_t value) {
    uint32_t function = 0;
    hasten_status status = read_function(it, key, &function);
    if (status != HASTEN_OK) {
        return status;
    }
    const struct hasten_marshal_node *numbers = resolve(it, value);
    struct hasten_pstats_cost cost = {.kinds = HASTEN_PSTATS_CALLS_ONLY};
    bool fits = false;
    if (numbers->kind == HASTEN_MARSHAL_TUPLE && numbers->count == 4) {
        fits = read_cost(it, number_of(it, numbers) + 1, false, &cost);
    } else {
        fits = read_count(it, value, &cost.calls);
    }
    return fits ? hasten_pstats_caller(it->table, function, &cost) : HASTEN_UNSUPPORTED;
}

/* Not through references: a dict that many rows share could be staged many times
 * its size. */
static hasten_status read_row(const struct reading *it, size_t key, size_t value) {
    uint32_t function = 0;
    hasten_status status = read_function(it, key, &function);
    if (status != HASTEN_OK) {
        return status;
    }
    const struct hasten_marshal_node *nodes = it->tree.nodes;
    struct hasten_pstats_cost cost;
    if (nodes[value].kind != HASTEN_MARSHAL_TUPLE || nodes[value].count != 5 ||
        !read_cost(it, value + 1, true, &cost) || nodes[value + 5].kind != HASTEN_MARSHAL_DICT) {
        return HASTEN_UNSUPPORTED;
    }
    status = hasten_pstats_row(it->table, function, &cost);
    const size_t callers = value + 5;
    size_t caller = callers + 1;
    for (uint32_t left = nodes[callers].count; status == HASTEN_OK && left > 0; left--) {
        const size_t numbers = after(it, caller);
        status = read_caller(it, caller, numbers);
        caller = after(it, numbers);
    }
    return status;
}

static bool is_sampled_mark(const struct reading *it, size_t key) {
    const struct hasten_marshal_node *tuple = resolve(it, key);
    if (tuple->kind != HASTEN_MARSHAL_TUPLE || tuple->count != 1) {
        return false;
    }
    const struct hasten_marshal_node *text = resolve(it, number_of(it, tuple) + 1);
    return text->kind == HASTEN_MARSHAL_TEXT && text->count == strlen(SAMPLED_MARK) &&
           memcmp(it->tree.data + text->offset, SAMPLED_MARK, text->count) == 0;
}

static hasten_status read_all(struct reading *it) {
    const struct hasten_marshal_node *root = it->tree.nodes;
    if (root->kind != HASTEN_MARSHAL_DICT) {
        return HASTEN_UNSUPPORTED;
    }
    hasten_status status = HASTEN_OK;
    size_t key = 1;
    for (uint32_t left = root->count; status == HASTEN_OK && left > 0; left--) {
        const size_t value = after(it, key);
        if (is_sampled_mark(it, key)) {
            it->is_sampled = true;
        } else {
            status = read_row(it, key, value);
        }
        key = after(it, value);
    }
    return status;
}

hasten_status hasten_pstats_stage_marshal(struct hasten_pstats *table, const void *data,
                                          size_t size, bool *ret_sampled,
                                          struct hasten_error *error) {
    struct reading it = {.table = table};
    hasten_status status = hasten_marshal_parse(data, size, table->allocator, &it.tree, error);
    if (status != HASTEN_OK) {
        return status;
    }
    status = read_all(&it);
    hasten_marshal_done(&it.tree);
    if (status == HASTEN_OK) {
        *ret_sampled = it.is_sampled;
    } else {
        status = hasten_error_set(error, status, -1, "%s", hasten_status_sentence(status));
    }
    return status;
}
