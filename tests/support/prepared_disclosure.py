"""The examples of disclosure made valid: a plan, keys of its custodians, vaults at every step.

Law: as in ``tests.support.prepared``, whose chain it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from coseal.contracts.disclosure.dealing import ACTIONS
from coseal.contracts.disclosure.keys import ACTIONS as KEY_ACTIONS
from coseal.contracts.disclosure.plans import PLAN
from coseal.contracts.disclosure.state import plan_key
from tests.support.chain import Chain

Args = dict[str, Any]
Ready = tuple[str, Args]

OWNER: Final = "bank-a"
SEATS: Final[tuple[str, ...]] = tuple(PLAN.example["seats"])
READER: Final = "city"
VAULT_MS: Final = 300 * 86_400_000


class PreparedDisclosure:
    """What ``Prepared`` has for the actions of disclosure."""

    chain: Chain

    @property
    def now_ms(self) -> int:
        raise NotImplementedError

    def _ok(self, calls: Sequence[tuple[str, str, Args]]) -> list[dict[str, Any]]:
        raise NotImplementedError

    def _next(self) -> int:
        raise NotImplementedError

    def _accepted(self, name: str, kind: str, subject: Args, by: str = "regulator") -> None:
        raise NotImplementedError

    def _plan(self) -> None:
        """Have the plan of the example decided and its custodians' keys published, once."""
        if self.chain.get(plan_key(PLAN.example["id"])) is not None:
            return
        self._accepted("custody-plan", "custody_plan", dict(PLAN.example))
        key = dict(KEY_ACTIONS["set_sealing_key"].example)
        self._ok([(member, "disclosure.set_sealing_key", key) for member in SEATS])

    def _opening(self) -> Args:
        number = self._next()
        named = {"vault": f"v{number}", "ends_ms": self.now_ms + VAULT_MS}
        sidecar = {"name": f"{number:064x}", "bytes": 5_000}
        return {**ACTIONS["open_vault"].example, **named, "envelopes": sidecar}

    def _opened(self, count: int) -> list[Args]:
        """Open so many vaults; return where they are."""
        opened = [args for _, args in self._disclosure_open_vault(count)]
        self._ok([(OWNER, "disclosure.open_vault", args) for args in opened])
        return [{"owner": OWNER, "vault": args["vault"]} for args in opened]

    def _disclosure_set_sealing_key(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield OWNER, dict(KEY_ACTIONS["set_sealing_key"].example)

    def _disclosure_open_vault(self, count: int) -> Iterator[Ready]:
        self._plan()
        for _ in range(count):
            yield OWNER, self._opening()

    def _disclosure_accept_seat(self, count: int) -> Iterator[Ready]:
        for vault in self._opened(count):
            yield SEATS[0], vault

    def _disclosure_refuse_seat(self, count: int) -> Iterator[Ready]:
        for vault in self._opened(count):
            yield SEATS[0], {**vault, "reason": "Key 2 is not the one committed to"}

    def _disclosure_define_audience(self, count: int) -> Iterator[Ready]:
        for vault in self._opened(count):
            yield OWNER, {"vault": vault["vault"], "audience": "readers", "members": [READER]}

    def _disclosure_grant(self, count: int) -> Iterator[Ready]:
        """Each to a reader of another vault."""
        audiences = [args for _, args in self._disclosure_define_audience(count)]
        self._ok([(OWNER, "disclosure.define_audience", args) for args in audiences])
        self._ok([(READER, "disclosure.set_sealing_key", {**KEY_ACTIONS["set_sealing_key"].example, "use": "reader"})])
        for args in audiences:
            sidecar = {"name": f"{self._next():064x}", "bytes": 2_000}
            named = {"vault": args["vault"], "audience": "readers", "version": 1}
            yield OWNER, {**named, "to": [READER], "envelopes": sidecar}

    def _disclosure_close_vault(self, count: int) -> Iterator[Ready]:
        for vault in self._opened(count):
            yield OWNER, {"vault": vault["vault"]}

    def _disclosure_destroy_seat(self, count: int) -> Iterator[Ready]:
        vaults = self._opened(count)
        self._ok([(SEATS[0], "disclosure.accept_seat", vault) for vault in vaults])
        self._ok([(OWNER, "disclosure.close_vault", {"vault": vault["vault"]}) for vault in vaults])
        for vault in vaults:
            yield SEATS[0], vault
