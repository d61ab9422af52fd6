# SPDX-License-Identifier: MIT
"""Slots for classes that have none, and which classes of a program would gain by them.

    from hasten.slots import slotted, survey

    @slotted
    class Point:
        def __init__(self, x, y):
            self.x = x
            self.y = y

    print(survey())

A program is surveyed without a change by

    python -m hasten.slots app.py --its --arguments
"""

__all__ = ["slotted", "survey"]


def __getattr__(name):
    # Most programs decorate and do not survey.
    if name in ("Row", "Survey"):
        from hasten.slots import _survey

        return getattr(_survey, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def slotted(cls=None, /, *, slots=(), seen=None, weakref=False, dict=False):
    """Gives a class __slots__ for the attributes that it annotates and that its methods assign
    to self, for those named in `slots`, and for those that `seen` (a survey, its JSON file, or
    a mapping from names of classes to names of attributes) has for it. `weakref` permits weak
    references to instances; `dict` lets them have other attributes too."""
    if cls is None:
        return lambda cls: slotted(cls, slots=slots, seen=seen, weakref=weakref, dict=dict)
    from hasten.slots._slotting import make

    slots = (slots,) if isinstance(slots, str) else tuple(slots)
    names = [name for name in slots if name not in ("__dict__", "__weakref__")]
    if seen is not None:
        from hasten.slots._survey import seen_names

        names += seen_names(seen, cls)
    weakref = weakref or "__weakref__" in slots
    dict = dict or "__dict__" in slots
    # Nothing here may keep the class, which is to go away: see make().
    box = [cls]
    del cls
    return make(box, names, bool(names), weakref, dict)


def survey(*, limit=20):
    """Counts the instances of the program's classes, their bytes and attributes, and works out
    what slots would save. `limit` is how many classes the table shows."""
    from hasten.slots._survey import Survey

    return Survey(limit)
