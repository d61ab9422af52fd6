/* SPDX-License-Identifier: MIT
 *
 * The input is damage to the memory of a fake interpreter (tests/core/fake_python.h):
 * a version, then writes of 8 bytes each, with looks in between. Whatever is there, a
 * look ends, and says nothing that a sampler would take for the end of the recording.
 *
 *   byte 0     version: 3.11 + byte % 5
 *   then each  place, value's kind, index (u16), number (u32) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../tests/core/walk_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY (160u << 10)
#define RECORD 8
#define WRITES_MAX 256
#define LOOKS_MAX 12
/* What a recording learns is forgotten after this many inputs. */
#define INPUTS_PER_RECORDING 200

enum place { FRAME, CHUNK, THREAD, CODE, CFRAME, SHIM, ANYWHERE, LOOK, PLACES };
enum kind { NUMBER, NEGATIVE, POINTER, FRAME_POINTER, EDGE, SAME_AS, BYTE, HALF, KINDS };

struct world {
    struct fake_python python;
    struct fake_code codes[5];
    uint64_t chunks[8]; /* oldest first */
    size_t chunk_count;
};

static struct hasten_recorder *recorder;

static void note_chunk(struct world *world) {
    if (world->chunk_count == 0 || world->chunks[world->chunk_count - 1] != world->python.chunk)
        if (world->chunk_count < 8)
            world->chunks[world->chunk_count++] = world->python.chunk;
}

/* Everything that a stack may have, over several chunks. */
static bool build(struct world *world, uint32_t version) {
    struct fake_python *python = &world->python;
    static const char *const names[] = {"main", "a", "b", "c", "<init>"};
    if (!fake_python_init(python, version, MEMORY))
        return false;
    python->chunk_bytes = 512;
    for (uint32_t i = 0; i < 4; i++)
        world->codes[i] = fake_code_new(python, names[i], i);
    world->codes[4] = fake_helper_new(python);
    for (int i = 0; i < 16; i++) {
        struct fake_code *code = &world->codes[i % 4];
        if (i == 5 || i == 12)
            fake_resume_generator(python, code);
        else
            fake_call(python, i == 8 ? &world->codes[4] : code,
                      i % 5 == 4 ? FAKE_THROUGH_C : FAKE_DIRECT,
                      i % 3 == 2 ? FAKE_EXACT_CALL : FAKE_CALL);
        note_chunk(world);
    }
    fake_specialise(python, &world->codes[1], &world->codes[2]);
    fake_return(python); /* something is left over above the leaf */
    return true;
}

static uint64_t place_of(const struct world *world, const uint8_t *record, uint16_t index) {
    const struct fake_python *python = &world->python;
    const struct hasten_layout *layout = &python->interpreter.layout;
    uint64_t start = (uint64_t)(uintptr_t)python->memory;
    uint64_t which = index >> 8, word = 8u * (index & 0xff);
    switch (record[0] % PLACES) {
    case FRAME:
        return fake_frame_at(python, which % python->depth) + word % 160;
    case CHUNK:
        return world->chunks[which % world->chunk_count] + word % 64;
    case THREAD:
        return python->thread + word % (layout->thread_datastack_limit + 8);
    case CODE:
        return world->codes[which % 5].address + word % 320;
    case CFRAME:
        return python->cframe != 0 ? python->cframe + word % 32 : python->base_frame + word % 96;
    case SHIM:
        return fake_get(fake_frame_at(python, which % python->depth) + layout->frame_previous, 8) +
               word % 96;
    default:
        return start + 8u * (uint64_t)index % python->used;
    }
}

static uint64_t value_of(const struct world *world, const uint8_t *record, uint32_t number) {
    const struct fake_python *python = &world->python;
    uint64_t start = (uint64_t)(uintptr_t)python->memory;
    switch (record[1] % KINDS) {
    case NEGATIVE:
        return UINT64_MAX - number;
    case POINTER:
        return start + number % python->used;
    case FRAME_POINTER:
        return fake_frame_at(python, number % python->depth);
    case EDGE:
        return python->unmapped - number % 512 + 64;
    case SAME_AS:
        return fake_get(start + (number % python->used & ~UINT64_C(7)), 8);
    default:
        return number;
    }
}

/* Only into what was built: a place may be computed from what was damaged. */
static void damage(const struct world *world, const uint8_t *record) {
    uint64_t start = (uint64_t)(uintptr_t)world->python.memory;
    uint16_t index;
    uint32_t number;
    memcpy(&index, record + 2, sizeof index);
    memcpy(&number, record + 4, sizeof number);
    uint64_t place = place_of(world, record, index);
    uint64_t value = value_of(world, record, number);
    size_t size = record[1] % KINDS == BYTE ? 1 : record[1] % KINDS == HALF ? 4 : 8;
    if (size == 1)
        place += number >> 24 & 7;
    if (place >= start && place - start <= world->python.used - size)
        fake_put(place, value, size);
}

static void look(struct walk_fixture *fixture) {
    hasten_status status = walk_fixture_look(fixture);
    const struct hasten_thread_watch *thread = fixture->thread;
    if (status == HASTEN_OK) {
        if (thread->path_count > HASTEN_STACK_DEPTH_MAX)
            abort();
        for (size_t i = 0; i < thread->path_count; i++)
            if (thread->path[i].node == 0 || thread->path[i].code == HASTEN_NONE)
                abort();
    } else if (status != HASTEN_TORN && status != HASTEN_GONE && status != HASTEN_LIMIT) {
        abort();
    }
}

static void renew_recorder(void) {
    static unsigned inputs;
    static int file = -1;
    char path[32];
    if (recorder && inputs++ % INPUTS_PER_RECORDING != 0)
        return;
    hasten_recorder_free(recorder);
    recorder = NULL;
    if (file < 0)
        file = memfd_create("recording", MFD_CLOEXEC);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (file < 0 || hasten_recorder_open(path, 1000000, NULL, &recorder, NULL) != HASTEN_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct world world = {0};
    struct walk_fixture fixture;
    unsigned writes = 0, looks = 0;
    if (size == 0 || !build(&world, 0x030b + data[0] % 5u))
        return 0;
    renew_recorder();
    if (walk_fixture_init(&fixture, &world.python, recorder, NULL) != HASTEN_OK)
        abort();
    /* Half of the inputs meet a sampler that knows the thread, half one that does not. */
    if (data[0] & 0x80)
        look(&fixture);
    for (size_t at = 1; at + RECORD <= size && writes < WRITES_MAX; at += RECORD, writes++) {
        if (data[at] % PLACES != LOOK)
            damage(&world, data + at);
        else if (looks++ < LOOKS_MAX)
            look(&fixture);
    }
    look(&fixture);
    walk_fixture_done(&fixture);
    fake_python_done(&world.python);
    return 0;
}
