# SPDX-License-Identifier: MIT
"""Slots for classes that have none, and which classes of a program would gain by them.

    from hasten.slots import slotted

    @slotted
    class Point:
        def __init__(self, x, y):
            self.x = x
            self.y = y
"""

from hasten._slotting import make

__all__ = ["slotted"]


def _seen_names(seen, cls):
    """What instances of the class were seen to have."""
    return ()


def slotted(cls=None, /, *, slots=(), seen=None, weakref=False, dict=False):
    """Gives a class __slots__ for the attributes that it annotates and that its methods assign
    to self, for those named in `slots`, and for those that were seen in its instances."""
    if cls is None:
        return lambda cls: slotted(cls, slots=slots, seen=seen, weakref=weakref, dict=dict)
    slots = (slots,) if isinstance(slots, str) else tuple(slots)
    names = [name for name in slots if name not in ("__dict__", "__weakref__")]
    names += _seen_names(seen, cls) if seen is not None else ()
    box = [cls]
    del cls
    return make(
        box,
        names,
        bool(names) or seen is not None,
        weakref or "__weakref__" in slots,
        dict or "__dict__" in slots,
    )
