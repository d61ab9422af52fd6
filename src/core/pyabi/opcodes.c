/* SPDX-License-Identifier: MIT
 *
 * Chooses the opcode table of a version. */
#include "core/pyabi/opcodes.h"

#include <stddef.h>

const struct hasten_opcodes *hasten_opcodes_of(uint32_t minor_version) {
    switch (minor_version) {
    case 0x030b:
        return &hasten_opcodes_311;
    case 0x030c:
        return &hasten_opcodes_312;
    case 0x030d:
        return &hasten_opcodes_313;
    case 0x030e:
        return &hasten_opcodes_314;
    case 0x030f:
        return &hasten_opcodes_315;
    default:
        return NULL;
    }
}
