/* SPDX-License-Identifier: MIT
 *
 * Symbols of ELF images in memory: this process's own libraries, made-up images
 * of every kind, and each of those with every byte damaged. */
#include "core/pyabi/elfimage.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <unistd.h>

#include "check.h"
#include "core/os/memory.h"
#include "elf_fixture.h"

static hasten_status read_self(void *context, uint64_t address, void *into, size_t size) {
    (void)context;
    return hasten_memory_read((uint32_t)getpid(), hasten_raddr_at(address), into, size);
}

struct library {
    const char *part; /* of the file's name */
    uint64_t base;    /* 0: not found */
};

static int find_library(struct dl_phdr_info *info, size_t size, void *context) {
    struct library *library = context;

    (void)size;
    if (strstr(info->dlpi_name, library->part) == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_offset == 0)
            library->base = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    }
    return library->base != 0;
}

/* What the dynamic linker says is what the walk over memory finds. */
static void test_libc(void) {
    static const char *const names[] = {"getpid", "fopen", "environ", "qsort"};
    struct hasten_elf_reader reader = {read_self, NULL};
    struct hasten_elf_symbol symbol;
    struct hasten_elf_image image;
    struct library library = {"libc.so", 0};

    (void)dl_iterate_phdr(find_library, &library);
    void *handle = dlopen("libc.so.6", RTLD_LAZY);
    if (!CHECK(library.base != 0) || !CHECK(handle != NULL))
        return;
    if (!CHECK_STATUS(hasten_elf_open(reader, library.base, &image), HASTEN_OK))
        return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!CHECK_STATUS(hasten_elf_find(&image, names[i], &symbol), HASTEN_OK))
            continue;
        /* A sanitizer's own copy of a function may be what dlsym gives. */
        Dl_info info;
        void *address = dlsym(handle, names[i]);
        if (dladdr(address, &info) != 0 && (uint64_t)(uintptr_t)info.dli_fbase == library.base)
            CHECK(symbol.address == (uint64_t)(uintptr_t)address);
    }
    CHECK_STATUS(hasten_elf_find(&image, "_PyRuntime", &symbol), HASTEN_NOT_FOUND);
    CHECK_STATUS(hasten_elf_find(&image, "", &symbol), HASTEN_NOT_FOUND);
    (void)dlclose(handle);
}

static void test_fixture(const struct elf_fixture_options *options) {
    struct elf_fixture fixture;
    struct hasten_elf_image image;
    struct hasten_elf_symbol symbol = {7, 7};

    elf_fixture_make(&fixture, options);
    struct hasten_elf_reader reader = {elf_fixture_read, &fixture};
    if (!CHECK_STATUS(hasten_elf_open(reader, options->base, &image), HASTEN_OK))
        return;
    CHECK_EQ_INT(image.bias, options->base - options->first);
    CHECK_STATUS(hasten_elf_find(&image, "imported", &symbol), HASTEN_NOT_FOUND);
    CHECK_STATUS(hasten_elf_find(&image, "absent", &symbol), HASTEN_NOT_FOUND);
    CHECK_EQ_INT(symbol.address, 7);
    CHECK_STATUS(hasten_elf_find(&image, "_PyRuntime", &symbol), HASTEN_OK);
    CHECK_EQ_INT(symbol.address, options->base + ELF_FIXTURE_RUNTIME);
    CHECK_EQ_INT(symbol.size, 64);
    CHECK_STATUS(hasten_elf_find(&image, "Py_Version", &symbol), HASTEN_OK);
    CHECK_EQ_INT(symbol.address, options->base + ELF_FIXTURE_VERSION);
    CHECK_STATUS(hasten_elf_find(&image, "last", &symbol), HASTEN_OK);
    CHECK_EQ_INT(symbol.address, options->base + ELF_FIXTURE_SIZE - 8);
}

/* Every kind of image: 4 flags, loaded where it asks for or elsewhere. */
static void test_kinds(void) {
    for (unsigned kind = 0; kind < 16; kind++) {
        struct elf_fixture_options options = {
            .base = UINT64_C(0x7f0012340000),
            .first = (kind & 8) != 0 ? UINT64_C(0x7f0012340000) : 0x20000,
            .is_executable = (kind & 8) != 0,
            .sysv_hash = (kind & 1) != 0,
            .is_relocated = (kind & 2) != 0,
            .segment_before = (kind & 4) != 0,
        };
        test_fixture(&options);
    }
}

/* Whatever is damaged, the walk ends, and what it finds lies in the image. */
static void walk_damaged(struct elf_fixture *fixture) {
    struct hasten_elf_reader reader = {elf_fixture_read, fixture};
    struct hasten_elf_image image;
    struct hasten_elf_symbol symbol;

    if (hasten_elf_open(reader, fixture->base, &image) != HASTEN_OK)
        return;
    if (hasten_elf_find(&image, "_PyRuntime", &symbol) == HASTEN_OK)
        CHECK(symbol.address >= image.start && symbol.address < image.end &&
              symbol.size <= image.end - symbol.address);
    (void)!hasten_elf_find(&image, "absent", &symbol);
}

static void test_damage(bool sysv) {
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    struct elf_fixture_options options = {
        .base = 0x7f0000000000, .sysv_hash = sysv, .is_relocated = true};
    struct elf_fixture fixture, damaged;

    elf_fixture_make(&fixture, &options);
    for (size_t at = 0; at < ELF_FIXTURE_SIZE; at++) {
        for (size_t i = 0; i < sizeof values; i++) {
            damaged = fixture;
            damaged.bytes[at] = values[i];
            walk_damaged(&damaged);
        }
    }
    for (size_t size = 0; size < ELF_FIXTURE_SIZE; size++) {
        damaged = fixture;
        damaged.size = size;
        walk_damaged(&damaged);
    }
}

/* Chains that lead back to themselves end at a limit. */
static void test_endless_chains(void) {
    struct elf_fixture_options options = {.base = 0x7f0000000000, .sysv_hash = true};
    struct elf_fixture fixture;
    struct hasten_elf_image image;
    struct hasten_elf_symbol symbol;
    const uint32_t circle[] = {1, ELF_FIXTURE_SYMBOL_COUNT, 2, 0, 0, 3, 2, 0};

    elf_fixture_make(&fixture, &options);
    elf_fixture_put(&fixture, ELF_FIXTURE_HASH, circle, sizeof circle);
    struct hasten_elf_reader reader = {elf_fixture_read, &fixture};
    CHECK_STATUS(hasten_elf_open(reader, options.base, &image), HASTEN_OK);
    CHECK_STATUS(hasten_elf_find(&image, "absent", &symbol), HASTEN_NOT_FOUND);
}

static void test_refusals(void) {
    struct elf_fixture_options options = {.base = 0x7f0000000000};
    struct elf_fixture fixture;
    struct hasten_elf_image image;

    elf_fixture_make(&fixture, &options);
    struct hasten_elf_reader reader = {elf_fixture_read, &fixture};
    CHECK_STATUS(hasten_elf_open(reader, options.base + ELF_FIXTURE_SIZE, &image), HASTEN_GONE);
    CHECK_STATUS(hasten_elf_open(reader, options.base + 8, &image), HASTEN_NOT_FOUND);
    fixture.bytes[EI_CLASS] = ELFCLASS32;
    CHECK_STATUS(hasten_elf_open(reader, options.base, &image), HASTEN_NOT_FOUND);
    elf_fixture_make(&fixture, &options);
    fixture.bytes[offsetof(Elf64_Ehdr, e_machine)] = EM_386;
    CHECK_STATUS(hasten_elf_open(reader, options.base, &image), HASTEN_NOT_FOUND);
    elf_fixture_make(&fixture, &options);
    fixture.bytes[offsetof(Elf64_Ehdr, e_phnum) + 1] = 0xff;
    CHECK_STATUS(hasten_elf_open(reader, options.base, &image), HASTEN_INVALID);
}

int main(void) {
    test_libc();
    test_kinds();
    test_damage(false);
    test_damage(true);
    test_endless_chains();
    test_refusals();
    return check_done();
}
