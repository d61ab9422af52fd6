/* SPDX-License-Identifier: MIT
 *
 * Predicts, reads and looks up a thread's stack memory. */
#include "core/sampling/snapshot.h"

#include "core/base/clock.h"
#include "core/sampling/load.h"

#define SLACK_MIN 512     /* bytes: a few small frames pushed since the last look */
#define PIECE_GAP 1024    /* bytes between two frames elsewhere read as one piece */
#define OUTSIDE_UNUSED 24 /* looks after which an unused frame elsewhere is dropped, */
#define OUTSIDE_SPARED 24 /* unless there are no more of them than these */
#define OUTSIDE_UNUSED_MAX 512
#define DURATION_MAX_NS 100000000000 /* of a read: keeps sums of them small */

void hasten_snapshot_init(struct hasten_snapshot *snapshot,
                          const struct hasten_interpreter *interpreter, uint64_t thread_state,
                          const struct hasten_allocator *allocator) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint32_t size = layout->thread_datastack_limit + 8;
    if (size < layout->thread_native_thread_id + 8)
        size = layout->thread_native_thread_id + 8;
    *snapshot = (struct hasten_snapshot){
        .allocator = allocator,
        .thread_state = thread_state,
        .thread_size = size < HASTEN_THREAD_WINDOW_MAX ? size : HASTEN_THREAD_WINDOW_MAX,
        .top_slack = SLACK_MIN,
    };
}

void hasten_snapshot_done(struct hasten_snapshot *snapshot) {
    const struct hasten_allocator *allocator = snapshot->allocator;
    hasten_release(allocator, snapshot->chunks,
                   snapshot->chunk_capacity * sizeof *snapshot->chunks);
    hasten_release(allocator, snapshot->outside,
                   snapshot->outside_capacity * sizeof *snapshot->outside);
    hasten_release(allocator, snapshot->reads, snapshot->read_capacity * sizeof *snapshot->reads);
    hasten_release(allocator, snapshot->copies[0], 2 * snapshot->copy_capacity);
    *snapshot = (struct hasten_snapshot){.allocator = allocator};
}

void hasten_snapshot_forget(struct hasten_snapshot *snapshot) {
    snapshot->chunk_count = 0;
    snapshot->outside_count = 0;
    snapshot->bottom_link = 0;
    snapshot->primed = false;
}

static hasten_status add_region(struct hasten_snapshot *snapshot, struct hasten_region **regions,
                                size_t *count, size_t *capacity, size_t most,
                                struct hasten_region region) {
    if (*count >= most)
        return HASTEN_LIMIT;
    if (hasten_grow(snapshot->allocator, (void **)regions, capacity, *count + 1,
                    sizeof **regions) != 0)
        return HASTEN_NO_MEMORY;
    (*regions)[(*count)++] = region;
    return HASTEN_OK;
}

/* Used bytes of the newest chunk, from datastack_top; 0 where that is elsewhere. */
static uint64_t newest_used(const struct hasten_snapshot *snapshot,
                            const struct hasten_layout *layout, uint64_t chunk) {
    uint64_t top = hasten_load_u64(snapshot->thread, layout->thread_datastack_top);
    return top > chunk ? top - chunk : 0;
}

/* Walks the chunk list from the thread state in `snapshot->thread`. */
static hasten_status list_chunks(struct hasten_snapshot *snapshot,
                                 const struct hasten_interpreter *interpreter) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint64_t chunk = hasten_load_u64(snapshot->thread, layout->thread_datastack_chunk);
    uint64_t total = 0;
    snapshot->chunk_count = 0;
    while (chunk != 0) {
        uint8_t head[64];
        uint32_t head_size = layout->chunk_data;
        if (head_size > sizeof head)
            return HASTEN_BAD_LAYOUT;
        hasten_status status =
            hasten_memory_read(interpreter->pid, hasten_raddr_at(chunk), head, head_size);
        if (status != HASTEN_OK)
            return status == HASTEN_GONE ? HASTEN_TORN : status;
        uint64_t limit = hasten_load_u64(head, layout->chunk_size);
        uint64_t used = snapshot->chunk_count == 0
                            ? newest_used(snapshot, layout, chunk) + snapshot->top_slack
                            : layout->chunk_data + hasten_load_u64(head, layout->chunk_top) * 8;
        if (limit < head_size || limit > HASTEN_SNAPSHOT_BYTES_MAX)
            return HASTEN_TORN;
        if (used > limit)
            used = limit;
        total += used;
        if (total > HASTEN_SNAPSHOT_BYTES_MAX)
            return HASTEN_LIMIT;
        struct hasten_region region = {
            .address = chunk, .size = (uint32_t)used, .limit = (uint32_t)limit};
        status = add_region(snapshot, &snapshot->chunks, &snapshot->chunk_count,
                            &snapshot->chunk_capacity, HASTEN_SNAPSHOT_CHUNKS_MAX, region);
        if (status != HASTEN_OK)
            return status;
        chunk = hasten_load_u64(head, layout->chunk_previous);
    }
    return HASTEN_OK;
}

static hasten_status read_thread(struct hasten_snapshot *snapshot,
                                 const struct hasten_interpreter *interpreter) {
    return hasten_memory_read(interpreter->pid, hasten_raddr_at(snapshot->thread_state),
                              snapshot->thread, snapshot->thread_size);
}

/* 3.11, 3.12: calls out of C alternate between a few of them. */
static hasten_status want_cframe(struct hasten_snapshot *snapshot,
                                 const struct hasten_layout *layout) {
    uint64_t cframe = hasten_load_u64(snapshot->thread, layout->thread_cframe);
    return cframe == 0 ? HASTEN_OK
                       : hasten_snapshot_want(snapshot, cframe + layout->cframe_current_frame, 8);
}

static hasten_status prime(struct hasten_snapshot *snapshot,
                           const struct hasten_interpreter *interpreter) {
    const struct hasten_layout *layout = &interpreter->layout;
    hasten_status status = read_thread(snapshot, interpreter);
    if (status != HASTEN_OK)
        return status;
    status = list_chunks(snapshot, interpreter);
    if (status == HASTEN_OK && layout->thread_cframe != HASTEN_ABSENT)
        status = want_cframe(snapshot, layout);
    snapshot->primed = status == HASTEN_OK;
    return status;
}

/* Where each region lands in a copy. Frames elsewhere are sorted by address; those
 * that lie close together (on the C stack) share one piece, gaps included. */
static hasten_status lay_out(struct hasten_snapshot *snapshot) {
    size_t size = 0;
    for (size_t i = 0; i < snapshot->chunk_count; i++) {
        snapshot->chunks[i].offset = size;
        snapshot->chunks[i].copied = snapshot->chunks[i].size;
        size += snapshot->chunks[i].size;
    }
    uint64_t piece = 0, end = 0; /* address and end of the piece being filled */
    size_t piece_offset = size;
    for (size_t i = 0; i < snapshot->outside_count; i++) {
        struct hasten_region *region = &snapshot->outside[i];
        if (i == 0 || region->address > end + PIECE_GAP) {
            piece = end = region->address;
            piece_offset = size;
        }
        region->starts_piece = region->address == piece;
        region->offset = piece_offset + (size_t)(region->address - piece);
        region->copied = region->size;
        if (region->address + region->size > end)
            end = region->address + region->size;
        size = piece_offset + (size_t)(end - piece);
    }
    if (size > snapshot->copy_capacity) {
        hasten_release(snapshot->allocator, snapshot->copies[0], 2 * snapshot->copy_capacity);
        snapshot->copy_capacity = 0;
        snapshot->copies[0] = hasten_allocate(snapshot->allocator, 4 * size);
        if (!snapshot->copies[0])
            return HASTEN_NO_MEMORY;
        snapshot->copy_capacity = 2 * size;
        snapshot->copies[1] = snapshot->copies[0] + snapshot->copy_capacity;
    }
    return HASTEN_OK;
}

static void plan_read(struct hasten_snapshot *snapshot, uint64_t address, void *into, size_t size) {
    if (size > 0)
        snapshot->reads[snapshot->read_count++] =
            (struct hasten_read){hasten_raddr_at(address), into, size};
}

static void plan_outside(struct hasten_snapshot *snapshot, uint8_t *base) {
    for (size_t i = 0; i < snapshot->outside_count;) {
        const struct hasten_region *first = &snapshot->outside[i];
        uint64_t end = first->address + first->size;
        for (i++; i < snapshot->outside_count && !snapshot->outside[i].starts_piece; i++)
            if (snapshot->outside[i].address + snapshot->outside[i].size > end)
                end = snapshot->outside[i].address + snapshot->outside[i].size;
        plan_read(snapshot, first->address, base + first->offset, (size_t)(end - first->address));
    }
}

/* Copy 1 starts with the frames elsewhere: C-stack memory is reused soonest. */
static void plan_copy(struct hasten_snapshot *snapshot, int copy) {
    uint8_t *base = snapshot->copies[copy];
    if (copy == 1)
        plan_outside(snapshot, base);
    for (size_t i = 0; i < snapshot->chunk_count; i++)
        plan_read(snapshot, snapshot->chunks[i].address, base + snapshot->chunks[i].offset,
                  snapshot->chunks[i].size);
    if (copy == 0)
        plan_outside(snapshot, base);
}

/* Generators once more, in the place of a copy 0 that is not taken. */
static void plan_again(struct hasten_snapshot *snapshot, uint32_t fixed_size) {
    for (size_t i = 0; i < snapshot->outside_count; i++) {
        struct hasten_region *region = &snapshot->outside[i];
        region->again = region->generator && !snapshot->doubled && region->size >= fixed_size;
        if (region->again)
            plan_read(snapshot, region->address, snapshot->copies[0] + region->offset, fixed_size);
    }
}

static hasten_status plan(struct hasten_snapshot *snapshot, uint32_t fixed_size,
                          const struct hasten_read *extra, size_t extra_count) {
    size_t most = 2 * (snapshot->chunk_count + snapshot->outside_count) + 2 + extra_count;
    hasten_status status = lay_out(snapshot);
    if (status != HASTEN_OK)
        return status;
    if (hasten_grow(snapshot->allocator, (void **)&snapshot->reads, &snapshot->read_capacity, most,
                    sizeof *snapshot->reads) != 0)
        return HASTEN_NO_MEMORY;
    snapshot->read_count = 0;
    if (snapshot->doubled)
        plan_copy(snapshot, 0);
    plan_read(snapshot, snapshot->thread_state, snapshot->thread, snapshot->thread_size);
    plan_copy(snapshot, 1);
    plan_again(snapshot, fixed_size);
    for (size_t i = 0; i < extra_count; i++)
        snapshot->reads[snapshot->read_count++] = extra[i];
    return HASTEN_OK;
}

/* Follows the newest chunk's growth; shrinks slowly, as programs go up and down. */
static void adapt_top(struct hasten_snapshot *snapshot, const struct hasten_layout *layout) {
    if (snapshot->chunk_count == 0)
        return;
    struct hasten_region *newest = &snapshot->chunks[0];
    uint64_t wanted = newest_used(snapshot, layout, newest->address) + snapshot->top_slack;
    if (wanted > newest->limit)
        wanted = newest->limit;
    if (wanted > newest->size)
        newest->size = (uint32_t)wanted;
    else
        newest->size -= (newest->size - (uint32_t)wanted) / 16;
}

/* An interrupt or a stolen processor in the middle of a copy costs a microsecond and
 * more; it hits us at random, whatever the process does. What is usual depends on the
 * rate and the machine, so mean and mean deviation are followed, as for a connection's
 * round trips (RFC 6298), by what a disturbed read would be at most. */
static void note_duration(struct hasten_snapshot *snapshot, uint64_t duration_ns) {
    struct hasten_usual *usual = &snapshot->usual[snapshot->doubled];
    int64_t duration = (int64_t)(duration_ns < DURATION_MAX_NS ? duration_ns : DURATION_MAX_NS);
    if (usual->mean_ns == 0) {
        *usual = (struct hasten_usual){duration, duration / 4};
        snapshot->disturbed = false;
        return;
    }
    int64_t most = 4 * usual->deviation_ns + 250, cap = usual->mean_ns / 2 + 500;
    if (most > cap)
        most = cap;
    int64_t error = duration - usual->mean_ns;
    snapshot->disturbed = error > most;
    if (error > most)
        error = most;
    usual->mean_ns += error / 8;
    usual->deviation_ns += ((error < 0 ? -error : error) - usual->deviation_ns) / 8;
}

hasten_status hasten_snapshot_take(struct hasten_snapshot *snapshot,
                                   const struct hasten_interpreter *interpreter,
                                   const struct hasten_read *extra, size_t extra_count) {
    const struct hasten_layout *layout = &interpreter->layout;
    if (!snapshot->primed) {
        hasten_status status = prime(snapshot, interpreter);
        if (status != HASTEN_OK)
            return status;
    }
    adapt_top(snapshot, layout);
    hasten_status status = plan(snapshot, layout->frame_localsplus, extra, extra_count);
    if (status != HASTEN_OK)
        return status;
    size_t bytes = 0;
    uint64_t start_ns = hasten_clock_monotonic_ns();
    status =
        hasten_memory_read_batch(interpreter->pid, snapshot->reads, snapshot->read_count, &bytes);
    note_duration(snapshot, hasten_clock_monotonic_ns() - start_ns);
    if (status == HASTEN_GONE) {
        hasten_snapshot_forget(snapshot);
        status = read_thread(snapshot, interpreter);
        return status == HASTEN_OK ? HASTEN_TORN : status;
    }
    if (status != HASTEN_OK)
        return status;
    uint64_t chunk = hasten_load_u64(snapshot->thread, layout->thread_datastack_chunk);
    if (chunk != (snapshot->chunk_count ? snapshot->chunks[0].address : 0)) {
        snapshot->primed = false;
        return HASTEN_TORN;
    }
    return HASTEN_OK;
}

hasten_status hasten_snapshot_current_frame(struct hasten_snapshot *snapshot,
                                            const struct hasten_interpreter *interpreter,
                                            uint64_t *ret_frame) {
    const struct hasten_layout *layout = &interpreter->layout;
    if (layout->thread_cframe == HASTEN_ABSENT) {
        *ret_frame = hasten_load_u64(snapshot->thread, layout->thread_current_frame);
        return HASTEN_OK;
    }
    uint64_t cframe = hasten_load_u64(snapshot->thread, layout->thread_cframe);
    const uint8_t *bytes =
        hasten_snapshot_at(snapshot, 1, cframe + layout->cframe_current_frame, 8);
    if (bytes) {
        *ret_frame = hasten_load_u64(bytes, 0);
        return HASTEN_OK;
    }
    hasten_status status = want_cframe(snapshot, layout);
    if (status != HASTEN_OK && status != HASTEN_LIMIT)
        return status;
    return hasten_memory_read(interpreter->pid,
                              hasten_raddr_at(cframe + layout->cframe_current_frame), ret_frame, 8);
}

/* The first chunk keeps its first word free (CPython, Python/pystate.c,
 * push_chunk), so that it is never given back. */
uint64_t hasten_snapshot_bottom(const struct hasten_snapshot *snapshot,
                                const struct hasten_interpreter *interpreter) {
    if (snapshot->chunk_count == 0)
        return 0;
    return snapshot->chunks[snapshot->chunk_count - 1].address + interpreter->layout.chunk_data + 8;
}

/* The chunk that holds an address. Callers go from one chunk to the next. */
static struct hasten_region *find_chunk(const struct hasten_snapshot *snapshot, uint64_t address) {
    size_t count = snapshot->chunk_count;
    size_t last = count > 0 ? snapshot->chunks[0].unused : 0;
    for (size_t i = 0; i < count; i++) {
        size_t index = last + i < count ? last + i : last + i - count;
        struct hasten_region *chunk = &snapshot->chunks[index];
        if (address - chunk->address < chunk->limit) {
            snapshot->chunks[0].unused = (uint32_t)index;
            return chunk;
        }
    }
    return NULL;
}

uint64_t hasten_snapshot_above(const struct hasten_snapshot *snapshot,
                               const struct hasten_interpreter *interpreter, uint64_t end) {
    uint64_t top = hasten_load_u64(snapshot->thread, interpreter->layout.thread_datastack_top);
    const struct hasten_region *chunk = find_chunk(snapshot, end - 8);
    if (!chunk)
        return 0;
    if (chunk == snapshot->chunks)
        return end < top ? end : 0;
    return end - chunk->address < chunk->size ? end
                                              : chunk[-1].address + interpreter->layout.chunk_data;
}

const uint8_t *hasten_snapshot_at(const struct hasten_snapshot *snapshot, int copy,
                                  uint64_t address, uint32_t size) {
    if (copy == 0 && !snapshot->doubled)
        return NULL;
    const struct hasten_region *chunk = find_chunk(snapshot, address);
    if (chunk) {
        uint64_t at = address - chunk->address;
        return at + size <= chunk->copied ? snapshot->copies[copy] + chunk->offset + at : NULL;
    }
    for (size_t i = 0; i < snapshot->outside_count; i++) {
        struct hasten_region *region = &snapshot->outside[i];
        uint64_t at = address - region->address;
        if (at < region->copied && at + size <= region->copied) {
            region->unused = 0;
            return snapshot->copies[copy] + region->offset + at;
        }
    }
    return NULL;
}

const uint8_t *hasten_snapshot_peek(const struct hasten_snapshot *snapshot, size_t outside,
                                    uint32_t size) {
    const struct hasten_region *region = &snapshot->outside[outside];
    return region->copied >= size ? snapshot->copies[1] + region->offset : NULL;
}

bool hasten_snapshot_same_chunk(const struct hasten_snapshot *snapshot, uint64_t first,
                                uint64_t second) {
    const struct hasten_region *chunk = find_chunk(snapshot, first);
    return chunk && second - chunk->address < chunk->limit;
}

bool hasten_snapshot_holds(const struct hasten_snapshot *snapshot, uint64_t address) {
    return find_chunk(snapshot, address) != NULL;
}

/* Drops the frames elsewhere that were not looked up in the last `looks` looks. */
static void drop_outside(struct hasten_snapshot *snapshot, uint32_t looks) {
    size_t kept = 0;
    for (size_t i = 0; i < snapshot->outside_count; i++)
        if (snapshot->outside[i].unused <= looks)
            snapshot->outside[kept++] = snapshot->outside[i];
    snapshot->outside_count = kept;
}

/* The frame elsewhere that starts at `address`, or NULL; `*ret_place`: where it is or
 * belongs. */
static struct hasten_region *find_outside(const struct hasten_snapshot *snapshot, uint64_t address,
                                          size_t *ret_place) {
    size_t place = 0;
    while (place < snapshot->outside_count && snapshot->outside[place].address < address)
        place++;
    *ret_place = place;
    bool found = place < snapshot->outside_count && snapshot->outside[place].address == address;
    return found ? &snapshot->outside[place] : NULL;
}

static hasten_status want_outside(struct hasten_snapshot *snapshot, uint64_t address, uint32_t size,
                                  bool generator) {
    size_t place;
    struct hasten_region *known = find_outside(snapshot, address, &place);
    if (known) {
        if (size > known->size)
            known->size = known->limit = size;
        known->unused = 0;
        known->generator |= generator;
        return HASTEN_OK;
    }
    if (snapshot->outside_count >= HASTEN_SNAPSHOT_OUTSIDE_MAX) {
        drop_outside(snapshot, 0);
        find_outside(snapshot, address, &place);
    }
    struct hasten_region region = {
        .address = address, .size = size, .limit = size, .generator = generator};
    hasten_status status =
        add_region(snapshot, &snapshot->outside, &snapshot->outside_count,
                   &snapshot->outside_capacity, HASTEN_SNAPSHOT_OUTSIDE_MAX, region);
    if (status != HASTEN_OK)
        return status;
    memmove(&snapshot->outside[place + 1], &snapshot->outside[place],
            (snapshot->outside_count - 1 - place) * sizeof region);
    snapshot->outside[place] = region;
    return HASTEN_OK;
}

hasten_status hasten_snapshot_want(struct hasten_snapshot *snapshot, uint64_t address,
                                   uint32_t size) {
    struct hasten_region *chunk = find_chunk(snapshot, address);
    if (!chunk)
        return want_outside(snapshot, address, size, false);
    uint64_t end = address - chunk->address + size;
    if (end > chunk->limit)
        end = chunk->limit;
    if (end > chunk->size)
        chunk->size = (uint32_t)end;
    return HASTEN_OK;
}

hasten_status hasten_snapshot_want_generator(struct hasten_snapshot *snapshot, uint64_t address,
                                             uint32_t size) {
    return hasten_snapshot_holds(snapshot, address) ? hasten_snapshot_want(snapshot, address, size)
                                                    : want_outside(snapshot, address, size, true);
}

const uint8_t *hasten_snapshot_after(const struct hasten_snapshot *snapshot, uint64_t address) {
    size_t place;
    const struct hasten_region *region = find_outside(snapshot, address, &place);
    return region && region->again ? snapshot->copies[0] + region->offset : NULL;
}

void hasten_snapshot_trim(struct hasten_snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->outside_count; i++)
        snapshot->outside[i].unused++;
    drop_outside(snapshot,
                 snapshot->outside_count > OUTSIDE_SPARED ? OUTSIDE_UNUSED : OUTSIDE_UNUSED_MAX);
}
