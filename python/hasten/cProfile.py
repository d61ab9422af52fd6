# SPDX-License-Identifier: MIT
"""Deterministic profiling, as the standard module of that name, at less cost.

    from hasten import cProfile

    cProfile.run("main()")

or `python -m hasten.cProfile program.py`. `Profile` takes what the standard one takes.
"""

import importlib.machinery
import importlib.util
import io
import marshal
import os
import sys

from hasten._cprofile import Profiler, snapshot

__all__ = ["Profile", "run", "runctx"]


def _show(profile, filename, sort):
    if filename is not None:
        profile.dump_stats(filename)
    else:
        profile.print_stats(sort)


def run(statement, filename=None, sort=-1):
    """Execute statement in __main__ and print its profile, or write it to filename.

    sort is what pstats.Stats.sort_stats takes, one or a tuple of several.
    """
    profile = Profile()
    try:
        profile.run(statement)
    except SystemExit:
        pass
    finally:
        _show(profile, filename, sort)


def runctx(statement, globals, locals, filename=None, sort=-1):
    """Like run(), in the given globals and locals."""
    _runctx(Profile(), statement, globals, locals, filename, sort)


def _runctx(profile, statement, globals, locals, filename, sort):
    try:
        profile.runctx(statement, globals, locals)
    except SystemExit:
        pass
    finally:
        _show(profile, filename, sort)


class Profile(Profiler):
    """Profile(timer=None, timeunit=0.0, subcalls=True, builtins=True)

    Counts and times calls. timer is a function that answers seconds, or integers that
    timeunit says the length of in seconds; without it, a fast clock of real time is used.
    """

    def print_stats(self, sort=-1):
        # In this form the import calls no Python function, which a profile that is still
        # enabled would count.
        import hasten.pstats

        if not isinstance(sort, tuple):
            sort = (sort,)
        hasten.pstats.Stats(self).strip_dirs().sort_stats(*sort).print_stats()

    def dump_stats(self, file):
        with open(file, "wb") as f:
            self.create_stats()
            marshal.dump(self.stats, f)

    def create_stats(self):
        self.disable()
        self.snapshot_stats()

    def snapshot_stats(self):
        self.stats = snapshot(self.getstats())

    def run(self, cmd):
        import __main__

        dict = __main__.__dict__
        return self.runctx(cmd, dict, dict)

    def runctx(self, cmd, globals, locals):
        self.enable()
        try:
            exec(cmd, globals, locals)
        finally:
            self.disable()
        return self

    def runcall(self, func, /, *args, **kw):
        self.enable()
        try:
            return func(*args, **kw)
        finally:
            self.disable()

    def __enter__(self):
        self.enable()
        return self

    def __exit__(self, *exc_info):
        self.disable()


def label(code):
    if isinstance(code, str):
        return ("~", 0, code)
    return (code.co_filename, code.co_firstlineno, code.co_name)


def _parser():
    from optparse import OptionParser

    import hasten.pstats

    parser = OptionParser(
        usage="cProfile.py [-o output_file_path] [-s sort] [-m module | scriptfile] [arg] ..."
    )
    parser.allow_interspersed_args = False
    parser.add_option(
        "-o", "--outfile", dest="outfile", help="Save stats to <outfile>", default=None
    )
    parser.add_option(
        "-s",
        "--sort",
        dest="sort",
        help="Sort order when printing to stdout, based on pstats.Stats class",
        default=2,
        choices=sorted(hasten.pstats.Stats.sort_arg_dict_default),
    )
    parser.add_option(
        "-m", dest="module", action="store_true", help="Profile a library module", default=False
    )
    parser.add_option(
        "--threads", choices=["all"], help="'all': threads, each on a stack of its own"
    )
    parser.add_option(
        "--tasks", action="store_true", help="Calls of coroutines last while they wait"
    )
    parser.add_option("--clock", choices=["wall", "cpu"], default="wall", help="What times are of")
    parser.add_option(
        "--subtract-overhead",
        dest="subtract_overhead",
        action="store_true",
        help="Take off what measuring is estimated to cost",
    )
    return parser


def _profile(options):
    """A profile of more than what the standard module can do, where it was asked for."""
    wanted = {}
    if options.threads:
        wanted["threads"] = options.threads
    if options.tasks:
        wanted["tasks"] = True
    if options.clock != "wall":
        wanted["clock"] = options.clock
    if options.subtract_overhead:
        wanted["subtract_overhead"] = True
    return Profile(**wanted)


def _module_program(name):
    """What runs the module as a program, and the names for it."""
    import runpy

    names = {"run_module": runpy.run_module, "modname": name}
    return "run_module(modname, run_name='__main__')", names


def _script_program(path):
    """The code of the script, and the namespace of its own __main__ module."""
    sys.path.insert(0, os.path.dirname(path))
    module_name = {"module": "__main__"} if sys.version_info >= (3, 15) else {}
    with io.open_code(path) as file:
        code = compile(file.read(), path, "exec", **module_name)
    spec = importlib.machinery.ModuleSpec(name="__main__", loader=None, origin=path)
    module = importlib.util.module_from_spec(spec)
    # What imports __main__ gets the program, not this module.
    sys.modules["__main__"] = module
    names = module.__dict__
    names.update(
        __spec__=None, __file__=path, __name__="__main__", __package__=None, __cached__=None
    )
    if sys.version_info >= (3, 15):
        del names["__cached__"]
    return code, names


def main():
    """The command line: `python -m hasten.cProfile [-o FILE] [-s SORT] [-m MODULE | SCRIPT]`."""
    parser = _parser()
    if not sys.argv[1:]:
        parser.print_usage()
        sys.exit(2)
    options, args = parser.parse_args()
    sys.argv[:] = args
    # The program may change the directory.
    if options.outfile is not None:
        options.outfile = os.path.abspath(options.outfile)
    if not args:
        parser.print_usage()
        return parser
    code, names = _module_program(args[0]) if options.module else _script_program(args[0])
    try:
        _runctx(_profile(options), code, names, None, options.outfile, options.sort)
    except BrokenPipeError as error:
        # Nothing is left to be written to it when the interpreter ends.
        sys.stdout = None
        sys.exit(error.errno)
    return parser


if __name__ == "__main__":
    main()
