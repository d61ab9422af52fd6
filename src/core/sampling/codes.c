/* SPDX-License-Identifier: MIT
 *
 * Reading, fingerprinting and remembering code objects. */
#include "core/sampling/codes.h"

#include "core/sampling/load.h"
#include "core/sampling/remote_object.h"

#define RECENT_SIZE (HASTEN_CODES_RECENT * sizeof(struct hasten_code_entry *))

void hasten_codes_init(struct hasten_codes *codes, struct hasten_recorder *recorder,
                       const struct hasten_allocator *allocator) {
    *codes = (struct hasten_codes){.allocator = allocator, .recorder = recorder};
    hasten_map_init(&codes->by_address, allocator);
    codes->recent = hasten_allocate_zeroed(allocator, RECENT_SIZE);
    hasten_buffer_init(&codes->text, allocator);
    hasten_buffer_init(&codes->line_table, allocator);
    hasten_buffer_init(&codes->bytecode, allocator);
}

static void forget_entries(struct hasten_codes *codes) {
    for (size_t i = 0; i < codes->count; i++) {
        struct hasten_code_entry *entry = codes->entries[i];
        hasten_release(codes->allocator, entry->units, entry->unit_count);
        hasten_release(codes->allocator, entry, sizeof *entry);
    }
    codes->count = 0;
    hasten_map_clear(&codes->by_address);
    if (codes->recent)
        memset(codes->recent, 0, RECENT_SIZE);
}

void hasten_codes_done(struct hasten_codes *codes) {
    forget_entries(codes);
    hasten_release(codes->allocator, codes->entries, codes->capacity * sizeof *codes->entries);
    hasten_map_done(&codes->by_address);
    hasten_release(codes->allocator, codes->recent, RECENT_SIZE);
    hasten_buffer_done(&codes->text);
    hasten_buffer_done(&codes->line_table);
    hasten_buffer_done(&codes->bytecode);
}

static void widen(uint32_t *low, uint32_t *high, uint32_t offset, uint32_t size) {
    if (offset == HASTEN_ABSENT)
        return;
    if (offset < *low)
        *low = offset;
    if (offset + size > *high)
        *high = offset + size;
}

void hasten_codes_reset(struct hasten_codes *codes, const struct hasten_interpreter *interpreter) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint32_t low = layout->object_type, high = 0;
    widen(&low, &high, layout->object_type, 8);
    widen(&low, &high, layout->code_first_line, 4);
    widen(&low, &high, layout->code_file, 8);
    widen(&low, &high, layout->code_name, 8);
    widen(&low, &high, layout->code_qualname, 8);
    widen(&low, &high, layout->code_linetable, 8);
    widen(&low, &high, layout->code_version, 4);
    widen(&low, &high, layout->code_code_units, 8);
    widen(&low, &high, layout->code_locals_plus, 4);
    widen(&low, &high, layout->code_frame_size, 4);
    widen(&low, &high, layout->code_stack_size, 4);
    widen(&low, &high, layout->code_first_traceable, 4);
    forget_entries(codes);
    codes->head_low = low;
    codes->head_size = high - low < HASTEN_CODE_HEAD_MAX ? high - low : 0;
    codes->opcodes = hasten_opcodes_of(layout->version);
    codes->code_type = 0;
    codes->epoch++;
}

struct hasten_code_entry *hasten_codes_find(const struct hasten_codes *codes, uint64_t address) {
    size_t slot = (address >> 4 ^ address >> 13) & (HASTEN_CODES_RECENT - 1);
    if (codes->recent && codes->recent[slot] && codes->recent[slot]->address == address)
        return codes->recent[slot];
    const uint32_t *index =
        hasten_map_find(&codes->by_address, (struct hasten_map_key){.low = address});
    if (!index)
        return NULL;
    if (codes->recent)
        codes->recent[slot] = codes->entries[*index];
    return codes->entries[*index];
}

struct hasten_read hasten_codes_head(const struct hasten_codes *codes, uint64_t address,
                                     void *into) {
    return (struct hasten_read){hasten_raddr_at(address + codes->head_low), into, codes->head_size};
}

/* SplitMix64's finaliser (Steele, Lea, Flood 2014) over a running sum. */
static uint64_t mix(uint64_t hash, uint64_t value) {
    hash += value + 0x9e3779b97f4a7c15u;
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111ebu;
    return hash ^ hash >> 31;
}

/* Everything constant during a code object's life that differs between two of
 * them. From 3.12 on `version` alone does; 3.11 has only the pointers. */
static uint64_t fingerprint_of(const struct hasten_codes *codes, const struct hasten_layout *layout,
                               const uint8_t *head) {
    uint32_t low = codes->head_low;
    uint64_t hash = mix(0, hasten_load_u64(head, layout->object_type - low));
    hash = mix(hash, hasten_load_u32(head, layout->code_first_line - low));
    hash = mix(hash, hasten_load_u64(head, layout->code_file - low));
    hash = mix(hash, hasten_load_u64(head, layout->code_name - low));
    hash = mix(hash, hasten_load_u64(head, layout->code_qualname - low));
    hash = mix(hash, hasten_load_u64(head, layout->code_linetable - low));
    hash = mix(hash, hasten_load_u64(head, layout->code_code_units - low));
    hash = mix(hash, hasten_load_u32(head, layout->code_stack_size - low));
    if (layout->code_version != HASTEN_ABSENT)
        hash = mix(hash, hasten_load_u32(head, layout->code_version - low));
    return hash;
}

bool hasten_codes_verify(const struct hasten_codes *codes,
                         const struct hasten_interpreter *interpreter,
                         struct hasten_code_entry *entry, const uint8_t *head) {
    if (fingerprint_of(codes, &interpreter->layout, head) != entry->fingerprint)
        return false;
    entry->verified_epoch = codes->epoch;
    return true;
}

/* The first code object teaches the type's address: its name must be "code". */
static hasten_status check_type(struct hasten_codes *codes,
                                const struct hasten_interpreter *interpreter, uint64_t type) {
    const struct hasten_layout *layout = &interpreter->layout;
    if (codes->code_type != 0)
        return type == codes->code_type ? HASTEN_OK : HASTEN_NOT_FOUND;
    uint64_t name = 0;
    char text[5] = {0};
    hasten_status status = hasten_memory_read(
        interpreter->pid, hasten_raddr_at(type + layout->type_name), &name, sizeof name);
    if (status == HASTEN_OK)
        status = hasten_memory_read(interpreter->pid, hasten_raddr_at(name), text, sizeof text);
    if (status != HASTEN_OK)
        return status;
    if (memcmp(text, "code", sizeof text) != 0)
        return HASTEN_NOT_FOUND;
    codes->code_type = type;
    return HASTEN_OK;
}

/* For each code unit: how far back its instruction starts (inline caches belong
 * to the instruction before them) and what that instruction may do. Where an
 * instruction is hidden behind a tracing tool's, anything may happen anywhere. */
static void scan_bytecode(const struct hasten_opcodes *opcodes, const uint8_t *bytecode,
                          uint8_t *units, uint32_t count) {
    for (uint32_t i = 0; i < count;) {
        uint8_t opcode = bytecode[2 * i];
        uint8_t traits = 0;
        if (opcodes->opaque[opcode]) {
            memset(units, HASTEN_UNIT_MAY_PUSH, count);
            return;
        }
        if (opcodes->may_push[opcode])
            traits |= HASTEN_UNIT_MAY_PUSH;
        if (opcodes->call[opcode])
            traits |= HASTEN_UNIT_CALL;
        if (opcodes->iterates[opcode])
            traits |= HASTEN_UNIT_ITERATES;
        if (opcodes->returns[opcode])
            traits |= HASTEN_UNIT_RETURN;
        uint32_t width = 1u + opcodes->caches[opcode];
        for (uint32_t k = 0; k < width && i + k < count; k++)
            units[i + k] = (uint8_t)(traits | k);
        i += width;
    }
}

static hasten_status read_bytecode(struct hasten_codes *codes,
                                   const struct hasten_interpreter *interpreter,
                                   struct hasten_code_entry *entry) {
    if (entry->unit_count == 0 || entry->unit_count > HASTEN_CODE_UNITS_MAX)
        return HASTEN_GONE;
    size_t size = (size_t)entry->unit_count * 2;
    hasten_buffer_clear(&codes->bytecode);
    uint8_t chunk[4096];
    for (size_t done = 0; done < size;) {
        size_t part = size - done < sizeof chunk ? size - done : sizeof chunk;
        hasten_raddr from =
            hasten_raddr_at(entry->address + interpreter->layout.code_bytecode + done);
        hasten_status status = hasten_memory_read(interpreter->pid, from, chunk, part);
        if (status != HASTEN_OK)
            return status;
        hasten_buffer_append(&codes->bytecode, chunk, part);
        done += part;
    }
    if (codes->bytecode.failed)
        return HASTEN_NO_MEMORY;
    uint8_t *units = hasten_allocate(codes->allocator, entry->unit_count);
    if (!units)
        return HASTEN_NO_MEMORY;
    scan_bytecode(codes->opcodes, (const uint8_t *)codes->bytecode.data, units, entry->unit_count);
    entry->units = units;
    return HASTEN_OK;
}

static hasten_status record_code(struct hasten_codes *codes,
                                 const struct hasten_interpreter *interpreter, uint32_t process,
                                 const uint8_t *head, uint32_t *ret_code) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint32_t low = codes->head_low;
    const uint32_t offsets[3] = {layout->code_file, layout->code_name, layout->code_qualname};
    size_t starts[3];
    hasten_buffer_clear(&codes->text);
    hasten_buffer_clear(&codes->line_table);
    for (int i = 0; i < 3; i++) {
        starts[i] = codes->text.size;
        hasten_raddr object = hasten_raddr_at(hasten_load_u64(head, offsets[i] - low));
        hasten_status status = hasten_remote_text(interpreter, object, &codes->text);
        if (status != HASTEN_OK)
            return status;
        hasten_buffer_byte(&codes->text, 0);
    }
    hasten_raddr table = hasten_raddr_at(hasten_load_u64(head, layout->code_linetable - low));
    hasten_status status = hasten_remote_bytes(interpreter, table, &codes->line_table);
    if (status != HASTEN_OK)
        return status;
    if (codes->text.failed)
        return HASTEN_NO_MEMORY;
    struct hasten_code_info info = {
        .process = process,
        .file = codes->text.data + starts[0],
        .name = codes->text.data + starts[1],
        .qualname = codes->text.data + starts[2],
        .first_line = (int32_t)hasten_load_u32(head, layout->code_first_line - low),
        .linetable = (const uint8_t *)codes->line_table.data,
        .linetable_size = (uint32_t)codes->line_table.size,
    };
    return hasten_recorder_code(codes->recorder, &info, ret_code);
}

/* Puts `entry` in the table, in place of an older one at its address. */
static hasten_status enter(struct hasten_codes *codes, struct hasten_code_entry entry,
                           struct hasten_code_entry **ret_entry) {
    struct hasten_code_entry *place = hasten_codes_find(codes, entry.address);
    if (place) {
        hasten_release(codes->allocator, place->units, place->unit_count);
        *place = entry;
        *ret_entry = place;
        return HASTEN_OK;
    }
    if (codes->count >= HASTEN_CODES_MAX)
        forget_entries(codes);
    if (hasten_grow(codes->allocator, (void **)&codes->entries, &codes->capacity, codes->count + 1,
                    sizeof *codes->entries) != 0)
        return HASTEN_NO_MEMORY;
    place = hasten_allocate(codes->allocator, sizeof *place);
    if (!place)
        return HASTEN_NO_MEMORY;
    if (!hasten_map_insert(&codes->by_address, (struct hasten_map_key){.low = entry.address},
                           (uint32_t)codes->count, NULL)) {
        hasten_release(codes->allocator, place, sizeof *place);
        return HASTEN_NO_MEMORY;
    }
    *place = entry;
    codes->entries[codes->count++] = place;
    *ret_entry = place;
    return HASTEN_OK;
}

static uint32_t frame_words_of(const struct hasten_codes *codes, const struct hasten_layout *layout,
                               const uint8_t *head) {
    if (layout->code_frame_size != HASTEN_ABSENT)
        return hasten_load_u32(head, layout->code_frame_size - codes->head_low);
    return hasten_load_u32(head, layout->code_locals_plus - codes->head_low) +
           hasten_load_u32(head, layout->code_stack_size - codes->head_low) +
           layout->frame_localsplus / 8;
}

hasten_status hasten_codes_load(struct hasten_codes *codes,
                                const struct hasten_interpreter *interpreter, uint32_t process,
                                uint64_t address, struct hasten_code_entry **ret_entry) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint8_t head[HASTEN_CODE_HEAD_MAX], again[HASTEN_CODE_HEAD_MAX];
    uint32_t low = codes->head_low;
    if (address == 0 || codes->head_size == 0 || !codes->opcodes)
        return HASTEN_GONE;
    struct hasten_read read = hasten_codes_head(codes, address, head);
    hasten_status status =
        hasten_memory_read(interpreter->pid, read.address, head, codes->head_size);
    if (status != HASTEN_OK)
        return status;
    struct hasten_code_entry entry = {.address = address,
                                      .code = HASTEN_NONE,
                                      .fingerprint = fingerprint_of(codes, layout, head),
                                      .verified_epoch = codes->epoch,
                                      .callee = HASTEN_NONE};
    status = check_type(codes, interpreter, hasten_load_u64(head, layout->object_type - low));
    if (status == HASTEN_NOT_FOUND)
        return enter(codes, entry, ret_entry);
    if (status != HASTEN_OK)
        return status;
    entry.frame_words = frame_words_of(codes, layout, head);
    entry.unit_count = (uint32_t)hasten_load_u64(head, layout->code_code_units - low);
    entry.first_traceable = hasten_load_u32(head, layout->code_first_traceable - low);
    status = read_bytecode(codes, interpreter, &entry);
    if (status == HASTEN_OK)
        status = record_code(codes, interpreter, process, head, &entry.code);
    /* What was read belongs together only if the object is still the same. */
    if (status == HASTEN_OK)
        status = hasten_memory_read(interpreter->pid, read.address, again, codes->head_size);
    if (status == HASTEN_OK && fingerprint_of(codes, layout, again) != entry.fingerprint)
        status = HASTEN_GONE;
    if (status == HASTEN_OK)
        status = enter(codes, entry, ret_entry);
    if (status != HASTEN_OK)
        hasten_release(codes->allocator, entry.units, entry.unit_count);
    return status;
}
