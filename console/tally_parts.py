"""The tallies of an object as a section of its page: sums, whose word each is, and how its parties match.

Law: the figures are those of the certified state; how they match is computed here, as contracts do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.console.html import Child, Html, el, join
from coseal.console.page import Page
from coseal.console.parts import section, table, tag, titled_table
from coseal.console.shown import Shown
from coseal.contracts.process.tallies import Declared, declared_tallies
from coseal.contracts.process.tally import Tally, figures_of, tally_document, tally_from

_STEPS: Final = ("ordered", "received", "invoiced")
_DEALT: Final = frozenset((*_STEPS, "ordered_amount", "invoiced_amount"))


def tallies_of(page: Page, definition: Mapping[str, Any], object_type: str, shown: Shown[Any]) -> list[Html]:
    """Return the sums that the object carries, whose word each is, and how its parties match; nothing without sums."""
    declared, value = declared_tallies(definition).get(object_type), shown.value
    if declared is None or value is None:
        return []
    tally = tally_from(value)
    rows: list[list[Child]] = [
        [name, member, _scaled(page, total, declared.scales[name]), page.number(events), page.number(inexact)]
        for name in declared.tallies
        for member, row in sorted(tally.members.items())
        for total, events, inexact in [row[3].get(name, (0, 0, 0))]
        if events or inexact
    ]
    columns = ("cases.tally", "cases.tally_member", "cases.tally_sum", "processes.events", "cases.tally_inexact")
    made = table(page, "cases.tallies", columns, rows)
    said = [
        join(_match(page, match), _deal(page, declared, tally, match["buyer"], match["seller"]))
        for match in tally_document(declared, tally).get("matches", ())
    ]
    return [section(page, "cases.tallies", said, made, shown=shown, note="cases.tallies.note")]


def _scaled(page: Page, value: int | None, scale: int) -> str:
    if value is None:
        return page.t("part.none")
    digits = str(abs(value)).zfill(scale + 1)
    whole, fraction = (digits[:-scale], digits[-scale:]) if scale else (digits, "")
    return ("-" if value < 0 else "") + whole + (f".{fraction}" if fraction else "")


def _deal(page: Page, declared: Declared, tally: Tally, buyer: str | None, seller: str | None) -> Html | None:
    """Return what was ordered, received and invoiced side by side, each by the word of the side that it binds."""
    if not buyer or not seller or not declared.scales.keys() >= _DEALT:
        return None
    figures = figures_of(declared, tally, buyer, seller)
    names = [
        "",
        *(
            page.t(f"cases.deal.{step}", member=member)
            for step, member in zip(_STEPS, (buyer, buyer, seller), strict=True)
        ),
    ]
    scale, amounts = declared.scales["ordered"], declared.scales["ordered_amount"]
    goods = min(figures.ordered, figures.received) if figures.received else figures.ordered
    rows: list[list[Child]] = [
        [
            page.t("cases.deal.quantity"),
            _scaled(page, figures.ordered, scale),
            _compared(page, figures.received, figures.ordered, scale),
            _compared(page, figures.invoiced, goods, scale),
        ],
        [
            page.t("cases.deal.amount"),
            _scaled(page, figures.ordered_amount, amounts),
            "",
            _compared(page, figures.invoiced_amount, figures.ordered_amount, amounts),
        ],
    ]
    return titled_table(page, page.t("cases.deal"), names, rows, numeric="1 2 3", name="deal")


def _compared(page: Page, figure: int, base: int, scale: int) -> Child:
    """Return a figure as it is written, and by how much it differs from another."""
    apart = figure - base
    if not apart:
        return _scaled(page, figure, scale)
    mark = f"{'+' if apart > 0 else '−'}{_scaled(page, abs(apart), scale)}"
    return join(_scaled(page, figure, scale), " ", tag(mark, "bad" if apart > 0 else "wait"))


def _match(page: Page, match: Mapping[str, Any]) -> Html:
    kind = "good" if match["verdict"] == "matched" else "wait" if match["verdict"].startswith("awaiting") else "bad"
    words = page.t(
        "cases.match",
        buyer=match["buyer"] or "-",
        seller=match["seller"] or "-",
        payable=_scaled(page, match["payable_amount"], 2),
    )
    said = ", ".join(page.t(f"match.{reason}") for reason in match["reasons"][1:])
    return el("p", None, tag(page.t(f"match.{match['verdict']}"), kind), " ", words, " ", said)
