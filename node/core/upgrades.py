"""Rules to come: a protocol version that governance accepted or validators have, and whether this software has it.

Law: a node says at once that it lacks rules which are decided, and decides no block under them (A8, N32).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from coseal.contracts.governance import admissions
from coseal.contracts.governance import versions as governance_versions
from coseal.contracts.governance.versions import Support
from coseal.ledger.genesis import Sources
from coseal.node.core.context import MachineContext
from coseal.node.core.events import Noticed


class _Lack(NamedTuple):
    """A version that this software lacks, and where it takes effect if that is certain; ``accepted`` by governance."""

    version: int
    accepted: bool
    first_height: int | None


class Upgrades:
    """Checks what the state after each decided block says of the next rules."""

    def __init__(self, context: MachineContext) -> None:
        self._executor, self._emit = context.executor, context.emit
        self._said: _Lack | None = None
        self._said_contracts: frozenset[tuple[Sources, bool]] = frozenset()

    def check(self, *, members_changed: bool) -> None:
        """Say once that rules to come are lacking; raise ``UnknownProtocol`` where the next block needs them.

        ``members_changed``: the block may have changed who validates, or what their software has.
        """
        self._executor.require_rules()
        self._check_contracts()
        reader = self._executor.reader
        upgrade = governance_versions.upgrade(reader, self._executor.height)
        if upgrade is not None:
            self._say(*self._accepted(upgrade))
        elif members_changed or (self._said is not None and self._said.accepted):
            version = self._executor.protocol_version + 1
            self._say(*self._offered(version, governance_versions.support(reader, version)))

    def _check_contracts(self) -> None:
        """Say once of each contract that is admitted and not in force that it is not installed here."""
        lacking = {
            (Sources(each["name"], each["version"], each["sha256"]), each["first_height"] is not None): each
            for each in admissions.admissions(self._executor.reader)
            if not self._executor.offers(each["name"], each["version"], each["sha256"])
        }
        for key, each in lacking.items():
            if key in self._said_contracts:
                continue
            what = f"contract {each['name']} version {each['version']} with SHA-256 {each['sha256']}"
            begins = f"{what} begins at height {each['height']} if a quorum of validators has it then, as it"
            if key[1]:
                text = f"{begins} does now, and is not installed here: install it before, or this node stops there"
                self._emit(Noticed("needs_contract", text, severe=True))
            else:
                text = f"{begins} does not yet, and is not installed here: install it before"
                self._emit(Noticed("lacks_contract", text))
        self._said_contracts = frozenset(lacking)

    def _say(self, lack: _Lack | None, text: str) -> None:
        if lack is not None and lack != self._said:
            certain = lack.first_height is not None
            notice = Noticed("needs_release", text, severe=True) if certain else Noticed("lacks_version", text)
            self._emit(notice)
        self._said = lack

    def _accepted(self, upgrade: dict[str, Any]) -> tuple[_Lack | None, str]:
        version, first_height = upgrade["version"], upgrade["first_height"]
        if self._executor.knows(version):
            return None, ""
        lack = _Lack(version, True, first_height)
        if first_height is not None:
            text = f"protocol version {version} begins at height {first_height} and this software does not have it"
            return lack, f"{text}: install a newer release before, or this node stops there"
        having, needed = len(upgrade["having"]), upgrade["needed"]
        text = f"protocol version {version} is accepted and this software does not have it; it takes effect when"
        return lack, f"{text} {needed} validators have it ({having} do now): install a newer release before"

    def _offered(self, version: int, support: Support) -> tuple[_Lack | None, str]:
        if self._executor.knows(version) or not support.suffices:
            return None, ""
        text = f"{len(support.having)} validators have protocol version {version} and this software does not"
        return _Lack(version, False, None), f"{text}: install a newer release before members vote for it"
