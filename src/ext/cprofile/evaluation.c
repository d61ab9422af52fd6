/* SPDX-License-Identifier: MIT
 *
 * The frame evaluation hook. A thread whose profiler uses it has the profiler as
 * its profile *object*, without a profile function: sys.getprofile() answers as it
 * should, and whoever sets another profile function ends this one, as it should. */
#include "ext/cprofile/evaluation.h"

#include <pthread.h>

#include "core/pyabi/tables.h"
#include "ext/cprofile/events.h"

#define GENERATOR_FLAGS (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)
/* Where nothing is known of a thread's stack: of the smallest there are in use. */
#define UNKNOWN_STACK_BYTES (256u << 10)

/* The profiler that the running thread uses the hook for, and the address below
 * which its stack is more than half used; 0: not known yet. */
static __thread struct hasten_profiler *own __attribute__((tls_model("initial-exec")));
static __thread uintptr_t deep __attribute__((tls_model("initial-exec")));

static uintptr_t here(void) {
    return (uintptr_t)__builtin_frame_address(0);
}

static uintptr_t find_deep(void) {
    pthread_attr_t attributes;
    uintptr_t found = here() > UNKNOWN_STACK_BYTES ? here() - UNKNOWN_STACK_BYTES / 2 : here();
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        void *lowest = NULL;
        size_t bytes = 0;
        if (pthread_attr_getstack(&attributes, &lowest, &bytes) == 0) {
            found = (uintptr_t)lowest + bytes / 2;
        }
        pthread_attr_destroy(&attributes);
    }
    return found;
}

static inline const char *frame_field(const struct _PyInterpreterFrame *frame, uint32_t offset) {
    return (const char *)frame + offset;
}

static inline PyObject *code_of(const struct _PyInterpreterFrame *frame) {
    return *(PyObject *const *)(const void *)frame_field(frame, hasten_layout_311.frame_code);
}

/* The frame of a generator's function runs once to make the generator; no profile
 * function is told of that. */
static inline bool makes_generator(const struct _PyInterpreterFrame *frame, const PyObject *code) {
    return (((const PyCodeObject *)code)->co_flags & GENERATOR_FLAGS) != 0 &&
           *frame_field(frame, hasten_layout_311.frame_owner) != hasten_layout_311.owner_generator;
}

static inline bool uses_hook(const PyThreadState *thread, const struct hasten_profiler *profiler) {
    return thread->c_profileobj == (const PyObject *)profiler && thread->c_profilefunc == NULL;
}

static PyObject *evaluate(PyThreadState *thread, struct _PyInterpreterFrame *frame, int thrown);

static void remove_hook(void) {
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    if (_PyInterpreterState_GetEvalFrameFunc(interpreter) == evaluate) {
        _PyInterpreterState_SetEvalFrameFunc(interpreter, _PyEval_EvalFrameDefault);
    }
}

/* Too deep for the hook: all who use it go on without. The frame that was about to
 * run is the first that the profile function tells of. */
static __attribute__((noinline)) PyObject *give_up(PyThreadState *thread,
                                                   struct _PyInterpreterFrame *frame, int thrown) {
    if (deep == 0) {
        deep = find_deep();
        if (here() >= deep) {
            return evaluate(thread, frame, thrown);
        }
    }
    remove_hook();
    PyThreadState *other = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (other != NULL) {
        hasten_mechanism_take_over(other);
        other = PyThreadState_Next(other);
    }
    return _PyEval_EvalFrameDefault(thread, frame, thrown);
}

static PyObject *evaluate(PyThreadState *thread, struct _PyInterpreterFrame *frame, int thrown) {
    struct hasten_profiler *profiler = own;
    if (__builtin_expect(here() < deep || deep == 0, 0)) {
        return give_up(thread, frame, thrown);
    }
    PyObject *code = code_of(frame);
    if (profiler == NULL || !uses_hook(thread, profiler) || thread->tracing != 0 ||
        makes_generator(frame, code) || thread->recursion_remaining <= 0) {
        return _PyEval_EvalFrameDefault(thread, frame, thrown);
    }
    int64_t now = hasten_ticks_counter();
    if (!hasten_events_enter(profiler, code, now) &&
        !hasten_events_enter_other(profiler, code, now)) {
        hasten_events_step(profiler, code, HASTEN_STEP_BEGIN, NULL);
    }
    PyObject *result = _PyEval_EvalFrameDefault(thread, frame, thrown);
    /* It may have been disabled meanwhile, or have gone over to the profile function,
     * which then has told of the end already. */
    if (own == profiler && uses_hook(thread, profiler) && thread->tracing == 0 &&
        !hasten_events_leave(profiler, code)) {
        hasten_events_step(profiler, code, HASTEN_STEP_END, NULL);
    }
    return result;
}

bool hasten_evaluation_start(struct hasten_profiler *profiler) {
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    _PyFrameEvalFunction current = _PyInterpreterState_GetEvalFrameFunc(interpreter);
    if (current != _PyEval_EvalFrameDefault && current != evaluate) {
        return false;
    }
    own = profiler;
    _PyInterpreterState_SetEvalFrameFunc(interpreter, evaluate);
    return true;
}

void hasten_evaluation_stop(struct hasten_profiler *profiler) {
    if (own == profiler) {
        own = NULL;
    }
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    bool needed = false;
    while (thread != NULL) {
        needed |= thread->c_profileobj != NULL && thread->c_profilefunc == NULL &&
                  thread->c_profileobj != (PyObject *)profiler;
        thread = PyThreadState_Next(thread);
    }
    if (!needed) {
        remove_hook();
    }
}
