# SPDX-License-Identifier: MIT
"""Counts while the log is read, and writes what came out as text and as JSON."""

import json
from collections import Counter
from statistics import median


class Totals:
    def __init__(self):
        self.records = 0
        self.bytes = 0
        self.statuses = Counter()
        self.browsers = Counter()
        self.systems = Counter()
        self.sections = Counter()
        self.errors = Counter()
        self.hours = Counter()

    def count(self, record, browser, system, session):
        self.records += 1
        self.bytes += record.size
        self.statuses[f"{record.status // 100}xx"] += 1
        self.browsers[browser] += 1
        self.systems[system] += 1
        self.sections[record.path.split("/")[1]] += 1
        self.hours[record.time // 3600 % 24] += 1
        if record.status >= 400 and len(session.pages) > 1:
            self.errors[session.pages[-2]] += 1


def top(counter, limit=10):
    """The most frequent entries; equal counts in the order of their names."""
    return sorted(counter.items(), key=lambda item: (-item[1], str(item[0])))[:limit]


def summarise(totals, sessions, visitors):
    pages = Counter(page for session in sessions for page in session.pages)
    entries = Counter(session.pages[0] for session in sessions)
    countries = Counter(session.country for session in sessions)
    durations = [session.duration for session in sessions if len(session.pages) > 1]
    return {
        "records": totals.records,
        "visitors": len(visitors),
        "sessions": len(sessions),
        "megabytes": round(totals.bytes / 1e6, 1),
        "median_session_seconds": median(durations) if durations else 0,
        "pages_per_session": round(totals.records / max(1, len(sessions)), 2),
        "statuses": top(totals.statuses),
        "sections": top(totals.sections),
        "pages": top(pages),
        "entry_pages": top(entries),
        "pages_before_an_error": top(totals.errors),
        "countries": top(countries, 20),
        "browsers": top(totals.browsers),
        "systems": top(totals.systems),
        "busiest_hours": top(totals.hours, 5),
    }


def as_text(summary):
    lines = ["Access report", "============="]
    for key, value in summary.items():
        title = key.replace("_", " ")
        if isinstance(value, list):
            lines += ["", title.capitalize()]
            width = max((count for _, count in value), default=1)
            lines += [
                f"  {name!s:<24} {count:>8} {'#' * round(30 * count / width)}"
                for name, count in value
            ]
        else:
            lines.append(f"{title:<26} {value:>12}")
    return "\n".join(lines) + "\n"


def write(summary, folder):
    folder.mkdir(parents=True, exist_ok=True)
    text, data = folder / "report.txt", folder / "report.json"
    text.write_text(as_text(summary))
    data.write_text(json.dumps(summary, indent=2) + "\n")
    return text, data
