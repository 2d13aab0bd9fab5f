"""Who acts together: bodies that passed an instrument jointly, or had a part in the same one, as a matrix.

Law: the matrix is a table, so the figures can be read without the shades; the bodies shown are those that share
most, and how many are left out is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console.documents import COISSUING
from coseal.console.html import Child, Html, el
from coseal.console.nodes import Problem
from coseal.console.page import Page, Route, View
from coseal.console.parts import choices, empty, figure, figures, lead, section, table
from coseal.console.policy_parts import subject_tabs, word
from coseal.console.shown import Shown, Trust

SIZES: Final = (12, 20, 30, 40)
ORDERS: Final = ("neighbours", "most")
_LEVELS: Final = ("central", "provincial", "municipal")
_SHADES: Final = 5
_PAIRS: Final = 25

Pair = tuple[str, str]


async def coordination(page: Page) -> View:
    """Build the matrix of who acts together with whom."""
    by = "passed" if page.query("by") == "passed" else "acted"
    size = page.query_integer("top", high=SIZES[-1])
    size = size if size in SIZES else SIZES[0] if page.query("top") else SIZES[1]
    level = page.query("level") if page.query("level") in _LEVELS else None
    shown = await _asked(page, by, level)
    pairs = {(row["issuers"][0], row["issuers"][1]): int(row["count"]) for row in shown.value["pairs"]}
    title = page.t("policies.coordination.title")

    def top(count: int) -> str:
        return page.t("policies.top", count=count)

    controls = el(
        "div",
        {"class": "controls"},
        choices(page, "by", [("", page.t("policies.acted")), ("passed", page.t("policies.passed"))], "policies.basis"),
        choices(
            page,
            "level",
            [("", page.t("policies.any_level")), *((one, word(page, "level", one)) for one in _LEVELS)],
            "policies.level",
        ),
        choices(page, "top", [("12", top(12)), ("", top(20)), ("30", top(30)), ("40", top(40))], "policies.how_many"),
        choices(
            page, "order", [("", page.t("policies.neighbours")), ("most", page.t("policies.most"))], "policies.order"
        ),
    )
    note = f"policies.{by}.note"
    if not pairs:
        nothing = "policies.too_many" if "too_many" in shown.value else "policies.no_pairs"
        body = section(page, "policies.matrix", controls, empty(page, nothing), shown=shown, note=note)
        return page.view(title, lead(page, title, "policies.coordination.lead"), subject_tabs(page), body, live=False)
    bodies = strongest(pairs, size)
    if page.query("order") != "most":
        bodies = beside(bodies, pairs)
    everybody = {body for pair in pairs for body in pair}
    told = figures(
        figure(page.t("policies.bodies"), page.number(len(everybody))),
        figure(page.t("policies.pairs"), page.number(len(pairs))),
        figure(page.t("policies.bodies_shown"), page.number(len(bodies))),
        figure(
            page.t("policies.in_matrix"),
            page.number(sum(count for pair, count in pairs.items() if {*pair} <= {*bodies})),
        ),
        figure(page.t("policies.all_counts"), page.number(sum(pairs.values()))),
    )
    return page.view(
        title,
        lead(page, title, "policies.coordination.lead"),
        subject_tabs(page),
        section(
            page,
            "policies.matrix",
            controls,
            told,
            _matrix(page, bodies, pairs),
            _legend(page, pairs),
            shown=shown,
            note=note,
        ),
        _pairs(page, pairs, shown),
        live=False,
    )


async def _asked(page: Page, by: str, level: str | None) -> Shown[Any]:
    """Return the pairs as the node counts them; none, and why, where there are more than it counts at once."""
    try:
        return await page.data.get("/v1/policies/coissuing", COISSUING, by=by, level=level, source=page.query("source"))
    except Problem as problem:
        if problem.code != "too_many_rows":
            raise
        return Shown({"pairs": [], "too_many": True}, Trust.UNVERIFIED, "trust.index", node=problem.node)


def strongest(pairs: Mapping[Pair, int], size: int) -> list[str]:
    """Return the bodies of the pairs that share most, most first, at most ``size``: each has a partner among them."""
    bodies: dict[str, None] = {}
    for pair, _ in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        if len(bodies.keys() | {*pair}) <= size:
            bodies |= dict.fromkeys(pair)
    return list(bodies)


def beside(bodies: Sequence[str], pairs: Mapping[Pair, int]) -> list[str]:
    """Return the bodies so ordered that those which share anything stand together: groups become blocks.

    The next is the one that shares most with any of the group so far; where none does, a new group begins with the
    next of the order given.
    """
    left = list(bodies)
    ordered: list[str] = []
    group: list[str] = []
    while left:
        following = max(left, key=lambda body: max((shared(pairs, body, one) for one in group), default=0))
        if not any(shared(pairs, following, one) for one in group):
            following, group = left[0], []
        left.remove(following)
        group.append(following)
        ordered.append(following)
    return ordered


def shared(pairs: Mapping[Pair, int], one: str, other: str) -> int:
    """Return how many instruments two bodies share."""
    return pairs.get((one, other) if one < other else (other, one), 0)


def shade(count: int, top: int) -> int:
    """Return a class of 1 to ``_SHADES`` for a count, each twice as wide as the one below, 0 for none."""
    found = 0
    while count > 0 and found < _SHADES and count * 2**_SHADES > top * 2**found:
        found += 1
    return max(found, int(count > 0))


def _matrix(page: Page, bodies: Sequence[str], pairs: Mapping[Pair, int]) -> Html:
    top = max(pairs.values())
    heads = [
        el(
            "th",
            {"scope": "col", "title": body},
            el("span", {"aria-hidden": "true"}, str(place)),
            el("span", {"class": "unseen"}, body),
        )
        for place, body in enumerate(bodies, 1)
    ]
    lines = []
    for place, body in enumerate(bodies, 1):
        link = el("a", {"href": page.link("/policies", issuer=body)}, body)
        cells: list[Html] = []
        for other in bodies:
            if other == body:
                cells.append(el("td", {"class": "same"}, el("span", {"aria-hidden": "true"}, "·")))
                continue
            count = shared(pairs, body, other)
            said = f"{body} × {other}: {page.number(count)}"
            cells.append(
                el(
                    "td",
                    {"class": f"shade-{shade(count, top)}", "title": said if count else None},
                    str(count) if count else "",
                )
            )
        number = el("span", {"class": "place", "aria-hidden": "true"}, str(place))
        lines.append(el("tr", None, el("th", {"scope": "row", "title": body}, number, " ", link), cells))
    corner = el("th", {"scope": "col"}, page.t("policies.issuer"))
    made = el(
        "table",
        {"class": "matrix dense" if len(bodies) > SIZES[1] else "matrix"},
        el("thead", None, el("tr", None, corner, heads)),
        el("tbody", None, lines),
    )
    return el(
        "div", {"class": "scroll", "tabindex": "0", "role": "group", "aria-label": page.t("policies.matrix")}, made
    )


def _legend(page: Page, pairs: Mapping[Pair, int]) -> Html:
    """Return which shade means how many."""
    top = max(pairs.values())
    spans: dict[int, list[int]] = {}
    for count in range(1, top + 1):
        spans.setdefault(shade(count, top), []).append(count)
    keys = [
        el(
            "li",
            None,
            el("span", {"class": f"key shade-{number}", "aria-hidden": "true"}),
            f"{span[0]}–{span[-1]}" if span[0] < span[-1] else str(span[0]),
        )
        for number, span in spans.items()
    ]
    return el("ul", {"class": "legend", "aria-label": page.t("policies.legend")}, keys)


def _pairs(page: Page, pairs: Mapping[Pair, int], shown: Shown[Any]) -> Html:
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    rows: list[list[Child]] = [
        [
            el("a", {"href": page.link("/policies", issuer=one)}, one),
            el("a", {"href": page.link("/policies", issuer=other)}, other),
            page.number(count),
        ]
        for (one, other), count in ordered[:_PAIRS]
    ]
    made = table(
        page, "policies.pairs_list", ("policies.body", "policies.other_body", "policies.instruments"), rows, numeric="2"
    )
    left = len(ordered) - len(rows)
    more = el("p", {"class": "faint"}, page.t("policies.more_values", count=page.number(left))) if left else None
    return section(page, "policies.pairs_list", made, more, shown=shown)


ROUTES: Final = (Route("/policy/coordination", coordination, "policies.nav"),)
