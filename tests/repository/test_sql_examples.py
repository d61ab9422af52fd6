# SPDX-License-Identifier: MIT
"""docs/formats/sqlite.md against a real recording: its examples answer, its tables are those."""

import re
import sqlite3
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "formats" / "sqlite.md").read_text(encoding="utf-8")
RECORDING = ROOT / "tests" / "golden" / "recordings" / "good-v2.sqlite"

EXAMPLES = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SHELL = re.findall(r"^sqlite3 app\.hasten '(.*)'$", PAGE, re.MULTILINE)
SCHEMA = re.findall(r"^```sql schema\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
VIEW_TABLE = re.findall(r"^\| (\w+) \| [^|]+ \| (name|file|pid|stack)(.*) \|$", PAGE, re.MULTILINE)


@pytest.fixture
def database():
    connection = sqlite3.connect(f"file:{RECORDING}?mode=ro&immutable=1", uri=True)
    yield connection
    connection.close()


def test_the_page_has_examples():
    assert len(EXAMPLES) >= 10
    assert len(SHELL) == 1
    assert len(SCHEMA) == 1


@pytest.mark.parametrize("sql", EXAMPLES + SHELL)
def test_example_answers(database, sql):
    rows = database.execute(sql).fetchall()
    assert rows
    assert any(value is not None for value in rows[0])


def test_tables_are_those_of_the_page(database):
    documented = [text.strip() for text in SCHEMA[0].split(";") if text.strip()]
    real = database.execute("SELECT sql FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
    assert documented == [row[0] for row in real]


def test_views_have_the_documented_columns(database):
    documented = {name: first + rest for name, first, rest in VIEW_TABLE}
    views = {
        row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'")
    }
    assert set(documented) == views
    for name, text in documented.items():
        columns = re.sub(r"\s*\([^)]*\)", "", text).split(", ")
        real = [column[0] for column in database.execute(f"SELECT * FROM {name}").description]
        assert columns == real, name


def test_identifies_itself(database):
    assert database.execute("PRAGMA application_id").fetchone() == (0x4853544E,)
    assert database.execute("PRAGMA user_version").fetchone() == (2,)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_sums_agree(database):
    """Views add up to what the rows say."""
    (everything,) = database.execute(
        "SELECT sum(amount) / 1e9 FROM value WHERE metric IN (SELECT id FROM metric WHERE is_state)"
    ).fetchone()
    for view, column in (
        ("functions", "self"),
        ("lines", "self"),
        ("states", "time"),
        ("stacks", "self"),
    ):
        (total,) = database.execute(f"SELECT sum({column}) FROM {view}").fetchone()
        assert total == pytest.approx(everything), view
    assert database.execute("SELECT sum(samples) FROM functions").fetchone() == (8,)
