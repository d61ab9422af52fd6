/* SPDX-License-Identifier: MIT
 *
 * Symbols of an ELF file as it lies in a process's memory, found through its
 * program headers and dynamic section alone: works for files that are stripped,
 * deleted, replaced or out of reach. Reads through a function, so that it knows
 * nothing of processes; what it reads may be hostile. */
#ifndef HASTEN_PYABI_ELFIMAGE_H
#define HASTEN_PYABI_ELFIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

struct hasten_elf_reader {
    /* Reads all of `size` bytes at `address`: OK, GONE or why not. */
    hasten_status (*read)(void *context, uint64_t address, void *into, size_t size);
    void *context;
};

/* One mapped file. Plain data. */
struct hasten_elf_image {
    struct hasten_elf_reader reader;
    uint64_t bias;  /* what is added to an address of the file */
    uint64_t start; /* where its segments begin in memory */
    uint64_t end;
    uint64_t symbols; /* DT_SYMTAB and so on: addresses in memory, 0: has none */
    uint64_t strings;
    uint64_t strings_size;
    uint64_t gnu_hash;
    uint64_t hash;
};

struct hasten_elf_symbol {
    uint64_t address; /* in memory */
    uint64_t size;
};

/* The file whose first byte lies at `base`. NOT_FOUND: there is no ELF file for
 * this machine; INVALID: a damaged one; else what the reader answered. A file
 * without dynamic symbols succeeds with `symbols` 0. */
HASTEN_CHECKED hasten_status hasten_elf_open(struct hasten_elf_reader reader, uint64_t base,
                                             struct hasten_elf_image *ret_image);

/* The symbol `name` that this file defines; NOT_FOUND where it does not. */
HASTEN_CHECKED hasten_status hasten_elf_find(const struct hasten_elf_image *image, const char *name,
                                             struct hasten_elf_symbol *ret_symbol);

#endif
