# SPDX-License-Identifier: MIT
"""Writes the access log and the network table that the sample works on.

The same length always gives the same bytes, with every version of Python.
"""

import random
from itertools import accumulate

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
COUNTRIES = ("DE", "FR", "US", "BR", "IN", "JP", "KE", "SE", "PL", "CA", "AU", "ZA", "MX", "IT")
SECTIONS = ("articles", "products", "help", "forum", "search", "account", "static", "api/v2")
SYSTEMS = (
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 14_{minor}",
    "X11; Linux x86_64",
    "Linux; Android {major}; Pixel 8",
    "iPhone; CPU iPhone OS 17_{minor} like Mac OS X",
    "iPad; CPU OS 16_{minor} like Mac OS X",
)
ENGINES = (
    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{build}.0.0.0 Safari/537.36",
    "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{minor} Safari/605.1.15",
    "Gecko/20100101 Firefox/{build}.0",
    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{build}.0.0.0 Safari/537.36 Edg/{build}.0",
)
ROBOTS = (
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +http://example.com/bot)",
    "feed-reader/{minor}.{major}",
    "curl/8.{minor}.0",
)
REFERRERS = (
    "-",
    "-",
    "-",
    "https://example.com/",
    "https://search.example.net/?q=shop",
    "https://news.example.org/today",
)
STATUSES = (200, 200, 200, 200, 200, 200, 200, 304, 304, 301, 404, 404, 500)


def ensure_networks(folder):
    """The table of networks: one `first octet,second octet,country` a line."""
    path = folder / "networks.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        rows = [
            f"{10 + index // 4},{64 * (index % 4)},{COUNTRIES[index * 7 % len(COUNTRIES)]}\n"
            for index in range(40)
        ]
        path.write_text("first,second,country\n" + "".join(rows))
    return path


def ensure_log(folder, lines):
    path = folder / f"access-{lines}.log"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        with partial.open("w") as output:
            output.writelines(log_lines(lines))
        partial.rename(path)
    return path


def make_agents(rng, count):
    agents = []
    for _ in range(count):
        numbers = {
            "minor": int(rng.random() * 9),
            "major": 10 + int(rng.random() * 6),
            "build": 110 + int(rng.random() * 30),
        }
        if rng.random() < 0.08:
            pattern = ROBOTS[int(rng.random() * len(ROBOTS))]
        else:
            system = SYSTEMS[int(rng.random() * len(SYSTEMS))]
            engine = ENGINES[int(rng.random() * len(ENGINES))]
            pattern = f"Mozilla/5.0 ({system}) {engine}"
        agents.append(pattern.format(**numbers))
    return agents


def make_clients(rng, count):
    agents = make_agents(rng, 400)
    clients = []
    for _ in range(count):
        octets = [10 + int(rng.random() * 10)] + [int(rng.random() * 256) for _ in range(3)]
        clients.append((".".join(map(str, octets)), agents[int(rng.random() * len(agents))]))
    return clients


def log_lines(lines):
    """Yields the log: some clients come often, most come a few times."""
    rng = random.Random(20250312)
    clients = make_clients(rng, max(40, lines // 6))
    weights = list(accumulate(1 / (200 + rank) for rank in range(len(clients))))
    second = 0.0
    for _ in range(lines):
        second += rng.random() * 0.8
        host, agent = rng.choices(clients, cum_weights=weights)[0]
        section = SECTIONS[int(rng.random() * len(SECTIONS))]
        page = int(rng.random() ** 3 * 900)
        status = STATUSES[int(rng.random() * len(STATUSES))]
        size = 0 if status == 304 else 300 + int(rng.random() ** 4 * 90_000)
        referrer = REFERRERS[int(rng.random() * len(REFERRERS))]
        yield (
            f'{host} - - [{timestamp(int(second))}] "GET /{section}/{page} HTTP/1.1" '
            f'{status} {size} "{referrer}" "{agent}"\n'
        )


def timestamp(second):
    day, second = divmod(second, 86_400)
    month, day = divmod(day, 28)
    return (
        f"{day + 1:02}/{MONTHS[month % 12]}/{2025 + month // 12}:"
        f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} +0000"
    )
