# SPDX-License-Identifier: MIT
"""How hasten.slots.slotted makes a class with slots out of one without.

Which attributes instances have is found in `_finding.py`. Here: what cannot be, the class
made anew, and everything that meant the first class made to mean the second.
"""

import functools
import sys
from collections.abc import Iterable
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import Any

from hasten import _slots
from hasten.slots._finding import Found, find
from hasten.slots._moving import move

# Attributes of a class that belong to the class object itself.
_OWN = ("__slotnames__", "_abc_impl", "__abstractmethods__")
# Names that a class has for itself.
_TAKEN = ("__doc__", "__module__", "__qualname__", "__slots__")


def _type_of(module: str, name: str) -> Any:
    """A type of a module that the program may not use at all."""
    found = sys.modules.get(module)
    return getattr(found, name, None) if found is not None else None


def _is_cached_property(value: object) -> bool:
    ours = _type_of("hasten._functools", "cached_property")
    return isinstance(value, functools.cached_property) or (
        ours is not None and isinstance(value, ours)
    )


def alternative(cls: type) -> str | None:
    """What to do instead, for classes that get slots in another way or not at all."""
    own = vars(cls)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return "is a NamedTuple: its fields are in the tuple, it needs no slots"
    if "__slots__" in own:
        return "has __slots__ already"
    if "__dataclass_fields__" in own:
        return "is a dataclass: use @dataclass(slots=True)"
    if "__attrs_attrs__" in own:
        return "is an attrs class: use @attrs.define, or @attr.s(slots=True)"
    enum = _type_of("enum", "EnumType")
    if enum is not None and isinstance(cls, enum):
        return "is an enum: its members are made once, there is nothing to save"
    if issubclass(cls, dict) and hasattr(cls, "__total__"):
        return "is a TypedDict: its instances are plain dicts"
    if own.get("_is_protocol"):
        return "is a Protocol: give slots to the classes that implement it"
    if issubclass(cls, type):
        return "is a metaclass: its instances are classes, which have a __dict__"
    if cls.__itemsize__ != 0:
        base = next(base for base in reversed(cls.__mro__) if base.__itemsize__ != 0)
        return f"derives from {base.__name__}, whose instances vary in size: they can have no slots"
    return None


def base_with_dict(cls: type) -> type | None:
    """The base that gives a class its __dict__, unless it is the class itself."""
    return next((base for base in reversed(cls.__mro__[1:]) if base.__dictoffset__ != 0), None)


def _check(cls: object, wants_dict: bool) -> None:
    if not isinstance(cls, type):
        raise TypeError(f"slotted takes a class, not {type(cls).__name__}")
    reason = alternative(cls)
    if reason is None and cls.__subclasses__():
        reason = "has subclasses already: decorate it where it is defined"
    if reason is None and type(cls).mro is not type.mro:
        reason = f"has a metaclass with an mro() of its own, {type(cls).__qualname__}"
    if reason is not None:
        raise TypeError(f"{cls.__qualname__} {reason}")
    base = base_with_dict(cls)
    if base is not None and not wants_dict:
        remedy = "slots save nothing" if base.__module__ == "builtins" else "give that slots first"
        raise TypeError(
            f"{cls.__qualname__} inherits a __dict__ from {base.__qualname__}: {remedy}"
            " (or ask for both: slotted(dict=True))"
        )


def _check_found(cls: type, found: Found, named: bool, wants_dict: bool) -> None:
    """Code that could not work on, and code that names attributes we cannot see."""
    if wants_dict:
        return
    if found.uses_dict:
        raise TypeError(
            f"{found.uses_dict} uses the instance's __dict__, which there is none of with slots:"
            " use getattr() and setattr(), or keep it: slotted(dict=True)"
        )
    if found.computes and not named:
        raise TypeError(
            f"{found.computes} sets attributes whose names are computed: name them with"
            " slotted(slots=...), or keep the __dict__: slotted(dict=True)"
        )


def _inherited(cls: type, name: str) -> Any:
    """What a base has of that name; `cls` itself where none has any."""
    for base in cls.__mro__[1:-1]:
        if name in vars(base):
            return vars(base)[name]
    return vars(object).get(name, cls)


class _Plan:
    """What becomes of each name."""

    def __init__(self, cls: type, found: Found) -> None:
        self.cls = cls
        self.class_read = found.class_read
        self.slots: list[str] = []
        self.defaults: dict[str, Any] = {}
        for name, where in found.names.items():
            self.add(name, where)

    def add(self, name: str, where: str) -> None:
        if name in _TAKEN:
            raise TypeError(f"{name} ({where}) can be no slot: slotted(dict=True) keeps it")
        if name in self.slots:
            return
        own = vars(self.cls).get(name, self.cls)
        below = _inherited(self.cls, name)
        if hasattr(type(own), "__set__") or (own is self.cls and hasattr(type(below), "__set__")):
            return  # a property, or a slot that a base has: that is where it goes
        if isinstance(below, MemberDescriptorType):
            self.take_default(name, own, where)
            return
        value = own if own is not self.cls else below
        if value is not self.cls:
            self.take_default(name, value, where)
        self.slots.append(name)

    def take_default(self, name: str, value: Any, where: str) -> None:
        if hasattr(type(value), "__get__"):
            raise TypeError(
                f"{name} is an attribute of instances ({where}) and also a"
                f" {type(value).__name__} of the class {self.cls.__qualname__}: rename one, or"
                " keep the __dict__: slotted(dict=True)"
            )
        if name in self.class_read:
            raise TypeError(
                f"{name} is read of the class in {self.class_read[name]}, where there would be a"
                f" slot ({where}): if instances have none of their own, say ClassVar;"
                " else read it of an instance"
            )
        self.defaults[name] = value


def _convert(cls: type, plan: _Plan, wants_dict: bool) -> dict[str, Any]:
    """The class's attributes with each cached_property as one that works on slots, and
    slots for their values."""
    own = dict(vars(cls))
    if wants_dict:
        return own
    method = _type_of("hasten._functools", "_cached_method")
    for name, value in own.items():
        if method is not None and isinstance(value, method):
            plan.slots.append(f"_cached_{name}")
        if not _is_cached_property(value):
            continue
        if isinstance(value, functools.cached_property):
            if type(value) is not functools.cached_property:
                raise TypeError(
                    f"{cls.__qualname__}.{name} is a {type(value).__qualname__}, which keeps its"
                    " value in the __dict__: use hasten.functools.cached_property, or"
                    " slotted(dict=True)"
                )
            from hasten.functools import cached_property

            own[name] = made = cached_property(value.func)
            made.__doc__ = value.__doc__
        plan.slots.append(f"_cached_{name}")
    return own


def _namespace(
    cls: type, own: dict[str, Any], plan: _Plan, extra: Iterable[str]
) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """What the new class is made of, and what it is given later: what has a __set_name__,
    which is code of the program. The order is kept."""
    namespace: dict[str, Any] = {}
    later = []
    for name, value in own.items():
        if name in plan.defaults or name in _OWN or _is_layout(value, cls):
            continue
        if hasattr(type(value), "__set_name__"):
            namespace[name] = None
            later.append((name, value))
        else:
            namespace[name] = value
    namespace["__qualname__"] = cls.__qualname__
    namespace["__slots__"] = (*plan.slots, *extra)
    return namespace, later


def _is_layout(value: Any, cls: type) -> bool:
    """Whether it tells of the class's own layout: its __dict__ and __weakref__."""
    return isinstance(value, GetSetDescriptorType) and value.__objclass__ is cls


def _extra_slots(cls: type, weakref: bool, wants_dict: bool) -> Iterable[str]:
    bases = cls.__mro__[1:]
    if wants_dict and not any(base.__dictoffset__ for base in bases):
        yield "__dict__"
    if weakref and not any(base.__weakrefoffset__ for base in bases):
        yield "__weakref__"


def _remake(cls: type, namespace: dict[str, Any]) -> type:
    try:
        made: type = _slots.remake(
            cls.__mro__[1:], (type(cls), cls.__name__, cls.__bases__, namespace)
        )
    except TypeError as error:
        if "lay-out" not in str(error):
            raise
        solid = [base.__qualname__ for base in cls.__bases__ if base.__basicsize__ > 16]
        raise TypeError(
            f"{cls.__qualname__} has bases with slots of their own ({', '.join(solid)}): only one"
            " of them can say how instances are laid out; give the others __slots__ = ()"
        ) from None
    return made


def _make_abstract(cls: type, made: type) -> None:
    """The abstract methods, and the classes that were registered."""
    if isinstance(cls, sys.modules["abc"].ABCMeta):
        from _abc import _abc_init, _get_dump  # type: ignore[import-not-found]

        _abc_init(made)
        for reference in _get_dump(cls)[0]:
            registered = reference()
            if registered is not None:
                made.register(registered)  # type: ignore[attr-defined]
    elif "__abstractmethods__" in vars(cls):
        made.__abstractmethods__ = cls.__abstractmethods__  # type: ignore[attr-defined]


def _add_state(made: type) -> None:
    """Pickles as without slots, unless the class says itself how it is pickled."""
    reduces = any(
        getattr(made, name) is not getattr(object, name) for name in ("__reduce__", "__reduce_ex__")
    )
    gets = getattr(made, "__getstate__", None) is getattr(object, "__getstate__", None)
    _slots.add_state(made, gets and not reduces, not hasattr(made, "__setstate__"))


def _hook(made: type, original: Any) -> Any:
    """Classes made of `made` have its initial values too."""

    def __init_subclass__(cls: type, /, **keywords: Any) -> None:
        if original is None:
            super(made, cls).__init_subclass__(**keywords)  # type: ignore[arg-type]
        else:
            original.__get__(None, cls)(**keywords)
        _slots.inherit(cls)

    __init_subclass__.__qualname__ = f"{made.__qualname__}.__init_subclass__"
    return classmethod(__init_subclass__)


def _is_slot(cls: type, name: str) -> bool:
    found = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
    return isinstance(found, MemberDescriptorType)


def _set_creation(made: type, own: dict[str, Any]) -> None:
    """Initial values, the bases' too, and calls of the class."""
    values: dict[str, Any] = {}
    for base in reversed(made.__mro__[1:]):
        values.update(vars(base).get("__slot_defaults__", {}))
    # A property, or the like, may be in front of a base's slot.
    for name in [name for name in values if not _is_slot(made, name)]:
        del values[name]
    values.update(own)
    _slots.set_creation(made, values)
    if own:
        type.__setattr__(made, "__slot_defaults__", MappingProxyType(own))
        original = vars(made).get("__init_subclass__")
        type.__setattr__(made, "__init_subclass__", _hook(made, original))


def _build(cls: type, names: Iterable[str], named: bool, weakref: bool, wants_dict: bool) -> type:
    _check(cls, wants_dict)
    found = find(cls, names)
    _check_found(cls, found, named, wants_dict)
    if wants_dict:
        # What cannot be a slot is in the dict.
        found.names = {
            name: where
            for name, where in found.names.items()
            if name not in vars(cls) and _inherited(cls, name) is cls
        }
    plan = _Plan(cls, found)
    own = _convert(cls, plan, wants_dict)
    namespace, later = _namespace(cls, own, plan, _extra_slots(cls, weakref, wants_dict))
    made = _remake(cls, namespace)
    for name, value in later:
        type.__setattr__(made, name, value)
    for name, value in later:
        type(value).__set_name__(value, made, name)
    _make_abstract(cls, made)
    _add_state(made)
    _set_creation(made, plan.defaults)
    _slots.mend(cls, made, [list(vars(cls).values()), list(vars(made).values())])
    move(cls, made)
    return made


def make(box: list[type], names: Iterable[str], named: bool, weakref: bool, dict: bool) -> type:
    """The class in the box with slots. The box is emptied: nothing here keeps the class."""
    made = _build(box[0], names, named, weakref, dict)
    _slots.retire(box)
    return made
