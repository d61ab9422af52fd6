/* SPDX-License-Identifier: MIT
 *
 * Stacks by thread and greenlet. The current stack is in the calls; its place in
 * the list is empty meanwhile. A stack without active calls stays for the next
 * thread or greenlet that has its key; keys are not reused while calls are active. */
#include "ext/cprofile/stacks.h"

#include "core/base/map.h"

struct hasten_stacks {
    uint64_t thread;             /* of the current stack; 0: not known */
    uint32_t current;            /* its place */
    struct hasten_map places;    /* (thread, greenlet) -> place */
    struct hasten_map greenlets; /* thread -> place of the greenlet that runs in it */
    struct hasten_call_stack *parked;
    size_t capacity;
    uint32_t count;
};

struct hasten_stacks *hasten_stacks_new(void) {
    struct hasten_stacks *stacks = PyMem_Calloc(1, sizeof *stacks);
    if (stacks == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    hasten_map_init(&stacks->places, NULL);
    hasten_map_init(&stacks->greenlets, NULL);
    return stacks;
}

void hasten_stacks_free(struct hasten_stacks *stacks, struct hasten_calls *calls) {
    if (stacks == NULL) {
        return;
    }
    for (uint32_t i = 0; i < stacks->count; i++) {
        hasten_calls_free_stack(calls, &stacks->parked[i]);
    }
    hasten_release(NULL, stacks->parked, stacks->capacity * sizeof *stacks->parked);
    hasten_map_done(&stacks->places);
    hasten_map_done(&stacks->greenlets);
    PyMem_Free(stacks);
}

static void make_current(struct hasten_stacks *stacks, struct hasten_calls *calls, uint32_t place) {
    if (place != stacks->current) {
        struct hasten_call_stack next = stacks->parked[place];
        stacks->parked[place] = (struct hasten_call_stack){.id = place};
        hasten_calls_switch(calls, &next, &stacks->parked[stacks->current]);
        stacks->current = place;
    }
}

/* The place of a key, made where it is new; -1 without memory. The very first one
 * gets the stack that is current. */
static int64_t place_of(struct hasten_stacks *stacks, struct hasten_map_key key) {
    bool inserted = false;
    uint32_t *place = hasten_map_insert(&stacks->places, key, stacks->count, &inserted);
    if (place == NULL) {
        return -1;
    }
    if (inserted) {
        void *array = stacks->parked;
        if (hasten_grow(NULL, &array, &stacks->capacity, stacks->count + 1u,
                        sizeof *stacks->parked) < 0) {
            hasten_map_remove(&stacks->places, key);
            return -1;
        }
        stacks->parked = array;
        stacks->parked[stacks->count] = (struct hasten_call_stack){.id = stacks->count};
        stacks->count++;
    }
    return *place;
}

static bool select_key(struct hasten_stacks *stacks, struct hasten_calls *calls, uint64_t thread,
                       uint64_t greenlet) {
    int64_t place = place_of(stacks, (struct hasten_map_key){.low = thread, .high = greenlet});
    if (place < 0) {
        calls->ran_out = true;
        return false;
    }
    make_current(stacks, calls, (uint32_t)place);
    bool usable = calls->stack.frames != NULL || hasten_calls_grow(calls);
    stacks->thread = usable ? thread : 0;
    return usable;
}

/* Never 0: that is "none yet". */
static uint64_t running_thread(void) {
    return PyThreadState_GetID(hasten_py_thread()) + 1;
}

bool hasten_stacks_select(struct hasten_stacks *stacks, struct hasten_calls *calls) {
    uint64_t thread = running_thread();
    if (thread == stacks->thread) {
        return true;
    }
    struct hasten_map_key key = {.low = thread};
    const uint32_t *place = hasten_map_find(&stacks->greenlets, key);
    if (place != NULL) {
        make_current(stacks, calls, *place);
        stacks->thread = thread;
        return true;
    }
    return select_key(stacks, calls, thread, 0);
}

bool hasten_stacks_select_greenlet(struct hasten_stacks *stacks, struct hasten_calls *calls,
                                   const void *greenlet) {
    uint64_t thread = running_thread();
    if (!select_key(stacks, calls, thread, (uint64_t)(uintptr_t)greenlet)) {
        return false;
    }
    uint32_t *place = hasten_map_insert(&stacks->greenlets, (struct hasten_map_key){.low = thread},
                                        stacks->current, NULL);
    if (place == NULL) {
        calls->ran_out = true;
        return false;
    }
    *place = stacks->current;
    return true;
}

void hasten_stacks_select_id(struct hasten_stacks *stacks, struct hasten_calls *calls,
                             uint32_t id) {
    if (id != stacks->current) {
        make_current(stacks, calls, id);
        stacks->thread = 0;
    }
}

struct hasten_call_stack *hasten_stacks_at(struct hasten_stacks *stacks, struct hasten_calls *calls,
                                           uint32_t id) {
    if (id >= stacks->count) {
        return NULL;
    }
    return id == stacks->current ? &calls->stack : &stacks->parked[id];
}

static bool is_busy(const struct hasten_call_stack *stack) {
    return stack->frames != NULL && stack->top > stack->frames;
}

bool hasten_stacks_select_busy(struct hasten_stacks *stacks, struct hasten_calls *calls) {
    for (uint32_t i = 0; i < stacks->count; i++) {
        if (i != stacks->current && is_busy(&stacks->parked[i])) {
            make_current(stacks, calls, i);
            stacks->thread = 0;
            return true;
        }
    }
    return false;
}

void hasten_stacks_clear(struct hasten_stacks *stacks) {
    for (uint32_t i = 0; i < stacks->count; i++) {
        stacks->parked[i].top = stacks->parked[i].frames;
    }
}
