# SPDX-License-Identifier: MIT
"""hasten.lazy: what switches lazy imports on and off, and for which modules; packages."""

import os

import pytest
from lazy_programs import EXPLICIT, NATIVE, runner


@pytest.fixture
def run(tmp_path):
    return runner(tmp_path)


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


@pytest.mark.skipif(NATIVE, reason="the language's own do not ask it")
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


@pytest.mark.skipif(NATIVE, reason="the language's own do not ask it")
def test_what_replaced_import_is_left_on_top(run):
    """It calls ours: put above it, ours would call itself."""
    lines = run("""
        import builtins
        before = builtins.__import__
        def mine(*arguments):
            return before(*arguments)
        builtins.__import__ = mine
        lazy.install()
        with lazy.imports():
            import noisy
        print(noisy.VALUE, builtins.__import__ is mine)
        builtins.__import__ = before
        lazy.uninstall()
        print(builtins.__import__.__module__)
        builtins.__import__ = mine
        import pkg.late
        """)
    assert lines[:3] == ["loading noisy", "5 True", "builtins"]
    assert lines[-1] == "loading pkg.late"


def test_import_that_is_called_by_name_with_what_is_none(run):
    done = run("print(__import__('pkg', globals(), globals(), (1,), 0))", expect=1)
    assert "TypeError: Item in ``from list'' must be str, not int" in done.stderr


@pytest.mark.skipif(NATIVE, reason="the language's own are of another type")
def test_a_name_that_is_no_text(run):
    lines = run("""
        import noisy
        from noisy import plus
        for name in ("noisy", "plus"):
            value = globals()[name]
            for method, *more in ("__setattr__", 1), ("__delattr__",), ("__getattribute__",):
                try:
                    getattr(type.__getattribute__(type(value), method), "__call__")(value, 5, *more)
                except TypeError as error:
                    print(error)
        def use():
            return noisy.VALUE, plus(1)
        """)
    assert [line for line in lines if "loading" not in line] == [
        "attribute name must be string, not 'int'"
    ] * 6


@pytest.mark.skipif(NATIVE, reason="the language's own know nothing of what names are used")
def test_a_finder_that_imports_much(run, tmp_path):
    """Meanwhile what is known of the module whose statement waits goes on being known."""
    for number in range(20):
        (tmp_path / f"many{number}.py").write_text(
            f"import noisy, many{number + 1}\ndef use():\n    noisy, many{number + 1}\n"
            if number < 19
            else ""
        )
    (tmp_path / "pkg" / "__init__.py").write_text(
        "from noisy import plus\ndef use():\n    return plus(1)\n"
    )
    lines = run("""
        import sys
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "pkg.late":
                    for number in range(20):
                        __import__(f"many{number}")
                    lazy.uninstall()
        sys.meta_path.insert(0, Finder())
        from pkg import use as first
        first
        from pkg import late, plus
        def other():
            return late.V, plus(1)
        print(other())
        """)
    assert lines[-1] == "(1, 2)"


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


def test_the_end_of_the_interpreter(run):
    """What is used first then may not be there any more; nothing crashes."""
    run("""
        import atexit, sys
        import noisy, pkg
        from noisy import plus
        class Late:
            def __init__(self, use):
                self.use = use
                self.ring = self
            def __del__(self):
                try:
                    self.use()
                except (ImportError, AttributeError, TypeError):
                    pass
        kept = Late(lambda: noisy.VALUE)
        sys.kept = Late(lambda: pkg.late)
        other = lazy.lazy_import("pkg.sub.deep")
        sys.modules["sys"].more = Late(lambda: (other.W, plus(1)))
        @atexit.register
        def at_exit():
            print("at exit", pkg.own.of())
        """)


def test_no_references_are_left_behind(run):
    lines = run("""
        import gc
        import noisy, slow
        from noisy import Kind, plus
        def use():
            return noisy.VALUE, slow.VALUE, Kind(), plus(1)
        use()
        from hasten import _imports
        gc.collect()
        names = ("Pending", "Source", "LazyValue")
        print([type(o).__name__ for o in gc.get_objects() if type(o).__name__ in names])
        waiting = [o for o in gc.get_objects() if type(o).__name__ == "LazyModule"]
        print(waiting, _imports.waiting())
        """)
    assert lines[-1] == "[] []"
    assert lines[-2] == "[]"


def test_isolated_interpreters():
    from isolated import run_isolated

    run_isolated("""if True:
        from hasten import lazy
        lazy.install()
        import wave
        lazy.uninstall()
        assert wave.open
        """)
