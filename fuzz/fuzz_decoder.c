/* SPDX-License-Identifier: MIT
 *
 * The input is a compressed file, after one byte that chooses how it is read. Whatever it is,
 * decompressing ends, says where a fault is, and gives the same bytes in pieces of any size. */
#include <stdlib.h>

#include "../tests/core/memory_source.h"
#include "core/stream/decoder.h"

/* A few bytes may mean gigabytes: so many are enough. */
#define MOST_BYTES (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int held) {
    if (!held) {
        abort();
    }
}

/* A sum of what was delivered (FNV-1a). */
static uint64_t read_all(const uint8_t *data, size_t size, size_t block_size, size_t piece,
                         hasten_status *ret_status) {
    struct memory_source memory = {.data = data, .size = size, .piece = piece};
    struct hasten_decoder decoder;
    must(hasten_decoder_init(&decoder, memory_source_of(&memory), NULL, false, block_size, NULL) ==
         HASTEN_OK);
    const struct hasten_source source = hasten_decoder_source(&decoder);
    uint8_t buffer[1024];
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    size_t all = 0;
    size_t got = 1;
    struct hasten_error error = {HASTEN_OK, -1, ""};
    *ret_status = HASTEN_OK;
    while (*ret_status == HASTEN_OK && got != 0 && all < MOST_BYTES) {
        *ret_status = source.read(source.context, buffer, sizeof buffer, &got, &error);
        for (size_t i = 0; *ret_status == HASTEN_OK && i < got; i++) {
            if (all++ < MOST_BYTES) {
                sum = (sum ^ buffer[i]) * UINT64_C(0x100000001b3);
            }
        }
    }
    must(*ret_status == HASTEN_OK || error.status == *ret_status);
    must(error.position <= (int64_t)size);
    hasten_decoder_done(&decoder);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    hasten_status whole = HASTEN_OK;
    hasten_status pieces = HASTEN_OK;
    const uint64_t one = read_all(data + 1, size - 1, 4096, 0, &whole);
    const uint64_t other =
        read_all(data + 1, size - 1, 16 + data[0] % 64, 1 + data[0] % 7, &pieces);
    /* How much a library delivers before it notices a fault is its own business. */
    must(whole != HASTEN_OK || pieces != HASTEN_OK || one == other);
    return 0;
}
