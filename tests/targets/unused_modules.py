# SPDX-License-Identifier: MIT
"""A program with modules of which it uses some: their text, and which."""

MODULES = {
    "used.py": "import below\nVALUE = below.VALUE\ndef function():\n    return VALUE\n",
    "below.py": "import time\ntime.sleep(0.05)\nVALUE = 1\n",
    "unused.py": "import unused_below\nimport time\ntime.sleep(0.05)\ndef f():\n    unused_below\n",
    "unused_below.py": "import time\ntime.sleep(0.05)\n",
    "half_used.py": "from unused_names import A, B\nimport routes\n__all__ = ['A']\n",
    "unused_names.py": "A = B = 1\n",
    "registry.py": "handlers = []\n",
    "routes.py": "import registry\ndef handle():\n    return 5\nregistry.handlers.append(handle)\n",
    "by_name.py": "VALUE = 3\n",
    "pack/__init__.py": "",
    "pack/inner.py": "VALUE = 4\n",
    "pack/other.py": "VALUE = 4\n",
    "fails.py": "raise ValueError\n",
}
APP = """
import importlib
import sys
import used
import unused
import half_used
import registry
import pack.inner, pack.other as other
from used import function as renamed
try:
    import fails
except ValueError:
    pass
def main():
    by_name = importlib.import_module("by_name")
    print(renamed(), registry.handlers[0](), by_name.VALUE, pack.inner.VALUE)
def never():
    return unused, half_used, other
main()
sys.exit(3)
"""
USED = {
    "used": True,
    "below": True,
    "unused": False,
    "unused_below": False,
    "half_used": False,
    "unused_names": False,
    "routes": True,
    "registry": True,
    "by_name": True,
    "pack": True,
    "pack.inner": True,
    "pack.other": False,
}
