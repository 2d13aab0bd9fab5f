"""Where the policy contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

KEYS: Final = {
    "policy/instrument/<policy>": "an instrument with its events and findings",
    "policy/statistics/<by>": "how many values of a dimension there ever were",
    "policy/statistics/<by>/page/<n>": "the values of a dimension, in order of first appearance",
    "policy/statistics/<by>/value/<value>": "how many instruments have a value of a dimension",
}
OPEN_KEYS: Final = ("policy/instrument/", "policy/statistics/")


def instrument_key(instrument_id: str) -> str:
    """Return the state key of an instrument."""
    return f"policy/instrument/{instrument_id}"


def dimension_key(by: str) -> str:
    """Return the state key of how many values of a dimension there ever were."""
    return f"policy/statistics/{by}"


def page_key(by: str, page: int) -> str:
    """Return the state key of a page of the values of a dimension."""
    return f"policy/statistics/{by}/page/{page}"


def figure_key(by: str, value: str) -> str:
    """Return the state key of how many instruments have a value of a dimension."""
    return f"policy/statistics/{by}/value/{value}"
