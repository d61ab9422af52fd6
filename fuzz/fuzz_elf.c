/* SPDX-License-Identifier: MIT
 *
 * The input is the memory of a process at a mapped file: the walk over it must
 * end, stay inside it, and find nothing outside the image. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/pyabi/elfimage.h"

/* Any page-aligned address of a process; what is not in the input is unmapped. */
#define FUZZ_BASE UINT64_C(0x7f5500000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static hasten_status read_input(void *context, uint64_t address, void *into, size_t size) {
    const struct input *input = context;

    if (address < FUZZ_BASE || address - FUZZ_BASE > input->size ||
        size > input->size - (address - FUZZ_BASE))
        return HASTEN_GONE;
    memcpy(into, input->data + (address - FUZZ_BASE), size);
    return HASTEN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"_PyRuntime", "Py_Version", "_Py_NegativeRefcount",
                                        "Py_GetVersion", ""};
    struct input input = {data, size};
    struct hasten_elf_reader reader = {read_input, &input};
    struct hasten_elf_symbol symbol;
    struct hasten_elf_image image;

    if (hasten_elf_open(reader, FUZZ_BASE, &image) != HASTEN_OK)
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (hasten_elf_find(&image, names[i], &symbol) != HASTEN_OK)
            continue;
        if (symbol.address < image.start || symbol.address >= image.end ||
            symbol.size > image.end - symbol.address)
            abort();
    }
    return 0;
}
