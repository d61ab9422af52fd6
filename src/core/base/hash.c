/* SPDX-License-Identifier: MIT
 *
 * Two lanes of multiply-and-fold over 16-byte steps, with odd constants from
 * the binary expansions of pi and e. */
#include "core/base/hash.h"

#include <string.h>

#define PI_1 0x243f6a8885a308d3u
#define PI_2 0x13198a2e03707345u
#define E_1 0xb7e151628aed2a6bu
#define E_2 0xbf7158809cf4f3c7u

__extension__ typedef unsigned __int128 wide;

/* Both halves of the 128-bit product, folded. */
static uint64_t fold(uint64_t left, uint64_t right) {
    wide product = (wide)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static struct hasten_map_key mix(struct hasten_map_key state, uint64_t first, uint64_t second) {
    return (struct hasten_map_key){
        .low = fold(state.low ^ first ^ PI_1, second ^ E_1) + state.high,
        .high = fold(state.high ^ second ^ PI_2, first ^ E_2) ^ (state.low << 23 | state.low >> 41),
    };
}

struct hasten_map_key hasten_hash(struct hasten_map_key seed, const void *data, size_t size) {
    const unsigned char *bytes = data;
    struct hasten_map_key state = mix(seed, size, PI_2);
    while (size > 0) {
        uint64_t words[2] = {0, 0};
        size_t step = size < sizeof words ? size : sizeof words;
        memcpy(words, bytes, step);
        state = mix(state, words[0], words[1]);
        bytes += step;
        size -= step;
    }
    return mix(state, E_1, PI_1);
}
