"""A certificate of a project as a document: that the ledger issued it, and that the outcome follows from the reviews.

Law: nothing in the file is believed that a quorum did not certify; the panel is drawn again, the reviews are all there
are, and the verdict is worked out again by the function that the ledger decides with.

docs/spec/audit.md, section Certificate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.audit import certified
from coseal.audit.certified import Judged, block_text
from coseal.audit.steps import Trace
from coseal.contracts.certification.argument import check
from coseal.contracts.certification.certificates import IN_FORCE
from coseal.contracts.certification.kept import root_of, taken
from coseal.contracts.certification.panel import Reviewer, can_decide, draw, joined
from coseal.contracts.certification.proceedings import DRAWN, interested
from coseal.contracts.certification.proof import KIND, MAX_VALUES, Ground, certificate_in, ground_of, not_in_force
from coseal.contracts.certification.reviewing import leaves_of
from coseal.contracts.certification.scheme import applying
from coseal.contracts.certification.verdict import ACCEPTED, OUTCOMES, Tally, Verdict, verdict
from coseal.contracts.kernel.wording import in_language
from coseal.ledger import codec
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import BadProof
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_from_json, document_fields, plain, proven_value_from_json, time_text

RULE: Final = "audit.md, Certificate"
STEP_NAMES: Final = (
    *("form", "chain", "header", "validators", "certificate"),
    *("in force", "argument", "panel", "reviews", "verdict"),
)
_NAMES: Final = frozenset({"coseal", "version", "certificate", "block", "values"})


@dataclass(frozen=True, slots=True)
class Shown:
    """What a document shows; nothing of it is proven yet."""

    name: str
    header: Header
    certificate: Certificate
    values: Sequence[CertifiedValue]


def read(value: Any) -> Shown:
    """Return what a document shows; raise ``Malformed``. Proves nothing yet."""
    fields = document_fields(value, KIND, _NAMES)
    name = codec.text(fields["certificate"], f"{KIND}.certificate", limit=32)
    header, certificate = certified_header_from_json(fields["block"])
    values = codec.sequence(fields["values"], f"{KIND}.values", limit=MAX_VALUES)
    return Shown(name, header, certificate, [proven_value_from_json(entry, header, certificate) for entry in values])


def verify_certificate(document: Any, genesis: Genesis, trace: Trace) -> tuple[str, dict[str, Any], Judged]:
    """Return in words and as facts what a document proves; raise a ``LedgerError`` unless it does."""
    shown, handovers = certified.read(document, trace, read)
    judged = certified.judge(shown.header, shown.certificate, handovers, genesis, trace)
    _, facts = prove(shown, trace)
    words = f"{shown.name}: {facts['project']} of {facts['applicant']} is {facts['status']}"
    return f"{words} under {facts['scheme']} as of {block_text(shown.header)}", facts, judged


def prove(shown: Shown, trace: Trace) -> tuple[Ground, dict[str, Any]]:
    """Take the steps from a certified header: return what the certificate follows from, and what is proven as facts."""
    with trace.step("in force", RULE) as seen:
        ground = _ground(shown)
        status = ground.certificate["status"]
        seen.values = {"certificate": shown.name, "status": status, "values": len(shown.values)}
        seen.detail = f"{shown.name} is {status}, not suspended, and ends {time_text(ground.certificate['until_ms'])}"
    with trace.step("argument", RULE) as seen:
        seen.values = {"nodes": len(ground.nodes), "root": ground.project["root"]}
        _require_argument(ground)
        seen.detail = f"{len(ground.nodes)} nodes are all of the sealed argument, which has no fault"
    with trace.step("panel", RULE) as seen:
        seen.values = {"eligible": len(ground.eligible), "seed": ground.round["seed"]}
        _require_panel(ground)
        seen.detail = f"the seeds draw these {len(ground.round['panel'])} of {len(ground.eligible)} again"
    with trace.step("reviews", RULE) as seen:
        tally = _tally(ground)
        seen.values = {"reviews": tally.reviews, "committed": len(ground.round["committed"])}
        seen.detail = f"{tally.reviews} reviews are all that were revealed, and can decide"
    with trace.step("verdict", RULE) as seen:
        found = verdict(ground.scheme, ground.project["kind"], taken(ground.nodes), tally)
        seen.values = {"outcome": found.outcome, "score": list(found.score)}
        _require_outcome(ground, found, tally)
        seen.detail = f"the reviews come to {found.outcome}; the certificate is {status}"
    return ground, _facts(ground, found, tally)


def _ground(shown: Shown) -> Ground:
    """Return what the certificate follows from, all of it proven."""
    proven = certified.Proven(shown.values)  # A28
    certificate = certificate_in(proven, shown.name)
    wrong = not_in_force(shown.name, certificate, shown.header.time_ms)
    if certificate is None or wrong is not None:  # A29
        raise BadProof(wrong or "there is no certificate")
    ground = ground_of(proven, shown.name, certificate)
    proven.require_no_more("what the certificate follows from")
    if ground.project.get("certificate") != shown.name:
        raise BadProof(f"{shown.name} is not the certificate of {certificate['project']}")
    return ground


def _require_argument(ground: Ground) -> None:
    """Raise ``BadProof`` unless the nodes are those that were sealed, and without a fault."""  # A30
    if root_of(ground.nodes) != ground.project["root"] or len(ground.nodes) != ground.project["nodes"]:
        raise BadProof("the nodes are not those that were sealed")
    faults = check(taken(ground.nodes), applying(ground.scheme, ground.project["kind"]))
    if faults:
        raise BadProof(f"the argument has a fault: {faults[0].node}: {faults[0].code}")


def _require_panel(ground: Ground) -> None:
    """Raise ``BadProof`` unless the seeds draw the panel that reviewed."""  # A31
    round, found = ground.round, [Reviewer(*each) for each in ground.round["panel"]]
    shown = [bytes.fromhex(round["seeds"][member][1]) for member in round["seeders"]]
    if joined(shown).hex() != round["seed"]:
        raise BadProof("the seed is not that of the seeds that were shown")
    barred = interested(ground.project) & {reviewer.member for reviewer in (*found, *ground.eligible)}
    if barred:
        raise BadProof(f"{min(barred)} has an interest in the project")
    out, silent = round["out"], {who for step, who in round["late"] if step == DRAWN}
    earlier = [0] if ground.number == 1 else range(len(out) + 1)  # how many were out when it was drawn
    if not any(_drawn_again(ground, out[:first], out[first:], silent) == found for first in earlier):
        raise BadProof("the seeds draw another panel")


def _drawn_again(ground: Ground, out: Sequence[str], leaving: Sequence[str], silent: set[str]) -> list[Reviewer]:
    """Return the panel that the seed draws without ``out``, after those who were ``leaving`` were replaced in order.

    Who was silent about conflicts of interest left with all others that were so at that time.
    """
    seed, wanted = bytes.fromhex(ground.round["seed"]), ground.scheme["panel"]
    gone, left = list(out), list(leaving)
    panel = draw(seed, [each for each in ground.eligible if each.name not in gone], wanted)
    while panel is not None and left:
        sitting = {each.name for each in panel}
        count = next((n for n, name in enumerate(left) if name not in silent or name not in sitting), len(left)) or 1
        gone, going, left = [*gone, *left[:count]], left[:count], left[count:]
        staying = [each for each in panel if each.name not in going]
        free = [each for each in ground.eligible if each.name not in gone]
        panel = draw(seed, free, wanted, staying) or tuple(staying)
    return list(panel or ())


def _tally(ground: Ground) -> Tally:
    """Return what the reviews come to; raise ``BadProof`` unless they are all that were revealed."""  # A32
    round, leaves = ground.round, leaves_of(taken(ground.nodes))
    criteria = applying(ground.scheme, ground.project["kind"])
    revealed = {name: review for name, review in ground.reviews.items() if review is not None and "revealed" in review}
    committed = [name for name, review in ground.reviews.items() if review is not None]
    if sorted(revealed) != sorted(round["revealed"]) or sorted(committed) != sorted(round["committed"]):
        raise BadProof("the reviews are not those that the round counts")
    if not can_decide(ground.scheme["panel"], [each for each in _panel(ground) if each.name in revealed]):
        raise BadProof("these reviews cannot decide")
    accepted = dict.fromkeys(leaves, 0)
    scores = dict.fromkeys(criteria, 0)
    for review in revealed.values():
        for leaf, opinion in zip(leaves, review["opinions"], strict=True):
            accepted[leaf] += opinion == ACCEPTED
        for criterion in criteria:
            scores[criterion] += review["scores"][criterion]
    return Tally(len(revealed), accepted, scores)


def _panel(ground: Ground) -> list[Reviewer]:
    return [Reviewer(*each) for each in ground.round["panel"]]


def _require_outcome(ground: Ground, found: Verdict, tally: Tally) -> None:
    """Raise ``BadProof`` unless the certificate is no better than what follows from the reviews."""  # A33
    criteria = {name: list(each) for name, each in found.criteria.items()}
    said = {"outcome": found.outcome, "criteria": criteria, "score": list(found.score), "reviews": tally.reviews}
    if said != ground.round["verdict"]:
        raise BadProof(f"the reviews come to {found.outcome}, not to the verdict of the round")
    status = ground.certificate["status"]
    if status not in IN_FORCE or OUTCOMES.index(status) > OUTCOMES.index(found.outcome):
        raise BadProof(f"the certificate is {status}, the reviews come to {found.outcome} only")


def _facts(ground: Ground, found: Verdict, tally: Tally) -> dict[str, Any]:
    """Return what is proven, as JSON values."""
    certificate, project = ground.certificate, ground.project
    sectors = Counter(reviewer.sector for reviewer in _panel(ground))
    criteria: Mapping[str, Any] = {
        name: {"claims": state, "scores": total} for name, (state, total) in found.criteria.items()
    }
    return {
        "certificate": ground.name,
        "status": certificate["status"],
        "project": certificate["project"],
        "title": in_language(project["title"]),
        "applicant": project["member"],
        "parties": list(project["parties"]),
        "scheme": certificate["scheme"],
        "project_kind": project["kind"],
        "valid": {"from": time_text(certificate["from_ms"]), "until": time_text(certificate["until_ms"])},
        "argument": {"nodes": project["nodes"], "root": project["root"]},
        "panel": {**dict(sorted(sectors.items())), "humanities": sum(each.humanities for each in _panel(ground))},
        "reviewers": sorted(each.name for each in _panel(ground)),
        "reviews": tally.reviews,
        "outcome": found.outcome,
        "criteria": plain(criteria),
        "score": f"{found.score[0]} of {found.score[1]}",
        "failed": list(found.failed),
    }
