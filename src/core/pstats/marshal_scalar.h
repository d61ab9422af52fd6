/* SPDX-License-Identifier: MIT
 *
 * The objects of marshal data that hold no others: numbers, texts, constants.
 * Nothing is read past the end of the input; the first fault ends the reading. */
#ifndef HASTEN_PSTATS_MARSHAL_SCALAR_H
#define HASTEN_PSTATS_MARSHAL_SCALAR_H

#include "core/pstats/marshal_tree.h"

struct hasten_marshal_input {
    const uint8_t *data;
    size_t size;
    size_t position;
    struct hasten_error *error; /* may be NULL */
};

/* Says what is wrong at the place that was reached, and returns `status`. */
hasten_status hasten_marshal_fault(struct hasten_marshal_input *input, hasten_status status,
                                   const char *what);
/* Says that the data ends within an object: TRUNCATED. */
hasten_status hasten_marshal_too_short(struct hasten_marshal_input *input);
/* The code of the next object. */
HASTEN_CHECKED hasten_status hasten_marshal_code(struct hasten_marshal_input *input,
                                                 uint8_t *ret_code);
HASTEN_CHECKED hasten_status hasten_marshal_u8(struct hasten_marshal_input *input,
                                               uint8_t *ret_value);
HASTEN_CHECKED hasten_status hasten_marshal_u32(struct hasten_marshal_input *input,
                                                uint32_t *ret_value);
/* The object that `code`, which was read, begins. */
HASTEN_CHECKED hasten_status hasten_marshal_scalar(struct hasten_marshal_input *input, uint8_t code,
                                                   struct hasten_marshal_node *ret_node);

#endif
