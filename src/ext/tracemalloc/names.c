/* SPDX-License-Identifier: MIT
 *
 * See names.h. */
#include "ext/tracemalloc/names.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "ext/tracemalloc/text.h"

void hasten_tracer_names_init(struct hasten_tracer_names *names) {
    *names = (struct hasten_tracer_names){0};
    hasten_map_init(&names->map, NULL);
    hasten_buffer_init(&names->buffer, NULL);
}

void hasten_tracer_names_done(struct hasten_tracer_names *names) {
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i].text);
    }
    free(names->items);
    hasten_map_done(&names->map);
    hasten_buffer_done(&names->buffer);
    hasten_tracer_names_init(names);
}

int hasten_tracer_names_add(struct hasten_tracer_names *names, PyObject *name,
                            uint32_t *ret_index) {
    hasten_buffer_clear(&names->buffer);
    if (hasten_py_text_append(&names->buffer, name) < 0) {
        return -1;
    }
    const size_t size = names->buffer.size;
    const struct hasten_map_key key =
        hasten_hash((struct hasten_map_key){0}, names->buffer.data, size);
    const uint32_t *known = hasten_map_find(&names->map, key);
    if (known != NULL) {
        *ret_index = *known;
        return 0;
    }
    if (hasten_grow(NULL, (void **)&names->items, &names->capacity, names->count + 1,
                    sizeof *names->items) != 0) {
        return -1;
    }
    char *copy = malloc(size + 1);
    if (copy == NULL || hasten_map_insert(&names->map, key, (uint32_t)names->count, NULL) == NULL) {
        free(copy);
        return -1;
    }
    memcpy(copy, names->buffer.data, size);
    names->items[names->count] = (struct hasten_tracer_name){copy, size};
    *ret_index = (uint32_t)names->count++;
    return 0;
}

size_t hasten_tracer_names_bytes(const struct hasten_tracer_names *names) {
    return names->capacity * sizeof *names->items +
           names->map.capacity * sizeof(struct hasten_map_slot);
}
