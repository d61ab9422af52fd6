/* SPDX-License-Identifier: MIT
 *
 * Python's strings as bytes: UTF-8 in which lone surrogates may stand, as
 * "surrogatepass" writes them. In this form the order of bytes is the order of
 * code points. */
#ifndef HASTEN_PSTATS_SURROGATES_H
#define HASTEN_PSTATS_SURROGATES_H

#include <stddef.h>
#include <stdint.h>

/* The length of the longest beginning that is valid. */
size_t hasten_surrogates_valid(const uint8_t *bytes, size_t size);
/* The length of the longest beginning that is ASCII. */
size_t hasten_surrogates_ascii(const uint8_t *bytes, size_t size);
/* Code points of valid bytes. */
size_t hasten_surrogates_length(const uint8_t *bytes, size_t size);

#endif
