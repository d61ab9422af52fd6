/* SPDX-License-Identifier: MIT
 *
 * Judges a process's debug offsets against the table of its version and makes
 * one layout of both. Reads no memory but what it is given.
 *
 * Thread states, frames, code and string objects are the same in every patch
 * release of a minor version: their numbers must be the table's. The runtime
 * and the interpreter state have been changed by patch releases: there a field
 * may have moved, but in company. */
#include "core/pyabi/debugmap.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* The real structures are below 1 MiB. */
#define HASTEN_DEBUG_NUMBER_MAX (UINT64_C(16) << 20)

struct numbers {
#define HASTEN_NUMBER(name) uint64_t name;
    HASTEN_DEBUG_MAP(HASTEN_NUMBER)
#undef HASTEN_NUMBER
};

/* X(number, field): these must agree where the version describes them. */
#define HASTEN_DEBUG_FIXED_MAP(X)                       \
    X(thread_prev, thread_prev)                         \
    X(thread_next, thread_next)                         \
    X(thread_interp, thread_interp)                     \
    X(thread_current_frame, thread_current_frame)       \
    X(thread_base_frame, thread_base_frame)             \
    X(thread_thread_id, thread_thread_id)               \
    X(thread_native_thread_id, thread_native_thread_id) \
    X(thread_datastack_chunk, thread_datastack_chunk)   \
    X(thread_status, thread_status)                     \
    X(thread_holds_gil, thread_holds_gil)               \
    X(thread_gil_requested, thread_gil_requested)       \
    X(frame_previous, frame_previous)                   \
    X(frame_code, frame_code)                           \
    X(frame_instruction, frame_instruction)             \
    X(frame_localsplus, frame_localsplus)               \
    X(frame_owner, frame_owner)                         \
    X(frame_stack_top, frame_stack_top)                 \
    X(code_file, code_file)                             \
    X(code_name, code_name)                             \
    X(code_qualname, code_qualname)                     \
    X(code_linetable, code_linetable)                   \
    X(code_first_line, code_first_line)                 \
    X(code_bytecode, code_bytecode)                     \
    X(object_type, object_type)                         \
    X(type_name, type_name)                             \
    X(type_flags, type_flags)                           \
    X(type_basic_size, type_basic_size)                 \
    X(type_dict_offset, type_dict_offset)               \
    X(type_cached_keys, type_cached_keys)               \
    X(dict_keys, dict_keys)                             \
    X(dict_values, dict_values)                         \
    X(int_tag, int_tag)                                 \
    X(int_digits, int_digits)                           \
    X(bytes_length, bytes_length)                       \
    X(bytes_data, bytes_data)                           \
    X(unicode_state, unicode_state)                     \
    X(unicode_length, unicode_length)                   \
    X(unicode_ascii_size, unicode_ascii_data)           \
    X(unicode_compact_size, unicode_compact_data)       \
    X(generator_frame, generator_frame)

/* A field of a structure whose fields may have moved. */
struct piece {
    const char *name;
    uint32_t expected; /* the table's offset */
    uint64_t found;    /* the process's; what is not described is worked out */
    bool described;
    uint32_t *into;
};

/* Most pieces of one structure. */
#define HASTEN_PIECES_MAX 20

static hasten_status wrong(struct hasten_error *error, const char *name, uint64_t found,
                           uint64_t expected, uint32_t version) {
    return hasten_error_set(error, HASTEN_BAD_LAYOUT, -1,
                            "the interpreter says that %s is %" PRIu64 ", where CPython %u.%u has "
                            "%" PRIu64 ": it is a build that hasten does not know",
                            name, found, version >> 8, version & 0xff, expected);
}

static uint64_t number_at(const uint8_t *bytes, uint32_t position) {
    uint64_t value = 0;

    memcpy(&value, bytes + position, sizeof value);
    return value;
}

hasten_status hasten_debug_head(const uint8_t *bytes, uint32_t *ret_version_hex,
                                uint32_t *ret_free_threaded, struct hasten_error *error) {
    if (memcmp(bytes, HASTEN_DEBUG_COOKIE, 8) != 0)
        return hasten_error_set(error, HASTEN_BAD_LAYOUT, -1,
                                "the runtime does not begin with the cookie of CPython 3.13 and "
                                "later");
    uint64_t version = number_at(bytes, 8);
    uint64_t free_threaded = number_at(bytes, 16);
    if (version > UINT32_MAX || free_threaded > 1)
        return hasten_error_set(error, HASTEN_BAD_LAYOUT, -1,
                                "the runtime's description of itself has version 0x%" PRIx64,
                                version);
    *ret_version_hex = (uint32_t)version;
    *ret_free_threaded = (uint32_t)free_threaded;
    return HASTEN_OK;
}

/* Takes the numbers out of the bytes; what the version lacks becomes
 * HASTEN_ABSENT, which no described number can be. */
static hasten_status take_numbers(const uint8_t *bytes, size_t size,
                                  const struct hasten_debug_positions *positions,
                                  struct numbers *ret_numbers, struct hasten_error *error) {
    if (size < positions->total)
        return hasten_error_set(error, HASTEN_BAD_LAYOUT, -1,
                                "the runtime's description of itself is cut short");
#define HASTEN_TAKE(name) \
    ret_numbers->name =   \
        positions->name == HASTEN_ABSENT ? HASTEN_ABSENT : number_at(bytes, positions->name);
    HASTEN_DEBUG_MAP(HASTEN_TAKE)
#undef HASTEN_TAKE
    return HASTEN_OK;
}

static hasten_status check_bounds(const struct numbers *numbers,
                                  const struct hasten_debug_positions *positions, uint32_t version,
                                  struct hasten_error *error) {
    struct numbers bounded = *numbers;

    bounded.version = 0;
#define HASTEN_BOUND(name)                                                          \
    if (positions->name != HASTEN_ABSENT && bounded.name > HASTEN_DEBUG_NUMBER_MAX) \
        return wrong(error, #name, bounded.name, HASTEN_DEBUG_NUMBER_MAX, version);
    HASTEN_DEBUG_MAP(HASTEN_BOUND)
#undef HASTEN_BOUND
    return HASTEN_OK;
}

static hasten_status check_fixed(const struct numbers *numbers, const struct hasten_layout *table,
                                 struct hasten_error *error) {
#define HASTEN_FIXED(number, field)                                          \
    if (numbers->number != HASTEN_ABSENT && numbers->number != table->field) \
        return wrong(error, #number, numbers->number, table->field, table->version);
    HASTEN_DEBUG_FIXED_MAP(HASTEN_FIXED)
#undef HASTEN_FIXED
    const struct {
        const char *name;
        uint64_t found, expected;
    } exact[] = {
        {"frame_size", numbers->frame_size, table->frame_localsplus + UINT64_C(8)},
        {"object_size", numbers->object_size, table->object_type + UINT64_C(8)},
        {"interpreter_gil_locked", numbers->interpreter_gil_locked,
         numbers->interpreter_gil + table->gil_locked},
        {"interpreter_gil_holder", numbers->interpreter_gil_holder,
         numbers->interpreter_gil + table->gil_last_holder},
    };
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        if (exact[i].found != exact[i].expected)
            return wrong(error, exact[i].name, exact[i].found, exact[i].expected, table->version);
    }
    if (numbers->thread_size < table->thread_size)
        return wrong(error, "thread_size", numbers->thread_size, table->thread_size,
                     table->version);
    if (numbers->code_size < table->code_size)
        return wrong(error, "code_size", numbers->code_size, table->code_size, table->version);
    return HASTEN_OK;
}

static void sort_pieces(struct piece *pieces, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct piece piece = pieces[i];
        size_t at = i;
        for (; at > 0 && pieces[at - 1].expected > piece.expected; at--)
            pieces[at] = pieces[at - 1];
        pieces[at] = piece;
    }
}

static int64_t moved_by(const struct piece *piece) {
    return (int64_t)piece->found - (int64_t)piece->expected;
}

/* Where the described neighbour behind `at` has moved; false at the end. */
static bool next_move(const struct piece *pieces, size_t count, size_t at, int64_t *ret_move) {
    for (size_t i = at + 1; i < count; i++) {
        if (pieces[i].described) {
            *ret_move = moved_by(&pieces[i]);
            return true;
        }
    }
    return false;
}

/* Places the pieces of one structure of `size` bytes. A patch release that adds
 * a field moves all that follow by as much. So a described field has moved as
 * far as one of its neighbours (the start of the structure has not moved), and
 * what is not described lies between two that moved equally. `*ret_end_move`:
 * how far the last one moved. */
static hasten_status place(struct piece *pieces, size_t count, uint64_t size, uint32_t version,
                           int64_t *ret_end_move, struct hasten_error *error) {
    int64_t before = 0;
    uint64_t end = 0;

    sort_pieces(pieces, count);
    for (size_t i = 0; i < count; i++) {
        struct piece *piece = &pieces[i];
        int64_t behind = before;
        bool has_next = next_move(pieces, count, i, &behind);
        if (!piece->described) {
            if (before != behind)
                return wrong(error, piece->name, 0, piece->expected, version);
            piece->found = (uint64_t)((int64_t)piece->expected + before);
        }
        int64_t move = moved_by(piece);
        if ((move != before && (!has_next || move != behind)) || piece->found % 4 != 0 ||
            (i > 0 && piece->found < end) || piece->found > size - 8)
            return wrong(error, piece->name, piece->found, piece->expected, version);
        end = piece->found + 4;
        before = move;
    }
    for (size_t i = 0; i < count; i++)
        *pieces[i].into = (uint32_t)pieces[i].found;
    *ret_end_move = before;
    return HASTEN_OK;
}

static hasten_status place_runtime(const struct numbers *numbers, const struct hasten_layout *table,
                                   struct hasten_layout *layout, struct hasten_error *error) {
    int64_t move = 0;
    struct piece pieces[HASTEN_PIECES_MAX] = {
        {"runtime_finalizing", table->runtime_finalizing, numbers->runtime_finalizing, true,
         &layout->runtime_finalizing},
        {"runtime_interpreters_head", table->runtime_interpreters_head,
         numbers->runtime_interpreters_head, true, &layout->runtime_interpreters_head},
        {"runtime_initialized", table->runtime_initialized, 0, false, &layout->runtime_initialized},
    };

    if (numbers->runtime_size < table->runtime_size)
        return wrong(error, "runtime_size", numbers->runtime_size, table->runtime_size,
                     table->version);
    hasten_status status = place(pieces, 3, numbers->runtime_size, table->version, &move, error);
    if (status == HASTEN_OK)
        layout->runtime_size = (uint32_t)((int64_t)table->runtime_size + move);
    return status;
}

/* The fields far behind the described ones: they are used only once what lies
 * there has been looked at, so a place that is wrong does no harm. */
static void move_tail(struct hasten_layout *layout, uint64_t size, int64_t move) {
    uint32_t *const fields[] = {&layout->interpreter_code_counter, &layout->interpreter_number_pool,
                                &layout->interpreter_number_pool_next};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int64_t found = (int64_t)*fields[i] + move;
        bool fits = *fields[i] != HASTEN_ABSENT && found >= 0 && (uint64_t)found + 8 <= size;
        *fields[i] = fits ? (uint32_t)found : HASTEN_ABSENT;
    }
}

static hasten_status place_interpreter(const struct numbers *numbers,
                                       const struct hasten_layout *table,
                                       struct hasten_layout *layout, struct hasten_error *error) {
#define HASTEN_PIECE(field, number) \
    { #field, table->field, (number), (number) < HASTEN_ABSENT, &layout->field }
    const struct piece all[] = {
        HASTEN_PIECE(interpreter_next, numbers->interpreter_next),
        HASTEN_PIECE(interpreter_id, numbers->interpreter_id),
        HASTEN_PIECE(interpreter_threads_head, numbers->interpreter_threads_head),
        HASTEN_PIECE(interpreter_threads_main, numbers->interpreter_threads_main),
        HASTEN_PIECE(interpreter_modules, numbers->interpreter_modules),
        HASTEN_PIECE(interpreter_gil, numbers->interpreter_gil_pointer),
        HASTEN_PIECE(interpreter_own_gil, numbers->interpreter_gil),
        HASTEN_PIECE(interpreter_code_generation, numbers->interpreter_code_generation),
        HASTEN_PIECE(interpreter_gc_collecting, numbers->interpreter_gc + numbers->gc_collecting),
        HASTEN_PIECE(interpreter_gc_frame, numbers->interpreter_gc + numbers->gc_frame),
        HASTEN_PIECE(interpreter_runtime, HASTEN_ABSENT),
        HASTEN_PIECE(interpreter_next_unique_id, HASTEN_ABSENT),
        HASTEN_PIECE(interpreter_finalizing, HASTEN_ABSENT),
    };
#undef HASTEN_PIECE
    struct piece pieces[HASTEN_PIECES_MAX];
    size_t count = 0;
    int64_t move = 0;

    if (numbers->interpreter_size < table->interpreter_size)
        return wrong(error, "interpreter_size", numbers->interpreter_size, table->interpreter_size,
                     table->version);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].expected != HASTEN_ABSENT)
            pieces[count++] = all[i];
    }
    hasten_status status =
        place(pieces, count, numbers->interpreter_size, table->version, &move, error);
    if (status != HASTEN_OK)
        return status;
    layout->interpreter_size = (uint32_t)((int64_t)table->interpreter_size + move);
    move_tail(layout, numbers->interpreter_size, move);
    return HASTEN_OK;
}

hasten_status hasten_debug_layout(const uint8_t *bytes, size_t size,
                                  const struct hasten_layout *table,
                                  const struct hasten_debug_positions *positions,
                                  struct hasten_layout *ret_layout, struct hasten_error *error) {
    struct hasten_layout layout = *table;
    struct numbers numbers = {0};
    uint32_t version_hex = 0, free_threaded = 0;

    if (size < HASTEN_DEBUG_HEAD_SIZE)
        return hasten_error_set(error, HASTEN_BAD_LAYOUT, -1,
                                "the runtime's description of itself is cut short");
    hasten_status status = hasten_debug_head(bytes, &version_hex, &free_threaded, error);
    if (status != HASTEN_OK)
        return status;
    if (free_threaded != 0)
        return hasten_error_set(error, HASTEN_UNSUPPORTED, -1,
                                "it is a free-threaded CPython %u.%ut, which hasten does not "
                                "support: use a build with the GIL",
                                version_hex >> 24, version_hex >> 16 & 0xff);
    if (version_hex >> 16 != table->version)
        return wrong(error, "version", version_hex, (uint64_t)table->version << 16, table->version);
    status = take_numbers(bytes, size, positions, &numbers, error);
    if (status == HASTEN_OK)
        status = check_bounds(&numbers, positions, table->version, error);
    if (status == HASTEN_OK)
        status = check_fixed(&numbers, table, error);
    if (status == HASTEN_OK)
        status = place_runtime(&numbers, table, &layout, error);
    if (status == HASTEN_OK)
        status = place_interpreter(&numbers, table, &layout, error);
    if (status == HASTEN_OK)
        *ret_layout = layout;
    return status;
}
