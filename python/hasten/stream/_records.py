# SPDX-License-Identifier: MIT
"""Records of the lines of CSV and JSON-lines files."""

import os
import re
from collections.abc import Iterator
from typing import Any

from hasten._stream import Lines
from hasten.stream._files import name_of


def format_of(files: list[Any]) -> str:
    for file in files:
        name = os.fsdecode(file) if isinstance(file, (str, bytes)) else str(name_of(file))
        name = re.sub(r"\.(gz|zst|xz|bz2)$", "", name.lower())
        if name.endswith((".jsonl", ".ndjson")):
            return "jsonl"
        if name.endswith(".csv"):
            return "csv"
        break
    raise ValueError('format= is needed: the name does not say whether it is "csv" or "jsonl"')


def _one_file(text: Lines[str], first: list[str]) -> Iterator[str]:
    """The lines of the file that `first` is a line of; leaves that of the next one there."""
    number = text.file_number
    while first:
        yield first.pop()
        line = next(text, None)
        if line is not None:
            first.append(line)
            if text.file_number != number:
                return


def read_csv(text: Lines[str], header: bool, parsing: dict[str, Any]) -> Iterator[Any]:
    import csv

    with text:
        first = [line for line in [next(text, None)] if line is not None]
        while first:
            of_file = _one_file(text, first)
            if header:
                yield from csv.DictReader(of_file, **parsing)
            else:
                yield from csv.reader(of_file, **parsing)


def read_json(text: Lines[str], parsing: dict[str, Any]) -> Iterator[Any]:
    import json

    with text:
        for number, line in enumerate(text, 1):
            if not line.isspace():
                try:
                    record = json.loads(line, **parsing)
                except ValueError as error:
                    error.add_note(f"{text.path}: line {number} of those that were looked at")
                    raise
                yield record
