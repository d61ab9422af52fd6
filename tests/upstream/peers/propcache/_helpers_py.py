# SPDX-License-Identifier: MIT
from hasten.functools import cached_property  # noqa: F401
