"""What the pages of the policy register share: words for the terms of the contract, its counters, its sub-pages.

Law: a counter is read from the certified state, so it is verified; a term without words stands for itself.
"""

from __future__ import annotations

import asyncio
from typing import Final

from coseal.console.html import Html, el
from coseal.console.page import Page
from coseal.console.shown import Shown, joined
from coseal.contracts.policy.state import dimension_key, figure_key, page_key

STATUS_TONE: Final = {"promulgated": "good", "proposed": "wait", "ended": "bad"}
VERDICT_TONE: Final = {"in_force": "good", "not_yet": "wait", "no_longer": "bad", "suspended": "bad"}
VALUES_MAX: Final = 1_024
"""Of one dimension no more values than this are read from the state; the node's index counts the others."""

_PAGE_VALUES: Final = 64  # of the contract: contracts/policy/README.md
_TABS: Final = (
    ("policies.tab.register", "/policies"),
    ("policies.tab.figures", "/policy/figures"),
    ("policies.tab.coordination", "/policy/coordination"),
    ("policies.tab.table1", "/policy/table1"),
)


def word(page: Page, kind: str, value: str) -> str:
    """Return what a term of the contract means: ``kind`` is level, status, origin, action, finding or another."""
    return page.t_or(f"policy.{kind}.{value}", page.t_or(f"policy.any.{value}", value))


def date_of(page: Page, date: str | None) -> Html:
    """Return a date of a day, a month or a year, or that there is none."""
    if not date:
        return el("span", {"class": "faint"}, page.t("policies.no_date"))
    return el("time", {"datetime": date}, date)


def subject_tabs(page: Page) -> Html:
    """Return the links between the pages about policies."""
    links = [
        el("a", {"href": path, "aria-current": "page" if path == page.path else None}, page.t(key))
        for key, path in _TABS
    ]
    return el("nav", {"class": "choices", "aria-label": page.t("policies.tabs")}, links)


async def counter(page: Page, by: str, value: str) -> Shown[int]:
    """Return how many instruments (events, for ``action``) have a value now; 0 is proven as well."""
    shown = await page.data.state(figure_key(by, value))
    return shown.of(shown.value or 0)


async def values_of(page: Page, by: str) -> list[str]:
    """Return the values of a dimension in the order they came, from the state: ``VALUES_MAX`` at most."""
    return (await listed(page, by)).value


async def listed(page: Page, by: str) -> Shown[list[str]]:
    """Return the values of a dimension with their standing."""
    total = await page.data.state(dimension_key(by))
    count = min((total.value or {}).get("count", 0), VALUES_MAX)
    pages = await asyncio.gather(*(page.data.state(page_key(by, n)) for n in range(-(-count // _PAGE_VALUES))))
    values = [value for one in pages for value in one.value or ()]
    return joined(total, *pages).of(values)


async def proven_figures(page: Page, by: str) -> Shown[dict[str, int]] | None:
    """Return the figures of a dimension, each from its proven counter, those at 0 left out.

    None if it has more than ``VALUES_MAX`` values: some would be missing.
    """
    total = await page.data.state(dimension_key(by))
    if (total.value or {}).get("count", 0) > VALUES_MAX:
        return None
    values = await listed(page, by)
    counts = await asyncio.gather(*(counter(page, by, value) for value in values.value))
    found = {value: one.value for value, one in zip(values.value, counts, strict=True) if one.value}
    return joined(values, *counts).of(found)
