"""Suspending a certificate for a short time, and reinstating it.

Law: a suspension ends by itself; another one may begin only long after the end of the last.

contracts/certification/README.md, C5.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.certification.certificates import CERTIFICATES, IN_FORCE, is_suspended, shown
from coseal.contracts.certification.proceedings import Proceeding, in_step
from coseal.contracts.certification.state import certificate_key
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.fields import Identifier, Integer
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.supervision.terms import long_text

MAX_SUSPENDED_MS: Final = 30 * DAY_MS
BETWEEN_MS: Final = 180 * DAY_MS


def _acted(view: View, context: Context, args: Args) -> tuple[Proceeding, dict[str, Any]] | Rejected:
    """Return a project and its certificate in force, if the sender acts as the body."""
    found = in_step(view, context, args["project"], *IN_FORCE)
    if isinstance(found, Rejected):
        return found
    wrong = found.acts(context.member)
    if wrong is not None:
        return wrong
    certificate: Any = view.get(certificate_key(found.record["certificate"]))
    return found, dict(certificate)


def _suspend(view: View, context: Context, args: Args) -> Result | Rejected:
    acted = _acted(view, context, args)
    if isinstance(acted, Rejected):
        return acted
    found, certificate = acted
    until_ms, now_ms = args["until_ms"], context.time_ms
    if not now_ms < until_ms <= now_ms + MAX_SUSPENDED_MS:  # C5
        return Rejected("bad_time", f"args.until_ms: up to 30 days after block time {moment_text(now_ms)}")
    if "suspended" in certificate and now_ms < certificate["suspended"][1] + BETWEEN_MS:  # C5
        again = moment_text(certificate["suspended"][1] + BETWEEN_MS)
        return Rejected("too_early", f"{found.record['certificate']} was suspended; it may be again from {again}")
    return _put(view, found, {**certificate, "suspended": [now_ms, until_ms, context.member]})


def _reinstate(view: View, context: Context, args: Args) -> Result | Rejected:
    acted = _acted(view, context, args)
    if isinstance(acted, Rejected):
        return acted
    found, certificate = acted
    if not is_suspended(certificate, context.time_ms):
        return Rejected("wrong_step", f"{found.record['certificate']} is not suspended")
    since_ms, _, body = certificate["suspended"]
    return _put(view, found, {**certificate, "suspended": [since_ms, context.time_ms, body]})


def _put(view: View, found: Proceeding, certificate: dict[str, Any]) -> Result:
    name = found.record["certificate"]
    view.put(certificate_key(name), certificate)
    return {"project": found.name, CERTIFICATES: [shown(view, name)]}


_project: Final = Identifier(slash=False)
ACTIONS: Final[dict[str, Action]] = {
    "suspend": Action(
        arguments=Arguments({"project": _project, "reason": long_text, "until_ms": Integer(0, 2**53)}),
        apply=_suspend,
        title="Suspend the certificate of a project, so that nothing is released meanwhile",
        example={
            "project": "clearing",
            "reason": "The exercise has to be looked at again",
            "until_ms": 1_700_086_400_000,
        },
        capability="operate",
    ),
    "reinstate": Action(
        arguments=Arguments({"project": _project, "reason": long_text}),
        apply=_reinstate,
        title="End the suspension of a certificate before its time",
        example={"project": "clearing", "reason": "The exercise was in order"},
        capability="operate",
    ),
}
