/* SPDX-License-Identifier: MIT
 *
 * Each format as its own library writes it: in pieces, in several members, cut at every byte,
 * damaged; with and without the thread that reads ahead. */
#include "core/stream/input.h"

#include <bzlib.h>
#include <lzma.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "check.h"
#include "failing_allocator.h"
#include "memory_source.h"

#define TEXT_SIZE 20000
#define PACKED_SIZE 80000

static uint8_t text[TEXT_SIZE];
/* No member, and long enough to say so. */
static const uint8_t BEHIND[44] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

static size_t pack_gzip(const uint8_t *data, size_t size, uint8_t *into) {
    z_stream stream = {0};
    (void)deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)size;
    stream.next_out = into;
    stream.avail_out = PACKED_SIZE;
    (void)deflate(&stream, Z_FINISH);
    const size_t packed = stream.total_out;
    (void)deflateEnd(&stream);
    return packed;
}

static size_t pack_zstd(const uint8_t *data, size_t size, uint8_t *into) {
    ZSTD_CCtx *context = ZSTD_createCCtx();
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    const size_t packed = ZSTD_compress2(context, into, PACKED_SIZE, data, size);
    (void)ZSTD_freeCCtx(context);
    return packed;
}

static size_t pack_xz(const uint8_t *data, size_t size, uint8_t *into) {
    size_t packed = 0;
    (void)lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, data, size, into, &packed,
                                  PACKED_SIZE);
    return packed;
}

static size_t pack_bzip2(const uint8_t *data, size_t size, uint8_t *into) {
    unsigned packed = PACKED_SIZE;
    (void)BZ2_bzBuffToBuffCompress((char *)into, &packed, (char *)(uintptr_t)data, (unsigned)size,
                                   1, 0, 0);
    return packed;
}

static const struct {
    const struct hasten_codec *codec;
    size_t (*pack)(const uint8_t *data, size_t size, uint8_t *into);
} FORMATS[] = {
    {&hasten_codec_gzip, pack_gzip},
    {&hasten_codec_zstd, pack_zstd},
    {&hasten_codec_xz, pack_xz},
    {&hasten_codec_bzip2, pack_bzip2},
};
#define FORMAT_COUNT (sizeof FORMATS / sizeof FORMATS[0])

/* Reads a source to its end or failure; what came is compared with the text. */
static hasten_status read_all(struct hasten_source source, size_t piece, size_t *ret_size,
                              struct hasten_error *error) {
    uint8_t buffer[4096];
    size_t all = 0;
    for (;;) {
        size_t got = 0;
        const hasten_status status = source.read(source.context, buffer, piece, &got, error);
        if (status == HASTEN_INTERRUPTED) {
            continue;
        }
        if (status != HASTEN_OK || got == 0) {
            *ret_size = all;
            return status;
        }
        if (!CHECK(got <= piece) || !CHECK(all + got <= TEXT_SIZE) ||
            !CHECK(memcmp(buffer, text + all, got) == 0)) {
            *ret_size = all;
            return HASTEN_INVALID;
        }
        all += got;
    }
}

static hasten_status decode(struct memory_source *memory, const struct hasten_codec *codec,
                            bool is_ahead, size_t block_size, size_t piece, size_t *ret_size,
                            struct hasten_error *error) {
    struct hasten_input input = {.is_open = false};
    const struct hasten_input_options options = {codec, false, is_ahead, block_size};
    CHECK_STATUS(hasten_input_init_source(&input, memory_source_of(memory), &options, NULL),
                 HASTEN_OK);
    const hasten_status status = read_all(hasten_input_source(&input), piece, ret_size, error);
    hasten_input_done(&input);
    return status;
}

static void test_whole(size_t format, const uint8_t *packed, size_t size) {
    for (size_t variant = 0; variant < 16; variant++) {
        struct memory_source memory = {.data = packed, .size = size};
        memory.piece = variant % 2 == 0 ? 0 : 7;
        memory.interrupt_every = variant / 2 % 2 == 0 ? 0 : 3;
        size_t all = 0;
        struct hasten_error error = {HASTEN_OK, -1, ""};
        CHECK_STATUS(decode(&memory, variant / 4 % 2 == 0 ? NULL : FORMATS[format].codec,
                            variant / 8 != 0, variant % 3 == 0 ? 16 : 3000,
                            variant % 5 == 0 ? 11 : 4096, &all, &error),
                     HASTEN_OK);
        CHECK_EQ_INT(all, TEXT_SIZE);
    }
}

/* Every beginning of a file ends too soon, says where, and delivers what it has. */
static void test_cut(const uint8_t *packed, size_t size, size_t second) {
    size_t last = 0;
    for (size_t cut = 11; cut < size; cut += 1 + size / 300) {
        struct memory_source memory = {.data = packed, .size = cut};
        struct hasten_error error = {HASTEN_OK, -1, ""};
        size_t all = 0;
        const hasten_status status = decode(&memory, NULL, cut % 2 == 0, 512, 4096, &all, &error);
        CHECK_STATUS(status, cut == second ? HASTEN_OK : HASTEN_TRUNCATED);
        CHECK(status == HASTEN_OK || error.position == (int64_t)cut);
        CHECK(all >= last);
        last = all;
    }
}

/* What is damaged is always a failure that says where. Bytes that are wrong may come before
 * it: formats have their sums at the ends of blocks or members. */
static void test_damaged(size_t format, const uint8_t *packed, size_t size, size_t second) {
    uint8_t *copy = malloc(size);
    for (size_t at = 20; copy != NULL && at < size - 20; at += 1 + size / 100) {
        memcpy(copy, packed, size);
        copy[at] = (uint8_t)(copy[at] ^ 0x55);
        struct memory_source memory = {.data = copy, .size = size};
        struct hasten_decoder decoder;
        struct hasten_error error = {HASTEN_OK, -1, ""};
        CHECK_STATUS(hasten_decoder_init(&decoder, memory_source_of(&memory), FORMATS[format].codec,
                                         false, 512, NULL),
                     HASTEN_OK);
        const struct hasten_source source = hasten_decoder_source(&decoder);
        uint8_t buffer[4096];
        size_t got = 0;
        hasten_status status = HASTEN_OK;
        do {
            status = source.read(source.context, buffer, sizeof buffer, &got, &error);
        } while (status == HASTEN_OK && got != 0);
        /* Whatever does not begin as a second member is passed over. */
        if (status != HASTEN_OK || FORMATS[format].codec->is_strict_at_end || at < second ||
            at >= second + FORMATS[format].codec->magic_size[0]) {
            CHECK(status == HASTEN_CORRUPT || status == HASTEN_TRUNCATED);
            CHECK(error.position > 0 && error.position <= (int64_t)size);
        }
        hasten_decoder_done(&decoder);
    }
    free(copy);
}

static void test_formats(void) {
    for (size_t format = 0; format < FORMAT_COUNT; format++) {
        uint8_t *packed = malloc((size_t)PACKED_SIZE * 2 + 64);
        if (!CHECK(packed != NULL)) {
            return;
        }
        /* Two members, each of half of the text. */
        const size_t first = FORMATS[format].pack(text, TEXT_SIZE / 2, packed);
        size_t size =
            first + FORMATS[format].pack(text + TEXT_SIZE / 2, TEXT_SIZE / 2, packed + first);
        test_whole(format, packed, size);
        test_cut(packed, size, first);
        test_damaged(format, packed, size, first);
        /* Behind the last one. */
        memcpy(packed + size, BEHIND, sizeof BEHIND);
        struct memory_source memory = {.data = packed, .size = size + sizeof BEHIND};
        struct hasten_error error = {HASTEN_OK, -1, ""};
        size_t all = 0;
        const bool is_strict = FORMATS[format].codec->is_strict_at_end;
        CHECK_STATUS(decode(&memory, NULL, true, 512, 4096, &all, &error),
                     is_strict ? HASTEN_CORRUPT : HASTEN_OK);
        CHECK_EQ_INT(all, TEXT_SIZE);
        CHECK(!is_strict || (error.position > (int64_t)size && strstr(error.message, "gzip")));
        free(packed);
    }
}

static unsigned steps_behind_fault;

static bool faulty_again(void *state) {
    (void)state;
    return true;
}

static void *faulty_make(void) {
    return &steps_behind_fault;
}

static void faulty_end(void *state) {
    (void)state;
}

/* Delivers a few bytes and finds a fault behind them. */
static enum hasten_codec_step faulty_step(void *state, struct hasten_codec_io *io) {
    unsigned *steps = state;
    if (++*steps == 1) {
        memcpy(io->out, text, 5);
        io->out += 5;
        io->out_size -= 5;
        io->in += 3;
        io->in_size -= 3;
    }
    io->why = *steps == 1 ? "first" : "again";
    return HASTEN_CODEC_BAD;
}

/* A library that found a fault is not asked again: what it would do then is not defined. */
static void test_fault_behind_data(void) {
    const struct hasten_codec faulty = {
        .name = "faulty",
        .make = faulty_make,
        .again = faulty_again,
        .step = faulty_step,
        .end = faulty_end,
    };
    struct memory_source memory = {.data = text, .size = 100};
    struct hasten_error error = {HASTEN_OK, -1, ""};
    size_t all = 0;
    CHECK_STATUS(decode(&memory, &faulty, false, 512, 4096, &all, &error), HASTEN_CORRUPT);
    CHECK_EQ_INT(all, 5);
    CHECK_EQ_INT(steps_behind_fault, 1);
    CHECK_EQ_INT(error.position, 3);
    CHECK_EQ_STR(error.message, "corrupt faulty data at byte 3: first");
}

static void test_recognised(void) {
    bool is_undecided = false;
    const uint8_t *magic = (const uint8_t *)"BZh91AY&SY";
    CHECK(hasten_codec_recognised(magic, 10, &is_undecided) == &hasten_codec_bzip2);
    CHECK(hasten_codec_recognised(magic, 9, &is_undecided) == NULL);
    CHECK(is_undecided);
    CHECK(hasten_codec_recognised((const uint8_t *)"text", 4, &is_undecided) == NULL);
    CHECK(!is_undecided);
    CHECK(hasten_codec_recognised((const uint8_t *)"\x1f\x8b\x08", 3, &is_undecided) ==
          &hasten_codec_gzip);
    CHECK(hasten_codec_recognised((const uint8_t *)"\x51\x2a\x4d\x18", 4, &is_undecided) ==
          &hasten_codec_zstd);
    CHECK(hasten_codec_named("xz") == &hasten_codec_xz);
    CHECK(hasten_codec_named("rar") == NULL);
}

static void test_plain(void) {
    for (size_t size = 0; size < 64; size++) {
        struct memory_source memory = {.data = text, .size = size, .piece = 3};
        struct hasten_error error = {HASTEN_OK, -1, ""};
        size_t all = 0;
        CHECK_STATUS(decode(&memory, NULL, true, 16, 5, &all, &error), HASTEN_OK);
        CHECK_EQ_INT(all, size);
    }
    struct memory_source memory = {.data = text, .size = 100, .fails_at_end = true};
    struct hasten_error error = {HASTEN_OK, -1, ""};
    size_t all = 0;
    CHECK_STATUS(decode(&memory, NULL, true, 16, 5, &all, &error), HASTEN_IO);
    CHECK_EQ_INT(all, 100);
    CHECK_EQ_STR(error.message, "the disk failed");
}

/* Ended in the middle: the thread is waiting for room, or in a pipe that nobody writes to. */
static void test_ended_early(void) {
    uint8_t *packed = malloc(PACKED_SIZE);
    int ends[2];
    if (!CHECK(packed != NULL) || !CHECK(pipe(ends) == 0)) {
        free(packed);
        return;
    }
    const size_t size = pack_gzip(text, TEXT_SIZE, packed);
    const struct hasten_input_options options = {NULL, false, true, 512};
    uint8_t buffer[16];
    for (int variant = 0; variant < 3; variant++) {
        struct memory_source memory = {.data = packed, .size = size};
        struct hasten_input input = {.is_open = false};
        size_t got = 0;
        hasten_status status = HASTEN_OK;
        if (variant < 2) {
            status = hasten_input_init_source(&input, memory_source_of(&memory), &options, NULL);
        } else {
            CHECK_EQ_INT(write(ends[1], packed, size / 2), size / 2);
            status = hasten_input_init(&input, ends[0], &options, NULL);
        }
        CHECK_STATUS(status, HASTEN_OK);
        const struct hasten_source source = hasten_input_source(&input);
        do {
            status = variant == 0 ? HASTEN_OK
                                  : source.read(source.context, buffer, sizeof buffer, &got, NULL);
        } while (status == HASTEN_INTERRUPTED);
        CHECK_STATUS(status, HASTEN_OK);
        CHECK(variant == 0 || (got == sizeof buffer && memcmp(buffer, text, got) == 0));
        hasten_input_done(&input);
        hasten_input_done(&input); /* legal */
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
    free(packed);
}

static void test_out_of_memory(void) {
    uint8_t *packed = malloc(PACKED_SIZE);
    if (!CHECK(packed != NULL)) {
        return;
    }
    const size_t size = pack_gzip(text, TEXT_SIZE, packed);
    for (size_t fail_at = 1; fail_at <= 3; fail_at++) {
        struct failing_allocator failing;
        failing_allocator_init(&failing, fail_at, false);
        struct memory_source memory = {.data = packed, .size = size};
        struct hasten_input input = {.is_open = false};
        const struct hasten_input_options options = {NULL, false, true, 512};
        size_t all = 0;
        hasten_status status = hasten_input_init_source(&input, memory_source_of(&memory), &options,
                                                        &failing.allocator);
        if (status == HASTEN_OK) {
            status = read_all(hasten_input_source(&input), 512, &all, NULL);
        }
        CHECK_STATUS(status, fail_at <= 2 ? HASTEN_NO_MEMORY : HASTEN_OK);
        hasten_input_done(&input);
        CHECK_EQ_INT(failing.live_blocks, 0);
        CHECK(!failing.wrong_size);
    }
    free(packed);
}

int main(void) {
    uint32_t random = 1;
    for (size_t i = 0; i < TEXT_SIZE; i++) {
        random = random * 1103515245u + 12345u; /* the C standard's example */
        text[i] = (uint8_t)("0123456789abcdef\n "[random >> 16 & 15] + (i % 31 == 0));
    }
    test_formats();
    test_fault_behind_data();
    test_recognised();
    test_plain();
    test_ended_early();
    test_out_of_memory();
    return check_done();
}
