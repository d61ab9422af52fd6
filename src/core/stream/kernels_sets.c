/* SPDX-License-Identifier: MIT
 *
 * The vectors of each architecture: SSE2, which every x86-64 has, AVX2 where the processor
 * has it, NEON, which every aarch64 has. Elsewhere there are none. */
#include <string.h>

#include "core/stream/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL(name) sse2_##name
#define KERNEL_NAME "sse2"
#define KERNEL_TARGET
#define VECTOR __m128i
#define VECTOR_BYTES 16
#define LOAD(address) _mm_loadu_si128((const __m128i *)(const void *)(address))
#define SPLAT(byte) _mm_set1_epi8((char)(byte))
#define EQUAL(a, b) _mm_cmpeq_epi8(a, b)
#define BOTH(a, b) _mm_and_si128(a, b)
#define EITHER(a, b) _mm_or_si128(a, b)
#define MASK(vector) ((uint64_t)(uint32_t)_mm_movemask_epi8(vector))
#define LANE_BITS 1
#include "core/stream/kernels_vector.h"

#define KERNEL(name) avx2_##name
#define KERNEL_NAME "avx2"
#define KERNEL_TARGET __attribute__((target("avx2,popcnt,bmi")))
#define VECTOR __m256i
#define VECTOR_BYTES 32
#define LOAD(address) _mm256_loadu_si256((const __m256i *)(const void *)(address))
#define SPLAT(byte) _mm256_set1_epi8((char)(byte))
#define EQUAL(a, b) _mm256_cmpeq_epi8(a, b)
#define BOTH(a, b) _mm256_and_si256(a, b)
#define EITHER(a, b) _mm256_or_si256(a, b)
#define MASK(vector) ((uint64_t)(uint32_t)_mm256_movemask_epi8(vector))
#define LANE_BITS 1
#include "core/stream/kernels_vector.h"

const struct hasten_kernels *hasten_kernels_wide(void) {
    return &sse2_kernels;
}

const struct hasten_kernels *hasten_kernels_widest(void) {
    const bool has_all = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") &&
                         __builtin_cpu_supports("bmi");
    return has_all ? &avx2_kernels : NULL;
}

#elif defined(__aarch64__)
#include <arm_neon.h>

/* Each byte's top bit, in 4 bits of which the top one is kept: NEON has no movemask, but it
 * can make 8 bits of 16, which are 4 of each byte. */
static uint64_t neon_mask(uint8x16_t vector) {
    const uint8x16_t whole = vcltzq_s8(vreinterpretq_s8_u8(vector));
    const uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(whole), 4);
    return vget_lane_u64(vreinterpret_u64_u8(nibbles), 0) & UINT64_C(0x8888888888888888);
}

#define KERNEL(name) neon_##name
#define KERNEL_NAME "neon"
#define KERNEL_TARGET
#define VECTOR uint8x16_t
#define VECTOR_BYTES 16
#define LOAD(address) vld1q_u8(address)
#define SPLAT(byte) vdupq_n_u8((uint8_t)(byte))
#define EQUAL(a, b) vceqq_u8(a, b)
#define BOTH(a, b) vandq_u8(a, b)
#define EITHER(a, b) vorrq_u8(a, b)
#define MASK(vector) neon_mask(vector)
#define LANE_BITS 4
#include "core/stream/kernels_vector.h"

const struct hasten_kernels *hasten_kernels_wide(void) {
    return &neon_kernels;
}

const struct hasten_kernels *hasten_kernels_widest(void) {
    return NULL;
}

#else

const struct hasten_kernels *hasten_kernels_wide(void) {
    return NULL;
}

const struct hasten_kernels *hasten_kernels_widest(void) {
    return NULL;
}

#endif
