/* SPDX-License-Identifier: MIT
 *
 * The compiled-in tables, one file each. */
#ifndef HASTEN_PYABI_TABLES_H
#define HASTEN_PYABI_TABLES_H

#include "core/pyabi/debugmap.h"
#include "core/pyabi/layout.h"

extern const struct hasten_layout hasten_layout_311;
extern const struct hasten_layout hasten_layout_312;
extern const struct hasten_layout hasten_layout_313;
extern const struct hasten_layout hasten_layout_314;
extern const struct hasten_layout hasten_layout_315;

extern const struct hasten_debug_positions hasten_debug_positions_313;
extern const struct hasten_debug_positions hasten_debug_positions_314;
extern const struct hasten_debug_positions hasten_debug_positions_315;

#endif
