/* SPDX-License-Identifier: MIT
 *
 * Symbols and sections of an ELF file on disk, for programs whose symbols are
 * not exported to the dynamic linker. */
#ifndef HASTEN_PYABI_ELFFILE_H
#define HASTEN_PYABI_ELFFILE_H

#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

struct hasten_elf_file_symbol {
    const char *name;
    uint64_t address; /* as the file says; 0: not there */
};

/* Looks for the `count` symbols in the full symbol table and for the section
 * ".PyRuntime" (`*ret_section`, 0: none). NOT_FOUND: not an ELF file for this
 * machine; OK also where nothing was found. */
HASTEN_CHECKED hasten_status hasten_elf_file_find(int descriptor,
                                                  struct hasten_elf_file_symbol *symbols,
                                                  size_t count, uint64_t *ret_section);

#endif
