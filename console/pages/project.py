"""A project under certification: for whom it waits, its panels and reviews, its argument as a tree, its money.

Law: everything here is read from the certified state; a text of a node or review is shown if the state has its digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from coseal.console.argument_reading import Argument, Review, argument_of, reviews_of
from coseal.console.argument_tree import argument_tree, node_link
from coseal.console.ballot_parts import Values
from coseal.console.document_file import document_file
from coseal.console.html import Child, Html, el, join
from coseal.console.nodes import Problem
from coseal.console.page import Page, Route, View
from coseal.console.pages import project_money, project_panel
from coseal.console.parts import (
    due,
    facts,
    height_link,
    hexadecimal,
    lead,
    member_link,
    moment,
    notice,
    raw,
    section,
    tag,
)
from coseal.console.project_parts import (
    PATH,
    STEPS,
    Data,
    people,
    project_path,
    status_tag,
    until,
    waiting,
)
from coseal.contracts.certification.certificates import is_suspended
from coseal.contracts.certification.scheme import applying, term_ms
from coseal.contracts.certification.state import certificate_key, project_key, round_key, scheme_key, tranche_key
from coseal.contracts.certification.verdict import CERTIFIED, CONDITIONAL, REFUSED, Tally, Verdict, verdict
from coseal.contracts.kernel.wording import in_language
from coseal.ledger.render import plain

_NAV: Final = "projects.nav"


async def project(page: Page) -> View:
    """Build the page of a project."""
    name, values = page.part("id"), Values(page)
    await values.read(project_key(name))
    record = values.get(project_key(name))
    if record is None:
        raise Problem(404, "unknown_project", page.t("projects.unknown", name=name), values.shown.node)
    await values.read(*_beside(name, record))
    await values.read(*project_money.holds(values, name, record))
    scheme = values.get(scheme_key(record["scheme"]))
    rounds = [values.get(round_key(name, number)) for number in range(1, record.get("round", 0) + 1)]
    argument = await argument_of(page, values, name, record["nodes"])
    judged = max((number for number, each in enumerate(rounds, 1) if each.get("revealed")), default=0)
    reviews: list[Review] = []
    if judged:
        revealed = rounds[judged - 1]["revealed"]
        reviews = await reviews_of(page, values, name, judged, revealed, argument.leaves)
    found = _verdict(record, scheme, argument, rounds)
    title = in_language(record["title"], page.language)
    back = el("p", None, el("a", {"href": PATH}, page.t(_NAV)))
    return page.view(
        title,
        lead(page, title, "projects.one.lead", back),
        _standing(page, name, record, scheme, rounds, values),
        _failed(page, name, found, values),
        project_money.tranches(page, name, record, values),
        project_panel.panels(page, rounds, values),
        project_panel.criteria(page, scheme, applying(scheme, record["kind"]), reviews, values),
        _argument(page, argument, reviews, found, values),
        section(page, "projects.raw", raw(page, plain(record)), shown=values.shown),
    )


def _beside(name: str, record: Data) -> list[str]:
    """Return the keys of what belongs to a project beside its argument and reviews."""
    keys = [scheme_key(record["scheme"])]
    keys += [round_key(name, number) for number in range(1, record.get("round", 0) + 1)]
    keys += [tranche_key(name, number) for number in range(1, record.get("tranches", 0) + 1)]
    return [*keys, *([certificate_key(record["certificate"])] if "certificate" in record else [])]


def _verdict(record: Data, scheme: Data, argument: Argument, rounds: Sequence[Data]) -> Verdict | None:
    """Return what follows from the newest reviews that have a verdict, worked out as the contract does."""
    round = next((each for each in reversed(rounds) if "verdict" in each), None)
    leaves, criteria = argument.leaves, applying(scheme, record["kind"])
    if round is None or len(leaves) != len(round["accepted"]):
        return None
    accepted = dict(zip(leaves, round["accepted"], strict=True))
    scores = dict(zip(criteria, round["scores"], strict=True))
    return verdict(scheme, record["kind"], argument.taken, Tally(len(round["revealed"]), accepted, scores))


# Where it stands


def _standing(page: Page, name: str, record: Data, scheme: Data, rounds: Sequence[Data], values: Values) -> Html:
    waits = waiting(record, scheme, rounds[-1] if rounds else {})
    said = None
    if waits.key:
        ends = due(page, waits.due_ms) if waits.due_ms else page.t("projects.no_clock")
        who = join(people(waits.who), ": ") if waits.who else None
        said = notice("wait", el("p", None, who, page.t(waits.key)), el("p", None, page.t("projects.ends"), " ", ends))
    certificate = values.get(certificate_key(record["certificate"])) if "certificate" in record else None
    return section(
        page,
        "projects.standing",
        said,
        _steps(page, record, scheme),
        facts(_about(page, name, record, certificate)),
        _late(page, record, rounds),
        shown=values.shown,
        note="projects.standing.note",
    )


def _steps(page: Page, record: Data, scheme: Data) -> Html:
    """Return the steps to an outcome with their terms, the present one marked; the last is what came of them."""
    status = record["status"]
    known = [step for step, _ in STEPS]
    steps = []
    for step, term in STEPS:
        now = step == status
        length = page.t("projects.term", time=page.length(term_ms(scheme, term))) if term else None
        words = [page.t(f"projects.step.{step}"), el("span", {"class": "role"}, length) if length else None]
        steps.append(el("li", {"class": "now" if now else None, "aria-current": "step" if now else None}, words))
    if status not in known:
        steps.append(el("li", {"class": "now", "aria-current": "step"}, el("span", None, status_tag(page, status))))
    return el("ol", {"class": "hands", "aria-label": page.t("projects.steps")}, steps)


def _about(page: Page, name: str, record: Data, certificate: Data | None) -> list[tuple[str, Child]]:
    rows: list[tuple[str, Child]] = [
        (page.t("projects.project"), name),
        (page.t("projects.status"), status_tag(page, record["status"])),
        (page.t("projects.applicant"), member_link(record["member"])),
        (page.t("projects.parties"), people(record["parties"]) if record["parties"] else "–"),
        (page.t("projects.scheme"), record["scheme"]),
        (page.t("projects.kind"), record["kind"]),
        (page.t("projects.framework"), hexadecimal(page, record["framework_sha256"])),
    ]
    if "root" in record:
        rows.append((page.t("projects.root"), hexadecimal(page, record["root"])))
        rows.append((page.t("projects.sealed"), moment(page, record["sealed"][1])))
    if "decided" in record:
        height, time_ms = record["decided"]
        by = join(" ", member_link(record["body"])) if "body" in record else None
        rows.append((page.t("projects.decided"), join(moment(page, time_ms), " · ", height_link(page, height), by)))
    if record["status"] in (CONDITIONAL, REFUSED) and "appeal" not in record:
        rows.append((page.t("projects.appeal_until"), due(page, record["appeal_ms"])))
    if "appeal" in record:
        height, before = record["appeal"]["height"], record["appeal"]["before"]
        rows.append((page.t("projects.appeal"), join(height_link(page, height), " ", status_tag(page, before))))
    if certificate is not None:
        rows += _certificate(page, name, record["certificate"], certificate)
    return rows


def _certificate(page: Page, name: str, named: str, certificate: Data) -> list[tuple[str, Child]]:
    status = tag(page.t_or(f"projects.status.{certificate['status']}", certificate["status"]))
    rows: list[tuple[str, Child]] = [
        (page.t("projects.certificate"), join(named, " ", status)),
        (page.t("projects.until"), until(page, certificate, page.data.block_ms or 0)),
    ]
    if is_suspended(certificate, page.data.block_ms or 0):
        _, ends_ms, body = certificate["suspended"]
        rows.append((page.t("projects.suspended_by"), join(member_link(body), " ", due(page, ends_ms))))
    elif certificate["status"] in (CERTIFIED, CONDITIONAL):
        there: dict[str, str | int | bool | None] = {"href": f"{project_path(name)}/certificate", "download": True}
        rows.append((page.t("projects.document"), el("a", there, page.t("projects.document.link"))))
    if "reason" in certificate:
        ballot = el("a", {"href": f"/governance/{certificate['ballot']}"}, certificate["ballot"])
        rows.append((page.t("projects.revoked"), join(certificate["reason"], " · ", ballot)))
    return rows


def _late(page: Page, record: Data, rounds: Sequence[Data]) -> Html | None:
    """Return who was to act in a step and did not."""
    late = [*record.get("late", ()), *(one for each in rounds for one in each["late"])]
    if not late:
        return None
    items = [el("li", None, member_link(who), " – ", page.t_or(f"projects.step.{step}", step)) for step, who in late]
    return el("div", None, el("h3", None, page.t("projects.late")), el("ul", {"class": "said"}, items))


# What follows from the reviews


def _failed(page: Page, name: str, found: Verdict | None, values: Values) -> Html | None:
    """Return the outcome that follows, the leaves that broke it, and every claim that falls with them."""
    if found is None:
        return None
    reached, greatest = found.score
    rows: list[tuple[str, Child]] = [
        (page.t("projects.computed"), status_tag(page, found.outcome)),
        (page.t("projects.score"), page.t("projects.of", part=page.number(reached), whole=page.number(greatest))),
        (page.t("projects.failed"), _nodes(page, name, found.failed)),
        (page.t("projects.fallen"), _nodes(page, name, found.fallen)),
    ]
    return section(page, "projects.verdict", facts(rows), shown=values.shown, note="projects.verdict.note")


def _nodes(page: Page, project_name: str, names: Sequence[str]) -> Child:
    links = (join(", " if number else "", node_link(project_name, name)) for number, name in enumerate(names))
    return join(*links) if names else page.t("projects.nothing")


def _argument(
    page: Page, argument: Argument, reviews: Sequence[Review], found: Verdict | None, values: Values
) -> Html | None:
    states: Mapping[str, str] = {} if found is None else found.states
    count = page.t("projects.nodes", count=page.number(len(argument.nodes)))
    if not argument.nodes:
        return section(page, "projects.argument", el("p", {"class": "empty"}, page.t("projects.no_nodes")))
    made = argument_tree(page, argument, reviews, states)
    return section(page, "projects.argument", made, shown=values.shown, aside=count, note="projects.argument.note")


# Its certificate as a file


async def certificate(page: Page) -> View:
    """Build the file of a project's certificate: asked of one node, and verified as a whole before it is given out."""
    shown = await page.data.state(project_key(page.part("id")))
    if shown.value is None or "certificate" not in shown.value:
        raise Problem(404, "unknown_certificate", page.t("projects.unknown", name=page.part("id")), shown.node)
    name = str(shown.value["certificate"])
    file = f"coseal-certificate-{name}.json"
    return await document_file(page, file, lambda client: client.certificate(name).document)


ROUTES: Final = (
    Route(f"{PATH}/{{id}}", project, _NAV),
    Route(f"{PATH}/{{id}}/certificate", certificate, _NAV),
)
