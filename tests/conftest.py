"""Which tests are slow, and the order of all: files that start networks or a browser first, then those with most tests.

Files are what workers take one after the other; with the long ones first, no worker ends with one alone.
"""

import gc
from collections import Counter
from functools import cache

import pytest
import typer.testing

# A runner would make all commands again for each call.
typer.testing._get_command = cache(typer.testing._get_command)  # type: ignore[attr-defined]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.slow)
    tests = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("cluster") or item.get_closest_marker("browser")}
    items.sort(key=lambda item: (item.path not in long, -tests[item.path], item.path))


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and never among what collecting made: that is the most of it and stays to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
