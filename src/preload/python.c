/* SPDX-License-Identifier: MIT
 *
 * Finds the interpreter that this library was loaded with. */
#include "preload/python.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "core/os/memory.h"
#include "core/pyabi/accept.h"
#include "preload/reader.h"

#define FIRST_OF_OWN_CURRENT 0x030c0000u /* 3.12: the current state is a thread's own */

static uint64_t address_of(const char *name) {
    return (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, name);
}

static void find_function(const char *name, void *(**ret_function)(void)) {
    void *symbol = dlsym(RTLD_DEFAULT, name);
    if (symbol != NULL) {
        memcpy(ret_function, &symbol, sizeof symbol);
    }
}

bool hasten_python_find(struct hasten_python *python) {
    *python = (struct hasten_python){
        .runtime = address_of("_PyRuntime"),
        .code_type = address_of("PyCode_Type"),
        .is_debug_build = address_of("_Py_NegativeRefcount") != 0,
    };
    const uint32_t *version = dlsym(RTLD_DEFAULT, "Py_Version");
    find_function("PyGILState_GetThisThreadState", &python->own_state);
    find_function("_PyThreadState_UncheckedGet", &python->current_state);
    find_function("PyThreadState_GetUnchecked", &python->current_state);
    if (python->code_type == 0) {
        return false;
    }
    if (python->runtime == 0 || version == NULL || python->own_state == NULL ||
        python->current_state == NULL) {
        python->state = HASTEN_PYTHON_REFUSED;
        return true;
    }
    python->version_hex = *version;
    return true;
}

bool hasten_python_is_ready(struct hasten_python *python) {
    if (python->state != HASTEN_PYTHON_STARTING) {
        return python->state == HASTEN_PYTHON_READY;
    }
    const struct hasten_claim claim = {hasten_raddr_at(python->runtime), python->version_hex,
                                       python->is_debug_build, ""};
    hasten_status status = hasten_accept((uint32_t)getpid(), &claim, &python->layout, NULL);
    if (status == HASTEN_OK) {
        python->opcodes = hasten_opcodes_of(python->layout.version);
        python->state = HASTEN_PYTHON_READY;
        return true;
    }
    if (status != HASTEN_NOT_READY) {
        python->state = HASTEN_PYTHON_REFUSED;
    }
    return false;
}

bool hasten_python_is_ending(const struct hasten_python *python) {
    if (python->state != HASTEN_PYTHON_READY) {
        return false;
    }
    const uint64_t *finalizing =
        (const uint64_t *)(uintptr_t)(python->runtime + python->layout.runtime_finalizing);
    return __atomic_load_n(finalizing, __ATOMIC_RELAXED) != 0;
}

/* On 3.11: whether the state of whoever has the GIL is one of this thread, as where it
 * runs a subinterpreter. Another thread's may be gone by now. */
static bool is_own(const struct hasten_python *python, uint64_t state) {
    uint64_t owner = 0;
    return state != 0 &&
           hasten_reader_kernel(state + python->layout.thread_thread_id, &owner, sizeof owner) &&
           owner == (uint64_t)pthread_self();
}

uint64_t hasten_python_thread(const struct hasten_python *python, bool *ret_attached) {
    uint64_t current = (uint64_t)(uintptr_t)python->current_state();
    uint64_t own = (uint64_t)(uintptr_t)python->own_state();
    if (python->version_hex >= FIRST_OF_OWN_CURRENT ? current != 0
                                                    : current != 0 && current == own) {
        *ret_attached = true;
        return current;
    }
    if (python->version_hex < FIRST_OF_OWN_CURRENT && is_own(python, current)) {
        *ret_attached = true;
        return current;
    }
    *ret_attached = false;
    return own;
}
