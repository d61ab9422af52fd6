# SPDX-License-Identifier: MIT
"""The statistics browser, `python -m hasten.pstats [FILE...]`: the standard module's
commands and messages, which it only has when it is run itself."""

import cmd
import marshal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hasten import pstats
from hasten._pstats import Table

# Line editing, where the interpreter was built with it.
with suppress(ImportError):
    import readline  # noqa: F401

NOTHING_LOADED = "No statistics object is loaded."
RESTRICTIONS = """\
Arguments may be:
* An integer maximum number of entries to print.
* A decimal fractional number between 0 and 1, controlling
  what fraction of selected entries to print.
* A regular expression; only entries with function names
  that match it are printed."""


def read_stats(path: str) -> pstats.Stats:
    """What `read` loads. Since 3.15 the standard browser goes by way of the raw data,
    which accepts empty statistics and knows those of sampling profilers."""
    if sys.version_info < (3, 15):
        return pstats.Stats(path)
    data = pstats._read(path)
    pstats._load(Table(), path, data, False)
    stats = pstats.stats_factory(marshal.loads(data))
    stats.files = [pstats._label(path)]
    return stats


def _help(*lines: str) -> Callable[["ProfileBrowser"], None]:
    def say_help(self: "ProfileBrowser") -> None:
        for line in lines:
            self.say(line)

    return say_help


class ProfileBrowser(cmd.Cmd):
    help_add = _help("Add profile info from given file to current statistics object.")
    help_callees = _help("Print callees statistics from the current stat object.", RESTRICTIONS)
    help_callers = _help("Print callers statistics from the current stat object.", RESTRICTIONS)
    help_EOF = help_quit = _help("Leave the profile browser.")
    help_read = _help(
        "Read in profile data from a specified file.",
        "Without argument, reload the current file.",
    )
    help_reverse = _help("Reverse the sort order of the profiling report.")
    help_sort = _help(
        "Sort profile data according to specified keys.",
        "(Typing `sort' without arguments lists valid keys.)",
    )
    help_stats = _help("Print statistics from the current stat object.", RESTRICTIONS)
    help_strip = _help("Strip leading path information from filenames in the report.")
    help_help = _help("Show help for a given command.")

    def __init__(self, profile: str | None = None) -> None:
        super().__init__()
        self.prompt = "% "
        self.stats: Any = None
        self.stream = sys.stdout
        if profile is not None:
            self.do_read(profile)

    def say(self, *words: object) -> None:
        print(*words, file=self.stream)

    def arguments(self, line: str) -> list[int | float | str]:
        found: list[int | float | str] = []
        for term in line.split():
            try:
                found.append(int(term))
                continue
            except ValueError:
                pass
            try:
                fraction = float(term)
            except ValueError:
                found.append(term)
                continue
            if fraction > 1 or fraction < 0:
                self.say("Fraction argument must be in [0, 1]")
            else:
                found.append(fraction)
        return found

    def generic(self, method: str, line: str) -> int:
        arguments = self.arguments(line)
        if self.stats:
            getattr(self.stats, method)(*arguments)
        else:
            self.say(NOTHING_LOADED)
        return 0

    def do_add(self, line: str) -> int:
        if self.stats:
            try:
                self.stats.add(line)
            except OSError as error:
                self.say(f"Failed to load statistics for {line}: {error}")
        else:
            self.say(NOTHING_LOADED)
        return 0

    def do_callees(self, line: str) -> int:
        return self.generic("print_callees", line)

    def do_callers(self, line: str) -> int:
        return self.generic("print_callers", line)

    def do_stats(self, line: str) -> int:
        return self.generic("print_stats", line)

    def do_EOF(self, line: str) -> int:
        self.say("")
        return 1

    def do_quit(self, line: str) -> int:
        return 1

    def do_read(self, line: str) -> int:
        if line:
            try:
                self.stats = read_stats(line)
            except OSError as error:
                self.say(error.args[1])
                return 0
            except Exception as error:
                self.say(type(error).__name__ + ":", error)
                return 0
            self.prompt = line + "% "
        elif len(self.prompt) > len("% "):
            self.do_read(self.prompt[: -len("% ")])
        else:
            self.say("No statistics object is current -- cannot reload.")
        return 0

    def do_reverse(self, line: str) -> int:
        if self.stats:
            self.stats.reverse_order()
        else:
            self.say(NOTHING_LOADED)
        return 0

    def do_sort(self, line: str) -> int:
        if not self.stats:
            self.say(NOTHING_LOADED)
            return 0
        known = self.stats.get_sort_arg_defs()
        words = line.split()
        if words and all(word in known for word in words):
            self.stats.sort_stats(*words)
        else:
            self.say("Valid sort keys (unique prefixes are accepted):")
            for key, value in pstats.Stats.sort_arg_dict_default.items():
                self.say(f"{key} -- {value[1]}")
        return 0

    def complete_sort(self, text: str, *ignored: object) -> list[str]:
        return [key for key in pstats.Stats.sort_arg_dict_default if key.startswith(text)]

    def do_strip(self, line: str) -> int:
        if self.stats:
            self.stats.strip_dirs()
        else:
            self.say(NOTHING_LOADED)
        return 0


def main() -> None:
    try:
        browser = ProfileBrowser(sys.argv[1] if len(sys.argv) > 1 else None)
        for profile in sys.argv[2:]:
            browser.do_add(profile)
        browser.say("Welcome to the profile statistics browser.")
        browser.cmdloop()
        browser.say("Goodbye.")
    except KeyboardInterrupt:
        pass
