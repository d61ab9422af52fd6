/* SPDX-License-Identifier: MIT
 *
 * Builds the structures; offsets are those of the compiled-in tables. */
#include "fake_python.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/pyabi/opcodes.h"

#define PAGE 4096u
#define LOCALS 2u
#define STACK 4u
/* The value stack at a call: one value below what is called. */
#define CALL_DEPTH (LOCALS + 1u)
/* Any size that holds the structures of all versions. */
#define INTERP_SIZE 20480u
#define THREAD_SIZE 1024u
#define RUNTIME_SIZE 1024u
#define GIL_SIZE 512u
#define FUNCTION_SIZE 256u
#define SHIM_SIZE 128u

/* Opcodes by site. FAKE_START and FAKE_WORK have no traits and no caches. */
static const struct {
    uint32_t version;
    uint8_t opcodes[FAKE_SITES];
} instructions[] = {
    {0x030b, {1, 1, 171, 23, 93, 106, 83}}, {0x030c, {1, 1, 171, 28, 93, 106, 83}},
    {0x030d, {1, 1, 53, 163, 72, 82, 36}},  {0x030e, {1, 1, 52, 151, 70, 80, 35}},
    {0x030f, {1, 1, 50, 154, 68, 79, 33}},
};

void fake_put(uint64_t address, uint64_t value, size_t size) {
    memcpy((void *)(uintptr_t)address, &value, size);
}

uint64_t fake_get(uint64_t address, size_t size) {
    uint64_t value = 0;
    memcpy(&value, (const void *)(uintptr_t)address, size);
    return value;
}

uint64_t fake_allocate(struct fake_python *python, size_t size) {
    size_t start = (python->used + 15) & ~(size_t)15;
    if (start + size > python->size)
        abort(); /* a test that asked for too little */
    python->used = start + size;
    return (uint64_t)(uintptr_t)python->memory + start;
}

static const struct hasten_layout *layout_of(const struct fake_python *python) {
    return &python->interpreter.layout;
}

/* Where the version has the field. */
static void put_field(uint64_t base, uint32_t offset, uint64_t value, size_t size) {
    if (offset != HASTEN_ABSENT)
        fake_put(base + offset, value, size);
}

/* From 3.14 on, references are tagged; what the tag says does not matter. */
static uint64_t tagged(const struct fake_python *python, uint64_t object) {
    return object | (~layout_of(python)->reference_mask & 1);
}

static bool place_instructions(struct fake_python *python, uint32_t version) {
    const struct hasten_opcodes *opcodes = hasten_opcodes_of(version);
    const uint8_t *bytes = NULL;
    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++)
        if (instructions[i].version == version)
            bytes = instructions[i].opcodes;
    if (!bytes || !opcodes)
        return false;
    for (int site = 0; site < FAKE_SITES; site++) {
        python->units[site] = python->unit_count;
        python->widths[site] = 1u + opcodes->caches[bytes[site]];
        python->unit_count += python->widths[site];
    }
    /* What the sites are for, in case a table is changed. */
    return opcodes->call[bytes[FAKE_CALL]] && !opcodes->versioned[bytes[FAKE_CALL]] &&
           opcodes->call[bytes[FAKE_EXACT_CALL]] && opcodes->versioned[bytes[FAKE_EXACT_CALL]] &&
           opcodes->iterates[bytes[FAKE_ITERATE]] && opcodes->may_push[bytes[FAKE_ATTRIBUTE]] &&
           !opcodes->call[bytes[FAKE_ATTRIBUTE]] && !opcodes->iterates[bytes[FAKE_ATTRIBUTE]] &&
           opcodes->returns[bytes[FAKE_RETURN]] && !opcodes->may_push[bytes[FAKE_WORK]];
}

static uint64_t new_type(struct fake_python *python, const char *name) {
    uint64_t text = fake_allocate(python, strlen(name) + 1);
    memcpy((void *)(uintptr_t)text, name, strlen(name) + 1);
    uint64_t type = fake_allocate(python, 512);
    put_field(type, layout_of(python)->type_name, text, 8);
    return type;
}

static void make_interpreter(struct fake_python *python) {
    const struct hasten_layout *layout = layout_of(python);
    uint64_t runtime = fake_allocate(python, RUNTIME_SIZE);
    python->interpreter.runtime = hasten_raddr_at(runtime);
    python->interp = fake_allocate(python, INTERP_SIZE);
    python->gil = layout->runtime_gil != HASTEN_ABSENT ? runtime + layout->runtime_gil
                                                       : fake_allocate(python, GIL_SIZE);
    python->thread = fake_allocate(python, THREAD_SIZE);
    put_field(runtime, layout->runtime_interpreters_head, python->interp, 8);
    put_field(runtime, layout->runtime_tstate_current, python->thread, 8);
    put_field(python->interp, layout->interpreter_runtime, runtime, 8);
    put_field(python->interp, layout->interpreter_threads_head, python->thread, 8);
    put_field(python->interp, layout->interpreter_next_unique_id, 1, 8);
    put_field(python->interp, layout->interpreter_gil, python->gil, 8);
    put_field(python->interp, layout->interpreter_number_pool_next,
              python->interp + layout->interpreter_number_pool, 8);
    put_field(python->gil, layout->gil_locked, 1, 4);
    put_field(python->gil, layout->gil_last_holder, python->thread, 8);
    if (layout->interpreter_code_generation != HASTEN_ABSENT)
        python->code_counter = python->interp + layout->interpreter_code_generation;
    else if (layout->interpreter_code_counter != HASTEN_ABSENT)
        python->code_counter = python->interp + layout->interpreter_code_counter;
    else if (layout->version == 0x030c)
        python->interpreter.code_counter = hasten_raddr_at(fake_allocate(python, 16));
    if (python->interpreter.code_counter.value != 0)
        python->code_counter = python->interpreter.code_counter.value;
    if (python->code_counter != 0)
        fake_put(python->code_counter, 1, 4);
}

static void make_thread(struct fake_python *python) {
    const struct hasten_layout *layout = layout_of(python);
    put_field(python->thread, layout->thread_interp, python->interp, 8);
    put_field(python->thread, layout->thread_native_thread_id, (uint64_t)gettid(), 8);
    if (layout->thread_base_frame != HASTEN_ABSENT) {
        python->base_frame = fake_allocate(python, SHIM_SIZE);
        fake_put(python->thread + layout->thread_base_frame, python->base_frame, 8);
        fake_put(python->base_frame + layout->frame_owner, layout->owner_interpreter, 1);
        fake_put(python->base_frame + layout->frame_code, tagged(python, python->none), 8);
    }
    if (layout->thread_cframe != HASTEN_ABSENT) {
        python->cframe = python->thread + layout->thread_root_cframe;
        fake_put(python->thread + layout->thread_cframe, python->cframe, 8);
    }
    fake_set_current(python, python->base_frame);
}

bool fake_python_init(struct fake_python *python, uint32_t version, size_t size) {
    const struct hasten_layout *layout = hasten_layout_of(version);
    *python = (struct fake_python){.size = size, .chunk_bytes = 4 * PAGE};
    if (!layout || !place_instructions(python, version))
        return false;
    void *memory =
        mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    python->memory = memory;
    python->unmapped = (uint64_t)(uintptr_t)memory + size;
    (void)mprotect(python->memory + size, PAGE, PROT_NONE);
    python->interpreter.layout = *layout;
    python->interpreter.pid = (uint32_t)getpid();
    python->interpreter.version_hex = version << 16;
    python->frame_words = layout->frame_localsplus / 8 + LOCALS + STACK;
    python->code_type = new_type(python, "code");
    python->none = fake_allocate(python, FUNCTION_SIZE);
    put_field(python->none, layout->object_type, new_type(python, "NoneType"), 8);
    make_interpreter(python);
    make_thread(python);
    return true;
}

void fake_python_done(struct fake_python *python) {
    if (python->memory)
        (void)munmap(python->memory, python->size + PAGE);
    free(python->frames);
    *python = (struct fake_python){0};
}

static uint64_t new_text(struct fake_python *python, const char *text) {
    const struct hasten_layout *layout = layout_of(python);
    size_t length = strlen(text);
    uint64_t object = fake_allocate(python, layout->unicode_compact_data + length + 1);
    fake_put(object + layout->unicode_length, length, 8);
    fake_put(object + layout->unicode_state, 1u << 2 | 1u << 5 | 1u << 6,
             4); /* 1 byte, compact, ascii */
    memcpy((void *)(uintptr_t)(object + layout->unicode_ascii_data), text, length + 1);
    return object;
}

/* One line, as long as bytecode can be without more entries: kind 13, 8 units. */
static uint64_t new_line_table(struct fake_python *python) {
    static const uint8_t table[] = {0xef, 0x00, 0xef, 0x02, 0xef, 0x02, 0xef, 0x02};
    const struct hasten_layout *layout = layout_of(python);
    uint64_t object = fake_allocate(python, layout->bytes_data + sizeof table + 1);
    fake_put(object + layout->bytes_length, sizeof table, 8);
    memcpy((void *)(uintptr_t)(object + layout->bytes_data), table, sizeof table);
    return object;
}

static void fill_bytecode(const struct fake_python *python, uint64_t code) {
    const struct hasten_layout *layout = layout_of(python);
    uint64_t start = code + layout->code_bytecode;
    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++)
        for (int site = 0; instructions[i].version == layout->version && site < FAKE_SITES; site++)
            fake_put(start + 2u * python->units[site], instructions[i].opcodes[site], 1);
}

static void fill_code(struct fake_python *python, uint64_t code, const char *name,
                      uint32_t first_line) {
    const struct hasten_layout *layout = layout_of(python);
    uint64_t text = new_text(python, name);
    fake_put(code + layout->object_type, python->code_type, 8);
    fake_put(code + layout->code_code_units, python->unit_count, 8);
    fake_put(code + layout->code_first_line, first_line, 4);
    fake_put(code + layout->code_locals_plus, LOCALS, 4);
    fake_put(code + layout->code_stack_size, STACK, 4);
    put_field(code, layout->code_frame_size, python->frame_words, 4);
    put_field(code, layout->code_version, ++python->versions, 4);
    fake_put(code + layout->code_first_traceable, python->units[FAKE_WORK], 4);
    fake_put(code + layout->code_file, new_text(python, "fake.py"), 8);
    fake_put(code + layout->code_name, text, 8);
    fake_put(code + layout->code_qualname, text, 8);
    fake_put(code + layout->code_linetable, new_line_table(python), 8);
    fill_bytecode(python, code);
}

struct fake_code fake_code_new(struct fake_python *python, const char *name, uint32_t first_line) {
    const struct hasten_layout *layout = layout_of(python);
    struct fake_code code = {
        .address = fake_allocate(python, layout->code_bytecode + 2u * python->unit_count),
        .function = fake_allocate(python, FUNCTION_SIZE),
    };
    fill_code(python, code.address, name, first_line);
    fake_put(code.function + layout->function_version, ++python->versions, 4);
    fake_put(code.function + layout->function_code, code.address, 8);
    return code;
}

void fake_code_replace(struct fake_python *python, struct fake_code *code, const char *name,
                       uint32_t first_line) {
    fill_code(python, code->address, name, first_line);
    fake_put(code->function + layout_of(python)->function_version, ++python->versions, 4);
    if (python->code_counter != 0)
        fake_put(python->code_counter, fake_get(python->code_counter, 4) + 1, 4);
}

struct fake_code fake_helper_new(struct fake_python *python) {
    struct fake_code code = fake_code_new(python, "<init>", 1);
    fake_put(code.address + layout_of(python)->code_first_traceable, python->unit_count, 4);
    return code;
}

void fake_specialise(const struct fake_python *python, const struct fake_code *caller,
                     const struct fake_code *callee) {
    const struct hasten_layout *layout = layout_of(python);
    uint64_t call = caller->address + layout->code_bytecode + 2u * python->units[FAKE_EXACT_CALL];
    fake_put(call + 4, fake_get(callee->function + layout->function_version, 4), 4);
}

uint64_t fake_frame_at(const struct fake_python *python, size_t index) {
    return index < python->depth ? python->frames[python->depth - 1 - index].address : 0;
}

void fake_set_current(const struct fake_python *python, uint64_t frame) {
    const struct hasten_layout *layout = layout_of(python);
    if (layout->thread_cframe != HASTEN_ABSENT)
        fake_put(python->cframe + layout->cframe_current_frame, frame, 8);
    else
        fake_put(python->thread + layout->thread_current_frame, frame, 8);
}

static bool has_index(const struct fake_python *python) {
    return layout_of(python)->stack_top_kind == HASTEN_STACK_TOP_INDEX;
}

/* `saved`: the frame has stored that its stack has `depth` items. */
static void set_stack_top(const struct fake_python *python, uint64_t frame, bool saved,
                          uint32_t depth) {
    const struct hasten_layout *layout = layout_of(python);
    if (has_index(python))
        fake_put(frame + layout->frame_stack_top, saved ? depth : UINT32_MAX, 4);
    else
        fake_put(frame + layout->frame_stack_top, frame + layout->frame_localsplus + depth * 8, 8);
}

static void set_instruction(const struct fake_python *python, uint64_t frame, enum fake_site site,
                            bool inside) {
    const struct hasten_layout *layout = layout_of(python);
    uint64_t code = fake_get(frame + layout->frame_code, 8) & layout->reference_mask;
    uint64_t unit = python->units[site];
    if (layout->instruction_kind == HASTEN_INSTRUCTION_PREVIOUS && inside)
        unit += python->widths[site] - 1;
    if (layout->instruction_kind == HASTEN_INSTRUCTION_PREVIOUS && site == FAKE_START)
        unit--;
    fake_put(frame + layout->frame_instruction, code + layout->code_bytecode + 2 * unit, 8);
}

/* The state of a frame that has called `function` at `site`. */
static void suspend(const struct fake_python *python, uint64_t frame, uint64_t function,
                    enum fake_way way, enum fake_site site) {
    const struct hasten_layout *layout = layout_of(python);
    bool direct = way == FAKE_DIRECT;
    set_stack_top(python, frame, direct, CALL_DEPTH);
    set_instruction(python, frame, site, direct);
    fake_put(frame + layout->frame_localsplus + 8 * CALL_DEPTH, tagged(python, function), 8);
    fake_put(frame + layout->frame_localsplus + 8 * (CALL_DEPTH + 1), tagged(python, 0), 8);
}

static void add_chunk(struct fake_python *python) {
    const struct hasten_layout *layout = layout_of(python);
    uint64_t chunk = fake_allocate(python, python->chunk_bytes);
    uint64_t data = chunk + layout->chunk_data;
    if (python->chunk != 0)
        fake_put(python->chunk + layout->chunk_top,
                 (python->top - python->chunk - layout->chunk_data) / 8, 8);
    fake_put(chunk + layout->chunk_previous, python->chunk, 8);
    fake_put(chunk + layout->chunk_size, python->chunk_bytes, 8);
    /* The first one keeps its first word free, so that it is never given back. */
    python->top = python->chunk == 0 ? data + 8 : data;
    python->chunk = chunk;
}

static void show_data_stack(const struct fake_python *python) {
    const struct hasten_layout *layout = layout_of(python);
    uint64_t limit =
        python->chunk == 0 ? 0 : python->chunk + fake_get(python->chunk + layout->chunk_size, 8);
    fake_put(python->thread + layout->thread_datastack_chunk, python->chunk, 8);
    fake_put(python->thread + layout->thread_datastack_top, python->top, 8);
    fake_put(python->thread + layout->thread_datastack_limit, limit, 8);
}

/* C code enters the interpreter; returns what the new frame's `previous` is. */
static uint64_t enter_from_c(struct fake_python *python, uint64_t caller) {
    const struct hasten_layout *layout = layout_of(python);
    if (layout->thread_cframe != HASTEN_ABSENT && python->depth > 0) {
        uint64_t cframe = fake_allocate(python, 64);
        fake_put(cframe + layout->cframe_previous, python->cframe, 8);
        fake_put(python->thread + layout->thread_cframe, cframe, 8);
        python->cframe = cframe;
    }
    if (layout->frame_is_entry != HASTEN_ABSENT)
        return caller;
    uint64_t shim = fake_allocate(python, SHIM_SIZE);
    uint8_t owner =
        layout->owner_interpreter != 0xff ? layout->owner_interpreter : layout->owner_c_stack;
    memset((void *)(uintptr_t)shim, 0x5a, SHIM_SIZE); /* most of it is never set */
    fake_put(shim + layout->frame_code, tagged(python, python->none), 8);
    fake_put(shim + layout->frame_owner, owner, 1);
    fake_put(shim + layout->frame_previous, caller, 8);
    return shim;
}

/* Everything but where the frame is. */
static void fill_frame(struct fake_python *python, uint64_t frame, const struct fake_code *code,
                       enum fake_way way, uint8_t owner) {
    const struct hasten_layout *layout = layout_of(python);
    uint64_t caller = python->depth > 0 ? fake_frame_at(python, 0) : python->base_frame;
    uint64_t previous = way == FAKE_THROUGH_C ? enter_from_c(python, caller) : caller;
    fake_put(frame + layout->frame_previous, previous, 8);
    fake_put(frame + layout->frame_code, tagged(python, code->address), 8);
    fake_put(frame + layout->frame_function, tagged(python, code->function), 8);
    fake_put(frame + layout->frame_owner, owner, 1);
    put_field(frame, layout->frame_is_entry, way == FAKE_THROUGH_C, 1);
    set_stack_top(python, frame, false, LOCALS);
    set_instruction(python, frame, FAKE_WORK, false);
    fake_set_current(python, frame);
}

static struct fake_frame *new_record(struct fake_python *python, bool through_c) {
    if (python->depth == python->capacity) {
        python->capacity = 2 * python->capacity + 64;
        struct fake_frame *grown =
            realloc(python->frames, python->capacity * sizeof *python->frames);
        if (!grown)
            abort();
        python->frames = grown;
    }
    struct fake_frame *record = &python->frames[python->depth];
    *record = (struct fake_frame){.cframe = python->cframe,
                                  .chunk = python->chunk,
                                  .old_top = python->top,
                                  .through_c = through_c};
    return record;
}

uint64_t fake_call(struct fake_python *python, const struct fake_code *code, enum fake_way way,
                   enum fake_site site) {
    uint64_t bytes = (uint64_t)python->frame_words * 8;
    if (python->depth == 0)
        way = FAKE_THROUGH_C;
    else
        suspend(python, fake_frame_at(python, 0), code->function, way, site);
    struct fake_frame *record = new_record(python, way == FAKE_THROUGH_C);
    if (python->chunk == 0 || python->top + bytes > python->chunk + python->chunk_bytes)
        add_chunk(python);
    record->address = python->top;
    python->top += bytes;
    show_data_stack(python);
    fill_frame(python, record->address, code, way, layout_of(python)->owner_thread);
    python->depth++;
    return record->address;
}

uint64_t fake_resume_generator(struct fake_python *python, const struct fake_code *code) {
    const struct hasten_layout *layout = layout_of(python);
    /* 3.11 resumes generators through C. */
    enum fake_way way = layout->frame_is_entry != HASTEN_ABSENT ? FAKE_THROUGH_C : FAKE_DIRECT;
    suspend(python, fake_frame_at(python, 0), code->function, way, FAKE_ITERATE);
    struct fake_frame *record = new_record(python, way == FAKE_THROUGH_C);
    uint64_t generator = fake_allocate(python, layout->generator_frame + python->frame_words * 8);
    record->address = generator + layout->generator_frame;
    fake_put(fake_frame_at(python, 0) + layout->frame_localsplus +
                 8 * (CALL_DEPTH - hasten_opcodes_of(layout->version)->iterator_slots),
             tagged(python, generator), 8);
    fill_frame(python, record->address, code, way, layout->owner_generator);
    python->depth++;
    return record->address;
}

void fake_run_at(struct fake_python *python, enum fake_site site) {
    uint64_t frame = fake_frame_at(python, 0);
    set_stack_top(python, frame, site == FAKE_RETURN || site == FAKE_START, LOCALS);
    set_instruction(python, frame, site, false);
}

void fake_return(struct fake_python *python) {
    const struct hasten_layout *layout = layout_of(python);
    const struct fake_frame *record = &python->frames[python->depth - 1];
    fake_run_at(python, FAKE_RETURN);
    if (!has_index(python))
        fake_put(record->address + layout->frame_code, tagged(python, 0), 8);
    if (fake_get(record->address + layout->frame_owner, 1) == layout->owner_generator)
        fake_put(record->address + layout->frame_previous, 0, 8);
    if (record->chunk != 0) {
        python->chunk = record->chunk;
        python->top = record->old_top;
    } else { /* the first chunk stays */
        python->top = record->address;
    }
    python->cframe = record->cframe;
    if (layout->thread_cframe != HASTEN_ABSENT)
        fake_put(python->thread + layout->thread_cframe, python->cframe, 8);
    show_data_stack(python);
    python->depth--;
    if (python->depth > 0)
        fake_run_at(python, FAKE_WORK);
    fake_set_current(python, python->depth > 0 ? fake_frame_at(python, 0) : python->base_frame);
}
