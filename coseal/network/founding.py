"""A founding ceremony as files: a public folder that members pass around, and each member's own folder with its keys.

Law: a private key never leaves the folder of its member, and nothing in the public folder is believed unchecked.

    CEREMONY/plan.json                       public, the same for all: written by `init`
    CEREMONY/contributions/MEMBER.json       written by `join`, on the member's own machine
    CEREMONY/genesis.json                    written by `finish`
    CEREMONY/confirmations/MEMBER.json       written by `confirm`, on the member's own machine

    DIR/members/MEMBER/USER.pem              the member's own: users' keys
    DIR/nodes/NODE/keys/                     its nodes' keys, as `coseal up` makes them
    DIR/contribution.json                    what it gave away of them
    DIR/genesis.json, network.toml, nodes/NODE/node.toml, nodes/NODE/journal/      written by `confirm`
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from coseal.client import keys
from coseal.client.contracts import require_installed
from coseal.errors import BadAnswer, CosealError
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis, Parameters, Sources
from coseal.ledger.signing import Ed25519Signer
from coseal.network import ceremony, folders
from coseal.network.ceremony import Contribution, NodePart, Plan
from coseal.network.consortium import load_consortium
from coseal.network.folders import NodeEntry

DEFAULT_HTTP_PORT: Final = 8600
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a ceremony is. ``genesis`` is None before ``finish``; ``confirmed`` are the members who said yes."""

    plan: Plan
    contributions: Mapping[str, Contribution]
    genesis: Genesis | None
    confirmed: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """Members whose contribution is not there."""
        return [member.id for member in self.plan.members if member.id not in self.contributions]

    @property
    def unconfirmed(self) -> list[str]:
        """Members who have not confirmed."""
        return [member.id for member in self.plan.members if member.id not in self.confirmed]

    @property
    def complete(self) -> bool:
        """Whether every member has confirmed the genesis: the nodes may start."""
        return self.genesis is not None and not self.unconfirmed


def init(
    folder: Path,
    consortium: Path,
    contracts: Sequence[Sources] = (),
    constitution: Mapping[str, Any] | None = None,
) -> Plan:
    """Write the plan of a ceremony from a consortium file, with more contracts of others that the genesis admits.

    ``constitution`` is the document by which the members decide; without it the founding constitution.

    An existing plan is never replaced.
    """
    founders = load_consortium(consortium, Parameters()).with_contracts(contracts).with_constitution(constitution)
    raw = ceremony.encode_plan(founders, time.time_ns() // 1_000_000)
    try:
        plan = ceremony.decode_plan(raw)
    except LedgerError as error:
        raise CosealError(f"{consortium}: no genesis can be made from it: {error.reason}") from None
    path = folder / "plan.json"
    if path.exists():
        raise CosealError(f"{path} exists", "members may have signed it; choose another folder for another ceremony")
    write_whole(path, raw)
    return plan


def join(folder: Path, member: str, directory: Path, addresses: Mapping[str, str]) -> Contribution:
    """Make the keys of ``member`` in ``directory`` and write its contribution; run again, it keeps the keys.

    ``addresses``: for each of its nodes, HOST:PORT where the other members' nodes reach it.
    """
    plan = _plan(folder)
    with _blaming(folder / "plan.json"):
        founder, seats = plan.member(member), plan.seats(member)
    others = [path.name for path in (directory / "members").glob("*") if path.name != member]
    if others:
        raise CosealError(f"{directory} is the folder of {', '.join(others)}", "give every member a folder of its own")
    if (directory / "network.toml").exists():
        raise CosealError(f"{directory} holds a node of a chain already", "choose another folder")
    wanted = {seat.name for seat in seats}
    if set(addresses) != wanted:
        named = ", ".join(sorted(wanted)) or "none"
        raise CosealError(
            f"nodes of {member} are: {named}; addresses were given for: {', '.join(sorted(addresses)) or 'none'}",
            "give --address NODE=HOST:PORT for each, where the other members' nodes reach it",
        )
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    operators = {user.name: own_key(directory / "members" / member / f"{user.name}.pem") for user in founder.users}
    first = founder.users[0].name
    nodes = [own_node(directory, member, seat.name, addresses[seat.name], first) for seat in seats]
    raw = ceremony.make_contribution(plan, member, operators, nodes)
    try:
        contribution = ceremony.decode_contribution(raw, plan)
    except LedgerError as error:
        raise CosealError(f"{directory}: {error.reason}") from None
    write_whole(directory / "contribution.json", raw)
    write_whole(folder / "contributions" / f"{member}.json", raw)
    return contribution


def finish(folder: Path) -> Standing:
    """Check plan and contributions and write the genesis; run again, it only checks."""
    plan, contributions = _plan(folder), _contributions(folder)
    missing = [member.id for member in plan.members if member.id not in contributions]
    if missing:
        raise CosealError(
            f"{folder}: no contribution of {', '.join(missing)} yet",
            "each runs `coseal genesis join` and sends its file",
        )
    with _blaming(folder):
        genesis = ceremony.assemble(plan, contributions)
    path = folder / "genesis.json"
    if not path.exists():
        write_whole(path, genesis.raw)
    return look(folder)


def confirm(
    folder: Path, directory: Path, *, http_port: int = DEFAULT_HTTP_PORT, listen: str | None = None
) -> Standing:
    """Check the genesis against the member's own keys, write its nodes' configuration, and sign the chain id.

    HTTP listens on loopback at ``http_port``, further nodes of the member two ports on. ``listen``: the host on which
    links are accepted; by default that of the node's address if it is an IP address, else all (0.0.0.0).
    """
    member, own = _own(directory)
    standing = look(folder)
    genesis, plan = standing.genesis, standing.plan
    if genesis is None:
        raise CosealError(f"{folder}: there is no genesis yet", f"coseal genesis finish {folder}")
    if plan.seats(member):
        require_installed(genesis.name, genesis.contracts)
    given = standing.contributions.get(member)
    if given is None or given.raw != own:
        what = _own_difference(plan, own, given)
        raise BadAnswer(
            f"{folder}: the genesis does not hold what {member} contributed: {what}",
            "do not start a node; tell the other members by another way than the one the files came",
        )
    founder = plan.member(member)
    operators = {user.name: _read(directory / "members" / member / f"{user.name}.pem") for user in founder.users}
    _require_own_keys(directory, given, operators)
    _configure(directory, standing, genesis, member, http_port, listen)
    raw = ceremony.make_confirmation(genesis, member, operators[founder.users[0].name])
    write_whole(folder / "confirmations" / f"{member}.json", raw)
    return look(folder)


def look(folder: Path) -> Standing:
    """Check everything that is in a ceremony's folder; raise ``BadAnswer`` naming the file that is false, and why."""
    plan, contributions = _plan(folder), _contributions(folder)
    path = folder / "genesis.json"
    if not path.exists():
        return Standing(plan, contributions, None, ())
    with _blaming(path):
        genesis = ceremony.assemble(plan, contributions)
        raw = _bytes(path)
    if raw != genesis.raw:
        raise BadAnswer(
            f"{path}: it is not what plan and contributions make: {ceremony.difference(raw, genesis)}",
            "it was changed, or a contribution was replaced after it was made; find out which",
        )
    confirmed = _each(
        folder / "confirmations", lambda data: ceremony.decode_confirmation(data, genesis), lambda one: one.member
    )
    order = [member.id for member in plan.members if member.id in confirmed]
    return Standing(plan, contributions, genesis, tuple(order))


def require_same(directory: Path, standing: Standing) -> None:
    """Raise ``BadAnswer`` unless the member's folder has the ceremony's genesis and its very contribution."""
    member, own = _own(directory)
    given = standing.contributions.get(member)
    if given is None or given.raw != own:
        raise BadAnswer(f"{directory}: {_own_difference(standing.plan, own, given)}")
    if standing.genesis is not None and (directory / "genesis.json").exists():
        found = _bytes(directory / "genesis.json")
        if found != standing.genesis.raw:
            raise BadAnswer(f"{directory / 'genesis.json'}: {ceremony.difference(found, standing.genesis)}")


def _own_difference(plan: Plan, own: bytes, given: Contribution | None) -> str:
    """Say in words how what the ceremony has of a member differs from what the member gave."""
    if given is None:
        return "there is no contribution of it"
    try:
        mine = ceremony.decode_contribution(own, plan)
    except LedgerError as error:
        return f"contribution.json of its own folder: {error.reason}"
    theirs = {what: key for key, what in ceremony.named_keys(given)}
    for key, what in ceremony.named_keys(mine):
        if theirs.get(what) != key:
            return f"{what} is {theirs[what].hex()}, its own is {key.hex()}"
    for ours, other in zip(mine.nodes, given.nodes, strict=True):
        if ours.address != other.address:
            return f"address of {ours.id} is {other.address}, its own is {ours.address}"
    return "a link certificate is another one"


# A member's own folder


def _own(directory: Path) -> tuple[str, bytes]:
    """Return whose folder it is, and the contribution it keeps."""
    members = [path.name for path in (directory / "members").glob("*")]
    if len(members) != 1 or not (directory / "contribution.json").is_file():
        raise CosealError(f"{directory} was not made by `coseal genesis join`", "give the one with your keys")
    return members[0], _bytes(directory / "contribution.json")


def own_key(path: Path) -> Ed25519Signer:
    """Return the signer of a key file, which is made if it is not there."""
    passphrase = keys.environment_passphrase()
    if not path.exists():
        keys.write_key(path, keys.new_seed(), passphrase)
    return keys.read_signer(path, passphrase)


def _read(path: Path) -> Ed25519Signer:
    return keys.read_signer(path, keys.environment_passphrase())


def own_node(
    directory: Path, member: str, name: str, address: str, user: str
) -> tuple[NodePart, Ed25519Signer, Ed25519Signer]:
    """Make what is missing of a node's keys; the gateway signs with the key of ``user``."""
    folder, operator = directory / "nodes" / name, directory / "members" / member / f"{user}.pem"
    if not (folder / "keys" / "link.crt").exists():
        with _building(folder) as building:
            folders.make_node_keys(building, name, member, keys.read_seed(operator, keys.environment_passphrase()))
    consensus, link = (_read(folder / "keys" / f"{file}.pem") for file in ("consensus", "link"))
    der = keys.certificate_der(folder / "keys" / "link.crt")
    with _blaming(folder):
        part = NodePart(name, consensus.public_key, der, ceremony.address(address, f"address of {name}"))
    return part, consensus, link


@contextlib.contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """Yield a folder that takes the place of ``folder`` when all is made: a node has all its keys or none."""
    building = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    building.mkdir(parents=True)
    try:
        yield building
        building.rename(folder)
    except OSError as error:
        raise CosealError(f"cannot make {folder}: {error.strerror}", "move away what is there") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _require_own_keys(directory: Path, given: Contribution, operators: Mapping[str, Ed25519Signer]) -> None:
    """See that the private keys in the folder are those of the contribution."""
    for user, signer in operators.items():
        if signer.public_key != given.operators[user]:
            raise BadAnswer(f"{directory}/members/{given.member}/{user}.pem is not the key that was contributed")
    for node in given.nodes:
        folder = directory / "nodes" / node.id / "keys"
        if _read(folder / "consensus.pem").public_key != node.consensus_key:
            raise BadAnswer(f"{folder / 'consensus.pem'} is not the key that was contributed")
        if keys.certificate_der(folder / "link.crt") != node.link_certificate:
            raise BadAnswer(f"{folder / 'link.crt'} is not the certificate that was contributed")


def _configure(
    directory: Path, standing: Standing, genesis: Genesis, member: str, http_port: int, listen: str | None
) -> None:
    """Write what the member's nodes need to run, once: `network.toml` is last and says that all of it is there."""
    path = directory / "genesis.json"
    if path.exists() and _bytes(path) != genesis.raw:
        raise BadAnswer(
            f"{path}: this member confirmed another genesis before: {ceremony.difference(_bytes(path), genesis)}",
            "begin again with a new folder and new keys, or ask why there are two",
        )
    write_whole(path, genesis.raw)
    if (directory / "network.toml").exists() or not standing.plan.seats(member):
        return
    addresses = {node.id: node.address for one in standing.contributions.values() for node in one.nodes}
    founder, entries = standing.plan.member(member), []
    for index, seat in enumerate(standing.plan.seats(member)):
        http = f"127.0.0.1:{http_port + 2 * index}"
        text = folders.node_toml(
            seat.name,
            link_listen=link_listen(addresses[seat.name], listen),
            http_listen=http,
            gateway_sender=f"{member}/{founder.users[0].name}",
            peers=addresses,
        )
        data = Path("nodes") / seat.name
        write_whole(directory / data / "node.toml", text.encode())
        entries.append(NodeEntry(seat.name, member, founder.role, seat.kind, http, addresses[seat.name], data))
    homes = [directory / entry.data for entry in entries]
    folders.make_journals([home for home in homes if not (home / "journal").exists()])
    text = folders.network_toml(genesis.name, genesis.chain_id.hex(), entries)
    write_whole(directory / "network.toml", text.encode())


def link_listen(address: str, listen: str | None) -> str:
    """Return where links are accepted of a node that is reached at ``address``: there if that is an IP address.

    Else on all of the host's addresses; ``listen`` names another host.
    """
    host, _, port = address.rpartition(":")
    numeric = host.startswith("[") or host.replace(".", "").isdigit()
    return f"{listen or (host if numeric else '0.0.0.0')}:{port}"


# The public folder


def _plan(folder: Path) -> Plan:
    path = folder / "plan.json"
    if not path.is_file():
        raise CosealError(f"{folder} holds no plan.json", "`coseal genesis init` makes one; the others get its file")
    with _blaming(path):
        return ceremony.decode_plan(_bytes(path))


def _contributions(folder: Path) -> dict[str, Contribution]:
    plan = _plan(folder)
    return _each(folder / "contributions", lambda raw: ceremony.decode_contribution(raw, plan), lambda one: one.member)


def _each(folder: Path, decode: Callable[[bytes], _T], member: Callable[[_T], str]) -> dict[str, _T]:
    """Decode every document of a folder; each bears its member's name."""
    found: dict[str, _T] = {}
    for path in sorted(folder.glob("*.json")):
        with _blaming(path):
            document = decode(_bytes(path))
        if path.stem != member(document):
            raise BadAnswer(f"{path}: it is of {member(document)}", f"name it {member(document)}.json")
        found[path.stem] = document
    return found


@contextlib.contextmanager
def _blaming(path: Path) -> Iterator[None]:
    """Turn what is wrong with a document into a ``BadAnswer`` that names its file."""
    try:
        yield
    except LedgerError as error:
        raise BadAnswer(f"{path}: {error.reason}", "ask its author for the file again, by another way") from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CosealError(f"{path}: {error.strerror}") from None


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in place whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        building = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with building.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        building.replace(path)
    except OSError as error:
        raise CosealError(f"cannot write {path}: {error.strerror}") from None
