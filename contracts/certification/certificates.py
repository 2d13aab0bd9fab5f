"""Certificates: issued with an outcome, and ended by their time, by the outcome of an appeal, or by ballot.

Law: a project has one certificate in force at most; one that has ended never comes into force again.

contracts/certification/README.md, C1 to C5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.certification.state import CERTIFICATES_KEY, NAME, certificate_key, project_key, scheme_key
from coseal.contracts.certification.verdict import CERTIFIED, CONDITIONAL, OUTCOMES
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Rejected, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Identifier, Record, Text
from coseal.contracts.kernel.proposals import Case, ProposalKind

EXPIRE: Final = "expire"
SHOW: Final = "certificate"
"""Kinds of due things: the end of a certificate, and to say what a ballot did to one."""
CERTIFICATES: Final = "certificates"
"""Where receipts have the certificates that changed."""
IN_FORCE: Final = (CERTIFIED, CONDITIONAL)
REPLACED: Final = "replaced"
EXPIRED: Final = "expired"
REVOKED: Final = "revoked"
STATUSES: Final = (*IN_FORCE, REPLACED, EXPIRED, REVOKED)
Subject = Mapping[str, Any]


def issue(view: View, project: str, scheme: Mapping[str, Any], named: str, outcome: str, moment: Moment) -> Result:
    """Issue a certificate of a project under the scheme of that name; return what a receipt says of it."""  # C1
    count: Any = view.get(CERTIFICATES_KEY) or 0
    name = f"C{count + 1}"
    until_ms = moment.time_ms + scheme["validity_ms"]
    record = {"project": project, "scheme": named, "status": outcome, "from_ms": moment.time_ms, "until_ms": until_ms}
    view.put(CERTIFICATES_KEY, count + 1)
    under: Any = view.get(scheme_key(named))
    view.put(scheme_key(named), {**under, "certificates": under.get("certificates", 0) + 1})
    view.put(certificate_key(name), {**record, "height": moment.height})
    deadlines.add(view, NAME, BLOCK_CLOCK, until_ms, [EXPIRE, name])
    return {"certificate": name, **record}


def end(view: View, name: str, status: str, **why: Any) -> Result:
    """End a certificate; return what a receipt says of it."""
    record: Any = view.get(certificate_key(name))
    view.put(certificate_key(name), {**record, "status": status, **why})
    return shown(view, name)


def shown(view: View, name: str) -> Result:
    """Return what a receipt says of a certificate."""
    record: Any = view.get(certificate_key(name))
    return {"certificate": name, **{key: value for key, value in record.items() if key != "height"}}


def status_of(view: View, name: str) -> str:
    """Return the status of a certificate."""
    record: Any = view.get(certificate_key(name))
    return str(record["status"])


def is_suspended(certificate: Mapping[str, Any], time_ms: int) -> bool:
    """Say whether a certificate is suspended at a time."""  # C5
    return "suspended" in certificate and time_ms < certificate["suspended"][1]


def expire(view: View, name: str) -> Result:
    """End a certificate whose time is over, and with it the outcome of its project."""  # C2
    if status_of(view, name) not in IN_FORCE:
        return {}
    _close(view, name, EXPIRED, (*OUTCOMES,))
    return {CERTIFICATES: [shown(view, name)]}


def _close(view: View, name: str, status: str, during: tuple[str, ...], **why: Any) -> None:
    certificate = end(view, name, status, **why)
    record: Any = view.get(project_key(certificate["project"]))
    if not during or record["status"] in during:
        step = record["step"] + 1  # what is due of the present step does nothing any more
        view.put(project_key(certificate["project"]), {**record, "status": status, "step": step, "due_ms": 0})


def _check_revoke(view: View, case: Case, subject: Subject) -> Rejected | None:
    record: Any = view.get(certificate_key(subject["certificate"]))
    if record is None:
        return Rejected("unknown_certificate", f"there is no certificate {subject['certificate']}")
    if record["status"] not in IN_FORCE:
        return Rejected("not_in_force", f"{subject['certificate']} is {record['status']}")
    return None


def _enact_revoke(view: View, case: Case, subject: Subject) -> Result:
    name = subject["certificate"]
    _close(view, name, REVOKED, (), ballot=case.id, reason=subject["reason"])  # C4
    deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms, [SHOW, name])
    return {"certificate": name}


PROPOSALS: Final[dict[str, ProposalKind]] = {
    "revoke_certificate": ProposalKind(
        Record({"certificate": Identifier(slash=False), "reason": Text(high=1_000)}),
        _check_revoke,
        _enact_revoke,
        {"certificate": "C1", "reason": "The exercise was staged"},
    ),
}
