# SPDX-License-Identifier: MIT
"""Says which browser and which system a User-Agent header belongs to."""

import re

BROWSERS = [
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("robot", r"bot\b|crawler|spider|slurp|feed-?reader|monitoring"),
        ("command line", r"^(curl|wget|python-requests|go-http-client)/"),
        ("Edge", r"\bedg(e|a|ios)?/(?P<version>\d+)"),
        ("Opera", r"\b(opr|opera)/(?P<version>\d+)"),
        ("Samsung Internet", r"\bsamsungbrowser/(?P<version>\d+)"),
        ("Firefox", r"\b(firefox|fxios)/(?P<version>\d+)"),
        ("Chrome", r"\b(chrome|crios)/(?P<version>\d+)"),
        ("Safari", r"\bversion/(?P<version>\d+)[.\d]* .*safari/"),
    )
]
SYSTEMS = [
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("Android", r"\bandroid (?P<version>\d+)"),
        ("iOS", r"\b(iphone|ipad);.* os (?P<version>\d+)_"),
        ("macOS", r"\bmac os x (?P<version>\d+)[_.]"),
        ("Windows", r"\bwindows nt (?P<version>\d+)"),
        ("Linux", r"\blinux\b"),
    )
]


def first_match(agent, patterns):
    for name, pattern in patterns:
        match = pattern.search(agent)
        if match:
            version = match.groupdict().get("version")
            return f"{name} {version}" if version else name
    return "unknown"


def classify(agent):
    """("Firefox 128", "Windows 10") for a header's text."""
    return first_match(agent, BROWSERS), first_match(agent, SYSTEMS)
