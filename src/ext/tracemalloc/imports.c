/* SPDX-License-Identifier: MIT
 *
 * Replaces three functions in the tables of addresses (GOT) of loaded libraries. What
 * is written there stays: while nothing is traced, the functions here call the
 * interpreter's own. */
#include "ext/tracemalloc/imports.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/map.h"
#include "ext/tracemalloc/table.h"
#include "ext/tracemalloc/tracer.h"

#if defined(__x86_64__)
#define IS_ADDRESS(type) ((type) == R_X86_64_JUMP_SLOT || (type) == R_X86_64_GLOB_DAT)
#elif defined(__aarch64__)
#define IS_ADDRESS(type) ((type) == R_AARCH64_JUMP_SLOT || (type) == R_AARCH64_GLOB_DAT)
#else
#define IS_ADDRESS(type) 0
#endif

/* The interpreter's own. */
static void *real_track;
static void *real_untrack;
static void *real_traceback;

typedef int (*track_function)(unsigned int, uintptr_t, size_t);
typedef int (*untrack_function)(unsigned int, uintptr_t);
typedef PyObject *(*traceback_function)(unsigned int, uintptr_t);

static int track(unsigned int domain, uintptr_t address, size_t size) {
    if (!__atomic_load_n(&hasten_tracer.is_armed, __ATOMIC_ACQUIRE)) {
        return ((track_function)real_track)(domain, address, size);
    }
    const PyThreadState *thread = hasten_py_attached_thread();
    if (domain == 0 && thread != NULL && thread->interp == hasten_tracer.main) {
        hasten_hooks_forget(thread, address);
        hasten_hooks_remember(thread, address, size);
        return 0;
    }
    return hasten_tracer_share(thread, domain, address, size) ? 0 : -1;
}

static int untrack(unsigned int domain, uintptr_t address) {
    if (!__atomic_load_n(&hasten_tracer.is_armed, __ATOMIC_ACQUIRE)) {
        return ((untrack_function)real_untrack)(domain, address);
    }
    const PyThreadState *thread = hasten_tracer_owner();
    if (domain != 0 || thread == NULL || !hasten_hooks_forget(thread, address)) {
        hasten_tracer_unshare(domain, address, NULL);
    }
    return 0;
}

static PyObject *traceback(unsigned int domain, uintptr_t address) {
    if (!__atomic_load_n(&hasten_tracer.is_armed, __ATOMIC_ACQUIRE)) {
        return ((traceback_function)real_traceback)(domain, address);
    }
    return hasten_py_block_traceback(domain, address);
}

struct replacement {
    const char *name;
    void *function;
    void **real;
};

static const struct replacement replacements[] = {
    {"PyTraceMalloc_Track", (void *)track, &real_track},
    {"PyTraceMalloc_Untrack", (void *)untrack, &real_untrack},
    {"_PyTraceMalloc_GetTraceback", (void *)traceback, &real_traceback},
};

/* A library's tables, as its dynamic section tells. */
struct tables {
    const ElfW(Sym) * symbols;
    const char *strings;
    const ElfW(Rela) * relocations[2]; /* of functions, of all else */
    size_t counts[2];
};

/* Most programs have these as addresses, some as offsets. */
static const void *pointer_of(ElfW(Addr) base, ElfW(Addr) value) {
    return (const void *)(value < base ? base + value : value);
}

static bool read_tables(ElfW(Addr) base, const ElfW(Dyn) * dynamic, struct tables *ret_tables) {
    struct tables tables = {0};
    bool has_addends = true;
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        switch (dynamic->d_tag) {
        case DT_SYMTAB:
            tables.symbols = pointer_of(base, dynamic->d_un.d_ptr);
            break;
        case DT_STRTAB:
            tables.strings = pointer_of(base, dynamic->d_un.d_ptr);
            break;
        case DT_JMPREL:
            tables.relocations[0] = pointer_of(base, dynamic->d_un.d_ptr);
            break;
        case DT_PLTRELSZ:
            tables.counts[0] = dynamic->d_un.d_val / sizeof(ElfW(Rela));
            break;
        case DT_PLTREL:
            has_addends = dynamic->d_un.d_val == DT_RELA;
            break;
        case DT_RELA:
            tables.relocations[1] = pointer_of(base, dynamic->d_un.d_ptr);
            break;
        case DT_RELASZ:
            tables.counts[1] = dynamic->d_un.d_val / sizeof(ElfW(Rela));
            break;
        default:
            break;
        }
    }
    *ret_tables = tables;
    return tables.symbols != NULL && tables.strings != NULL && has_addends;
}

/* The address may lie where the linker took away the right to write. */
static void write_address(uintptr_t *place, void *function, bool is_protected) {
    const uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *page = (void *)((uintptr_t)place & ~(page_bytes - 1));
    if (!is_protected || mprotect(page, page_bytes, PROT_READ | PROT_WRITE) == 0) {
        __atomic_store_n(place, (uintptr_t)function, __ATOMIC_RELEASE);
        if (is_protected) {
            (void)mprotect(page, page_bytes, PROT_READ);
        }
    }
}

static void *replacement_of(const struct tables *tables, const ElfW(Rela) * relocation) {
    if (!IS_ADDRESS(ELF64_R_TYPE(relocation->r_info))) {
        return NULL;
    }
    const ElfW(Sym) *symbol = &tables->symbols[ELF64_R_SYM(relocation->r_info)];
    if (symbol->st_shndx != SHN_UNDEF) {
        return NULL;
    }
    const char *name = tables->strings + symbol->st_name;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(replacements); i++) {
        if (strcmp(name, replacements[i].name) == 0) {
            return replacements[i].function;
        }
    }
    return NULL;
}

static void patch_library(const struct dl_phdr_info *library, const ElfW(Dyn) * dynamic,
                          const ElfW(Phdr) * read_only) {
    const ElfW(Addr) base = library->dlpi_addr;
    struct tables tables;
    if (!read_tables(base, dynamic, &tables)) {
        return;
    }
    for (int table = 0; table < 2; table++) {
        for (size_t i = 0; tables.relocations[table] != NULL && i < tables.counts[table]; i++) {
            const ElfW(Rela) *relocation = &tables.relocations[table][i];
            void *function = replacement_of(&tables, relocation);
            const ElfW(Addr) offset = relocation->r_offset;
            if (function != NULL) {
                bool is_protected = read_only != NULL && offset >= read_only->p_vaddr &&
                                    offset < read_only->p_vaddr + read_only->p_memsz;
                write_address((uintptr_t *)(base + offset), function, is_protected);
            }
        }
    }
}

/* Which libraries were looked through, by where they lie. */
struct seen {
    struct hasten_map libraries;
    unsigned long long removed; /* how many had been unloaded then */
};

static struct seen seen;

static int look_at(struct dl_phdr_info *library, size_t Py_UNUSED(size), void *Py_UNUSED(data)) {
    const ElfW(Dyn) *dynamic = NULL;
    const ElfW(Phdr) *read_only = NULL;
    if (library->dlpi_subs != seen.removed) {
        hasten_map_clear(&seen.libraries);
        seen.removed = library->dlpi_subs;
    }
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &library->dlpi_phdr[i];
        if (header->p_type == PT_DYNAMIC) {
            dynamic = (const ElfW(Dyn) *)(library->dlpi_addr + header->p_vaddr);
        } else if (header->p_type == PT_GNU_RELRO) {
            read_only = header;
        }
    }
    const struct hasten_map_key key = {.low = (uint64_t)(uintptr_t)dynamic};
    bool is_new = false;
    /* The kernel's own library has no relocations, and offsets for addresses. */
    bool is_kernel = library->dlpi_name != NULL && strstr(library->dlpi_name, "vdso") != NULL;
    if (dynamic != NULL && !is_kernel &&
        hasten_map_insert(&seen.libraries, key, 1, &is_new) != NULL && is_new) {
        patch_library(library, dynamic, read_only);
    }
    return 0;
}

void hasten_imports_patch(void) {
    for (size_t i = 0; i < Py_ARRAY_LENGTH(replacements); i++) {
        /* Looked up by name: an address of ours would itself be replaced. */
        *replacements[i].real = dlsym(RTLD_DEFAULT, replacements[i].name);
    }
    dl_iterate_phdr(look_at, NULL);
}

static PyObject *create_dynamic(PyObject *original, PyObject *arguments, PyObject *names) {
    PyObject *module = PyObject_Call(original, arguments, names);
    if (module != NULL && hasten_tracer.is_armed) {
        hasten_imports_patch();
    }
    return module;
}

PyObject *hasten_imports_wrap(PyObject *Py_UNUSED(module), PyObject *original) {
    static PyMethodDef method = {
        .ml_name = "create_dynamic",
        .ml_meth = (PyCFunction)(void (*)(void))create_dynamic,
        .ml_flags = METH_VARARGS | METH_KEYWORDS,
        .ml_doc = "create_dynamic($module, spec, file=None, /)\n--\n\n"
                  "Create an extension module.",
    };
    return PyCFunction_New(&method, original);
}
