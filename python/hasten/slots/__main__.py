# SPDX-License-Identifier: MIT
"""`python -m hasten.slots`."""

from hasten.slots import _main

_main()
