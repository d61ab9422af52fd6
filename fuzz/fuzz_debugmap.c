/* SPDX-License-Identifier: MIT
 *
 * The input is what a process says of its own layout, for each version that
 * does: what is accepted must stay within bounds and keep the table's order. */
#include <stdint.h>
#include <stdlib.h>

#include "core/pyabi/debugmap.h"
#include "core/pyabi/interpreter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What lies behind the described fields may be given up, nothing else. */
static void restore_tail(struct hasten_layout *layout, const struct hasten_layout *table) {
    if (layout->interpreter_code_counter == HASTEN_ABSENT)
        layout->interpreter_code_counter = table->interpreter_code_counter;
    if (layout->interpreter_number_pool == HASTEN_ABSENT)
        layout->interpreter_number_pool = table->interpreter_number_pool;
    if (layout->interpreter_number_pool_next == HASTEN_ABSENT)
        layout->interpreter_number_pool_next = table->interpreter_number_pool_next;
}

static void check(struct hasten_layout *layout, const struct hasten_layout *table) {
    restore_tail(layout, table);
#define WITHIN(structure, field)                              \
    if ((layout->structure##_##field == HASTEN_ABSENT) !=     \
            (table->structure##_##field == HASTEN_ABSENT) ||  \
        (layout->structure##_##field != HASTEN_ABSENT &&      \
         layout->structure##_##field > (UINT32_C(17) << 20))) \
        abort();
    HASTEN_LAYOUT_MAP(WITHIN)
#undef WITHIN
    if (layout->interpreter_next_unique_id >= layout->interpreter_threads_head ||
        layout->interpreter_threads_head >= layout->interpreter_runtime ||
        layout->interpreter_gc_collecting >= layout->interpreter_size ||
        layout->runtime_initialized >= layout->runtime_finalizing)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (uint32_t version = 0x030d; version <= 0x030f; version++) {
        const struct hasten_layout *table = hasten_layout_of(version);
        struct hasten_error error = {0};
        struct hasten_layout layout;
        hasten_status status = hasten_debug_layout(
            data, size, table, hasten_debug_positions_of(version), &layout, &error);
        if (status == HASTEN_OK)
            check(&layout, table);
        else if (error.status != status || error.message[0] == '\0')
            abort();
    }
    return 0;
}
