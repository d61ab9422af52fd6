# SPDX-License-Identifier: MIT
"""Groups records into sessions: one visitor's requests without a long pause."""

from dataclasses import dataclass, field

PAUSE_SECONDS = 30 * 60


@dataclass
class Session:
    host: str
    start: int
    end: int
    size: int = 0
    pages: list = field(default_factory=list)
    country: str = "unknown"

    @property
    def duration(self):
        return self.end - self.start


class SessionBuilder:
    """Takes records in the order of the log."""

    def __init__(self):
        self.visitors = []
        self._open = {}
        self._finished = []

    def add(self, record):
        visitor = f"{record.host} {record.agent}"
        if visitor not in self.visitors:
            self.visitors.append(visitor)
        session = self._open.get(visitor)
        if session is not None and record.time - session.end > PAUSE_SECONDS:
            self._finished.append(session)
            session = None
        if session is None:
            session = self._open[visitor] = Session(record.host, record.time, record.time)
        session.end = record.time
        session.size += record.size
        session.pages.append(record.path)
        return session

    def close(self):
        """Every session, in the order of their starts."""
        self._finished.extend(self._open.values())
        self._open.clear()
        return sorted(self._finished, key=lambda session: (session.start, session.host))
