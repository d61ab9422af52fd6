/* SPDX-License-Identifier: MIT
 *
 * What bytecode tells of a module: which names an import statement stores, whether an exception
 * of it would be caught, and how the module's code uses names. */
#ifndef HASTEN_EXT_IMPORTS_CODE_H
#define HASTEN_EXT_IMPORTS_CODE_H

#include "ext/imports/imports.h"

/* How a name is used anywhere in a module's code. */
enum name_use {
    USE_NAMED = 1, /* it is mentioned */
    USE_NOW = 2,   /* by code that runs while the module is loaded */
    USE_BARE = 4,  /* otherwise than called or asked for an attribute, or in an annotation */
    USE_LISTED = 8 /* in __all__ */
};

struct code_info {
    PyObject *code;  /* a reference */
    PyObject *bytes; /* its instructions, unspecialised */
    PyObject *uses;  /* name -> enum name_use; NULL until asked for */
    int holders;     /* who remembers it, and statements that are being looked at */
};

enum statement_form {
    FORM_PLAIN, /* import a.b: stores a */
    FORM_AS,    /* import a.b as c */
    FORM_FROM,  /* from a import b, c as d */
};

/* More names than a statement has. */
#define MOST_NAMES 64

struct statement {
    struct code_info *info; /* held, until code_release() */
    enum statement_form form;
    Py_ssize_t count;
    PyObject *attributes[MOST_NAMES]; /* borrowed of the code: what is taken; FORM_FROM alone */
    PyObject *names[MOST_NAMES];      /* as what it is stored */
    int handler;                      /* where its exceptions go; -1: nowhere */
    int line;
    PyObject *file; /* borrowed of the code */
};

/* Reads the import statement that the current frame is executing, `is_from` as its list of names
 * says. False where it is not one
 * that stands by itself at the top of a module (no exception), or with an exception. */
bool code_statement(struct imports *imports, PyObject *globals, bool is_from,
                    struct statement *ret_statement);
/* To be called once for each statement that was read: what is done with it meanwhile may run
 * code of the program, which imports, so that others are remembered in its module's place. */
void code_release(struct code_info *info);
/* What the frame's code object says of a name; -1 with an exception. */
int code_uses(struct code_info *info, PyObject *name);
/* Where exceptions at `offset` go; -1: nowhere. */
int code_handler(PyCodeObject *code, int offset);
/* The same for what follows the instruction that the frame executes: the body of a `with`. */
int code_handler_after(struct imports *imports, PyFrameObject *frame);
void code_forget(struct imports *imports);

#endif
