"""A node's way to the others: ports, its own answers, peers with the right certificates, clocks, one chain."""

from __future__ import annotations

import errno
import http.client
import json
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from coseal.client import versions
from coseal.doctor.line import Line, bad, ok, warn
from coseal.doctor.settings import Address, Settings
from coseal.ledger.genesis import Genesis

TIMEOUT_S: Final = 3.0
_ANSWER_BYTES_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A node's status, and the wall clock (ms) here in the middle of asking; None: it does not answer, and why."""

    document: Mapping[str, Any] | None
    asked_ms: float
    why: str = ""


def status(url: str, token: str | None = None) -> Answer:
    """Ask a node how it is. Its certificate is not judged here: what it says is compared, not believed."""
    parts = urlsplit(url)
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.netloc, timeout=TIMEOUT_S, context=_any_certificate())
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
    began = time.time()
    try:
        connection.request("GET", "/v1/status", headers=headers)
        response = connection.getresponse()
        body = response.read(_ANSWER_BYTES_MAX)
        asked_ms = (began + time.time()) / 2 * 1000
        if response.status != 200:
            wants = ", it wants a token" if response.status == 401 else ""
            return Answer(None, asked_ms, f"it answers {response.status}{wants}")
        document = json.loads(body)
        return Answer(document if isinstance(document, dict) else None, asked_ms, "its answer is no status")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(None, began * 1000, getattr(error, "strerror", None) or error.__class__.__name__)
    finally:
        connection.close()


# The node itself


def itself(settings: Settings, genesis: Genesis | None, answer: Answer, installed: str) -> list[Line]:
    """Judge what the running node says of itself."""
    node, found = settings.node, answer.document
    if found is None:
        return [bad(node, "status", f"its process runs, {settings.url}: {answer.why}", "see its log")]
    if found.get("node") != node:
        text = f"{settings.url} answers as {found.get('node')}"
        return [bad(node, "status", text, "another node listens there: change http_listen")]
    lines = [chain(node, settings.url or "", genesis, found)]
    if found.get("syncing"):
        lines.append(warn(node, "status", f"it catches up, at height {found.get('height')}", "wait"))
    elif not found.get("healthy"):
        text = str(found.get("why_stalled") or "not healthy")
        lines.append(bad(node, "status", text, "see docs/observability.md, reasons for standing still"))
    else:
        lines.append(ok(node, "status", f"healthy at height {found.get('height')}"))
    if found.get("kind") == "validator" and found.get("voting") is False:
        text = f"it does not vote: {found.get('silence')}"
        lines.append(bad(node, "voting", text, "see docs/observability.md, reasons for silence"))
    if found.get("software_version") != installed:
        text = f"{found.get('software_version')} runs, {installed} is installed"
        lines.append(warn(node, "software", text, "restart the node to upgrade it"))
    upgrade = versions.read(found.get("upgrade"))
    lines += [] if upgrade is None else [judge_version(node, upgrade)]
    return [*lines, *(judge_contract(node, each) for each in versions.read_contracts(found.get("contracts")))]


def judge_version(node: str, upgrade: Mapping[str, Any]) -> Line:
    """Judge a protocol version to come: bad where this node will stop, a warning while validators lack it."""
    text, check = versions.standing(upgrade), "protocol version"
    if not upgrade["known"] and upgrade["first_height"] is not None:
        todo = f"node {node} needs a newer release before block {upgrade['first_height']}, where it stops"
        return bad(node, check, text, todo)
    if not upgrade["known"]:
        todo = f"install a release that has it on {node}, or withdraw it: coseal governance propose withdraw_version"
        return warn(node, check, text, f"{todo} proposal={upgrade['proposal']}")
    if upgrade["lacking"]:
        return warn(node, check, text, f"{node} has it; ask those who lack it to install the release")
    return ok(node, check, text)


def judge_contract(node: str, contract: Mapping[str, Any]) -> Line:
    """Judge a contract of others to come: bad where this node will stop, a warning while validators lack it."""
    text, check = versions.contract_standing(contract), "contract"
    what = f"contract {contract['name']} version {contract['version']} (SHA-256 {contract['sha256']})"
    if not contract["known"]:
        todo = f"install {what} for node {node} and restart it before block {contract['height']}"
        return (warn if contract["first_height"] is None else bad)(node, check, text, todo)
    if contract["lacking"]:
        return warn(node, check, text, f"{node} has it; ask those who lack it to install {what}")
    return ok(node, check, text)


def chain(node: str, url: str, genesis: Genesis | None, found: Mapping[str, Any]) -> Line:
    """Compare the chain of a node that answers with that of our genesis."""
    if genesis is None or found.get("chain_id") == genesis.chain_id.hex():
        return ok(node, "chain", f"{url} is of the chain of this genesis")
    text = f"{url} is of chain {found.get('chain_id')}, the genesis of {genesis.chain_id.hex()}"
    return bad(node, "chain", text, "one of the two genesis files is wrong or old; compare chain ids with the members")


def ports(settings: Settings, *, running: bool) -> list[Line]:
    """See that the node's ports answer when it runs, and are free when it does not."""
    wanted = {"link port": settings.link, "HTTP port": settings.http}
    judge = _listens if running else _free
    return [judge(settings.node, check, address) for check, address in wanted.items() if address is not None]


def _listens(node: str, check: str, address: Address) -> Line:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address[0], address[0])
    try:
        socket.create_connection((host, address[1]), TIMEOUT_S).close()
    except OSError as error:
        return bad(node, check, f"{_shown(address)}: {error.strerror or error}", "see the node's log")
    return ok(node, check, f"{_shown(address)} answers")


def _free(node: str, check: str, address: Address) -> Line:
    try:
        family, _, _, _, where = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        todo = "another program has it: stop it, or change node.toml" if taken else "is this address this machine's?"
        return bad(node, check, f"{_shown(address)}: {error.strerror or error}", todo)
    return ok(node, check, f"{_shown(address)} is free; the node does not run")


def _shown(address: Address) -> str:
    return f"{f'[{address[0]}]' if ':' in address[0] else address[0]}:{address[1]}"


def signer(settings: Settings) -> list[Line]:
    """See that the process which holds the consensus key listens, if there is to be one."""
    if settings.signer is None:
        return []
    path = settings.signer.removeprefix("unix:")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        try:
            probe.connect(path)
        except OSError as error:
            todo = "start it: without its signer the node does not vote"
            return [bad(settings.node, "signer", f"{path}: {error.strerror or error}", todo)]
    return [ok(settings.node, "signer", f"{path} answers")]


# Peers


def peers(settings: Settings, certificates: Mapping[str, bytes], own: Answer) -> list[Line]:
    """Connect to every peer and compare the certificate it shows with the registered one.

    The peer sees a stranger that leaves, and logs `link_refused` once.
    """
    rows = own.document.get("peers", []) if own.document is not None else []
    connected = {row["node"] for row in rows if row.get("connected")} if own.document is not None else None
    with ThreadPoolExecutor(max_workers=16) as pool:
        shown = pool.map(lambda address: shown_certificate(address), settings.peers.values())
    return [
        judge_peer(settings.node, peer, settings.peers[peer], found, certificates.get(peer), connected)
        for peer, found in zip(settings.peers, shown, strict=True)
    ]


def judge_peer(
    node: str, peer: str, address: Address, shown: bytes | str, registered: bytes | None, connected: set[str] | None
) -> Line:
    """Judge a peer by the certificate it shows, or why it shows none; ``connected`` are the running node's links."""
    check, linked = f"peer {peer}", connected is not None and peer in connected
    if isinstance(shown, str):
        if linked:
            text = f"linked, but {_shown(address)} is not reached from here: {shown}"
            return warn(node, check, text, "only one side can open the link: look at its firewall and address")
        todo = "its node is down, or a firewall is between: ask its member"
        judge = warn if connected is None else bad  # before the first start everybody is down
        return judge(node, check, f"{_shown(address)}: {shown}", todo)
    if registered is None:
        return warn(node, check, f"{_shown(address)} answers; it is not in the genesis", "its registration is later")
    if shown != registered:
        todo = "the address is another node's, or its certificate was replaced: ask its member, by another way"
        return bad(node, check, f"{_shown(address)} shows a certificate that is not registered for it", todo)
    if connected is not None and not linked:
        todo = "one of the two may refuse the other's certificate or chain: look for link_refused in both logs"
        return warn(node, check, f"{_shown(address)} is right, but there is no link", todo)
    return ok(node, check, f"{_shown(address)} shows the registered certificate" + (", linked" if linked else ""))


def shown_certificate(address: Address) -> bytes | str:
    """Return the certificate (DER) that a node shows on its link port, or why there is none."""
    context = _any_certificate()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        with (
            socket.create_connection(address, TIMEOUT_S) as connection,
            context.wrap_socket(connection) as tls,
        ):
            return tls.getpeercert(binary_form=True) or "it shows no certificate"
    except ssl.SSLError as error:
        return f"no TLS 1.3: {error.reason or error.__class__.__name__}"
    except OSError as error:
        return error.strerror or str(error) or error.__class__.__name__


def _any_certificate() -> ssl.SSLContext:
    """Return a context that takes any certificate, to look at it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


# Clocks


def judge_clock(node: str, whose: str, answer: Answer, precision_ms: int) -> Line:
    """Compare the clock here with the one a node read when it answered; ``precision_ms`` is what the chain allows."""
    theirs = None if answer.document is None else answer.document.get("clock_ms")
    if type(theirs) is not int:
        why = answer.why if answer.document is None else "it does not say its time"
        return warn(node, f"clock of {whose}", f"not compared: {why}", "is its HTTP interface reached from here?")
    ahead_ms = round(answer.asked_ms - theirs)
    text = f"this clock is {abs(ahead_ms)} ms {'ahead of' if ahead_ms >= 0 else 'behind'} it"
    todo = "look at both machines' time service (chronyc tracking); the chain allows " + f"{precision_ms} ms"
    if abs(ahead_ms) > 2 * precision_ms:
        return bad(node, f"clock of {whose}", text, todo)
    if abs(ahead_ms) > precision_ms:
        return warn(node, f"clock of {whose}", text, todo)
    return ok(node, f"clock of {whose}", text)


def judge_block_time(node: str, answer: Answer, precision_ms: int) -> Line | None:
    """Compare the clock here with the newest block's time: a block from the future shows that this clock is late."""
    if answer.document is None or not answer.document.get("height"):
        return None
    ahead_ms = round(int(answer.document["time_ms"]) - answer.asked_ms)
    if ahead_ms > precision_ms:
        text = f"the newest block is {ahead_ms} ms in the future"
        return bad(node, "block time", text, "this clock is late, or a quorum's clocks are early")
    return ok(node, "block time", f"the newest block is {-ahead_ms / 1000:.1f} s old")
