# SPDX-License-Identifier: MIT
"""The functions of shares.py at the end of a chain of LEVELS calls.

Truth: `shares` in the last line; the stack is LEVELS frames deeper than main.
Usage: deep.py [SECONDS] [LEVELS]
"""

import sys

from shares import forty, ten, thirty, twenty
from telling import Truth, mix, seconds_asked

TRUTH = {"kind": "shares", "metric": "self"}


def down(levels, truth, seconds):
    if levels > 1:
        return down(levels - 1, truth, seconds)
    return mix(truth, seconds, {ten: 1, twenty: 2, thirty: 3, forty: 4}, 12_000)


def main():
    truth = Truth()
    levels = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    down(levels, truth, seconds_asked())
    truth.tell(levels=levels)


if __name__ == "__main__":
    main()
