"""The dossier of a member, asked of a node as one document that anyone verifies offline.

Law: what is returned was verified as its receiver will; a node that leaves a fact out, or alters one, is found out.
Only which formulas there are is the node's word, unless they are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from coseal.audit.dossier import Shown, listed, proven_ground, read, verify_dossier
from coseal.client.documents import Kind, Wanted, proven
from coseal.client.exchange import Exchange
from coseal.client.reads import Verifier
from coseal.client.session import Session
from coseal.contracts.credit.dossier import MAX_FORMULAS, MAX_MONTHS, Ground, Question
from coseal.contracts.credit.lists import FORMULAS
from coseal.errors import BadAnswer, CosealError
from coseal.ledger.handover import Handover

_KIND: Final = Kind("dossier", read, verify_dossier)
_FORMULAS_MAX: Final = 1_000


class ProvenDossier(NamedTuple):
    """All facts of a member, by month and kind, what formulas say of them, and the document that proves it.

    Each of ``listed`` is ``{month, kind, number, origin, counterparty, amount, days, held, height, correction, counts,
    status, deadline_ms, expired, kept_through}``: amounts in fen, of a gap missing items. ``ground`` is what the state
    has of all of it, at ``height``.
    """

    reason: str
    facts: Mapping[str, Any]
    listed: Sequence[Mapping[str, Any]]
    document: dict[str, Any]
    ground: Ground
    height: int


def dossier_of(
    session: Session, member: str, formulas: Sequence[str] | None, months: int | None, min_height: int = 0
) -> Exchange[ProvenDossier]:
    """Return the dossier of a member, verified; see ``Client.dossier``."""
    span = MAX_MONTHS if months is None else months
    if not 1 <= span <= MAX_MONTHS:
        raise CosealError(f"{months} months: facts are kept for {MAX_MONTHS}, that of the newest block included")
    named = tuple(formulas) if formulas is not None else (yield from _in_force(session, span))
    question = Question(member, span, named)
    floor, epochs = max(min_height, session.height), session.epochs
    return (yield from session.believed(lambda: asked(session, question, floor, epochs.up_to)))


def _in_force(session: Session, months: int) -> Exchange[tuple[str, ...]]:
    """Return the ids of the formulas that a node lists and that look at no more months."""
    answer = yield from session.get(FORMULAS.path, limit=_FORMULAS_MAX)
    found = answer.get(FORMULAS.entries)
    entries = found if type(found) is list else [found]
    windows: dict[str, int] = {}
    for entry in entries:
        name, window = (entry.get("formula"), entry.get("window_months")) if type(entry) is dict else (None, None)
        if type(name) is not str or type(window) is not int:
            raise BadAnswer(f"{FORMULAS.path} lists no formulas", "ask another node")
        windows[name] = window  # of the newest version, which comes last
    return tuple(name for name, window in windows.items() if window <= months)[:MAX_FORMULAS]


def asked(
    verifier: Verifier, question: Question, floor: int, leading: Callable[[int], Iterable[Handover]]
) -> Exchange[ProvenDossier]:
    """Return the dossier that a node gives, verified; ``leading`` gives what leads to an epoch."""
    path = f"/v1/credit/{quote(question.member, safe='')}/dossier"
    params = {"months": str(question.months), "formulas": ",".join(question.formulas)}
    what = f"the dossier of {question.member}"
    wanted = Wanted[Shown](path, params, what, lambda shown: shown.question == question, "gave another dossier")
    found = yield from proven(verifier, _KIND, wanted, floor, leading)
    ground = proven_ground(found.shown)
    return ProvenDossier(found.reason, found.facts, listed(ground), found.document, ground, found.height)
