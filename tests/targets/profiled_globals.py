"""Programs that call what global variables hold, which changes: for profilers to be compared on."""

import contextlib
import threading

from profiled_programs import PROGRAMS, Words, identity, nothing, program

__all__ = ["PROGRAMS"]


def same_code(globals_of_it):
    """A function whose code object other functions share, with other globals."""
    template = compile("def template(v):\n    return target(v)", "<template>", "exec")
    exec(template, globals_of_it)
    return globals_of_it["template"]


@program
def shared_code(_):
    code = same_code({"target": identity}).__code__
    python = type(nothing)(code, {"target": identity})
    builtin = type(nothing)(code, {"target": len, "__builtins__": {}})
    for _ in range(3):
        python("ab")
        builtin("ab")


changing = identity


def call_changing(value):
    return changing(value)


@program
def rebound_globals(_):
    global changing
    for function in (identity, len, identity, str.upper, abs, nothing.__class__, identity, len):
        changing = function
        for _ in range(3):
            with contextlib.suppress(TypeError):
                call_changing("ab")
    for function in (identity, len, identity, len):
        changing = function
        changing("a")
        globals()["changing"] = len
        changing("a")
    del changing
    with contextlib.suppress(NameError):
        call_changing("ab")
    changing = identity
    call_changing("ab")


def call_changing_later():
    changing((yield))


def call_changing_in_argument(values):
    """The callee is looked up before its argument rebinds it."""
    return changing(rebind(values))


def rebind(values):
    global changing
    if values:
        changing = values.pop()
    return "ab"


def call_changing_nested(values):
    return changing(rebind_and_nest(values))


def rebind_and_nest(values):
    """The inner call sees another callee at the place where the outer one waits."""
    if values:
        rebind([values.pop()])
        call_changing_nested(values)
    return "ab"


class Changing:
    def __init__(self, value):
        self.value = value


@program
def globals_rebound_in_between(_):
    global changing
    changing = identity
    waiting = []
    for function in (identity, len, identity, len, Changing, identity):
        changing = function
        generator = call_changing_later()
        next(generator)
        waiting.append(generator)
    for generator in waiting:
        with contextlib.suppress(StopIteration):
            generator.send("ab")
    changing = identity
    for values in ([], [len], [identity], [], [Changing, len], [], [identity, len]):
        call_changing_in_argument(values)
        call_changing_in_argument([])
    changing = identity

    for values in ([identity], [identity, len], [len, identity]):
        changing = len
        call_changing_nested(values)

    def rebinds_in_the_same_frame():
        global changing
        for function in (identity, identity, len, len, Changing, abs, identity, len):
            changing = function
            with contextlib.suppress(TypeError):
                changing("ab")

    rebinds_in_the_same_frame()
    names = globals()
    for function in (identity, len):
        names.update(changing=function)
        call_changing("a")
        del names["changing"]
        names["chang" + "ing"] = function
        call_changing("a")
    changing = identity


@program
def globals_of_another_thread(_):
    """One thread calls, the other rebinds, in turns."""
    global changing
    changing = identity
    turn, back = threading.Lock(), threading.Lock()
    turn.acquire()
    back.acquire()

    def caller():
        for _ in range(6):
            call_changing("ab")
            back.release()
            turn.acquire()

    thread = threading.Thread(target=caller)
    thread.start()
    for function in (identity, len, len, identity, len, identity):
        back.acquire()
        changing = function
        turn.release()
    thread.join()
    changing = identity


@program
def polymorphic_sites(_):
    def call(function, value):
        return function(value)

    for function in (identity, len, identity, str.upper, "x".join, Words, len):
        call(function, "ab")

    class Duck:
        def upper(self):
            return identity(self)

    for thing in ("a", Duck(), "b", Duck()):
        thing.upper()
