"""Adding to a running network on this machine: a member, a node that follows, a node that validates.

Law: every step looks at the folder and the chain first and does only what is missing, so an interrupted command is
run again and continues.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any, Final

from coseal.client import keys
from coseal.contracts.membership.state import VALIDATORS_KEY, epoch_key, member_key, node_key, operator_key
from coseal.errors import CosealError
from coseal.ledger.errors import Malformed
from coseal.ledger.genesis import is_name
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.validators import ROLES, Validator, ValidatorSet, require_valid
from coseal.network import edit, processes
from coseal.network.consortium import DEFAULT_USER, OBSERVERS, default_capabilities
from coseal.network.edit import Addition
from coseal.network.folders import Network, NodeEntry
from coseal.network.member_clients import MemberClients, Say

OBSERVER: Final = "observer"
VALIDATOR: Final = "validator"
_CAUGHT_UP_BLOCKS: Final = 2


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member to be added; ``level`` is empty unless it is a government. ``key`` None: it is made here."""

    id: str
    name: str
    role: str
    level: str = ""
    sector: str = ""
    user: str = DEFAULT_USER
    key: bytes | None = None


def add_member(
    directory: Path, member: NewMember, say: Say, *, proposer: str | None, timeout_s: float
) -> dict[str, Any]:
    """Have the members admit another one; return ``{"member", "user", "public_key", "file", "height"}``."""
    require_member(member)
    with edit.changing(directory) as network, MemberClients(network, say, timeout_s=timeout_s) as clients:
        return _add_member(clients, member, proposer)


def add_node(
    directory: Path,
    kind: str,
    say: Say,
    *,
    member: str | None = None,
    name: str | None = None,
    port: int | None = None,
    timeout_s: float,
) -> dict[str, Any]:
    """Add a node and return ``{"node", "member", "kind", "url", "height", "epoch"}`` when it does what it is for.

    ``member`` None: one is chosen; for a validator for which no member can take a seat, a new member is added.
    """
    with edit.changing(directory) as network:
        edit.require_local(network)
        with MemberClients(network, say, timeout_s=timeout_s) as clients:
            network, addition = _begin(clients, kind, member, name, port)
        with MemberClients(network, say, timeout_s=timeout_s, without=addition.name) as clients:
            return _carry_on(clients, addition)


def _begin(
    clients: MemberClients, kind: str, member: str | None, name: str | None, port: int | None
) -> tuple[Network, Addition]:
    """Return the addition that was interrupted, if it is this one, or begin a new one."""
    network, begun = clients.network, edit.unfinished(clients.network)
    if begun is not None:
        if kind != begun.kind or member not in (None, begun.member) or name not in (None, begun.name):
            hint = f"coseal node add --role {begun.kind} --name {begun.name} goes on; coseal node remove {begun.name}"
            raise CosealError(f"{begun.name} is being added as {begun.kind} and not finished", hint)
        clients.say(f"{begun.name}: going on where it was interrupted")
        return network, begun
    chosen = member or _choose_member(clients, kind)
    if chosen not in clients.members():
        raise CosealError(f"{chosen} is not a member of this chain", f"coseal member add {chosen} --role ROLE")
    role = str(clients.value(member_key(chosen))["role"])
    addition = Addition(name or _node_name(clients, chosen, kind), chosen, role, kind)
    if kind == VALIDATOR:
        _require_seat(clients, addition)
    user = clients.user(chosen)
    network = edit.add_node(network, addition, network.key_path(f"{chosen}/{user}"), user, port=port)
    clients.say(f"{addition.name}: keys, certificate and folder made in {network.node(addition.name).data}")
    return network, addition


def _carry_on(clients: MemberClients, addition: Addition) -> dict[str, Any]:
    entry = clients.network.node(addition.name)
    _register(clients, addition, entry)
    running = _Running(clients, entry)
    running.start()
    try:
        return _until_added(clients, addition, running)
    finally:
        running.leave()


def _until_added(clients: MemberClients, addition: Addition, running: _Running) -> dict[str, Any]:
    entry = running.entry
    clients.say(f"{addition.name}: runs as process {processes.pid_of(entry)}, {entry.url}")
    status = clients.until(running.caught_up, f"{addition.name} catches up", hopeless=running.ended)
    clients.say(f"{addition.name}: caught up at height {status['height']}")
    epoch = int(status["epoch"])
    if addition.kind == VALIDATOR:
        epoch = _make_validator(clients, addition, running)
    edit.finish(clients.network, addition)
    final = processes.probe(entry) or status
    return {
        "node": addition.name,
        "member": addition.member,
        "kind": addition.kind,
        "url": entry.url,
        "height": final["height"],
        "epoch": epoch,
    }


def _register(clients: MemberClients, addition: Addition, entry: NodeEntry) -> None:
    signer = keys.read_signer(entry.data / "keys" / "consensus.pem", keys.environment_passphrase())
    record = clients.value(node_key(addition.name))
    if record is not None and record["consensus_key"] == signer.public_key:
        return
    certificate = keys.certificate_der(entry.data / "keys" / "link.crt")
    args = {
        "node": addition.name,
        "consensus_key": signer.public_key.hex(),
        "link_certificate": certificate.hex(),
        "address": entry.link,
    }
    committed = clients.require(addition.member).submit_any("membership", "add_node", args).require_ok()
    clients.say(f"{addition.name}: registered by {addition.member} in block {committed.height}")


def _make_validator(clients: MemberClients, addition: Addition, running: _Running) -> int:
    """See an observer become a validator; return the epoch in which it is one."""
    name, key = addition.name, node_key(addition.name)
    if all(seat[0] != name for seat in clients.seats()):
        clients.say(f"{name}: waiting until it says on the chain that it is caught up")
        clients.until(lambda: "ready" in clients.value(key), f"{name} says that it is ready", hopeless=running.ended)
        clients.decide(addition.member, "add_validator", {"node": name}, name=name, reason=f"coseal node add: {name}")
    clients.until(lambda: any(seat[0] == name for seat in clients.seats()), f"{name} is among the validators")
    epoch = int(clients.value(VALIDATORS_KEY)[0])
    first = int(clients.value(epoch_key(epoch))[0])
    clients.say(f"{name}: validates from height {first} on, epoch {epoch}")
    clients.until(
        lambda: running.signed(first),
        f"a block signed by {name}",
        hopeless=running.ended,
        meanwhile=lambda: clients.nudge(addition.member),  # an idle chain has no block to sign
    )
    clients.say(f"{name}: signs blocks")
    return epoch


class _Running:
    """The process of a node that is being added."""

    def __init__(self, clients: MemberClients, entry: NodeEntry) -> None:
        self._clients, self.entry = clients, entry
        self._process: Popen[bytes] | None = None

    def start(self) -> None:
        """Start it unless it runs."""
        if processes.pid_of(self.entry) is None:
            self._process = processes.start(self.entry)

    def leave(self) -> None:
        """Let the process live on without us."""
        if self._process is not None and self._process.poll() is None:
            self._process.returncode = 0

    def ended(self) -> str | None:
        """Say that it has ended, with the end of its log."""
        code = None if self._process is None else self._process.poll()
        if code is None:
            return None
        log = processes.log_tail(self.entry)
        return f"{self.entry.name} ended with exit code {code}; the end of {self.entry.log}:\n{log}"

    def caught_up(self) -> dict[str, Any] | None:
        """Return its status when it is as far as the others."""
        status = processes.probe(self.entry)
        if status is None or status.get("syncing"):
            return None
        behind = int(self._clients.reader.get("/v1/status")["height"]) - int(status["height"])
        return status if behind <= _CAUGHT_UP_BLOCKS else None

    def signed(self, first: int) -> bool:
        """Say whether a certificate that it holds of a height from ``first`` on has its own signature.

        Every node assembles the certificate of a block from the votes it has, its own first.
        """
        status = processes.probe(self.entry)
        if status is None or int(status["height"]) < first or status.get("voting") is not True:
            return False
        return self.entry.name in self._clients.certified_by(self.entry, int(status["height"]))


def _choose_member(clients: MemberClients, kind: str) -> str:
    """Return a member that can run the node and whose key is here; add one if no member can take another seat."""
    founders = [member.id for member in clients.reader.genesis.members]
    everyone = [*founders, *(member for member in clients.members() if member not in founders)]
    members = [member for member in everyone if clients.network.users(member)]
    if kind == OBSERVER:
        return next((member for member in members if member == OBSERVERS), members[0] if members else "")
    fitting = [member for member in members if _unsafe(clients, member) is None]
    if fitting:
        return fitting[0]
    return _found_member(clients)


def _found_member(clients: MemberClients) -> str:
    """Add a member that can take a seat, as the default consortium would have had it."""
    taken = clients.members()
    for letter, role in itertools.product("abcdefghijklmnopqrstuvwxyz", ("bank", "enterprise", "institute")):
        name = f"{role}-{letter}"
        if name in taken or _unsafe_with(clients, Validator(name, name, role, bytes(32))) is not None:
            continue
        clients.say(f"no member can take another seat; {name} joins as a member of role {role}")
        _add_member(clients, NewMember(name, f"{role.capitalize()} {letter.upper()}", role), None)
        return name
    raise CosealError("no member could take another seat", "give --member")


def _add_member(clients: MemberClients, member: NewMember, proposer: str | None) -> dict[str, Any]:
    path = clients.network.directory / "members" / member.id / f"{member.user}.pem"
    key = member.key
    if key is None:
        if not path.exists():
            keys.write_key(path, keys.new_seed(), keys.environment_passphrase())
        key = keys.read_signer(path, keys.environment_passphrase()).public_key
    record = clients.value(member_key(member.id))
    if record is None:
        chosen = proposer or _proposer(clients)
        clients.decide(
            chosen, "add_member", member_subject(member, key), name=member.id, reason=f"coseal member add: {member.id}"
        )
        record = clients.value(member_key(member.id))
    registered = clients.value(operator_key(f"{member.id}/{member.user}"))
    if registered is None or registered["key"] != key:
        raise CosealError(f"{member.id} is a member already, with another key", "choose another name")
    return {
        "member": member.id,
        "user": member.user,
        "public_key": key.hex(),
        "file": str(path) if member.key is None else None,
        "height": record["since"],
    }


def member_subject(member: NewMember, key: bytes) -> dict[str, Any]:
    """Return the subject of a proposal that admits a member whose user has the public key ``key``."""
    capabilities = default_capabilities(member.role)
    return {
        "member": member.id,
        "name": member.name,
        "role": member.role,
        "level": member.level,
        "sector": member.sector,
        "operators": [{"user": member.user, "key": key.hex(), "capabilities": sorted(capabilities)}],
    }


def _proposer(clients: MemberClients) -> str:
    """Return a member with a vote whose key is here."""
    for _, member, _, _ in clients.seats():
        if clients.acting(str(member)) is not None:
            return str(member)
    raise CosealError("no member with a vote has its key here", "give the proposer with --as")


def require_member(member: NewMember) -> None:
    """Raise ``CosealError`` if its names, role and level do not fit."""
    if not is_name(member.id) or not is_name(member.user):
        raise CosealError(f"{member.id}/{member.user}: names are of a-z, 0-9, '-' and '.', a letter first")
    if member.role not in ROLES:
        raise CosealError(f"there is no role {member.role!r}", f"choose one of {', '.join(ROLES)}")
    if (member.role == "government") != bool(member.level):
        raise CosealError("a level is for a government member, and every one has it", "give --level central, ...")


def _node_name(clients: MemberClients, member: str, kind: str) -> str:
    """Return a name that no node has or had: the member's, or with a number; observers are called so."""
    stem = member if kind == VALIDATOR else OBSERVER
    candidates = itertools.chain(
        [stem] if kind == VALIDATOR else [], (f"{stem}-{n}" for n in itertools.count(2 if kind == VALIDATOR else 1))
    )
    here = {node.name for node in clients.network.nodes}
    removed = clients.network.directory / "removed"
    return next(
        name
        for name in candidates
        if name not in here and not (removed / name).exists() and clients.value(node_key(name)) is None
    )


def _require_seat(clients: MemberClients, addition: Addition) -> None:
    reason = _unsafe(clients, addition.member)
    if reason is not None:
        raise CosealError(f"{addition.member} cannot take another seat: {reason}", "choose another --member")


def _unsafe(clients: MemberClients, member: str) -> str | None:
    role = str(clients.value(member_key(member))["role"])
    return _unsafe_with(clients, Validator(f"{member}-new", member, role, bytes(32)))


def _unsafe_with(clients: MemberClients, seat: Validator) -> str | None:
    """Say why the present validators and this one would be no lawful set, or None."""
    stand_in = Ed25519Signer(bytes(range(32))).public_key  # any valid key: the real one is not made yet
    seats: Sequence[Validator] = [Validator(*row) for row in clients.seats()]
    joined = sorted([*seats, Validator(seat.id, seat.member, seat.role, stand_in)], key=lambda one: one.id)
    try:
        require_valid(ValidatorSet(0, tuple(joined)))
    except Malformed as error:
        return error.reason
    return None
