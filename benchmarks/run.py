# SPDX-License-Identifier: MIT
"""Runs every benchmark, one after the other, and leaves their numbers in build/bench/.

Usage: run.py [--quick] [--python VERSION] [DRIVER...]
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOT_DRIVERS = {"run", "environment", "measuring", "profilers"}


def drivers():
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_DRIVERS)


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("driver", nargs="*", help=f"of {', '.join(drivers())}; default: all")
    options.add_argument("--quick", action="store_true")
    options.add_argument("--python", help="interpreter of the targets")
    options = options.parse_args()
    failed = []
    for driver in options.driver or drivers():
        command = [sys.executable, HERE / f"{driver}.py"]
        command += ["--json", HERE.parent / "build" / "bench" / f"{driver}.json"]
        command += ["--quick"] if options.quick else []
        command += ["--python", options.python] if options.python else []
        if subprocess.run(command, check=False).returncode != 0:
            failed.append(driver)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
