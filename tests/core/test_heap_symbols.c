/* SPDX-License-Identifier: MIT
 *
 * Names of functions in this very program, and files that are none. */
#include <link.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "core/heap/symbols.h"
#include "failing_allocator.h"

int function_of_known_name(int number);
int __attribute__((noinline)) function_of_known_name(int number) {
    return number * 3 + 1;
}

/* Where in its file an address of the executable is. */
struct search {
    uintptr_t address;
    uint64_t offset;
};

static int visit(struct dl_phdr_info *info, size_t size, void *context) {
    struct search *search = context;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && search->address - start < header->p_filesz) {
            search->offset = header->p_offset + (search->address - start);
        }
    }
    return 1; /* the first is the executable */
}

static void test_own_function(void) {
    struct failing_allocator memory;
    struct hasten_symbols *symbols = NULL;
    struct search search = {(uintptr_t)function_of_known_name + 1, 0};
    dl_iterate_phdr(visit, &search);
    CHECK(search.offset != 0 && function_of_known_name(1) == 4);
    failing_allocator_init(&memory, 0, false);
    if (!CHECK(hasten_symbols_open("/proc/self/exe", &memory.allocator, &symbols) == HASTEN_OK)) {
        return;
    }
    CHECK_EQ_STR(hasten_symbols_find(symbols, search.offset), "function_of_known_name");
    CHECK(hasten_symbols_find(symbols, 0) == NULL);
    CHECK(hasten_symbols_find(symbols, UINT64_MAX) == NULL);
    hasten_symbols_free(symbols);
    hasten_symbols_free(NULL);
    CHECK_EQ_INT(memory.live_blocks, 0);
    for (size_t fail_at = 1; fail_at <= memory.requests; fail_at++) {
        struct failing_allocator failing;
        failing_allocator_init(&failing, fail_at, true);
        CHECK(hasten_symbols_open("/proc/self/exe", &failing.allocator, &symbols) ==
              HASTEN_NO_MEMORY);
        CHECK_EQ_INT(failing.live_blocks, 0);
    }
}

static void test_what_is_none(void) {
    struct hasten_symbols *symbols = NULL;
    char path[] = "/tmp/hasten-symbols-XXXXXX";
    CHECK(hasten_symbols_open("/nonexistent/library.so", NULL, &symbols) == HASTEN_NOT_FOUND);
    int file = mkstemp(path);
    CHECK(file >= 0 && write(file, "\177ELF is not all", 15) == 15);
    CHECK(hasten_symbols_open(path, NULL, &symbols) == HASTEN_UNSUPPORTED);
    CHECK(ftruncate(file, 0) == 0);
    CHECK(hasten_symbols_open(path, NULL, &symbols) == HASTEN_UNSUPPORTED);
    close(file);
    unlink(path);
    CHECK(hasten_symbols_open("/tmp", NULL, &symbols) == HASTEN_UNSUPPORTED);
    CHECK(symbols == NULL);
}

int main(void) {
    test_own_function();
    test_what_is_none();
    return check_done();
}
