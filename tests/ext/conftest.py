# SPDX-License-Identifier: MIT
"""Lets tests import what they share, and the programs that they look at."""

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "targets")]

from shared_server import PROGRAM, Other, Rubbish, Server  # noqa: E402 (found where the line
from traced import HASTEN, run  # noqa: E402                     above says)


@pytest.fixture
def trace(tmp_path):
    """Traces a program given as text; answers what it printed and the report."""

    def start(text, *options, expect=0, **keywords):
        script = tmp_path / "app.py"
        script.write_text(text)
        recording = tmp_path / "app.hasten"
        command = [*HASTEN, "run", "--trace", "--python", sys.executable, "--no-report"]
        done = run(*command, *options, "-o", recording, script, **keywords)
        assert done.returncode == expect, done.stderr
        shown = run(*HASTEN, "report", "--json", recording)
        assert shown.returncode == 0, shown.stderr
        assert not list(tmp_path.glob("app.hasten.*")), "parts are removed"
        return done, json.loads(shown.stdout)

    return start


def _let_go_of(server):
    from hasten._shared import link as _shared_link

    link = _shared_link._links.pop(server.url, None)
    if link is not None:
        link.end()
    server.end()


@pytest.fixture
def patient(monkeypatch):
    """A busy machine is no server that does not answer."""
    from hasten._shared import server as _shared_server

    monkeypatch.setattr(_shared_server, "CONNECT_S", 20.0)
    monkeypatch.setattr(_shared_server, "ANSWER_S", 20.0)


@pytest.fixture
def server(patient):
    """A server that keeps results for many processes; nobody else uses it."""
    pytest.importorskip("redis", reason="the package redis is not installed")
    if PROGRAM is None:
        pytest.skip("neither redis-server nor valkey-server is installed: SHARED CACHES NOT TESTED")
    server = Server()
    yield server
    _let_go_of(server)


@pytest.fixture
def rubbish():
    """Starts servers that answer what they are told to."""
    pytest.importorskip("redis", reason="the package redis is not installed")
    started = []

    def start(answer):
        started.append(Rubbish(answer))
        return started[-1]

    yield start
    for server in started:
        _let_go_of(server)


@pytest.fixture
def other(server):
    """Starts other processes that know the server."""
    started = []

    def start(code):
        started.append(Other(server.url, code))
        return started[-1]

    yield start
    for process in started:
        if process.process.poll() is None:
            process.end()
