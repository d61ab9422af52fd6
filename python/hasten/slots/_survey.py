# SPDX-License-Identifier: MIT
"""What hasten.slots.survey() answers: a row for each class of the program, and what stands in
the way of slots in each.
"""

import functools
import json
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any

from hasten import _slots
from hasten.slots._finding import Found, find
from hasten.slots._slotting import alternative, base_with_dict

# Py_TPFLAGS_HEAPTYPE: made by a class statement, or by C in a way that can be changed.
_HEAP_TYPE = 1 << 9
# Of fewer instances the table says that they are few.
_FEW = 1000
# Bytes below which the table has no row; nor has it for less than a fiftieth of all.
_LEAST = 1024


def name_of(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def bytes_text(size: float) -> str:
    sign, size = ("-", -size) if size < 0 else ("", size)
    unit = "B"
    for larger in ("KiB", "MiB", "GiB"):
        if size < 1000:
            break
        size /= 1024
        unit = larger
    return f"{sign}{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{sign}{size:.3g} {unit}"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _of_names(cls: type, names: Mapping[str, int]) -> Iterator[str]:
    """What the names that were seen say, beside what the class says of itself."""
    odd = [name for name in names if not name.isidentifier()]
    if odd:
        yield f"the __dict__ has keys that are no names: {_some(odd)}"
    found: Found = find(cls, (), every_base=True)
    if found.uses_dict is not None:
        yield f"{found.uses_dict} uses __dict__"
    unknown = [name for name in names if name not in found.names and name.isidentifier()]
    cached = [name for name in unknown if hasattr(getattr(cls, name, None), "__set_name__")]
    unknown = [name for name in unknown if name not in cached]
    if unknown:
        yield f"no method assigns {_some(unknown)}: slotted(slots=...)"
    both = [
        name
        for name in names
        for value in [next((vars(b)[name] for b in cls.__mro__ if name in vars(b)), cls)]
        if value is not cls and not hasattr(type(value), "__set__") and name not in cached
    ]
    if both:
        yield f"the class has values for {_some(both)}: slotted makes them initial values"


def _of_layout(cls: type) -> Iterator[str]:
    base = base_with_dict(cls)
    if base is not None:
        yield f"inherits a __dict__ from {name_of(base)}"
    other: type
    for other in cls.__subclasses__():
        siblings = [b for b in other.__bases__ if b is not cls and b.__basicsize__ > 16]
        if siblings:
            yield (
                f"{other.__qualname__} has it and {siblings[0].__qualname__} as bases: only one"
                " of them can have slots"
            )
    cached = [k for k, v in vars(cls).items() if isinstance(v, functools.cached_property)]
    if cached:
        yield f"functools.cached_property needs a __dict__ ({_some(cached)}): slotted replaces it"


def _obstacles(cls: type, row: "Row") -> Iterator[str]:
    reason = alternative(cls)
    if reason is not None:
        yield reason
        return
    yield from _of_layout(cls)
    yield from _of_names(cls, row.names)
    if row.weakly_referenced:
        yield f"{row.weakly_referenced} have weak references: slotted(weakref=True)"
    if row.with_dict:
        yield f"the __dict__ of {row.with_dict} was asked for"
    if row.count < _FEW:
        yield "few instances"


def _can_be_without_dict(cls: type) -> bool:
    base = base_with_dict(cls)
    return cls.__itemsize__ == 0 and (base is None or bool(base.__flags__ & _HEAP_TYPE))


class Row:
    """One class."""

    __slots__ = (
        "_class",
        "_obstacles",
        "bytes",
        "count",
        "name",
        "names",
        "saved",
        "slotted_bytes",
        "unshared",
        "weakly_referenced",
        "with_dict",
    )

    def __init__(self, raw: dict[str, Any]) -> None:
        cls = raw["type"]
        names: Counter[str] = Counter()
        for name, count in raw["names"]:
            names[name if isinstance(name, str) else repr(name)] += count
        self.name: str = name_of(cls)
        self.count: int = raw["count"]
        self.bytes: int = raw["bytes"]
        self.names: dict[str, int] = dict(names)
        self.with_dict: int = raw["with_dict"]
        self.unshared: int = raw["unshared"]
        self.weakly_referenced: int = raw["weak"]
        has_dict = cls.__dictoffset__ != 0
        can = has_dict and _can_be_without_dict(cls)
        self.slotted_bytes: int = raw["slotted_bytes"] * self.count if can else self.bytes
        self.saved: int = self.bytes - self.slotted_bytes
        self._class = weakref.ref(cls) if has_dict else None
        self._obstacles: tuple[str, ...] | None = None

    @property
    def obstacles(self) -> tuple[str, ...]:
        """What stands in the way of slots, or is to be known. Worked out when it is first
        asked for: the class's code is looked at."""
        if self._obstacles is None:
            cls = self._class() if self._class is not None else None
            try:
                self._obstacles = () if cls is None else tuple(_obstacles(cls, self))
            except Exception as error:  # annotations and the like are the program's code
                self._obstacles = (f"cannot be looked at: {error!r}",)
        return self._obstacles

    @property
    def bytes_each(self) -> float:
        return self.bytes / self.count

    def as_dict(self) -> dict[str, Any]:
        facts = {name: getattr(self, name) for name in self.__slots__ if name[0] != "_"}
        return facts | {"obstacles": list(self.obstacles)}

    def __repr__(self) -> str:
        return f"<Row {self.name}: {self.count} instances, slots save {bytes_text(self.saved)}>"


class Survey:
    """The classes of a program, those first in which slots would save most. A sequence of
    Row; printed, a table."""

    def __init__(self, limit: int = 20) -> None:
        self.objects, found = _slots.survey()
        self.limit = limit
        rows = [Row(raw) for raw in found]
        rows.sort(key=lambda row: (-row.saved, -row.bytes, row.name))
        self.rows = tuple(rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int | str) -> Row:
        if isinstance(index, int):
            return self.rows[index]
        for row in self.rows:
            if row.name == index:
                return row
        raise KeyError(index)

    @property
    def saved(self) -> int:
        """Bytes that slots would save in all classes where nothing else is done."""
        return sum(row.saved for row in self.rows if row.saved > 0)

    def as_dict(self) -> dict[str, Any]:
        return {
            "objects": self.objects,
            "saved": self.saved,
            "classes": [row.as_dict() for row in self.rows],
        }

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """All rows as JSON, also into a file: slotted(seen=path) reads it."""
        text = json.dumps(self.as_dict(), indent=1)
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\n")
        return text

    def text(self) -> str:
        least = max(_LEAST, self.saved / 50)
        shown = [row for row in self.rows if row.saved >= least][: self.limit]
        total = f"{self.objects:,} objects; slots would save {bytes_text(self.saved)}"
        if not shown:
            return total
        head = ("instances", "bytes", "each", "slots", "saves", "class")
        lines = [head] + [
            (
                f"{row.count:,}",
                bytes_text(row.bytes),
                f"{row.bytes_each:.0f}",
                f"{row.slotted_bytes / row.count:.0f}",
                bytes_text(row.saved),
                row.name,
            )
            for row in shown
        ]
        widths = [max(len(line[i]) for line in lines) for i in range(5)]
        text = [total, ""]
        margin = " " * (sum(widths) + 2 * len(widths))
        for line, row in zip(lines, [None, *shown]):
            cells = [cell.rjust(width) for cell, width in zip(line, widths)]
            text.append("  ".join([*cells, line[5]]))
            if row is not None:
                text.append(f"{margin}  {_some(list(row.names))}")
                text += [f"{margin}  - {obstacle}" for obstacle in row.obstacles]
        return "\n".join(text)

    __str__ = text

    def __repr__(self) -> str:
        return f"<Survey of {self.objects} objects, {len(self.rows)} classes>"


def seen_names(seen: Any, cls: type) -> list[str]:
    """The names that `seen` has for a class: a survey, its JSON file, or a mapping."""
    key = name_of(cls)
    if isinstance(seen, Survey):
        return [name for row in seen if row.name == key for name in row.names]
    if isinstance(seen, (str, PathLike)):
        with open(seen, encoding="utf-8") as file:
            content = json.load(file)
        if not isinstance(content, dict) or not isinstance(content.get("classes"), list):
            raise ValueError(f"{seen} is no survey as Survey.to_json() writes it")
        seen = {row["name"]: row["names"] for row in content["classes"]}
    return list(seen.get(key, seen.get(cls.__qualname__, ())))
