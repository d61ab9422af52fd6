# SPDX-License-Identifier: MIT
"""propcache's names, for its tests, over hasten.functools."""
