/* SPDX-License-Identifier: MIT
 *
 * The compiled-in tables by version. */
#include "core/pyabi/layout.h"

#include <stddef.h>

#include "core/pyabi/debugmap.h"
#include "core/pyabi/interpreter.h"
#include "core/pyabi/tables.h"

const struct hasten_layout *hasten_layout_of(uint32_t minor_version) {
    switch (minor_version) {
    case 0x030b:
        return &hasten_layout_311;
    case 0x030c:
        return &hasten_layout_312;
    case 0x030d:
        return &hasten_layout_313;
    case 0x030e:
        return &hasten_layout_314;
    case 0x030f:
        return &hasten_layout_315;
    default:
        return NULL;
    }
}

const struct hasten_debug_positions *hasten_debug_positions_of(uint32_t minor_version) {
    switch (minor_version) {
    case 0x030d:
        return &hasten_debug_positions_313;
    case 0x030e:
        return &hasten_debug_positions_314;
    case 0x030f:
        return &hasten_debug_positions_315;
    default:
        return NULL;
    }
}
