# SPDX-License-Identifier: MIT
"""Turns lines in the combined log format into records."""

import re
from calendar import timegm
from dataclasses import dataclass

from .generate import MONTHS

LINE = re.compile(
    r"(?P<host>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "
    r'"(?P<method>[A-Z]+) (?P<path>\S+) [^"]*" '
    r'(?P<status>\d{3}) (?P<size>\d+|-) "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)"'
)
MONTH_NUMBERS = {name: number for number, name in enumerate(MONTHS, 1)}


@dataclass(slots=True)
class Record:
    host: str
    time: int
    method: str
    path: str
    status: int
    size: int
    referrer: str
    agent: str


def parse_time(text):
    """Seconds since 1970 of `12/Mar/2025:06:25:24 +0000`; logs here are in UTC."""
    return timegm(
        (
            int(text[7:11]),
            MONTH_NUMBERS[text[3:6]],
            int(text[0:2]),
            int(text[12:14]),
            int(text[15:17]),
            int(text[18:20]),
        )
    )


def parse_line(line):
    """The line's record, or None where the line is damaged."""
    match = LINE.match(line)
    if match is None:
        return None
    host, time, method, path, status, size, referrer, agent = match.groups()
    return Record(
        host,
        parse_time(time),
        method,
        path,
        int(status),
        0 if size == "-" else int(size),
        referrer,
        agent,
    )


def read_records(path):
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            record = parse_line(line)
            if record is not None:
                yield record
