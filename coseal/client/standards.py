"""Standards from a member's side: proposed, tried, adopted, recognised and disputed; shown as the state proves them.

Law: one class for both clients: its methods return what a blocking client returns, or an awaitable of the same. What
is said of a status and its thresholds is computed here from proven values; only lists of the index are as a node says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from coseal.client.corrections import submitted
from coseal.client.exchange import Exchange
from coseal.client.pages import Pages
from coseal.client.proven import ProvenValues, proven_values
from coseal.client.session import COMMIT_TIMEOUT_S, Session
from coseal.contracts.membership.state import member_key
from coseal.contracts.standards import described, series
from coseal.contracts.standards.state import (
    NAME,
    adopters_key,
    adoption_key,
    content_key,
    domain_key,
    head_key,
    standard_key,
)
from coseal.errors import BadAnswer, Busy

Acted = TypeVar("Acted")
One = TypeVar("One")
Several = TypeVar("Several")
_PASSES: Final = 8


class Standards(Generic[Acted, One, Several]):
    """``client.standards``. Writing returns a ``Committed``, whose refusal is in its receipt (``require_ok``).

    Where a version may be left out, the latest one is meant.
    """

    def __init__(self, session: Session, run: Callable[[Exchange[Any]], Any]) -> None:
        self._session, self._run = session, run

    # Writing

    def propose(
        self,
        standard: str,
        version: int,
        *,
        kind: str,
        domain: str,
        title: str | Mapping[str, str],
        content: Mapping[str, Any],
        patents: Sequence[str] = (),
    ) -> Acted:
        """Propose a standard, or its next version; ``content`` is as its kind has it."""
        args = {"kind": kind, "domain": domain, "title": title, "content": dict(content), "patents": list(patents)}
        return self._act("propose", standard, version, args)

    def try_(self, standard: str, version: int, *, sources: Sequence[str] = ()) -> Acted:
        """Try a standard on own sources, by default on all; it commits to nothing."""
        return self._act("try", standard, version, _given(sources=list(sources)))

    def adopt(
        self, standard: str, version: int, *, sources: Sequence[str] = (), effective_ms: int | None = None
    ) -> Acted:
        """Adopt a standard for own sources, by default all, from now or ``effective_ms`` on."""
        return self._act("adopt", standard, version, _given(sources=list(sources), effective_ms=effective_ms))

    def end_adoption(self, standard: str, version: int, reason: str) -> Acted:
        """End a trial at once, or an adoption 30 days later."""
        return self._act("end_adoption", standard, version, {"reason": reason})

    def supersede(
        self, standard: str, version: int, successor: tuple[str, int], *, notice_ms: int, reason: str
    ) -> Acted:
        """Have an own standard followed by another one, and end after ``notice_ms``."""
        following = {"successor": successor[0], "successor_version": successor[1]}
        return self._act("supersede", standard, version, {**following, "notice_ms": notice_ms, "reason": reason})

    def deprecate(self, standard: str, version: int, *, notice_ms: int, reason: str) -> Acted:
        """Have an own standard end after ``notice_ms``."""
        return self._act("deprecate", standard, version, {"notice_ms": notice_ms, "reason": reason})

    def recognise(self, standard: str, version: int, *, level: str, instrument: str) -> Acted:
        """Recognise what is de facto or was approved by ballot, by a policy of the register; for government."""
        return self._act("recognise", standard, version, {"level": level, "instrument": instrument})

    def withdraw_recognition(self, standard: str, version: int, reason: str) -> Acted:
        """Withdraw the own recognition of a standard."""
        return self._act("withdraw_recognition", standard, version, {"reason": reason})

    def dispute(self, standard: str, version: int, ground: str, text: str, *, evidence: Sequence[str] = ()) -> Acted:
        """Dispute a standard that the own member tries or has adopted; ``evidence`` are SHA-256 digests."""
        return self._act(
            "dispute", standard, version, {"ground": ground, "text": text, **_given(evidence=list(evidence))}
        )

    def answer(self, standard: str, version: int, member: str, text: str) -> Acted:
        """Answer the dispute of a member about an own standard."""
        return self._act("answer", standard, version, {"member": member, "text": text})

    def classify(self, process_type: str, domain: str) -> Acted:
        """Have an own process type count in a domain, once."""
        return self._submit("classify", {"process_type": process_type, "domain": domain})

    def _act(self, action: str, standard: str, version: int, args: Mapping[str, Any]) -> Acted:
        return self._submit(action, {"standard": standard, "version": version, **args})

    def _submit(self, action: str, args: Mapping[str, Any]) -> Acted:
        acted: Acted = self._run(submitted(self._session, NAME, action, args, COMMIT_TIMEOUT_S))
        return acted

    # Reading, verified

    def show(self, standard: str, version: int | None = None, *, member: str | None = None) -> One:
        """Return a version as the certified state has it, why it has its status, and what a member may do next.

        As ``contracts.standards.described.version`` has it; ``acts`` are the actions that ``member`` (by default the
        client's own) can take, ``adoption`` is its own, if any; ``height`` the block. Raises ``BadAnswer`` if there is
        none.
        """
        found: One = self._run(version_of(self._session, standard, version, member))
        return found

    def adopters(self, standard: str, version: int | None = None) -> Several:
        """Return who tries or has adopted a version, or did: proven to be all, in the order in which they took it up.

        Each has ``member``, ``mode`` (``trial``, ``adopted``), ``sources`` (empty: all), ``from_ms``, ``until_ms``.
        """
        found: Several = self._run(adopters_of(self._session, standard, version))
        return found

    def domain(self, name: str) -> One:
        """Return a domain and, in ``versions``, all that competes in it, each as ``show`` has it."""
        found: One = self._run(domain_of(self._session, name))
        return found

    def proof(self, standard: str, version: int | None = None) -> One:
        """Return the file by which anybody verifies the record of a version with the genesis alone."""
        found: One = self._run(_proof(self._session, standard, version))
        return found

    # Reading, as the node says

    def list(self, *, limit: int | None = None, **filters: Any) -> Several:
        """Return versions by id; ``filters`` are ``domain``, ``status``, ``kind``, ``member`` and ``standard``."""
        found: Several = self._run(_listed(self._session, "/v1/standards", "standards", filters, limit))
        return found

    def reviews(self, standard: str, version: int, *, limit: int | None = None, **filters: Any) -> Several:
        """Return what each review found of a version, the oldest first; ``filters`` are ``order``, ``active``."""
        filters |= {"standard": standard, "version": version}
        found: Several = self._run(_listed(self._session, "/v1/standards/status", "reviews", filters, limit))
        return found


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, [])}


# Exchanges


def _number(session: Session, standard: str, version: int | None) -> Exchange[int]:
    """Return the version that is meant; raise ``BadAnswer`` if there is no such standard."""
    if version is not None:
        return version
    head = yield from session.value(head_key(standard))
    if head is None:
        raise _unknown(standard)
    return int(head["latest"])


def _unknown(standard: str, version: int | None = None) -> BadAnswer:
    name = standard if version is None else f"{standard} {version}"
    return BadAnswer(f"there is no standard {name}", "see `coseal standards list`")


def _own_keys(standard: str, version: int, member: str | None) -> list[str]:
    """Return what is read to show a version."""
    own = [standard_key(standard, version), head_key(standard), content_key(standard, version)]
    mine = [] if member is None else described.keys_of(standard, version, member)
    return [*own, *described.SHARED_KEYS, *mine]


def _shown(values: ProvenValues, standard: str, version: int, member: str | None) -> dict[str, Any]:
    found = described.version(values, standard, version, values.time_ms)
    if found is None:
        raise _unknown(standard, version)
    if member is not None:
        if values.get(member_key(member)) is None:
            raise BadAnswer(f"there is no member {member}", "the genesis and `coseal governance list` name the members")
        found["acts"] = described.acts(values, standard, version, member, values.time_ms)
        found["adoption"] = values.get(adoption_key(standard, version, member))
    return {**found, "height": values.height}


def version_of(session: Session, standard: str, version: int | None, member: str | None) -> Exchange[dict[str, Any]]:
    """See ``Standards.show``."""
    number = yield from _number(session, standard, version)
    own = member or _own_member(session)
    values = yield from proven_values(session, _own_keys(standard, number, own))
    return _shown(values, standard, number, own)


def _own_member(session: Session) -> str | None:
    return session.member if session.sender else None


def domain_of(session: Session, name: str) -> Exchange[dict[str, Any]]:
    """See ``Standards.domain``."""
    listed, own = list[Any](), _own_member(session)
    for _ in range(_PASSES):
        keys = [key for standard, version in listed for key in _own_keys(standard, version, own)]
        values = yield from proven_values(session, [domain_key(name), *keys])
        found = described.domain(values, name)
        if found["standards"] == listed:
            versions = [_shown(values, standard, version, own) for standard, version in listed]
            return {**found, "versions": versions, "height": values.height}
        listed = found["standards"]
    raise Busy(f"the standards of {name} change while they are read", "try again")


def adopters_of(session: Session, standard: str, version: int | None = None) -> Exchange[list[dict[str, Any]]]:
    """See ``Standards.adopters``."""
    number = yield from _number(session, standard, version)
    own, members = standard_key(standard, number), list[str]()
    for _ in range(_PASSES):
        pages = [adopters_key(standard, number, page) for page in range(series.pages(len(members)))]
        adoptions = [adoption_key(standard, number, member) for member in members]
        values = yield from proven_values(session, [own, *pages, *adoptions])
        record = values.get(own)
        if record is None:
            raise _unknown(standard, number)
        if record["adopters"] == len(members):
            return [_adopter(member, values.get(key)) for member, key in zip(members, adoptions, strict=True)]
        count = series.pages(record["adopters"])
        listed = yield from proven_values(
            session, [own, *(adopters_key(standard, number, page) for page in range(count))]
        )
        members = [one for page in range(count) for one in listed.get(adopters_key(standard, number, page)) or ()]
    raise Busy(f"the adopters of {standard} {number} change while they are read", "try again")


def _adopter(member: str, adoption: Mapping[str, Any]) -> dict[str, Any]:
    return {"member": member, **{name: adoption[name] for name in ("mode", "sources", "from_ms", "until_ms")}}


def _proof(session: Session, standard: str, version: int | None) -> Exchange[dict[str, Any]]:
    number = yield from _number(session, standard, version)
    return (yield from session.state_document(standard_key(standard, number)))


def _listed(
    session: Session, path: str, name: str, filters: Mapping[str, Any], limit: int | None
) -> Exchange[list[dict[str, Any]]]:
    given = {key: value for key, value in filters.items() if value is not None}
    pages, found = Pages(session, path, name, given, limit), list[dict[str, Any]]()
    while not pages.done:
        found += yield from pages.more()
    return found
