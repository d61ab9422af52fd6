# SPDX-License-Identifier: MIT
"""Programs with modules that say when they are loaded, each in a process of its own."""

import os
import subprocess
import sys
import textwrap

# From 3.15 on the language's own lazy imports do the work of install().
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
    "broken.py": "import there_is_no_such_thing\nthere_is_no_such_thing.name\n",
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
    "pkg/own.py": """
        print("loading pkg.own")
        from . import core
        def of():
            return core.thing()
        """,
    "ring_a.py": "import ring_b\ndef a():\n    return 'a' + ring_b.b()\n",
    "ring_b.py": "import ring_a\ndef b():\n    return 'b' + ring_a.__name__\n",
    "slow.py": "import time\ntime.sleep(0.2)\nVALUE = 3\n",
}


def runner(tmp_path):
    """Makes the modules; answers what runs a program: its text, of which `prefix` is the
    beginning. That answers the lines it printed."""
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
