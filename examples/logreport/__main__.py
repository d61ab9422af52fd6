# SPDX-License-Identifier: MIT
"""Lets both `python examples/logreport` and `python -m logreport` start the program."""

import sys
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from logreport.app import main

if __name__ == "__main__":
    sys.exit(main())
