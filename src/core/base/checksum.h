/* SPDX-License-Identifier: MIT
 *
 * CRC-32C (Castagnoli), the checksum of blocks in files that we write. It finds
 * damage, not malice: readers validate what passes it. */
#ifndef HASTEN_BASE_CHECKSUM_H
#define HASTEN_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `data` after what `previous` stands for; start with 0. */
uint32_t hasten_crc32c(uint32_t previous, const void *data, size_t size);

#endif
