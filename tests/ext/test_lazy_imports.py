# SPDX-License-Identifier: MIT
"""Imports that wait: which do, what the program gets, and that it never sees the difference.

Each program is a process of its own, and prints what was loaded when. From 3.15 on the
language's own lazy imports do the work of install(); where its rules are others, the test says
so."""

import os
import subprocess
import sys
import textwrap

import pytest

NATIVE = sys.version_info >= (3, 15)

MODULES = {
    "noisy.py": """
        print("loading noisy")
        VALUE = 5
        class Kind:
            def __init__(self, value=0):
                self.value = value
            @classmethod
            def make(cls):
                return cls(7)
        class Oops(Exception):
            pass
        def plus(number):
            return number + 1
        """,
    "broken.py": "import there_is_no_such_thing\n",
    "half.py": """
        import sys
        attempts = sys.__dict__.setdefault("attempts", [])
        attempts.append(1)
        leftover = len(attempts)
        if len(attempts) == 1:
            raise RuntimeError("not yet")
        """,
    "pkg/__init__.py": """
        print("loading pkg")
        from .core import thing, Other
        from . import late
        __all__ = ["thing"]
        """,
    "pkg/core.py": """
        print("loading pkg.core")
        def thing():
            return "thing"
        class Other:
            pass
        """,
    "pkg/late.py": "print('loading pkg.late')\nV = 1\n",
    "pkg/sub/__init__.py": "print('loading pkg.sub')\n",
    "pkg/sub/deep.py": "print('loading pkg.sub.deep')\nW = 2\n",
    "pkg/own.py": "print('loading pkg.own')\nfrom . import core\ndef of():\n    return core.thing()\n",
    "ring_a.py": "import ring_b\ndef a():\n    return 'a' + ring_b.b()\n",
    "ring_b.py": "import ring_a\ndef b():\n    return 'b' + ring_a.__name__\n",
    "slow.py": "import time\ntime.sleep(0.2)\nVALUE = 3\n",
}


@pytest.fixture
def run(tmp_path):
    for name, text in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def start(text, *options, prefix="from hasten import lazy\nlazy.install()\n", expect=0):
        (tmp_path / "app.py").write_text(prefix + textwrap.dedent(text))
        done = subprocess.run(
            [sys.executable, *options, tmp_path / "app.py"],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout.splitlines() if expect == 0 else done

    return start


EXPLICIT = "from hasten import lazy\n"


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
            "def f(x: 'Kind'):\n    pass\nimport typing\nprint(typing.get_type_hints(f)['x'].__name__)",
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


@pytest.mark.skipif(NATIVE, reason="the language's own know nothing of what names are used")
def test_a_module_that_is_never_mentioned_is_imported_for_what_it_does(run):
    assert run("import noisy\nprint('end')") == ["loading noisy", "end"]
    assert run("with lazy.imports():\n    import noisy\nprint('end')", prefix=EXPLICIT) == ["end"]


def test_patterns(run):
    text = """
        import noisy, pkg.sub, ring_a
        def use():
            noisy, pkg, ring_a
        import sys
        print([name in sys.modules for name in ("noisy", "pkg", "ring_a")])
        """
    for arguments, loaded in {
        "include=['pkg', 'ri*']": [True, False, False],
        "exclude=['pkg', 'ri*']": [False, True, True],
        "include=['pkg'], exclude=['pkg.sub']": [True, True, True],
    }.items():
        lines = run(text, prefix=f"from hasten import lazy\nlazy.install({arguments})\n")
        assert lines[-1] == str(loaded), arguments
    done = run("", prefix="from hasten import lazy\nlazy.install(include='numpy')\n", expect=1)
    assert "include is a list of patterns, not one string" in done.stderr


def test_uninstall(run):
    lines = run(
        """
        import builtins
        import noisy
        lazy.uninstall()
        print(lazy.is_installed(), builtins.__import__.__module__)
        import pkg.late
        print("before")
        def use():
            return noisy.VALUE
        print(use())
        """,
        prefix="import sys\nfrom hasten import lazy\nlazy.install()\n",
    )
    assert lines[0] == "False builtins"
    assert lines[lines.index("before") + 1 :] == ["loading noisy", "5"]


def test_somebody_else_replaces_import_too(run):
    lines = run("""
        import builtins
        seen = []
        before = builtins.__import__
        def mine(name, *rest):
            seen.append(name)
            return before(name, *rest)
        builtins.__import__ = mine
        import noisy
        lazy.uninstall()
        print(builtins.__import__ is mine, "noisy" in seen)
        import pkg.late
        print(noisy.VALUE)
        """)
    assert lines[-1] == "5"
    assert "True True" in lines


def test_lazy_import(run):
    lines = run(
        """
        import sys, types
        noisy = lazy.lazy_import("noisy")
        deep = lazy.lazy_import("pkg.sub.deep")
        late = lazy.lazy_import(".late", "pkg")
        print("before", isinstance(noisy, types.ModuleType))
        print(noisy.VALUE, type(noisy).__name__, noisy is sys.modules["noisy"])
        print(deep.W, deep is sys.modules["pkg.sub.deep"])
        print(late.V, lazy.lazy_import("sys") is sys, lazy.lazy_import("math").floor(1.5))
        try:
            lazy.lazy_import("nothing_here")
        except ModuleNotFoundError as error:
            print(error.name)
        print(repr(lazy.lazy_import("ring_a"))[:17])
        """,
        prefix=EXPLICIT,
    )
    assert [line for line in lines if not line.startswith("loading")] == [
        "before True",
        "5 module True",
        "2 True",
        "1 True 1",
        "nothing_here",
        "<module 'ring_a' ",
    ]
    assert lines[0] == "before True"


def test_sys_path_that_has_changed_since(run, tmp_path):
    """What is loaded is what was there when it was imported."""
    if NATIVE:
        pytest.skip("the language's own look when they load")
    other = tmp_path / "other"
    other.mkdir()
    (other / "special.py").write_text("PLACE = 'other'\n")
    lines = run(f"""
        import sys
        sys.path.insert(0, {str(other)!r})
        import special
        sys.path.pop(0)
        def use():
            return special.PLACE
        print(use())
        """)
    assert lines == ["other"]


def test_exceptions_leave_the_block(run):
    lines = run(
        """
        import builtins
        from hasten import _imports
        before = builtins.__import__
        try:
            with lazy.imports():
                import noisy
                raise KeyError("mine")
        except KeyError as error:
            print("caught", error, builtins.__import__ is before)
        def function():
            with lazy.imports():
                import noisy as eager
            return eager
        print("before")
        function()
        """,
        prefix=EXPLICIT,
    )
    assert lines == ["caught 'mine' True", "before", "loading noisy"]


def test_blocks_within_blocks(run):
    lines = run(
        """
        with lazy.imports():
            with lazy.imports():
                import noisy
            try:
                import broken
            except ImportError:
                print("seen")
            import pkg
        def use():
            return noisy, pkg
        print("before")
        """,
        prefix=EXPLICIT,
    )
    assert lines == ["seen", "before"]


def test_attach(run, tmp_path):
    package = tmp_path / "spec"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from hasten import lazy\n"
        "__getattr__, __dir__, __all__ = lazy.attach(\n"
        "    __name__, submodules=['one'], submod_attrs={'two': ['two', 'pair']})\n"
    )
    (package / "one.py").write_text("print('loading one')\n")
    (package / "two.py").write_text("print('loading two')\ntwo = 2\npair = (1, 2)\n")
    program = """
        import spec
        print(dir(spec), spec.__all__)
        print(spec.pair, spec.two)
        print(spec.one.__name__)
        from spec import two
        print(two)
        try:
            spec.three
        except AttributeError as error:
            print(error)
        """
    assert run(program, prefix="") == [
        "['one', 'pair', 'two'] ['one', 'pair', 'two']",
        "loading two",
        "(1, 2) 2",
        "loading one",
        "spec.one",
        "2",
        "module 'spec' has no attribute 'three'",
    ]
    os.environ["EAGER_IMPORT"] = "1"
    try:
        assert run("import spec\nprint('end')", prefix="") == ["loading one", "loading two", "end"]
    finally:
        del os.environ["EAGER_IMPORT"]


def test_attach_stub(run, tmp_path):
    package = tmp_path / "spec"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from hasten import lazy\n"
        "__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)\n"
    )
    stub = package / "__init__.pyi"
    (package / "one.py").write_text("print('loading one')\nvalue = 1\n")
    stub.write_text("from . import one as one\nfrom .one import value\n")
    assert run("import spec\nprint(spec.__all__, spec.value)", prefix="") == [
        "loading one",
        "['one', 'value'] 1",
    ]
    for text, complaint in {
        "from os import path": "line 1: only imports from the package itself can be lazy",
        "from .one import *": "line 1: `import *` does not say what there is",
        "from .one import value as v": "value cannot be renamed to v",
    }.items():
        stub.write_text(text)
        assert complaint in run("import spec", prefix="", expect=1).stderr
    stub.unlink()
    assert "cannot read the stub" in run("import spec", prefix="", expect=1).stderr


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
            return special.value, inner.value, inner is sys.modules["pkg.special"], _decimal.MAX_PREC
        print(use()[:2])
        print(use()[:3])
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


def test_isolated_interpreters():
    from isolated import run_isolated

    run_isolated("""if True:
        from hasten import lazy
        lazy.install()
        import wave
        lazy.uninstall()
        assert wave.open
        """)
