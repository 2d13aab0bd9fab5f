"""How a command reaches a node: by a network folder, or by URL, genesis and key file.

Law: with a folder, the sender's own node is asked if it answers, else the first that does; the genesis always comes
from a local file, never from the node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coseal.client import keys
from coseal.client.genesis import read_genesis
from coseal.errors import CosealError, Unreachable
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import Signer
from coseal.network import folders
from coseal.network.consortium import DEFAULT_USER
from coseal.network.folders import Network, NodeEntry
from coseal.network.processes import probe, token_for

if TYPE_CHECKING:
    from coseal.client.blocking import Client


@dataclass(frozen=True, slots=True)
class Access:
    """The options by which commands find a node; each may be None.

    ``url`` (with ``genesis``) names a node anywhere, ``node`` one of the folder. ``dry_run``: what an action would come
    to is wanted, and nothing is to be recorded.
    """

    directory: Path
    node: str | None = None
    url: str | None = None
    genesis: Path | None = None
    key: Path | None = None
    token: str | None = None
    dry_run: bool = False

    def network(self) -> Network:
        """Read the network folder."""
        return folders.load(self.directory)

    def load_genesis(self) -> Genesis:
        """Return the trusted genesis: of ``--genesis``, else of the folder."""
        if self.genesis is not None:
            return read_genesis(self.genesis)
        if self.url is not None and not folders.exists(self.directory):
            raise CosealError("--url needs the chain's genesis", "give --genesis FILE, got from a member you trust")
        return self.network().genesis()

    def identity(self, who: str, genesis: Genesis) -> tuple[str, Signer]:
        """Return the full sender of MEMBER[/USER] and a signer with its key."""
        sender = full_sender(who, genesis, self._users)
        return sender, keys.read_signer(self.key_path(sender), keys.environment_passphrase())

    def key_path(self, sender: str) -> Path:
        """Return the key file of MEMBER/USER: the one that is given, else that of the folder."""
        return self.key if self.key is not None else self.network().key_path(sender)

    def _users(self, member: str) -> list[str]:
        return self.network().users(member) if folders.exists(self.directory) else []

    def client(self, who: str | None = None) -> Client:
        """Return a client, which signs as ``who`` if given."""
        from coseal.client.blocking import Client

        genesis = self.load_genesis()
        sender, signer = self.identity(who, genesis) if who is not None else (None, None)
        member = None if sender is None else sender.partition("/")[0]
        url, token = self.find(genesis, member)
        return Client(url, genesis, signer=signer, sender=sender, token=token)

    def find(self, genesis: Genesis, member: str | None = None) -> tuple[str, str | None]:
        """Return the URL of the node to ask and the token to show it: the given one, else the one in its folder."""
        if self.url is not None:
            return self.url, self.token
        network = self.network()
        node = network.node(self.node) if self.node is not None else answering(network, member)
        return node.url, self.token or token_for(node)


def answering(network: Network, member: str | None = None) -> NodeEntry:
    """Return a node that answers: of ``member`` if it has one, else the first."""
    for node in sorted(network.nodes, key=lambda node: node.member != member):
        if probe(node) is not None:
            return node
    raise Unreachable(f"no node of {network.directory} answers", f"start it with `coseal up {network.directory}`")


def full_sender(who: str, genesis: Genesis, users_of: Callable[[str], list[str]] = lambda member: []) -> str:
    """Return MEMBER/USER for MEMBER[/USER]; without a user it is ``admin``, else the member's first.

    ``users_of`` tells the users of a member that joined after the genesis, as far as their keys are here.
    """
    member_id, slash, user = who.partition("/")
    if slash and user and member_id:
        return f"{member_id}/{user}"
    member = next((member for member in genesis.members if member.id == member_id), None)
    users = [operator.user for operator in member.operators] if member is not None else users_of(member_id)
    if member is None and not users:
        known = ", ".join(member.id for member in genesis.members)
        hint = f"the genesis has {known}; for one that joined later give MEMBER/USER and --key"
        raise CosealError(f"{member_id!r} is not a member of this chain", hint)
    if not users:
        raise CosealError(f"{member_id} has no users in the genesis", "give --as MEMBER/USER and --key")
    return f"{member_id}/{DEFAULT_USER if DEFAULT_USER in users else users[0]}"
