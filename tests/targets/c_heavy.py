# SPDX-License-Identifier: MIT
"""Functions that spend their time inside C: sorting, JSON, regular expressions.

Truth: `shares` in the last line, of the Python functions that call into C.
Usage: c_heavy.py [SECONDS]
"""

import json
import random
import re

from telling import Truth, mix, seconds_asked

TRUTH = {"kind": "shares", "metric": "total", "native": True}
NUMBERS = random.Random(3).choices(range(1_000_000), k=3_000)
DOCUMENT = {
    "rows": [{"id": index, "name": f"row {index}", "tags": ["a", "b"]} for index in range(60)]
}
TEXT = "the quick brown fox 12-34 jumps over 2025-03-12 the lazy dog " * 40
PATTERN = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


def sorting(units):
    for _ in range(units):
        sorted(NUMBERS)


def encoding(units):
    for _ in range(units):
        json.loads(json.dumps(DOCUMENT))


def matching(units):
    for _ in range(units):
        PATTERN.findall(TEXT)


def main():
    truth = Truth()
    mix(truth, seconds_asked(), {sorting: 4, encoding: 8, matching: 16}, 2)
    truth.tell()


if __name__ == "__main__":
    main()
