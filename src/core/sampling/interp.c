/* SPDX-License-Identifier: MIT
 *
 * Reads an interpreter's pulse. Fields that lie near each other are read as one
 * piece: every piece of a batched read costs about 0.3 us, a kilobyte nearly
 * nothing. */
#include "core/sampling/interp.h"

#include "core/sampling/load.h"

#define MERGE_GAP 1500 /* bytes between two fields that are still read as one piece */

/* struct _gil_runtime_state with its condition variables and mutexes is below
 * 300 bytes in every version; the layout's size may leave them out. */
#define GIL_SIZE 320

struct field {
    uint64_t address;
    uint32_t size;
};

static void sort_fields(struct field *fields, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct field field = fields[i];
        size_t at = i;
        for (; at > 0 && fields[at - 1].address > field.address; at--)
            fields[at] = fields[at - 1];
        fields[at] = field;
    }
}

static hasten_status plan_pieces(struct hasten_interp *interp, struct field *fields, size_t count) {
    size_t used = 0;
    sort_fields(fields, count);
    interp->piece_count = 0;
    for (size_t i = 0; i < count;) {
        uint64_t start = fields[i].address, end = start + fields[i].size;
        for (i++; i < count && fields[i].address <= end + MERGE_GAP; i++)
            if (fields[i].address + fields[i].size > end)
                end = fields[i].address + fields[i].size;
        size_t size = (size_t)(end - start);
        if (interp->piece_count == HASTEN_INTERP_PIECES || used + size > sizeof interp->bytes)
            return HASTEN_BAD_LAYOUT;
        interp->pieces[interp->piece_count++] =
            (struct hasten_read){hasten_raddr_at(start), interp->bytes + used, size};
        used += size;
    }
    return HASTEN_OK;
}

/* In the interpreter, the counter of code objects has no fixed place between patch
 * releases. Before it lies a pointer into an array that is part of the interpreter
 * itself, before that pointer: nothing else looks like it. 0 where that is not so. */
static uint64_t find_code_counter(const struct hasten_interpreter *interpreter, uint64_t address) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint64_t next = 0;
    if (layout->interpreter_code_counter == HASTEN_ABSENT)
        return interpreter->code_counter.value;
    if (layout->interpreter_number_pool_next + 8 != layout->interpreter_code_counter)
        return 0;
    uint64_t pool = address + layout->interpreter_number_pool;
    uint64_t pool_end = address + layout->interpreter_number_pool_next;
    hasten_status status =
        hasten_memory_read(interpreter->pid, hasten_raddr_at(pool_end), &next, sizeof next);
    if (status != HASTEN_OK || next < pool || next > pool_end || next % 8 != 0)
        return 0;
    return address + layout->interpreter_code_counter;
}

hasten_status hasten_interp_init(struct hasten_interp *interp,
                                 const struct hasten_interpreter *interpreter, uint64_t address) {
    const struct hasten_layout *layout = &interpreter->layout;
    struct field fields[12];
    size_t count = 0;
    *interp = (struct hasten_interp){.address = address, .gil_size = GIL_SIZE};
    hasten_status status =
        hasten_memory_read(interpreter->pid, hasten_raddr_at(address + layout->interpreter_id),
                           &interp->id, sizeof interp->id);
    if (status != HASTEN_OK)
        return status;
    if (layout->runtime_gil != HASTEN_ABSENT) {
        interp->gil = interpreter->runtime.value + layout->runtime_gil;
    } else {
        status =
            hasten_memory_read(interpreter->pid, hasten_raddr_at(address + layout->interpreter_gil),
                               &interp->gil, sizeof interp->gil);
        if (status != HASTEN_OK)
            return status;
        if (interp->gil == 0)
            return HASTEN_NOT_READY;
    }
    fields[count++] = (struct field){address + layout->interpreter_threads_head, 8};
    fields[count++] = (struct field){address + layout->interpreter_next, 8};
    fields[count++] = (struct field){address + layout->interpreter_gc_collecting, 4};
    if (layout->interpreter_next_unique_id != HASTEN_ABSENT)
        fields[count++] = (struct field){address + layout->interpreter_next_unique_id, 8};
    if (layout->interpreter_code_generation != HASTEN_ABSENT)
        fields[count++] = (struct field){address + layout->interpreter_code_generation, 8};
    interp->code_counter = find_code_counter(interpreter, address);
    if (interp->code_counter != 0)
        fields[count++] = (struct field){interp->code_counter, 4};
    if (layout->runtime_tstate_current != HASTEN_ABSENT)
        fields[count++] =
            (struct field){interpreter->runtime.value + layout->runtime_tstate_current, 8};
    fields[count++] = (struct field){interp->gil + layout->gil_locked, 4};
    fields[count++] = (struct field){interp->gil + layout->gil_last_holder, 8};
    return plan_pieces(interp, fields, count);
}

static uint64_t field_at(const struct hasten_interp *interp, uint64_t address, uint32_t size) {
    for (size_t i = 0; i < interp->piece_count; i++) {
        const struct hasten_read *piece = &interp->pieces[i];
        uint64_t offset = address - piece->address.value;
        if (address >= piece->address.value && offset + size <= piece->size) {
            const uint8_t *bytes = (const uint8_t *)piece->into + offset;
            return size == 8 ? hasten_load_u64(bytes, 0) : hasten_load_u32(bytes, 0);
        }
    }
    return 0;
}

struct hasten_pulse hasten_interp_pulse(const struct hasten_interp *interp,
                                        const struct hasten_interpreter *interpreter) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint64_t base = interp->address;
    struct hasten_pulse pulse = {
        .threads_head = field_at(interp, base + layout->interpreter_threads_head, 8),
        .next_interp = field_at(interp, base + layout->interpreter_next, 8),
        .collecting = field_at(interp, base + layout->interpreter_gc_collecting, 4) != 0,
    };
    if (layout->interpreter_next_unique_id != HASTEN_ABSENT)
        pulse.next_unique_id = field_at(interp, base + layout->interpreter_next_unique_id, 8);
    if (layout->interpreter_code_generation != HASTEN_ABSENT)
        pulse.code_generation = field_at(interp, base + layout->interpreter_code_generation, 8);
    if (interp->code_counter != 0)
        pulse.code_counter = (uint32_t)field_at(interp, interp->code_counter, 4);
    if (layout->runtime_tstate_current != HASTEN_ABSENT)
        pulse.gil_holder =
            field_at(interp, interpreter->runtime.value + layout->runtime_tstate_current, 8);
    else if ((int32_t)field_at(interp, interp->gil + layout->gil_locked, 4) > 0)
        pulse.gil_holder = field_at(interp, interp->gil + layout->gil_last_holder, 8);
    return pulse;
}
