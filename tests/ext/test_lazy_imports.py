# SPDX-License-Identifier: MIT
"""Imports that wait: which do, what the program gets, and that it never sees the difference."""

import textwrap

import pytest
from lazy_programs import EXPLICIT, NATIVE, runner


@pytest.fixture
def run(tmp_path):
    return runner(tmp_path)


@pytest.mark.parametrize(
    ("statement", "use"),
    [
        ("import noisy", "noisy.VALUE"),
        ("import noisy as n", "n.VALUE"),
        ("from noisy import Kind", "Kind(5).value"),
        ("from noisy import plus as add", "add(4)"),
        ("from noisy import Kind", "Kind.make().value - 2"),
    ],
)
@pytest.mark.parametrize("how", ["install", "with"])
def test_loaded_at_first_use(run, statement, use, how):
    body = f"""
        def use():
            return {use}
        print("before")
        print(use())
        print(use())
        """
    if how == "install":
        lines = run(statement + textwrap.dedent(body))
    else:
        lines = run(
            f"with lazy.imports():\n    {statement}\n" + textwrap.dedent(body), prefix=EXPLICIT
        )
    assert lines == ["before", "loading noisy", "5", "5"]


def test_the_module_is_the_one_that_everybody_has(run):
    lines = run("""
        import sys, types
        import noisy
        def use():
            first = noisy
            first.VALUE
            import noisy as again
            return first is again is sys.modules["noisy"], type(first) is types.ModuleType
        print("noisy" in sys.modules)
        print(use())
        """)
    assert lines == ["False", "loading noisy", "(True, True)"]


def test_an_eager_import_elsewhere_loads_the_same_module(run):
    lines = run("""
        import sys
        import noisy
        def load():
            import noisy as other
            return other
        module = load()
        print(module is noisy, module is sys.modules["noisy"], noisy.VALUE)
        noisy.VALUE = 6
        print(module.VALUE, type(noisy).__name__)
        """)
    assert lines == ["loading noisy", "True True 5", "6 module"]


def test_submodules(run):
    lines = run("""
        import pkg.sub.deep
        def use():
            return pkg.sub.deep.W
        print("before")
        print(use())
        import sys
        print(sys.modules["pkg"].sub is sys.modules["pkg.sub"])
        """)
    assert lines == [
        "before",
        "loading pkg",
        "loading pkg.sub",
        "loading pkg.sub.deep",
        "2",
        "True",
    ]


def test_submodules_under_another_name(run):
    lines = run("""
        import pkg.sub.deep as deep
        import pkg.late as late
        def use():
            return deep.W, late.V
        print("before")
        print(use())
        """)
    assert lines[0] == "before"
    assert lines[-1] == "(2, 1)"
    assert sorted(lines[1:-1]) == [
        "loading pkg",
        "loading pkg.late",
        "loading pkg.sub",
        "loading pkg.sub.deep",
    ]


def test_a_package_that_imports_from_its_modules(run):
    """Its names wait too: getting at one of them loads only where it comes from."""
    lines = run("""
        import pkg
        print("before")
        def late():
            return pkg.late.V
        print(late())
        print("and")
        print(pkg.thing(), pkg.Other.__name__)
        """)
    assert lines == [
        "before",
        "loading pkg",
        "loading pkg.late",
        "1",
        "and",
        "loading pkg.core",
        "thing Other",
    ]


def test_what_others_take_out_of_a_module_is_never_a_stand_in(run):
    lines = run("""
        import sys, types, pkg
        def look():
            import inspect, pickle
            from pkg import thing
            print(type(thing) is types.FunctionType)
            print(type(getattr(pkg, "Other")) is type)
            print(sorted(n for n, v in inspect.getmembers(pkg) if not n.startswith("_")))
            print(pickle.loads(pickle.dumps(pkg.Other)) is pkg.Other)
            names = {}
            exec("from pkg import *", names)
            print(type(names["thing"]) is types.FunctionType)
            print(type(pkg) is types.ModuleType)
        look()
        """)
    assert [line for line in lines if not line.startswith("loading")] == [
        "True",
        "True",
        "['Other', 'core', 'late', 'thing']",
        "True",
        "True",
        "True",
    ]


@pytest.mark.parametrize(
    ("body", "printed"),
    [
        ("def f(x):\n    return isinstance(x, Kind)\nprint('end')", "end"),
        ("def f():\n    try:\n        pass\n    except Oops:\n        pass\nprint('end')", "end"),
        ("class Mine(Kind):\n    pass\nprint(Mine.__mro__[1] is Kind)", "True"),
        ("def f(x: Kind):\n    pass\nprint(f.__annotations__['x'].__name__)", "Kind"),
        (
            "def f(x: 'Kind'):\n    pass\nimport typing\n"
            "print(typing.get_type_hints(f)['x'].__name__)",
            "Kind",
        ),
        ("print(type(Kind) is type)", "True"),
        ("def f():\n    return [Kind][0]\nprint(type(f()) is type)", "True"),
        (
            "def f():\n    match 5:\n        case Kind():\n            pass\nf()\nprint('end')",
            "end",
        ),
        ("Again = Kind\nprint(Again.__name__)", "Kind"),
    ],
)
def test_names_that_something_could_tell_from_their_value(run, body, printed):
    """Are loaded at once, or at the latest before anybody can tell."""
    future = "" if "typing" not in body else "from __future__ import annotations\n"
    lines = run(
        body,
        prefix=f"{future}from hasten import lazy\nlazy.install()\nfrom noisy import Kind, Oops\n",
    )
    assert lines[-1] == printed
    if not NATIVE:
        assert lines[0] == "loading noisy"


def test_where_an_exception_would_be_caught_imports_are_not_lazy(run):
    lines = run("""
        try:
            import noisy
        except ImportError:
            noisy = None
        print("after the first")
        try:
            import broken
        except ImportError as error:
            print(error.name)
        from contextlib import suppress
        if not hasattr(__builtins__, "__lazy_import__"):
            with suppress(ImportError):
                import broken
                print("not reached")
        """)
    assert lines == ["loading noisy", "after the first", "there_is_no_such_thing"]


def test_within_functions_and_classes_imports_are_not_lazy(run):
    lines = run("""
        def f():
            import noisy
        f()
        print("after f")
        class C:
            import pkg.late
        print("after C")
        """)
    assert lines[:2] == ["loading noisy", "after f"]
    assert lines[-1] == "after C"
    assert "loading pkg.late" in lines


def test_star_and_future(run):
    lines = run(
        """
        from noisy import *
        print("after", VALUE, plus(1))
        """,
        prefix="from __future__ import annotations\nfrom hasten import lazy\nlazy.install()\n",
    )
    assert lines == ["loading noisy", "after 5 2"]


@pytest.mark.skipif(NATIVE, reason="the language's own do not look for the module")
def test_a_module_that_is_not_there_fails_at_once(run):
    for statement in ("import nothing_here", "from nothing_here import x", "import nothing_here.x"):
        done = run(
            f"{statement}\nprint('not reached')\ndef f():\n    nothing_here.x(x())\n", expect=1
        )
        assert done.stdout == ""
        assert "No module named 'nothing_here'" in done.stderr
        assert f"    {statement}\n" in done.stderr


@pytest.mark.skipif(NATIVE, reason="the language's own chain the place otherwise")
def test_errors_at_first_use_name_the_import(run):
    lines = run("""
        import traceback
        import broken
        from half import leftover
        import half
        def use():
            broken.x
        def other():
            return leftover()
        for function in (use, use, other):
            try:
                function()
            except Exception as error:
                print(type(error).__name__, error.__notes__[0].replace(__file__, "APP"))
        print(half.leftover)
        """)
    assert lines == [
        "ModuleNotFoundError broken was imported lazily, by APP, line 5",
        "ModuleNotFoundError broken was imported lazily, by APP, line 5",
        "RuntimeError half was imported lazily, by APP, line 6",
        "2",
    ]


def test_a_name_that_the_module_has_not(run):
    lines = run("""
        from noisy import nothing
        def use():
            nothing()
        try:
            use()
        except ImportError as error:
            import traceback
            print("cannot import name 'nothing' from 'noisy'" in traceback.format_exc())
        """)
    assert lines == ["loading noisy", "True"]


def test_rings(run):
    assert run("""
        import ring_a
        def use():
            return ring_a.a()
        print(use())
        """) == ["abring_a"]


def test_reload_and_pkgutil(run):
    lines = run("""
        import importlib, pkgutil
        import noisy
        import pkg
        def again():
            before = noisy
            return importlib.reload(noisy) is before
        print(again())
        print(sorted(m.name for m in pkgutil.iter_modules(pkg.__path__)))
        print(pkgutil.resolve_name("pkg.core:thing")())
        """)
    assert [line for line in lines if not line.startswith("loading")] == [
        "True",
        "['core', 'late', 'own', 'sub']",
        "thing",
    ]
    assert lines.count("loading noisy") == 2


def test_relative_imports(run):
    lines = run("""
        import pkg.own
        def use():
            return pkg.own.of()
        print(use())
        """)
    assert lines[-1] == "thing"


def test_threads_that_race_for_the_first_use(run):
    lines = run("""
        import threading
        import slow
        from slow import VALUE
        results = []
        barrier = threading.Barrier(8)
        def use():
            barrier.wait()
            results.append(slow.VALUE)
        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(results, type(slow).__name__)
        """)
    assert lines == ["[3, 3, 3, 3, 3, 3, 3, 3] module"]


def test_an_extension_module_and_one_that_makes_its_own(run):
    lines = run("""
        import sys, types
        class Loader:
            def create_module(self, spec):
                self.made = types.ModuleType(spec.name)
                return self.made
            def exec_module(self, module):
                self.made.value = 9
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name in ("special", "pkg.special"):
                    from importlib.machinery import ModuleSpec
                    return ModuleSpec(name, Loader())
        sys.meta_path.insert(0, Finder())
        import special
        import pkg.special as inner
        import _decimal
        def use():
            _decimal.MAX_PREC
            return special.value, inner.value, inner is sys.modules["pkg.special"]
        print(use()[:2])
        print(use())
        """)
    assert lines[-2:] == ["(9, 9)", "(9, 9, True)"]


def test_a_module_that_replaces_itself(run, tmp_path):
    (tmp_path / "self_made.py").write_text(
        "import sys\nclass M:\n    value = 4\nsys.modules[__name__] = M()\n"
    )
    (tmp_path / "own_type.py").write_text(
        "import sys, types\nclass M(types.ModuleType):\n    @property\n    def value(self):\n"
        "        return 8\nsys.modules[__name__].__class__ = M\n"
    )
    lines = run("""
        import self_made, own_type
        def use():
            return self_made.value, own_type.value, type(own_type).__name__
        print(use())
        print(use())
        """)
    assert lines == ["(4, 8, 'M')", "(4, 8, 'M')"]
