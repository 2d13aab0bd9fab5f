"""Schemes of certification: adopted by ballot, and retired by one.

Law: what a scheme asks never changes, so a project is judged by what it was argued for; a retired scheme takes no new
project and keeps those that it has.

contracts/certification/README.md, S1 to S7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.certification import scheme
from coseal.contracts.certification.state import NAME, scheme_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Reader, Rejected, Result, View
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Identifier, Many, Name, Record, Special, Text
from coseal.contracts.kernel.proposals import Case, ProposalKind
from coseal.contracts.membership.state import member_key

ADOPTED: Final = "adopted"
RETIRED: Final = "retired"
DECIDED: Final = "scheme"
"""The kind of due thing that says what a ballot decided."""
MAX_BODIES: Final = 5
_BODIES: Final = ("government", "institute")
_EXAMPLE: Final = {
    "title": "Rationality of a project",
    "criteria": [
        {"id": "credit-system", "title": "Is the credit system kept?", "weight": 20, "floor": 2, "asks": ["How?"]}
    ],
    "panel": {"size": 5, "least": dict.fromkeys(scheme.SECTORS, 1)},
    "threshold": [3, 5],
    "validity_ms": 366 * 86_400_000,
}
_content: Final = Special(
    scheme.faults_of,
    "a scheme: title, criteria, panel, threshold, validity_ms",
    {"type": "object"},
    refused=(None, {}, {**_EXAMPLE, "threshold": [6, 5]}, {**_EXAMPLE, "criteria": []}, {**_EXAMPLE, "more": 1}),
    passed=(_EXAMPLE,),
)
Subject = Mapping[str, Any]


def scheme_of(reader: Reader, name: str) -> dict[str, Any] | Rejected:
    """Return a scheme, or the refusal of one that there is not."""
    found: Any = reader.get(scheme_key(name))
    return Rejected("unknown_scheme", f"there is no scheme {name}; a ballot adopts one") if found is None else found


def _check_adopt(view: View, case: Case, subject: Subject) -> Rejected | None:
    if view.get(scheme_key(subject["scheme"])) is not None:  # S5
        return Rejected("exists", f"there is a scheme {subject['scheme']}; choose another id")
    roles = []
    for body in subject["bodies"]:
        member: Any = view.get(member_key(body))
        if member is None or member["role"] not in _BODIES:  # S6
            return Rejected("wrong_body", f"{body} is no government or institute member")
        roles.append(member["role"])
    if len(subject["bodies"]) < len(_BODIES) or any(role not in roles for role in _BODIES):  # S6
        return Rejected("wrong_body", "the bodies are of two constituencies, one government and one institute at least")
    return None


def _enact_adopt(view: View, case: Case, subject: Subject) -> Result:
    record = {**subject["content"], "bodies": list(subject["bodies"]), "projects": 0}
    record |= {"status": ADOPTED, "ballot": case.id, "height": case.height}
    view.put(scheme_key(subject["scheme"]), record)
    deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms, [DECIDED, subject["scheme"]])
    return {"scheme": subject["scheme"]}


def _check_retire(view: View, case: Case, subject: Subject) -> Rejected | None:
    found = scheme_of(view, subject["scheme"])
    if isinstance(found, Rejected):
        return found
    return Rejected("retired", f"{subject['scheme']} is retired already") if found["status"] == RETIRED else None


def _enact_retire(view: View, case: Case, subject: Subject) -> Result:
    found: Any = view.get(scheme_key(subject["scheme"]))
    view.put(scheme_key(subject["scheme"]), {**found, "status": RETIRED, "reason": subject["reason"]})  # S7
    deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms, [DECIDED, subject["scheme"]])
    return {"scheme": subject["scheme"]}


def decided(view: View, name: str) -> Result:
    """Say in a block's first receipt what became of a scheme."""
    found: Any = view.get(scheme_key(name))
    return {
        "schemes": [
            {
                "scheme": name,
                "status": found["status"],
                "title": found["title"],
                "criteria": [criterion["id"] for criterion in found["criteria"]],
                "bodies": found["bodies"],
                "ballot": found["ballot"],
            }
        ]
    }


PROPOSALS: Final[dict[str, ProposalKind]] = {
    "adopt_scheme": ProposalKind(
        Record(
            {
                "scheme": Identifier(slash=False),
                "content": _content,
                "bodies": Many(Name(), low=2, high=MAX_BODIES, unique=True),
            }
        ),
        _check_adopt,
        _enact_adopt,
        {"scheme": "rationality", "content": _EXAMPLE, "bodies": ["regulator", "institute-a"]},
    ),
    "retire_scheme": ProposalKind(
        Record({"scheme": Identifier(slash=False), "reason": Text(high=1_000)}),
        _check_retire,
        _enact_retire,
        {"scheme": "rationality", "reason": "Another one has taken its place"},
    ),
}
