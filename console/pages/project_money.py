"""The money of a project: what was asked, pledged, claimed, released and kept back, and what each tranche waits for.

Law: all of it is the certified state's; what a tranche waits for follows from the rules of the contract (F3 to F6).
"""

from __future__ import annotations

from typing import Final

from coseal.console.ballot_parts import Values
from coseal.console.html import Child, Html, el, join
from coseal.console.money_parts import yuan
from coseal.console.page import Page
from coseal.console.parts import figure, figures, height_link, member_link, section, table, tag
from coseal.console.project_parts import Data, kept_back, people
from coseal.console.supervision_parts import case_link, finding_link
from coseal.contracts.certification.certificates import is_suspended
from coseal.contracts.certification.state import certificate_key, tranche_key
from coseal.contracts.certification.tranches import CLAIMED, PLANNED, PLEDGED, RELEASED
from coseal.contracts.certification.verdict import CERTIFIED, REFUSED
from coseal.contracts.supervision.holds import held
from coseal.contracts.supervision.state import hold_key

_TONES: Final = {PLANNED: "", PLEDGED: "wait", CLAIMED: "wait", RELEASED: "good"}


def holds(values: Values, name: str, record: Data) -> list[str]:
    """Return the keys of what may hold the objects of a project's milestones."""
    found = [values.get(tranche_key(name, number)) for number in range(1, record.get("tranches", 0) + 1)]
    return list(dict.fromkeys(hold_key(*tranche["milestone"]["object"]) for tranche in found))


def tranches(page: Page, name: str, record: Data, values: Values) -> Html | None:
    """Return the tranches of a project; nothing for one that asks for none."""
    found = [values.get(tranche_key(name, number)) for number in range(1, record.get("tranches", 0) + 1)]
    if not found:
        return None
    certificate = values.get(certificate_key(record["certificate"])) if "certificate" in record else None
    rows: list[list[Child]] = []
    before = RELEASED
    for number, tranche in enumerate(found, 1):
        rows.append(
            [
                page.number(number),
                yuan(tranche["amount"]),
                member_link(tranche["funder"]),
                _status(page, record, tranche),
                _milestone(page, tranche["milestone"]),
                people(tranche["milestone"]["members"]),
                _waits(page, record, certificate, tranche, before, held(values, *tranche["milestone"]["object"])),
            ]
        )
        before = tranche["status"]
    columns = (
        *("projects.tranche", "projects.amount", "projects.funder", "projects.status"),
        *("projects.milestone", "projects.attested_by", "projects.waits"),
    )
    asked = sum(tranche["amount"] for tranche in found)
    claimed = sum(tranche["amount"] for tranche in found if tranche["status"] == CLAIMED)
    sums = figures(
        figure(page.t("projects.asked"), yuan(asked)),
        figure(page.t("projects.planned"), yuan(record["planned"])),
        figure(page.t("projects.claimed"), yuan(claimed)),
        figure(page.t("projects.released"), yuan(record["released"]), tone="good" if record["released"] else ""),
        figure(page.t("projects.kept_back"), yuan(kept_back(record)), tone="bad" if kept_back(record) else ""),
    )
    listed = table(page, "projects.money", columns, rows, numeric="0 1")
    return section(page, "projects.money", sums, listed, shown=values.shown, note="projects.money.note")


def _status(page: Page, record: Data, tranche: Data) -> Html:
    status = tranche["status"]
    made = tag(page.t_or(f"projects.tranche.{status}", status), _TONES.get(status, ""))
    if record["status"] == REFUSED and status in (PLEDGED, CLAIMED):
        return join(made, " ", tag(page.t("projects.withheld"), "bad"))
    return made


def _milestone(page: Page, milestone: Data) -> Html:
    """Return what shows that a milestone is reached, with a link to the object it is about."""
    process_type, object_type, name = milestone["object"]
    there = el("a", {"href": case_link(process_type, object_type, name)}, name)
    if "event" in milestone:
        words = page.t("projects.milestone.event", event=milestone["event"])
    else:
        tally = milestone["tally"]
        words = page.t("projects.milestone.tally", name=tally["name"], least=page.number(tally["least"]))
    return join(words, " · ", object_type, " ", there)


def _waits(page: Page, record: Data, certificate: Data | None, tranche: Data, before: str, hold: Data | None) -> Child:
    """Return what a tranche waits for, the first of it; of a released one where it was."""
    match tranche["status"]:
        case "planned":
            return join(page.t("projects.money.pledge"), " ", member_link(tranche["funder"]))
        case "pledged":
            return join(page.t("projects.money.claim"), " ", member_link(record["member"]))
        case "released":
            return join(page.t("projects.money.released"), " ", height_link(page, tranche["height"]))
    suspended = certificate is not None and is_suspended(certificate, page.data.block_ms or 0)
    if record["status"] != CERTIFIED or suspended:
        return page.t("projects.money.certificate")
    if before != RELEASED:
        return page.t("projects.money.before")
    if hold is not None:
        return join(page.t("projects.money.hold"), " ", finding_link(hold["finding"]))
    return join(page.t("projects.money.release"), " ", member_link(tranche["funder"]))
