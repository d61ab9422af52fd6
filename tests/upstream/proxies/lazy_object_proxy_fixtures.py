# SPDX-License-Identifier: MIT
"""In place of the suite's own conftest.py: the proxy under test is hasten's."""

import hasten.lazy
import pytest


class Normal:
    kind = "hasten"
    subclass = False
    Proxy = hasten.lazy.Proxy


class Subclassed(Normal):
    subclass = True
    Proxy = type("SubclassOf_Proxy", (hasten.lazy.Proxy,), {})


@pytest.fixture(scope="session", params=[Subclassed, Normal], ids=["subclassed", "normal"])
def lop(request):
    return request.param


def pytest_configure(config):
    for mark in ("xfail_subclass", "xfail_simple"):
        config.addinivalue_line("markers", f"{mark}: of the suite's own")
