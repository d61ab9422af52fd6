# SPDX-License-Identifier: MIT
"""Takes from ELF files what hasten finds interpreters by, one thing after another."""

import struct
from pathlib import Path

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMTAB, STRTAB, DYNSYM = 2, 3, 11


def sections(data: bytes) -> dict[str, tuple[int, int]]:
    """Name, offset and size of every section."""
    header = HEADER.unpack_from(data)
    offset, count, names_index = header[6], header[12], header[13]
    table = [SECTION.unpack_from(data, offset + i * SECTION.size) for i in range(count)]
    names = table[names_index][4]
    found = {}
    for entry in table:
        start = names + entry[0]
        name = data[start : data.index(b"\0", start)].decode()
        found[name] = (entry[4], entry[5])
    return found


def rename_in(path: Path, section: str, old: bytes, new: bytes) -> None:
    """Renames a symbol; the name's length stays."""
    assert len(old) == len(new)
    data = bytearray(path.read_bytes())
    offset, size = sections(data)[section]
    at = data.find(b"\0" + old + b"\0", offset, offset + size)
    assert at >= 0, f"{path} has no {old!r} in {section}"
    data[at + 1 : at + 1 + len(old)] = new
    path.write_bytes(data)


def hide_exported(path: Path) -> None:
    """The dynamic symbol _PyRuntime gets another name of the same hash, so that the
    dynamic linker still finds it for whoever refers to it within the file."""
    rename_in(path, ".dynstr", b"_PyRuntime", b"_PySTntime")


def hide_symbols(path: Path) -> None:
    """The symbol table, if there is one, loses _PyRuntime as well."""
    if ".symtab" in sections(path.read_bytes()):
        rename_in(path, ".strtab", b"_PyRuntime", b"_PySTntime")


def remove_sections(path: Path) -> None:
    """No section headers at all, as some packers leave files."""
    data = bytearray(path.read_bytes())
    header = list(HEADER.unpack_from(data))
    header[6] = header[12] = header[13] = 0
    HEADER.pack_into(data, 0, *header)
    path.write_bytes(data)


def has_symbols(path: Path) -> bool:
    return ".symtab" in sections(path.read_bytes())
