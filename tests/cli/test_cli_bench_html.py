# SPDX-License-Identifier: MIT
"""hasten bench --html: one page, whole, safe and of nothing from elsewhere."""

import sys
from html.parser import HTMLParser
from pathlib import Path

from hasten_command import Hasten

VOID = {"meta", "rect", "line", "circle", "br"}


class Page(HTMLParser):
    """Tags must be closed in order; counts them and keeps the text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: dict[str, int] = {}
        self.text = ""
        self.feed(path.read_text("utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attrs:
            assert not name.startswith("on") and name != "src"
            assert name != "href" or (value or "").startswith("#b")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def run(hasten: Hasten, *arguments: object) -> Page:
    result = hasten(
        "bench", "--python", sys.executable, "--budget", "0.3", "--html", "page.html", *arguments
    )
    assert result.returncode == 0, result.stderr
    return Page(hasten.folder / "page.html")


def test_page_of_comparisons(hasten: Hasten) -> None:
    hasten.script("many.py", "def bench_a(): pass\ndef bench_b(): return [1] * 1000\n")
    page = run(hasten, "many.py", "--vs-env", "A=<b>&\"'\x1b]0;x\x07")
    assert page.tags["section"] == 2
    assert page.tags["svg"] == 4  # times and ratio of each
    assert "script" not in page.tags and "link" not in page.tags and "b" not in page.tags
    assert "bench_a (A=<b>&\"'\\x1b]0;x\\x07)" in page.text
    assert "KiB at its peak" in page.text
    text = (hasten.folder / "page.html").read_text("utf-8")
    assert "http" not in text and "url(" not in text and "\x1b" not in text
    assert "prefers-color-scheme: dark" in text


def test_page_of_one_side_replaces_an_older_one(hasten: Hasten) -> None:
    for statement in ("'<script>' + 'old'", "'new'"):
        page = run(hasten, statement)
        assert statement in page.text
        assert page.tags["section"] == page.tags["svg"] == 1
    assert "old" not in page.text


def test_nothing_else_is_overwritten(hasten: Hasten) -> None:
    path = hasten.script("precious.py", "def bench_f(): pass\n")
    result = hasten("bench", "--html", path.name, "--", "true")
    assert result.returncode == 2
    assert "will not overwrite precious.py" in result.stderr
    assert path.read_text() == "def bench_f(): pass\n"
    result = hasten("bench", "--html", "no/such/folder.html", "--", "true")
    assert result.returncode == 2
    assert "cannot write no/such/folder.html: No such file" in result.stderr


def test_no_page_where_nothing_was_measured(hasten: Hasten) -> None:
    result = hasten("bench", "--python", sys.executable, "--html", "page.html", "1 / 0")
    assert result.returncode == 2
    assert not (hasten.folder / "page.html").exists()


def test_a_device_is_no_page(hasten: Hasten) -> None:
    result = hasten("bench", "--budget", "0.1", "--html", "/dev/full", "--", "true")
    assert result.returncode == 2
    assert "/dev/full" in result.stderr
