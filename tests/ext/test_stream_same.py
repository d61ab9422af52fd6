# SPDX-License-Identifier: MIT
"""Lines are those of iterating over open(), matches those of `in` and `re`, for any bytes, any
rule and any border between blocks."""

import io
import re

import pytest
from hasten import _stream, stream
from hasten.stream._literals import required

hypothesis = pytest.importorskip("hypothesis")
given, settings, st = hypothesis.given, hypothesis.settings, hypothesis.strategies

# Ends of lines, bytes of characters that are cut, what strip() and needles are about.
PIECES = [
    b"a",
    b"b",
    b"ab",
    b"ERROR",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b" ",
    b"\t",
    b"\x1c",
    b"\x85",
]
PIECES += ["ä".encode(), "€".encode(), "𝄞".encode(), b"\xc3", b"\xe2\x82", b"\xff", b"\xed\xa0\x80"]
DATA = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)
LONG = st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: b"".join(pieces) * 40)
NEWLINES = st.sampled_from([None, "", "\n", "\r", "\r\n"])
TEXTS = st.sampled_from(["a", "ERROR", "ä", "�", "\udcff", "b\n", "\r", "𝄞", "aba", ""])
BLOCKS = st.integers(1, 70)
ERRORS = st.sampled_from(["strict", "replace", "ignore", "surrogateescape", "backslashreplace"])
ENCODINGS = ["utf-8", "ascii", "latin-1", "utf-16", "utf-16-le", "utf-32", "cp1252", "shift_jis"]
# On a busy machine, making examples may take long.
PATIENT = settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
FAST = settings(PATIENT, max_examples=150)


def blocks_of(size):
    """lines() with blocks of so many bytes."""

    def make(data, kind=str, **options):
        options = {
            "contains": None,
            "regex": None,
            "invert": False,
            "encoding": "utf-8",
            "errors": None,
            "newline": None,
            "strip": False,
            "limit": None,
            "compression": None,
            "progress": None,
        } | options
        return stream._make(io.BytesIO(data), kind, block_size=size, **options)

    return make


def expected(data, encoding, errors, newline):
    """The lines of open(), and whether a failure to decode follows. A line is decoded on its
    own, so that those before a wrong one are there."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, errors=errors, newline=newline)
    try:
        return list(text), False
    except UnicodeError:
        return None, True


def collected(lines):
    found = []
    try:
        for line in lines:
            found.append(line)
    except UnicodeError:
        return found, True
    return found, False


@FAST
@given(DATA | LONG, NEWLINES, ERRORS, st.sampled_from(ENCODINGS), BLOCKS)
def test_lines_are_those_of_open(data, newline, errors, encoding, block):
    right, fails = expected(data, encoding, errors, newline)
    lines = blocks_of(block)(data, encoding=encoding, errors=errors, newline=newline)
    found, failed = collected(lines)
    assert failed == fails
    if not fails:
        assert found == right


@FAST
@given(DATA | LONG, BLOCKS)
def test_bytes_are_those_of_open(data, block):
    assert list(blocks_of(block)(data, bytes, encoding=None, newline="\n")) == list(
        io.BytesIO(data)
    )


@FAST
@given(DATA | LONG, NEWLINES, ERRORS, st.lists(TEXTS, max_size=3), st.booleans(), BLOCKS)
def test_contains_is_in(data, newline, errors, texts, invert, block):
    right, fails = expected(data, "utf-8", errors, newline)
    if fails:
        return
    options = {"contains": texts, "invert": invert, "errors": errors, "newline": newline}
    wanted = [line for line in right if any(text in line for text in texts) != invert]
    assert list(blocks_of(block)(data, **options)) == wanted
    assert blocks_of(block)(data, **options).count() == len(wanted)


PATTERNS = st.sampled_from(
    [
        r"ERROR",
        r"a.*b",
        r"ab+$",
        r"^ERR",
        r"(?i)error",
        r"(?:ERROR|abab)a",
        r"(ab){2,}",
        r"x?ERROR",
        r"\bab\b",
        r"(?=ERROR)E",
        r"ä|€",
        r"[^\n]ERROR\s",
        r"(?s:ERROR.a)",
        r"(?P<one>ab)(?P=one)",
        r"(?<!E)RR",
        r"ab\n",
        r"",
        r"\s$",
        r"(?i:K)|k2",
    ]
)


@FAST
@given(DATA | LONG, NEWLINES, PATTERNS, TEXTS | st.none(), st.booleans(), BLOCKS)
def test_regex_is_that_of_re(data, newline, pattern, text, invert, block):
    right, _ = expected(data, "utf-8", "replace", newline)
    options = {"regex": pattern, "contains": text, "invert": invert}
    wanted = [
        line
        for line in right
        if ((text is None or text in line) and bool(re.search(pattern, line))) != invert
    ]
    assert list(blocks_of(block)(data, errors="replace", newline=newline, **options)) == wanted


@FAST
@given(DATA, PATTERNS, st.booleans(), BLOCKS)
def test_regex_of_bytes_is_that_of_re(data, pattern, invert, block):
    pattern = pattern.encode()
    wanted = [line for line in io.BytesIO(data) if bool(re.search(pattern, line)) != invert]
    lines = blocks_of(block)(data, bytes, encoding=None, newline="\n", regex=pattern, invert=invert)
    assert list(lines) == wanted


# Parts of which patterns are made at random; what is looked for is made of their letters.
PARTS = st.sampled_from(["a", "b", "ab", "E", "RR", ".", "[ab]", r"\w", "ä", "^", "$", r"\b"])


@st.composite
def random_patterns(draw, depth=2):
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        part = draw(PARTS)
        if depth and draw(st.booleans()):
            inner = draw(random_patterns(depth=depth - 1))
            shape = draw(st.sampled_from(["({})", "(?:{})", "(?i:{})", "(?={})", "(?!{})"]))
            part = shape.format(inner)
        if draw(st.booleans()) and part not in {"^", "$", r"\b"} and not part.startswith("(?="):
            part = f"(?:{part})" + draw(st.sampled_from(["*", "+", "?", "{2}", "+?", "{0,1}"]))
        parts.append(part)
    pattern = "".join(parts)
    return pattern + "|" + draw(PARTS) if draw(st.booleans()) else pattern


@settings(PATIENT, max_examples=300)
@given(random_patterns(), st.lists(st.sampled_from(["a", "b", "E", "R", "ä", " "]), max_size=12))
def test_what_a_pattern_requires_is_in_what_it_matches(pattern, letters):
    compiled = re.compile(pattern)
    text = "".join(letters)
    literals = required(pattern, compiled.flags)
    if compiled.search(text) and literals is not None:
        assert any(literal in text for literal in literals)


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("ERROR", ["ERROR"]),
        (r"\d+ ERROR in \w+", [" ERROR in "]),
        ("ERROR|WARNING", ["ERROR", "WARNING"]),
        ("(?:foo)+bar?", ["foo"]),
        ("x(?P<name>timeout)?y", None),
        ("(?i)error 404", [" 404"]),
        ("(?i:a)bcd", ["bcd"]),
        ("(?-i:abc)", ["abc"]),
        ("abc\ndefg", ["defg"]),
        ("(?=needle)n", None),
        ("(?!needle)other", ["other"]),
        ("[ab]c", None),
        (b"caf\xe9", ["caf\xe9"]),
    ],
)
def test_literals(pattern, literals):
    assert required(pattern, re.compile(pattern).flags) == literals


@FAST
@given(DATA, NEWLINES, st.sampled_from(["newline", True]), ERRORS, BLOCKS)
def test_strip(data, newline, strip, errors, block):
    right, fails = expected(data, "utf-8", errors, newline)
    if fails:
        return
    if strip is True:
        wanted = [line.strip() for line in right]
    else:
        ends = {None: ["\n"], "": ["\r\n", "\n", "\r"]}.get(newline, [newline])
        wanted = []
        for line in right:
            end = next((end for end in ends if line.endswith(end)), "")
            wanted.append(line[: len(line) - len(end)])
    lines = blocks_of(block)(data, newline=newline, strip=strip, errors=errors)
    assert list(lines) == wanted
    if newline == "\n":
        raw = blocks_of(block)(data, bytes, encoding=None, newline="\n", strip=strip)
        assert list(raw) == [
            line.strip() if strip is True else line.removesuffix(b"\n") for line in io.BytesIO(data)
        ]


@FAST
@given(DATA | LONG, NEWLINES, st.integers(1, 30), BLOCKS)
def test_limit(data, newline, limit, block):
    """The lines before the first that is too long, wherever blocks end."""
    right = list(io.TextIOWrapper(io.BytesIO(data), encoding="latin-1", newline=newline or ""))
    wanted = []
    ends = {None: "\r\n", "": "\r\n"}.get(newline, newline)
    for line in right:
        size = len(line) - len(ends) if newline == "\r\n" and line.endswith(ends) else None
        if size is None:
            has_end = newline != "\r\n" and line[-1:] in ends
            size = len(line) - (2 if line.endswith("\r\n") and not newline else has_end)
        if size > limit:
            break
        wanted.append(line)
    lines = blocks_of(block)(data, encoding="latin-1", newline=newline or "", limit=limit)
    found = []
    try:
        for line in lines:
            found.append(line)
        assert len(found) == len(right)
    except stream.LineTooLongError as error:
        assert error.offset == sum(map(len, found))
    assert found == wanted


@FAST
@given(DATA | LONG, st.integers(1, 50), BLOCKS)
def test_chunks(data, size, block):
    reader = _stream.Reader(io.BytesIO(data), block_size=block, compression=None)
    found = []
    while chunk := reader.read(size):
        found.append(chunk)
    assert found == [data[at : at + size] for at in range(0, len(data), size)]
