# SPDX-License-Identifier: MIT
"""How long does a program take to start whose imports are lazy, as a share of what it takes
otherwise?

The program is programs/thirty_imports.py: thirty imports of the standard library and of packages
from PyPI, of which the command that is run uses five. It is run in turns as it is, as `hasten run
--lazy-imports` runs it, and, for comparison, with nothing in it. --python takes a version that
`make test-all` has built the package for; without it, this interpreter is used.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from measuring import interval, table, write_json

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PROGRAM = HERE / "programs" / "thirty_imports.py"
MOST = 0.4
PACKAGES = [
    "attrs==26.1.0", "flask==3.0.3", "pydantic==2.10.6", "PyYAML==6.0.3", "requests==2.32.3",
    "rich==13.9.4", "tornado==6.4.2",
]  # fmt: skip


def install(python, version):
    """The packages, in a folder of their own."""
    folder = ROOT / ".cache" / "imported" / version
    stamp = folder / ".packages"
    wanted = "\n".join(PACKAGES)
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run(
            [*python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--upgrade", "--target", folder, *PACKAGES],
            check=True,
        )  # fmt: skip
        stamp.write_text(wanted)
    return folder


def run(python, folder, lazy, program):
    environment = os.environ | {"PYTHONPATH": str(folder), "HASTEN_LAZY_IMPORTS": "1"}
    if not lazy:
        del environment["HASTEN_LAZY_IMPORTS"]
    before = time.perf_counter()
    done = subprocess.run(
        [*python, *program], env=environment, capture_output=True, text=True, check=True
    )
    return time.perf_counter() - before, done.stdout


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--python", metavar="VERSION")
    options.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    options.add_argument("--quick", action="store_true", help="fewer rounds: to try it out")
    options = options.parse_args()
    python, version = [sys.executable], f"{sys.version_info[0]}.{sys.version_info[1]}"
    if options.python is not None:
        version = options.python
        python = [str(ROOT / ".cache" / "venv" / version / "bin" / "python")]
    folder = install(python, version)
    program = [str(PROGRAM), str(HERE)]
    assert run(python, folder, False, program)[1] == run(python, folder, True, program)[1]
    times = {"as it is": [], "lazy": [], "nothing": []}
    for _ in range(5 if options.quick else 30):
        times["as it is"].append(run(python, folder, False, program)[0])
        times["lazy"].append(run(python, folder, True, program)[0])
        times["nothing"].append(run(python, folder, False, ["-c", "pass"])[0])
    ratios = [lazy / eager for lazy, eager in zip(times["lazy"], times["as it is"], strict=True)]
    rows = [(name, *(f"{value * 1000:.0f} ms" for value in interval(values)))
            for name, values in times.items()]  # fmt: skip
    rows.append(("lazy / as it is", *(f"{value:.3f}" for value in interval(ratios))))
    table(
        f"Start to end of a program with thirty imports that uses five, Python {version}",
        ("", "median", "from", "to"),
        rows,
    )
    write_json(options, "imports", None, {"python": version, "times": times, "ratios": ratios})
    sys.exit(interval(ratios)[0] > MOST)


if __name__ == "__main__":
    main()
