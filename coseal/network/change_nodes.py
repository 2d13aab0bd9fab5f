"""Taking a node out of a running network on this machine, and replacing keys.

Law: every step looks at the folder and the chain first and does only what is missing, so an interrupted command is
run again and continues; a key is in its file before it is registered on the chain.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from coseal.client import keys
from coseal.contracts.membership import nodes as membership_nodes
from coseal.contracts.membership.state import VALIDATORS_KEY, epoch_key, node_key, operator_key
from coseal.errors import BadAnswer, CosealError
from coseal.ledger import signing
from coseal.network import edit, processes
from coseal.network.folders import Network, NodeEntry
from coseal.network.member_clients import MemberClients, Say

_RESTARTING: Final = "restarting"
"""In the folder of a node that this command has stopped and has to start again."""


def remove_node(
    directory: Path, name: str, say: Say, *, keep_observing: bool = False, timeout_s: float
) -> dict[str, Any]:
    """Take a node out of the validators and off the chain, stop it, and put its folder aside.

    ``keep_observing``: it continues as an observer. Returns ``{"node", "epoch", "folder"}``; ``folder`` is where its
    files are now.
    """
    with edit.changing(directory) as network:
        edit.require_local(network)
        entry = network.node(name)
        with MemberClients(network, say, timeout_s=timeout_s, without=name) as clients:
            epoch = _leave_validators(clients, entry)
            if keep_observing:
                edit.set_kind(network, name, "observer")
                return {"node": name, "epoch": epoch, "folder": str(entry.data)}
            record = clients.value(node_key(name))
            if record is not None and record["kind"] != membership_nodes.FORMER:
                committed = (
                    clients.require(entry.member).submit("membership", "remove_node", {"node": name}).require_ok()
                )
                say(f"{name}: removed from the registry by {entry.member} in block {committed.height}")
        if processes.stop([entry]):
            say(f"{name}: stopped")
        _, folder = edit.remove_node(network, name)
        say(f"{name}: its files are in {folder}")
        return {"node": name, "epoch": epoch, "folder": str(folder)}


def _leave_validators(clients: MemberClients, entry: NodeEntry) -> int:
    """See a node leave the validators; return the epoch in which it is none."""
    name = entry.name
    if any(seat[0] == name for seat in clients.seats()):
        proposer = entry.member if clients.acting(entry.member) is not None else str(clients.seats()[0][1])
        reason = f"coseal node remove: {name}"
        clients.decide(proposer, "remove_validator", {"node": name}, name=name, reason=reason)
        clients.until(lambda: all(seat[0] != name for seat in clients.seats()), f"{name} is no validator any more")
        clients.say(f"{name}: is no longer a validator, as of epoch {clients.value(VALIDATORS_KEY)[0]}")
    return int(clients.value(VALIDATORS_KEY)[0])


def rotate_node_key(directory: Path, name: str, say: Say, *, timeout_s: float) -> dict[str, Any]:
    """Replace the consensus key of a validator that runs; return ``{"node", "public_key", "epoch", "former_file"}``."""
    with edit.changing(directory) as network:
        edit.require_local(network)
        entry = network.node(name)
        path, staged = entry.data / "keys" / "consensus.pem", entry.data / "keys" / "consensus-next.pem"
        if not path.exists():
            raise CosealError(f"{path}: no such key", "a node with a signer of its own: see docs/operating.md")
        with MemberClients(network, say, timeout_s=timeout_s) as clients:
            registered = _registered_key(clients, name)
            if staged.exists() and _public(path) != registered != _public(staged):
                raise BadAnswer(f"neither {path} nor {staged} is the key that the chain registers for {name}")
            key = edit.stage_key(staged)
            if registered != key:
                say(f"{name}: its new key is in {staged}")
                _propose_key(clients, entry, staged, key)
            epoch = int(clients.value(VALIDATORS_KEY)[0])
            first = int(clients.value(epoch_key(epoch))[0])
            clients.until(
                lambda: name in clients.certified_by(entry, _height(entry, first)),
                f"a block signed by {name} with its new key; does it run?",
                meanwhile=lambda: clients.nudge(entry.member),
            )
        kept = edit.promote_key(staged, path)
        staged.unlink()
        say(f"{name}: signs with the key {key.hex()[:16]}.. since height {first}; the former one is in {kept}")
        return {"node": name, "public_key": key.hex(), "epoch": epoch, "former_file": str(kept)}


def _propose_key(clients: MemberClients, entry: NodeEntry, staged: Path, key: bytes) -> None:
    if processes.probe(entry) is None:
        raise CosealError(f"{entry.name} does not run, and has to take up its key", f"coseal node start {entry.name}")
    signer = keys.read_signer(staged, keys.environment_passphrase())
    proof = signer.sign(signing.key_preimage(clients.reader.genesis.chain_id, entry.name, key))
    subject = {"node": entry.name, "key": key.hex(), "proof": proof.hex()}
    reason = f"coseal node rotate-key: {entry.name}"
    clients.decide(entry.member, "rotate_validator_key", subject, name=entry.name, reason=reason)
    clients.until(lambda: _registered_key(clients, entry.name) == key, f"the chain names the new key of {entry.name}")


def _registered_key(clients: MemberClients, name: str) -> bytes:
    for node, _, _, key in clients.seats():
        if node == name:
            return bytes(key)
    hint = "an observer's key is replaced by removing it and adding another node"
    raise CosealError(f"{name} is not a validator", hint)


def _height(entry: NodeEntry, first: int) -> int:
    """Return the height of a node's tip, at least ``first``."""
    status = processes.probe(entry)
    return first if status is None else max(first, int(status["height"]))


def rotate_user_key(directory: Path, sender: str, say: Say, *, timeout_s: float) -> dict[str, Any]:
    """Replace the key of MEMBER/USER; return ``{"sender", "public_key", "former_file", "restarted"}``.

    Nodes of the member whose gateway signs with it are given the new key and restarted, one after another.
    """
    member, _, user = sender.partition("/")
    with edit.changing(directory) as network:
        path = network.key_path(sender)
        staged = path.parent / "next" / path.name
        with MemberClients(network, say, timeout_s=timeout_s) as clients:
            key = edit.stage_key(staged)
            record = clients.value(operator_key(f"{member}/{user}"))
            if record is None or record["key"] is None:
                raise CosealError(f"{sender} is not an operator of this chain")
            if record["key"] != key:
                if record["key"] != _public(path):
                    raise BadAnswer(f"neither {path} nor {staged} is the key that the chain registers for {sender}")
                _tell_key(clients, sender, path, key)
            kept = edit.promote_key(staged, path)
        say(f"{sender}: signs with the key {key.hex()[:16]}.. now; the former one is in {kept}")
        restarted = [node.name for node in network.nodes if _renew_gateway(network, node, sender, path, say)]
        staged.unlink()
        return {"sender": sender, "public_key": key.hex(), "former_file": str(kept), "restarted": restarted}


def _tell_key(clients: MemberClients, sender: str, path: Path, key: bytes) -> None:
    signer = keys.read_signer(path, keys.environment_passphrase())
    with clients.client_of(clients.entry, sender, signer) as client:
        committed = client.submit("membership", "rotate_operator_key", {"key": key.hex()}).require_ok()
    clients.say(f"{sender}: the chain knows the new key since block {committed.height}")


def _renew_gateway(network: Network, node: NodeEntry, sender: str, path: Path, say: Say) -> bool:
    """Give a node the new key if its gateway signs as ``sender``; restart it if it runs, and say whether."""
    config = (node.data / "node.toml").read_text(encoding="utf-8")
    if f'gateway_sender = "{sender}"' not in config or not (node.data / "keys" / "operator.pem").exists():
        return False
    edit.write_operator_key(node, path)
    stopped = node.data / _RESTARTING
    if processes.pid_of(node) is None and not stopped.exists():
        return False
    stopped.touch()
    processes.stop([node])
    process = processes.start(node)

    def healthy(statuses: Any) -> bool:
        return any(one.name == node.name and one.healthy for one in statuses)

    processes.wait(network, {node.name: process}, healthy)
    process.returncode = 0  # it outlives us
    stopped.unlink()
    say(f"{node.name}: restarted, its gateway signs with the new key")
    return True


def _public(path: Path) -> bytes:
    return keys.read_signer(path, keys.environment_passphrase()).public_key
