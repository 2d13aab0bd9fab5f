"""The members' keys of a network folder at work: who can act for whom, and waiting for what the chain has to show.

Law: everything asked is asked of one running validator and proven, so that what one step did is seen by the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from coseal.client import governance, keys
from coseal.client.blocking import Client
from coseal.contracts.membership.state import MEMBERS_KEY, VALIDATORS_KEY, member_key, operator_key, operators_key
from coseal.errors import BadAnswer, CosealError, Refused, Unreachable
from coseal.ledger.signing import Signer
from coseal.network.folders import Network, NodeEntry
from coseal.network.processes import probe, token_for

POLL_S: Final = 0.25
MEANWHILE_S: Final = 3.0
Say = Callable[[str], None]
"""``say(text)`` reports one line of progress."""


class MemberClients:
    """Clients of one node of the folder, for every member whose key is in it; close it, or use it with ``with``."""

    def __init__(self, network: Network, say: Say, *, timeout_s: float, without: str = "") -> None:
        """``without`` names the node not to ask. Raises ``Unreachable`` if no validator answers."""
        self.network, self.say, self.timeout_s = network, say, timeout_s
        self._genesis = network.genesis()
        self.entry = _running(network, without)
        self._clients: dict[str, Client | None] = {}
        self._stack = ExitStack()
        self.reader = self._stack.enter_context(self.client_of(self.entry))

    def client_of(self, node: NodeEntry, sender: str | None = None, signer: Signer | None = None) -> Client:
        """Return a client of a node of the folder; it is the caller's to close."""
        return Client(node.url, self._genesis, signer=signer, sender=sender, token=token_for(node))

    def __enter__(self) -> MemberClients:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def value(self, key: str) -> Any:
        """Return the proven value of a state key, None if it is absent."""
        return self.reader.value(key)

    def members(self) -> list[str]:
        """Return the ids of all members, ascending."""
        return list(self.value(MEMBERS_KEY) or [])

    def seats(self) -> list[list[Any]]:
        """Return the validators of the next height: ``[id, member, role, key]`` each."""
        return list(self.value(VALIDATORS_KEY)[1])

    def acting(self, member: str) -> Client | None:
        """Return a client that signs for a member with a key that may ``operate``, None if there is none here."""
        if member not in self._clients:
            self._clients[member] = self._client(member)
        return self._clients[member]

    def require(self, member: str) -> Client:
        """Return a client that signs for a member; raise ``CosealError`` if it has no key here."""
        client = self.acting(member)
        if client is None:
            where = self.network.directory / "members" / member
            raise CosealError(f"no key in {where} may operate for {member}", "put one there, or use `--as` elsewhere")
        return client

    def user(self, member: str) -> str:
        """Return the user that ``require`` acts as."""
        return str(self.require(member).sender).partition("/")[2]

    def decide(
        self, proposer: str, kind: str, subject: dict[str, Any], *, name: str, reason: str = ""
    ) -> dict[str, Any]:
        """Have a proposal of this kind and subject accepted by the members whose keys are here; return it.

        An open one is continued. Raises what ``governance.decide`` does.
        """
        about = {field: value for field, value in subject.items() if field != "proof"}
        proposal_id = governance.find_open(self.reader, kind, about)
        if proposal_id is None:
            proposal_id = governance.new_id(kind, name)
            more = {"reason": reason} if reason else {}
            client = self.require(proposer)
            governance.propose_soon(client, proposal_id, kind, subject, timeout_s=self.timeout_s, **more)
        self.say(f"proposal {proposal_id}: the members whose keys are here vote")
        found = governance.decide(self.reader, self.acting, proposal_id)
        yes = ", ".join(row["member"] for row in found["votes"] if row["choice"] == "yes")
        self.say(f"accepted with {found['yes']} of {len(found['electorate'])} votes: {yes}")
        return found

    def until(
        self,
        done: Callable[[], Any],
        what: str,
        *,
        hopeless: Callable[[], str | None] = lambda: None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Any:
        """Poll until ``done`` is true and return that; raise ``CosealError`` when time is over.

        ``hopeless`` says why there is no use in waiting longer; ``meanwhile`` is done now and every few seconds.
        """
        began, turns = time.monotonic(), 0
        while not (found := done()):
            waited = time.monotonic() - began
            if meanwhile is not None and waited >= turns * MEANWHILE_S:
                meanwhile()
                turns += 1
            reason = hopeless()
            if reason is not None:
                raise CosealError(reason)
            if waited > self.timeout_s:
                hint = "run the command again to continue; --timeout waits longer"
                raise CosealError(f"not within {self.timeout_s:.0f} s: {what}", hint)
            time.sleep(POLL_S)
        return found

    def nudge(self, member: str) -> None:
        """Have an idle chain make a block: the member sets its own name to what it is."""
        record = self.value(member_key(member))
        self.require(member).submit("membership", "set_profile", {"name": record["name"]})

    def certified_by(self, node: NodeEntry, height: int) -> list[str]:
        """Return the nodes whose signatures a node holds of a block; none if it has no such block."""
        try:
            with self.client_of(node) as client:
                committed = client.block(height)
                validators = client.validators_of(committed.block.header, committed.certificate)
        except Refused:
            return []
        return [validators[index].id for index in committed.certificate.signers()]

    def _client(self, member: str) -> Client | None:
        capabilities = self.value(operators_key(member)) or {}
        for user in self.network.users(member):
            if "operate" in capabilities.get(user, ()):
                signer = keys.read_signer(self.network.key_path(f"{member}/{user}"), keys.environment_passphrase())
                sender = f"{member}/{user}"
                if signer.public_key != self.value(operator_key(sender))["key"]:
                    hint = f"if a rotation was interrupted: coseal member rotate-key {sender}"
                    raise BadAnswer(f"the key in {self.network.key_path(sender)} is not the registered one", hint)
                return self._stack.enter_context(self.client_of(self.entry, sender, signer))
        return None


def _running(network: Network, without: str) -> NodeEntry:
    """Return a node that answers and is not stalled, validators first."""
    found: NodeEntry | None = None
    for node in sorted(network.nodes, key=lambda node: node.kind != "validator"):
        status = None if node.name == without else probe(node)
        if status is not None and status.get("chain_id") == network.chain_id:
            if status.get("healthy") is True:
                return node
            found = found or node
    if found is None:
        raise Unreachable(f"no node of {network.directory} answers", f"start it with `coseal up {network.directory}`")
    return found
