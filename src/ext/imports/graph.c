/* SPDX-License-Identifier: MIT
 *
 * Works out who uses what, from the bytecode of what ran. */
#include "ext/imports/graph.h"

#include "ext/imports/instructions.h"
#include "ext/imports/uses.h"

/* Functions in functions in functions ... */
#define MOST_DEPTH 64

struct graph {
    struct timing *timing;
    PyObject *loaded; /* name -> number of its load */
    PyObject *names;  /* module -> set of the variables that its code loads */
    PyObject *asked;  /* attributes that any code asks for */
    PyObject *taken;  /* module -> set of what others import from it */
    PyObject *edges;  /* module -> set of those that it uses */
    PyObject *needed;
    PyObject *queue; /* of `needed`, those not followed yet */
};

/* Which code object: the same for as long as it lives. */
static PyObject *key_of(PyObject *code) {
    return PyLong_FromVoidPtr(code);
}

static bool has_run(const struct timing *timing, PyObject *code) {
    const int runs = hasten_py_code_runs((PyCodeObject *)code);
    if (runs >= 0) {
        return runs > 0;
    }
    PyObject *key = key_of(code);
    const bool has = key != NULL && PyDict_Contains(timing->ran, key) == 1;
    Py_XDECREF(key);
    return has;
}

/* For each code object within `code`, itself included. */
static bool walk(PyObject *code, int depth, bool (*visit)(PyObject *code, void *context),
                 void *context) {
    if (!visit(code, context)) {
        return false;
    }
    PyObject *constants = ((PyCodeObject *)code)->co_consts;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(constants); i++) {
        PyObject *constant = PyTuple_GET_ITEM(constants, i);
        if (PyCode_Check(constant) && depth < MOST_DEPTH &&
            !walk(constant, depth + 1, visit, context)) {
            return false;
        }
    }
    return true;
}

static bool is_function(PyObject *code) {
    return (((PyCodeObject *)code)->co_flags & CO_OPTIMIZED) != 0;
}

static bool remember_runs(PyObject *code, void *context) {
    PyObject *key = key_of(code);
    PyObject *runs = PyLong_FromLong(hasten_py_code_runs((PyCodeObject *)code));
    const bool is_set =
        key != NULL && runs != NULL && PyDict_SetItem((PyObject *)context, key, runs) == 0;
    Py_XDECREF(key);
    Py_XDECREF(runs);
    return is_set;
}

void graph_loaded(struct timing *timing, PyObject *name) {
    PyObject *code = PyDict_GetItemWithError(timing->codes, name);
    if (HASTEN_PY_CODE_TELLS_RUNS && code != NULL) {
        (void)walk(code, 0, remember_runs, timing->runs);
    }
    PyErr_Clear();
}

static bool need(struct graph *graph, PyObject *name) {
    const int is_known = PySet_Contains(graph->needed, name);
    if (is_known != 0) {
        return is_known == 1;
    }
    if (PySet_Add(graph->needed, name) < 0 || PyList_Append(graph->queue, name) < 0) {
        return false;
    }
    const Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GetLength(name), -1);
    if (dot < 0) {
        return true;
    }
    PyObject *parent = PyUnicode_Substring(name, 0, dot);
    const bool is_needed = parent != NULL && need(graph, parent);
    Py_XDECREF(parent);
    return is_needed;
}

/* Into the set of that name. */
static bool add_to(PyObject *sets, PyObject *name, PyObject *member) {
    PyObject *set = PyDict_GetItemWithError(sets, name);
    if (set != NULL) {
        return PySet_Add(set, member) == 0;
    }
    set = PyErr_Occurred() ? NULL : PySet_New(NULL);
    const bool is_added =
        set != NULL && PySet_Add(set, member) == 0 && PyDict_SetItem(sets, name, set) == 0;
    Py_XDECREF(set);
    return is_added;
}

static bool add_edge(struct graph *graph, PyObject *from, PyObject *to) {
    return add_to(graph->edges, from, to);
}

/* A walk over the code of one module. */
struct module_walk {
    struct graph *graph;
    PyObject *module; /* its name */
    PyObject *names;
    PyObject *package;
    Py_ssize_t load; /* its load; -1: not recorded */
};

static bool collect_names(PyObject *code, void *context) {
    const struct module_walk *walk = context;
    return !has_run(walk->graph->timing, code) ||
           uses_collect(code, walk->names, walk->graph->asked);
}

/* Whether the load `inner` is `outer` or part of it. */
static bool is_within(const struct timing *timing, Py_ssize_t inner, Py_ssize_t outer) {
    while (inner >= 0 && inner != outer) {
        inner = timing->loads[inner].parent;
    }
    return inner >= 0;
}

/* A function that ran when its module was loaded already. */
static bool find_late_run(PyObject *code, void *context) {
    const struct module_walk *walk = context;
    const struct timing *timing = walk->graph->timing;
    if (!is_function(code) || walk->load < 0) {
        return true;
    }
    PyObject *key = key_of(code);
    if (key == NULL) {
        return false;
    }
    const int runs = hasten_py_code_runs((PyCodeObject *)code);
    PyObject *before = PyDict_GetItemWithError(runs >= 0 ? timing->runs : timing->ran, key);
    Py_DECREF(key);
    bool is_late = false;
    if (before != NULL) {
        const Py_ssize_t number = PyLong_AsSsize_t(before);
        is_late = runs >= 0 ? runs > number : !is_within(timing, number, walk->load);
    }
    return !PyErr_Occurred() && (!is_late || need(walk->graph, walk->module));
}

/* What an import statement in bytecode says. */
struct found_import {
    PyObject *target; /* absolute name, a reference */
    PyObject *list;   /* borrowed; NULL: no `from` */
};

static PyObject *absolute(PyObject *package, PyObject *name, long level) {
    if (level == 0) {
        return Py_NewRef(name);
    }
    Py_ssize_t end = PyUnicode_GetLength(package);
    for (; level > 1 && end > 0; level--) {
        end = PyUnicode_FindChar(package, '.', 0, end, -1);
    }
    PyObject *base = PyUnicode_Substring(package, 0, end < 0 ? 0 : end);
    if (base != NULL && PyUnicode_GetLength(name) > 0) {
        PyObject *full = PyUnicode_FromFormat("%U.%U", base, name);
        Py_SETREF(base, full);
    }
    return base;
}

static PyObject *constant_of(PyCodeObject *code, const struct instruction *instruction) {
    return instruction->opcode == LOAD_CONST &&
                   instruction->argument < (size_t)PyTuple_GET_SIZE(code->co_consts)
               ? PyTuple_GET_ITEM(code->co_consts, instruction->argument)
               : NULL;
}

/* The two instructions before IMPORT_NAME load the level and the list of names. */
static bool read_import(PyCodeObject *code, const struct module_walk *walk,
                        const struct instruction *level, const struct instruction *list,
                        const struct instruction *import, struct found_import *ret_found) {
    const uint32_t number = import->argument >> HASTEN_PY_IMPORT_NAME_SHIFT;
    PyObject *constant = constant_of(code, level);
    long depth = level->opcode == LOAD_SMALL_INT ? (long)level->argument : 0;
    if (constant != NULL && PyLong_Check(constant)) {
        depth = PyLong_AsLong(constant);
    }
    if (number >= (size_t)PyTuple_GET_SIZE(code->co_names)) {
        return false;
    }
    PyObject *names = constant_of(code, list);
    ret_found->list = names != NULL && PyTuple_Check(names) ? names : NULL;
    ret_found->target = absolute(walk->package, PyTuple_GET_ITEM(code->co_names, number), depth);
    return ret_found->target != NULL;
}

static bool is_used(const struct module_walk *walk, PyObject *code, PyObject *name) {
    if (is_function(code) || name == NULL || PySet_Contains(walk->names, name) == 1 ||
        PySet_Contains(walk->graph->asked, name) == 1) {
        return true;
    }
    PyObject *taken = PyDict_GetItemWithError(walk->graph->taken, walk->module);
    return taken != NULL && PySet_Contains(taken, name) == 1;
}

/* The name that the instruction stores, NULL where it is not of the module. */
static PyObject *stored(PyCodeObject *code, const struct instruction *instruction) {
    return (instruction->opcode == STORE_NAME || instruction->opcode == STORE_GLOBAL) &&
                   instruction->argument < (size_t)PyTuple_GET_SIZE(code->co_names)
               ? PyTuple_GET_ITEM(code->co_names, instruction->argument)
               : NULL;
}

/* `from target import list`: the stores follow, each after its IMPORT_FROM. */
static bool follow_from(const struct module_walk *walk, PyObject *code,
                        const struct found_import *import, struct instructions reader) {
    struct instruction next;
    Py_ssize_t count = 0;
    bool is_followed = true;
    while (is_followed && instructions_next(&reader, &next) && next.opcode == IMPORT_FROM) {
        const uint32_t number = next.argument;
        if (!instructions_next(&reader, &next)) {
            break;
        }
        count++;
        if (!is_used(walk, code, stored((PyCodeObject *)code, &next)) ||
            number >= (size_t)PyTuple_GET_SIZE(((PyCodeObject *)code)->co_names)) {
            continue;
        }
        PyObject *full = PyUnicode_FromFormat(
            "%U.%U", import->target, PyTuple_GET_ITEM(((PyCodeObject *)code)->co_names, number));
        is_followed = full != NULL && add_edge(walk->graph, walk->module, import->target) &&
                      add_edge(walk->graph, walk->module, full);
        Py_XDECREF(full);
    }
    /* `import *`, or what no compiler writes: as if used. */
    return is_followed && (count > 0 || add_edge(walk->graph, walk->module, import->target));
}

static bool follow_plain(const struct module_walk *walk, PyObject *code,
                         const struct found_import *import, struct instructions reader) {
    struct instruction next;
    PyObject *name = NULL;
    while (name == NULL && instructions_next(&reader, &next) &&
           (next.opcode == IMPORT_FROM || next.opcode == SWAP || next.opcode == POP_TOP ||
            stored((PyCodeObject *)code, &next) != NULL)) {
        name = stored((PyCodeObject *)code, &next);
    }
    return !is_used(walk, code, name) || add_edge(walk->graph, walk->module, import->target);
}

/* What the statement takes out of another module, used or not. */
static bool take_from(const struct module_walk *walk, PyObject *code,
                      const struct found_import *import, struct instructions reader) {
    (void)code;
    (void)reader;
    for (Py_ssize_t i = 0; import->list != NULL && i < PyTuple_GET_SIZE(import->list); i++) {
        if (!add_to(walk->graph->taken, import->target, PyTuple_GET_ITEM(import->list, i))) {
            return false;
        }
    }
    return true;
}

static bool follow(const struct module_walk *walk, PyObject *code,
                   const struct found_import *import, struct instructions reader) {
    return import->list == NULL ? follow_plain(walk, code, import, reader)
                                : follow_from(walk, code, import, reader);
}

typedef bool each_import(const struct module_walk *walk, PyObject *code,
                         const struct found_import *import, struct instructions reader);

static bool for_each_import(PyObject *object, const struct module_walk *walk, each_import *each) {
    PyCodeObject *code = (PyCodeObject *)object;
    if (!has_run(walk->graph->timing, object)) {
        return true;
    }
    PyObject *bytes = PyCode_GetCode(code);
    struct instruction before[2] = {{0}};
    struct instructions reader;
    struct instruction next;
    bool is_followed = bytes != NULL;
    if (is_followed) {
        instructions_at(&reader, bytes, 0);
    }
    while (is_followed && instructions_next(&reader, &next)) {
        struct found_import import = {0};
        if (next.opcode == IMPORT_NAME) {
            is_followed = read_import(code, walk, &before[0], &before[1], &next, &import) &&
                          each(walk, object, &import, reader);
            Py_XDECREF(import.target);
        }
        before[0] = before[1];
        before[1] = next;
    }
    Py_XDECREF(bytes);
    return is_followed;
}

static bool collect_taken(PyObject *code, void *context) {
    return for_each_import(code, context, take_from);
}

static bool follow_imports(PyObject *code, void *context) {
    return for_each_import(code, context, follow);
}

/* __package__, or what it would be: a new reference. */
static PyObject *package_of(PyObject *name) {
    PyObject *module = PyDict_GetItemWithError(PyImport_GetModuleDict(), name);
    PyObject *package = module == NULL ? NULL : PyObject_GetAttrString(module, "__package__");
    PyErr_Clear();
    if (package != NULL && PyUnicode_Check(package)) {
        return package;
    }
    Py_XDECREF(package);
    const Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GetLength(name), -1);
    return PyUnicode_Substring(name, 0, dot < 0 ? 0 : dot);
}

static bool for_each_module(struct graph *graph, bool (*visit)(PyObject *code, void *context)) {
    PyObject *name = NULL;
    PyObject *code = NULL;
    Py_ssize_t at = 0;
    bool is_visited = true;
    while (is_visited && PyDict_Next(graph->timing->codes, &at, &name, &code)) {
        PyObject *number = PyDict_GetItemWithError(graph->loaded, name);
        PyObject *names = PyDict_GetItemWithError(graph->names, name);
        struct module_walk context = {
            .graph = graph, .module = name, .load = number == NULL ? -1 : PyLong_AsSsize_t(number)};
        context.names = names != NULL ? Py_NewRef(names) : PySet_New(NULL);
        context.package = package_of(name);
        is_visited = context.names != NULL && context.package != NULL &&
                     PyDict_SetItem(graph->names, name, context.names) == 0 &&
                     walk(code, 0, visit, &context);
        Py_XDECREF(context.names);
        Py_XDECREF(context.package);
    }
    return is_visited && !PyErr_Occurred();
}

/* Loads that no statement asked for, and who is needed because his own load was not recorded. */
static bool add_loads(struct graph *graph) {
    const struct timing *timing = graph->timing;
    for (Py_ssize_t i = 0; i < timing->count; i++) {
        const struct load *load = &timing->loads[i];
        if (load->importer == NULL) {
            if (!need(graph, load->name)) {
                return false;
            }
            continue;
        }
        const int is_recorded = PyDict_Contains(graph->loaded, load->importer);
        if (is_recorded < 0 || (is_recorded == 0 && !need(graph, load->importer)) ||
            (!load->is_statement && !add_edge(graph, load->importer, load->name))) {
            return false;
        }
    }
    return true;
}

static bool follow_needs(struct graph *graph) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(graph->queue); i++) {
        PyObject *set = PyDict_GetItemWithError(graph->edges, PyList_GET_ITEM(graph->queue, i));
        PyObject *targets = set == NULL ? NULL : PySequence_List(set);
        for (Py_ssize_t j = 0; targets != NULL && j < PyList_GET_SIZE(targets); j++) {
            if (!need(graph, PyList_GET_ITEM(targets, j))) {
                break;
            }
        }
        Py_XDECREF(targets);
        if (PyErr_Occurred()) {
            return false;
        }
    }
    return true;
}

static bool begin(struct graph *graph) {
    const struct timing *timing = graph->timing;
    bool is_begun = graph->loaded != NULL && graph->names != NULL && graph->asked != NULL &&
                    graph->taken != NULL && graph->edges != NULL && graph->needed != NULL &&
                    graph->queue != NULL;
    for (Py_ssize_t i = 0; is_begun && i < timing->count; i++) {
        PyObject *number = PyLong_FromSsize_t(i);
        is_begun =
            number != NULL && PyDict_SetItem(graph->loaded, timing->loads[i].name, number) == 0;
        Py_XDECREF(number);
    }
    return is_begun;
}

bool graph_judge(struct timing *timing) {
    struct graph graph = {.timing = timing,
                          .loaded = PyDict_New(),
                          .names = PyDict_New(),
                          .asked = PySet_New(NULL),
                          .taken = PyDict_New(),
                          .edges = PyDict_New(),
                          .needed = PySet_New(NULL),
                          .queue = PyList_New(0)};
    const bool is_judged =
        begin(&graph) && for_each_module(&graph, collect_names) &&
        for_each_module(&graph, collect_taken) && for_each_module(&graph, follow_imports) &&
        for_each_module(&graph, find_late_run) && add_loads(&graph) && follow_needs(&graph);
    for (Py_ssize_t i = 0; is_judged && i < timing->count; i++) {
        timing->loads[i].is_needed = PySet_Contains(graph.needed, timing->loads[i].name) == 1;
    }
    Py_XDECREF(graph.loaded);
    Py_XDECREF(graph.names);
    Py_XDECREF(graph.asked);
    Py_XDECREF(graph.taken);
    Py_XDECREF(graph.edges);
    Py_XDECREF(graph.needed);
    Py_XDECREF(graph.queue);
    return is_judged;
}
