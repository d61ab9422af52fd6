/* SPDX-License-Identifier: MIT
 *
 * Silencing places: see sites.h. What is known of a code object's places hangs on
 * its function; a profiler's book says which variables matter. */
#include "ext/cprofile/sites.h"

#include "core/base/map.h"
#include "ext/cprofile/bytecode.h"

/* Frames that were there before the profiler are looked through once. */
#define MOST_FRAMES 2000
/* Most places that are ever reached are reached soon. */
#define PATIENCE 1000

enum site_state { SITE_ARMED, SITE_SILENT, SITE_GIVEN_UP };

struct site {
    int offset;     /* of the CALL, in bytes */
    PyObject *name; /* of the variable; the code object has it */
    enum site_state state;
};

/* A function's places. */
struct hasten_sites {
    struct hasten_sites *next; /* in the book */
    struct hasten_call_function *function;
    PyObject *globals; /* a reference; NULL: none is silent yet */
    uint32_t count;
    uint32_t armed;
    uint32_t patience; /* events of other places until these are given up */
    struct site sites[];
};

struct hasten_site_book {
    struct hasten_sites *first;
    struct hasten_map variables; /* (dictionary, name) of silent places */
    struct hasten_map strangers; /* code that ran before the profiler was started */
    PyObject *watched;           /* list of dictionaries */
    bool used;                   /* a place was silenced */
};

/* The watchers of dictionaries have no argument to find the profiler by. One for
 * each interpreter, never freed: a late event must find it. */
struct watch {
    struct watch *next;
    int64_t interpreter; /* its number, which is never used again */
    int id;              /* of the watcher; -1: none */
    struct hasten_profiler *profiler;
};

static _Atomic(struct watch *) watches;

static struct watch *find_watch(void) {
    int64_t interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
    struct watch *watch = watches;
    while (watch != NULL && watch->interpreter != interpreter) {
        watch = watch->next;
    }
    return watch;
}

static struct hasten_map_key variable_key(const PyObject *globals, const PyObject *name) {
    return (struct hasten_map_key){.low = (uint64_t)(uintptr_t)name,
                                   .high = (uint64_t)(uintptr_t)globals};
}

/* Of calls of these nothing is counted but the callee's own events. */
static bool is_quiet(PyObject *callee) {
    return callee != NULL && (Py_IS_TYPE(callee, &PyFunction_Type) || PyType_Check(callee));
}

static struct hasten_callable *callable_of(const struct hasten_sites *sites) {
    return sites->function->object;
}

/* Arms every place that is silent; they may be silenced again. */
static void restart(struct hasten_site_book *book) {
    for (struct hasten_sites *sites = book->first; sites != NULL; sites = sites->next) {
        sites->armed = 0;
        for (uint32_t i = 0; i < sites->count; i++) {
            if (sites->sites[i].state == SITE_SILENT) {
                sites->sites[i].state = SITE_ARMED;
            }
            sites->armed += sites->sites[i].state == SITE_ARMED;
        }
        sites->function->settled = sites->armed == 0;
    }
    struct hasten_py_exception exception = hasten_py_exception_take();
    PyObject *monitoring = PySys_GetObject("monitoring");
    PyObject *answer =
        monitoring == NULL ? NULL : PyObject_CallMethod(monitoring, "restart_events", NULL);
    Py_XDECREF(answer);
    PyErr_Clear();
    hasten_py_exception_put(exception);
}

/* Gives up the places of these that depend on the variable; NULL: on any. Answers
 * whether one was silent. */
static bool give_up(struct hasten_sites *sites, PyObject *name) {
    bool was_silent = false;
    for (uint32_t i = 0; i < sites->count; i++) {
        struct site *site = &sites->sites[i];
        if (name == NULL || site->name == name || PyUnicode_Compare(site->name, name) == 0) {
            was_silent |= site->state == SITE_SILENT;
            sites->armed -= site->state == SITE_ARMED;
            site->state = SITE_GIVEN_UP;
        }
    }
    sites->function->settled |= sites->armed == 0;
    return was_silent;
}

/* Called before a watched dictionary changes. */
static int on_change(PyDict_WatchEvent Py_UNUSED(event), PyObject *globals, PyObject *name,
                     PyObject *value) {
    const struct watch *watch = find_watch();
    struct hasten_profiler *profiler = watch == NULL ? NULL : watch->profiler;
    if (profiler == NULL || profiler->book == NULL || is_quiet(value)) {
        return 0;
    }
    struct hasten_site_book *book = profiler->book;
    bool is_plain_name = name != NULL && PyUnicode_CheckExact(name);
    if (is_plain_name && PyUnicode_CHECK_INTERNED(name) &&
        hasten_map_find(&book->variables, variable_key(globals, name)) == NULL) {
        return 0;
    }
    bool was_silent = false;
    for (struct hasten_sites *sites = book->first; sites != NULL; sites = sites->next) {
        if (sites->globals == globals) {
            was_silent |= give_up(sites, is_plain_name ? name : NULL);
        }
    }
    if (was_silent) {
        restart(book);
    }
    return 0;
}

static struct watch *make_watch(void) {
    struct watch *watch = find_watch();
    if (watch == NULL) {
        watch = PyMem_RawCalloc(1, sizeof *watch);
        if (watch == NULL) {
            return NULL;
        }
        watch->interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
        watch->id = -1;
        watch->next = watches;
        while (!__atomic_compare_exchange_n((struct watch **)&watches, &watch->next, watch, false,
                                            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        }
    }
    if (watch->id < 0) {
        watch->id = PyDict_AddWatcher(on_change);
    }
    return watch->id < 0 ? NULL : watch;
}

/* Code that runs already may run with any globals: it is left alone. */
static bool find_strangers(struct hasten_site_book *book) {
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    int left = MOST_FRAMES;
    while (thread != NULL && left > 0) {
        PyFrameObject *frame = PyThreadState_GetFrame(thread);
        while (frame != NULL && left-- > 0) {
            PyCodeObject *code = PyFrame_GetCode(frame);
            struct hasten_map_key key = {.low = (uint64_t)(uintptr_t)code};
            Py_DECREF(code);
            if (hasten_map_insert(&book->strangers, key, 1, NULL) == NULL) {
                left = 0;
            }
            PyFrameObject *back = PyFrame_GetBack(frame);
            Py_DECREF(frame);
            frame = back;
        }
        Py_XDECREF(frame);
        thread = PyThreadState_Next(thread);
    }
    return left > 0;
}

void hasten_sites_start(struct hasten_profiler *profiler) {
    struct hasten_cprofile_state *state = hasten_cprofile_state_of(Py_TYPE(profiler));
    struct watch *watch = NULL;
    if (state != NULL && hasten_bytecode_prepare(&state->bytecode)) {
        watch = make_watch();
    }
    struct hasten_site_book *book = watch == NULL ? NULL : PyMem_Calloc(1, sizeof *book);
    PyErr_Clear();
    if (book == NULL) {
        return;
    }
    hasten_map_init(&book->variables, NULL);
    hasten_map_init(&book->strangers, NULL);
    book->watched = PyList_New(0);
    profiler->book = book;
    if (book->watched == NULL || !find_strangers(book)) {
        PyErr_Clear();
        hasten_sites_stop(profiler);
        return;
    }
    watch->profiler = profiler;
}

void hasten_sites_free(struct hasten_sites *sites) {
    if (sites != NULL) {
        Py_XDECREF(sites->globals);
        PyMem_Free(sites);
    }
}

void hasten_sites_stop(struct hasten_profiler *profiler) {
    struct hasten_site_book *book = profiler->book;
    struct watch *watch = find_watch();
    if (book == NULL) {
        return;
    }
    profiler->book = NULL;
    if (watch != NULL && watch->profiler == profiler) {
        watch->profiler = NULL;
    }
    if (book->used) {
        restart(book);
    }
    struct hasten_py_exception exception = hasten_py_exception_take();
    for (Py_ssize_t i = 0;
         watch != NULL && book->watched != NULL && i < PyList_GET_SIZE(book->watched); i++) {
        if (PyDict_Unwatch(watch->id, PyList_GET_ITEM(book->watched, i)) < 0) {
            PyErr_Clear();
        }
    }
    while (book->first != NULL) {
        struct hasten_sites *sites = book->first;
        book->first = sites->next;
        sites->function->marked = 0;
        callable_of(sites)->sites = NULL;
        sites->function->settled = 0;
        hasten_sites_free(sites);
    }
    hasten_map_done(&book->variables);
    hasten_map_done(&book->strangers);
    Py_XDECREF(book->watched);
    PyMem_Free(book);
    hasten_py_exception_put(exception);
}

/* What a function's code object calls by global variables. */
static struct hasten_sites *survey(struct hasten_profiler *profiler,
                                   struct hasten_call_function *function) {
    struct hasten_cprofile_state *state = hasten_cprofile_state_of(Py_TYPE(profiler));
    struct hasten_callable *callable = function->object;
    PyCodeObject *code = (PyCodeObject *)callable->name;
    struct hasten_map_key key = {.low = (uint64_t)(uintptr_t)code};
    struct hasten_global_call calls[HASTEN_MOST_GLOBAL_CALLS];
    uint32_t count = 0;
    if (state != NULL && hasten_map_find(&profiler->book->strangers, key) == NULL) {
        count = hasten_bytecode_global_calls(&state->bytecode, code, calls);
    }
    struct hasten_sites *sites =
        count == 0 ? NULL : PyMem_Calloc(1, sizeof *sites + count * sizeof sites->sites[0]);
    PyErr_Clear();
    if (sites == NULL) {
        return NULL;
    }
    sites->function = function;
    sites->count = count;
    sites->armed = count;
    sites->patience = PATIENCE;
    for (uint32_t i = 0; i < count; i++) {
        sites->sites[i] = (struct site){.offset = calls[i].offset, .name = calls[i].name};
    }
    sites->next = profiler->book->first;
    profiler->book->first = sites;
    callable->sites = sites;
    return sites;
}

/* Notes which dictionary the places depend on, and has it watched. */
static bool watch_globals(struct hasten_site_book *book, struct hasten_sites *sites,
                          PyObject *globals) {
    const struct watch *watch = find_watch();
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(book->watched); i++) {
        if (PyList_GET_ITEM(book->watched, i) == globals) {
            sites->globals = Py_NewRef(globals);
            return true;
        }
    }
    if (watch == NULL || PyList_Append(book->watched, globals) < 0 ||
        PyDict_Watch(watch->id, globals) < 0) {
        PyErr_Clear();
        return false;
    }
    sites->globals = Py_NewRef(globals);
    return true;
}

static struct site *armed_at(struct hasten_sites *sites, long offset) {
    for (uint32_t i = 0; i < sites->count; i++) {
        if (sites->sites[i].offset == offset) {
            return sites->sites[i].state == SITE_ARMED ? &sites->sites[i] : NULL;
        }
    }
    return NULL;
}

static bool silence(struct hasten_profiler *profiler, struct hasten_sites *sites, struct site *site,
                    PyObject *callee) {
    struct hasten_site_book *book = profiler->book;
    PyObject *globals = PyEval_GetGlobals();
    if (globals == NULL || !PyDict_CheckExact(globals) ||
        (sites->globals != NULL && sites->globals != globals) ||
        PyDict_GetItemWithError(globals, site->name) != callee) {
        return false;
    }
    if ((sites->globals == NULL && !watch_globals(book, sites, globals)) ||
        hasten_map_insert(&book->variables, variable_key(globals, site->name), 1, NULL) == NULL) {
        return false;
    }
    site->state = SITE_SILENT;
    sites->function->settled = --sites->armed == 0;
    sites->function->marked = 1;
    book->used = true;
    return true;
}

bool hasten_sites_silence(struct hasten_profiler *profiler, struct hasten_call_function *function,
                          PyObject *offset, PyObject *callee) {
    struct hasten_callable *callable = function->object;
    /* Another active call might have read the variable before it was what it is. */
    if (profiler->book == NULL) {
        function->settled = 1;
        return false;
    }
    if (function->level != 1 || profiler->calls.strict || !is_quiet(callee)) {
        return false;
    }
    struct hasten_sites *sites = callable->sites;
    if (sites == NULL) {
        sites = survey(profiler, function);
        function->settled = sites == NULL;
    }
    struct site *site = sites == NULL ? NULL : armed_at(sites, PyLong_AsLong(offset));
    bool silenced = site != NULL && silence(profiler, sites, site, callee);
    if (site == NULL && sites != NULL && --sites->patience == 0) {
        sites->patience = PATIENCE;
        function->settled = 1;
    }
    PyErr_Clear();
    return silenced;
}

void hasten_sites_check(struct hasten_profiler *profiler, struct hasten_call_function *function) {
    struct hasten_sites *sites = ((struct hasten_callable *)function->object)->sites;
    if (profiler->book == NULL || PyEval_GetGlobals() == sites->globals) {
        return;
    }
    function->marked = 0;
    if (give_up(sites, NULL)) {
        restart(profiler->book);
    }
}
