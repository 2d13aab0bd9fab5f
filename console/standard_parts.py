"""What the pages of standards share: where a version is shown, its status in words, and its shares by period.

Law: status and thresholds are worked out from the certified state by ``contracts.standards.described``; what happened
in earlier periods is the node's index and sealed as such.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final
from urllib.parse import quote

from coseal.console import shapes
from coseal.console.ballot_parts import Values
from coseal.console.html import Html, join
from coseal.console.line_chart import Threshold
from coseal.console.page import Page
from coseal.console.parts import tag
from coseal.console.shown import Shown, joined
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.wording import in_language
from coseal.contracts.standards import described
from coseal.contracts.standards.lists import STATUS
from coseal.contracts.standards.state import content_key, head_key, standard_key
from coseal.contracts.standards.status import TERMS, Share, mean, opens_ms
from coseal.ledger.render import time_text
from coseal.ledger.validators import ROLES

PERIODS: Final = 24
"""How many periods a chart goes back; those in which nobody was active are left out."""
_TONES: Final = {"proposed": "", "in_use": "accent", "de_facto": "good", "lapsed": "", "ended": ""}


def standard_path(standard: str, version: int) -> str:
    """Return the path of a version's page."""
    return f"/standards/{quote(standard, safe='')}/{version}"


def domain_path(domain: str) -> str:
    """Return the path of a domain's page."""
    return f"/domains/{quote(domain, safe='')}"


def status_word(page: Page, status: str) -> str:
    """Return a status in words."""
    return page.t_or(f"standards.status.{status}", status)


def tags(page: Page, found: Mapping[str, Any]) -> Html:
    """Return the status of a version, and what stands beside it: recognition, a successor, an end."""
    made = [tag(status_word(page, found["status"]), _TONES.get(found["status"], ""))]
    level = found["recognition"]["level"] if "recognition" in found else ""
    if level:
        made.append(tag(page.t_or(f"standards.level.{level}", level), "good"))
    if "successor" in found:
        made.append(tag(page.t("standards.superseded"), "wait"))
    elif found.get("sunset_ms") is not None and found["status"] != "ended":
        made.append(tag(page.t("standards.ending"), "wait"))
    return join(*(join(" " if number else "", one) for number, one in enumerate(made)))


def title_of(page: Page, title: Any) -> str:
    """Return a title in the reader's language."""
    return in_language(title, page.language)


def keys_of(standard: str, version: int) -> list[str]:
    """Return the keys by which a version is shown."""
    return [standard_key(standard, version), head_key(standard), content_key(standard, version)]


def version_of(page: Page, values: Values, standard: str, version: int) -> dict[str, Any] | None:
    """Return a version as ``described`` has it, by values that were read."""
    return described.version(values, standard, version, page.data.block_ms or page.now_ms)


def percent(page: Page, quota: Sequence[int]) -> str:
    """Return a fraction as written, and as a percentage where that says more."""
    numerator, denominator = quota
    rounded = f"{page.number(100 * numerator / denominator, 1).removesuffix('.0')}%"
    return rounded if denominator in (1, 100) or denominator > 999 else f"{numerator}/{denominator} ({rounded})"


def period_label(page: Page, period: int) -> str:
    """Return when a period closed, as short as its length allows."""
    period_ms = page.console.genesis.parameters.standard_period_ms
    written = time_text(opens_ms(period + 1, period_ms))
    return written[:10] if period_ms >= DAY_MS else written[11:19]


def thresholds(page: Page) -> list[Threshold]:
    """Return what the mean of the shares is compared with."""
    named = (("gained", TERMS.gained), ("lost", TERMS.lost))
    return [
        Threshold(part / whole, page.t(f"standards.threshold.{name}", share=f"{part}/{whole}"), f"{part}/{whole}")
        for name, (part, whole) in named
    ]


# Earlier reviews, as the node's index has them

_counts: Final = shapes.record(**{role: shapes.integer() for role in ROLES})
_REVIEWS: Final = shapes.record(
    height=shapes.height,
    next=shapes.maybe(shapes.cursor),
    reviews=shapes.listed(
        shapes.record(
            period=shapes.integer(),
            status=shapes.text(32),
            items=shapes.integer(),
            by_constituency=shapes.record(users=_counts, active=_counts, adopters=_counts),
        ),
        PERIODS,
    ),
)


@dataclass(frozen=True, slots=True)
class Review:
    """What a review found of a version."""

    period: int
    status: str
    items: int
    users: Mapping[str, int]
    active: Mapping[str, int]
    adopters: Mapping[str, int]

    @property
    def share(self) -> Fraction:
        """The mean of the constituencies' shares."""
        shares = {role: Share(self.users[role], self.active[role]) for role in ROLES}
        return Fraction(*mean(shares))


async def reviews_of(page: Page, names: Sequence[tuple[str, int]]) -> Shown[dict[tuple[str, int], list[Review]]]:
    """Return the reviews of versions in periods in which somebody was active, the oldest first."""
    asked: dict[str, Any] = {"order": "newest", "limit": PERIODS, "active": "1"}
    found = await asyncio.gather(
        *(page.data.get(STATUS.path, _REVIEWS, standard=name, version=number, **asked) for name, number in names)
    )
    by_name = {
        name: [_review(row) for row in reversed(one.value["reviews"])] for name, one in zip(names, found, strict=True)
    }
    return joined(*found).of(by_name)


def _review(row: Mapping[str, Any]) -> Review:
    return Review(row["period"], row["status"], row["items"], **row["by_constituency"])
