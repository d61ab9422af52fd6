# SPDX-License-Identifier: MIT
"""The command: finds or makes the log, runs it through the steps, says what came out."""

import argparse
from pathlib import Path

from . import generate, report
from .agents import classify
from .networks import NetworkTable
from .parse import read_records
from .sessions import SessionBuilder


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(prog="logreport", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(".cache/logreport"),
        help="folder for the log and the reports (default: %(default)s)",
    )
    parser.add_argument("--log", type=Path, help="read this log instead of a generated one")
    parser.add_argument(
        "--lines",
        type=int,
        default=64_000,
        help="length of the generated log (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def analyse(log, networks):
    builder = SessionBuilder()
    totals = report.Totals()
    for record in read_records(log):
        browser, system = classify(record.agent)
        session = builder.add(record)
        totals.count(record, browser, system, session)
    sessions = builder.close()
    for session in sessions:
        session.country = networks.country_of(session.host)
    return totals, sessions, builder.visitors


def main(arguments=None):
    options = parse_arguments(arguments)
    log = options.log or generate.ensure_log(options.data, options.lines)
    networks = NetworkTable(generate.ensure_networks(options.data))
    totals, sessions, visitors = analyse(log, networks)
    summary = report.summarise(totals, sessions, visitors)
    text, data = report.write(summary, options.data / "reports")
    print(f"{totals.records} records, {len(sessions)} sessions, {len(visitors)} visitors")
    print(f"wrote {text} and {data}")
    return 0
