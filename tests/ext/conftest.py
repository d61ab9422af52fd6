# SPDX-License-Identifier: MIT
"""Lets tests import what they share, and the programs that they look at."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "targets")]
