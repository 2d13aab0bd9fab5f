"""What the pages of projects share: where a project stands, for whom it waits, how far its panel is, its money.

Law: all of it follows from the certified state; a clock is the one that the ledger fixed when the step began.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from coseal.console.html import Child, Html, el, join
from coseal.console.page import Page
from coseal.console.parts import member_link, tag
from coseal.contracts.certification import proceedings
from coseal.contracts.certification.certificates import EXPIRED, REVOKED, is_suspended
from coseal.contracts.certification.projects import DRAFT, LAPSE_MS, LAPSED
from coseal.contracts.certification.verdict import CERTIFIED, CONDITIONAL, REFUSED

PATH: Final = "/projects"
Data = Mapping[str, Any]
TONES: Final = {
    CERTIFIED: "good",
    CONDITIONAL: "wait",
    REFUSED: "bad",
    proceedings.INCONCLUSIVE: "bad",
    EXPIRED: "",
    REVOKED: "bad",
    LAPSED: "",
}


class Waiting(NamedTuple):
    """For whom a project waits: what is to be done (a key of the catalogue, empty for nothing), by whom, until when.

    ``due_ms`` is 0 where no clock runs.
    """

    key: str
    who: tuple[str, ...] = ()
    due_ms: int = 0


def project_path(project: str) -> str:
    """Return the path of a project's page."""
    return f"{PATH}/{quote(project, safe='')}"


def project_link(project: str) -> Html:
    """Return a project as a link to its page."""
    return el("a", {"href": project_path(project)}, project)


def status_tag(page: Page, status: str) -> Html:
    """Return the status of a project, what is under way as waiting."""
    return tag(page.t_or(f"projects.status.{status}", status), TONES.get(status, "wait"))


def waiting(record: Data, scheme: Data, round: Data) -> Waiting:
    """Return for whom a project waits; ``round`` is its present round, empty before the first."""
    status, due_ms = record["status"], record.get("due_ms", 0)
    match status:
        case "draft":
            return Waiting("projects.waits.draft", (record["member"],), record["touched_ms"] + LAPSE_MS)
        case proceedings.SEALED:
            return Waiting("projects.waits.admit", acting(record, scheme), due_ms)
        case proceedings.ADMITTED if round.get("rests"):
            return Waiting("projects.waits.rest", (), due_ms)
        case proceedings.ADMITTED:
            key, who = _seeds(round)
            return Waiting(key, who, due_ms)
        case proceedings.DRAWN:
            return Waiting("projects.waits.declare", _without(panel_of(round), round["declared"]), due_ms)
        case proceedings.REVIEW:
            return Waiting("projects.waits.review", _without(panel_of(round), round["committed"]), due_ms)
        case proceedings.REVEAL:
            return Waiting("projects.waits.reveal", _without(round["committed"], round["revealed"]), due_ms)
        case proceedings.REVIEWED:
            return Waiting("projects.waits.decide", acting(record, scheme), due_ms)
    return Waiting("")


def acting(record: Data, scheme: Data) -> tuple[str, ...]:
    """Return the body that acts in a project; every one of them after the last turn."""
    apart = proceedings.interested(record)
    bodies = tuple(body for body in scheme["bodies"] if body not in apart)
    turn = record.get("turn", 0)
    return bodies[turn : turn + 1] or bodies


def _seeds(round: Data) -> tuple[str, tuple[str, ...]]:
    """Return what is due of the seeds of a draw, and by whom."""
    seeds = round["seeds"]
    silent = _without(round["seeders"], seeds)
    if silent:
        return "projects.waits.seed", silent
    return "projects.waits.show", tuple(member for member in round["seeders"] if not seeds[member][1])


def _without(names: Sequence[str], done: Sequence[str] | Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in done)


def panel_of(round: Data) -> tuple[str, ...]:
    """Return the names of a panel, ``member/user``."""
    return tuple(f"{member}/{user}" for member, user, *_ in round["panel"])


def people(names: Sequence[str]) -> Child:
    """Return members or operators as links, one after another."""
    return join(*(join(", " if number else "", member_link(name)) for number, name in enumerate(names)))


def progress(page: Page, record: Data, round: Data) -> str:
    """Return how far the present panel is, in words; a dash before there is one."""
    seats = len(round["panel"]) if round else 0
    if not seats:
        return "–"
    for name in ("revealed", "committed", "declared"):
        if round.get(name):
            return page.t(f"projects.progress.{name}", count=len(round[name]), seats=seats)
    return page.t("projects.progress.drawn", seats=seats)


def until(page: Page, certificate: Data | None, time_ms: int) -> Child:
    """Return until when a project is certified, by its certificate; a dash without one in force."""
    if certificate is None or certificate["status"] not in (CERTIFIED, CONDITIONAL):
        return "–"
    ends = page.time(certificate["until_ms"])
    if not is_suspended(certificate, time_ms):
        return ends
    return join(ends, " ", tag(page.t("projects.suspended"), "bad"))


def kept_back(record: Data) -> int:
    """Return what a refusal keeps from being spent on a project, in fen."""
    return record.get("planned", 0) - record.get("released", 0) if record["status"] == REFUSED else 0


STEPS: Final = (
    (DRAFT, ""),
    (proceedings.SEALED, "admit_ms"),
    (proceedings.ADMITTED, "seed_ms"),
    (proceedings.DRAWN, "declare_ms"),
    (proceedings.REVIEW, "commit_ms"),
    (proceedings.REVEAL, "reveal_ms"),
    (proceedings.REVIEWED, "decide_ms"),
)
"""The steps to an outcome in their order, and the term of each."""
