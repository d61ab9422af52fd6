/* SPDX-License-Identifier: MIT
 *
 * Writing takes more stack than the smallest that a thread may have. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "preload/heap.h"

#define STACK_SIZE (UINT32_C(1) << 18)

/* Guarded by the lock. makecontext passes only integers. */
static void *stack;
static ucontext_t before, on_stack;
static struct {
    void (*function)(void *);
    void *argument;
} call;

static void trampoline(void) {
    call.function(call.argument);
}

static bool make_stack(void) {
    if (stack == NULL) {
        long address = syscall(SYS_mmap, NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, (off_t)0);
        stack = address == -1 ? NULL : (void *)(uintptr_t)address;
    }
    return stack != NULL;
}

void hasten_stack_call(void (*function)(void *), void *argument) {
    if (!make_stack() || getcontext(&on_stack) != 0) {
        return;
    }
    on_stack.uc_stack = (stack_t){.ss_sp = stack, .ss_size = STACK_SIZE};
    on_stack.uc_link = &before;
    call.function = function;
    call.argument = argument;
    makecontext(&on_stack, trampoline, 0);
    (void)swapcontext(&before, &on_stack);
}
