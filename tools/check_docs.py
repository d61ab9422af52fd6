# SPDX-License-Identifier: MIT
"""Checks what the documentation says against the tree and the installed command.

Links and paths must exist, `make` targets must be there, and every option shown with
`hasten <verb>` must be in that verb's --help. Prints one line a fault, exits with 1.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = ROOT / ".venv" / "bin" / "hasten"

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
TREE_PATH = re.compile(r"^(src|include|python|tests|tools|docs|fuzz|benchmarks|examples)/[\w./-]*$")
OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@cache
def make_targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def help_of(verb: str) -> str:
    answer = subprocess.run([COMMAND, verb, "--help"], check=False, capture_output=True, text=True)
    return answer.stdout if answer.returncode == 0 else ""


def options_of(words: str) -> Iterator[str]:
    """The options before the program that is run: what follows belongs to it."""
    for word in words.split():
        if word in ("--", "|", ">") or word.endswith(".py"):
            return
        option = OPTION.match(word.strip("[]().,"))
        if option:
            yield option[0]


def check_command(code: str) -> Iterator[str]:
    for target in re.findall(r"^make ([a-z-]+)", code):
        if target not in make_targets():
            yield f"there is no `make {target}`"
    match = re.match(r"(?:\$ )?(?:\S*/)?hasten ([a-z]+)\b(.*)", code)
    if match:
        verb, rest = match.groups()
        text = help_of(verb)
        if not text:
            yield f"`hasten {verb}` has no help"
        for option in options_of(rest):
            if text and not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text):
                yield f"`hasten {verb}` has no option {option}"


def check(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    for target in LINK.findall(text):
        if "://" not in target and not (path.parent / target).exists():
            yield f"no such file: {target}"
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            yield from check_command(line.strip())
    for code in CODE.findall(BLOCK.sub("", text)):
        if TREE_PATH.match(code) and not (ROOT / code).exists():
            yield f"no such path: {code}"
        yield from check_command(code)


def main() -> int:
    faults = [f"{path.relative_to(ROOT)}: {f}" for path in documents() for f in check(path)]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
