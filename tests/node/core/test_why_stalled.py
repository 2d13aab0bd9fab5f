"""Every reason that a node gives for standing still is in the tables of docs/observability.md, and each can come."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from coseal.consensus.guard import STOPPED, SignGuard
from coseal.consensus.messages import Commit, Prepare, Proposal
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import Ed25519Signer
from coseal.node.core import events, health, machine, wire
from coseal.node.core.health import View
from coseal.node.signing.remote_signer import RemoteSigner, WrongSigner
from coseal.node.signing.signer_wire import Is
from tests.support.cluster import Cluster
from tests.support.transactions import signed

PAGE = (Path(__file__).parents[3] / "docs" / "observability.md").read_text("utf-8")


def rows(first_column: str) -> list[str]:
    """Return the texts in the first column of a table; capitals stand for what differs."""
    table = PAGE.partition(f"| {first_column} | what ")[2].partition("\n\n")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def row_of(text: str | None, first_column: str) -> str:
    """Return the one row that ``text`` is an instance of."""
    found = [row for row in rows(first_column) if re.fullmatch(_pattern(row), str(text))]
    assert len(found) == 1, (text, found)
    return found[0]


def _pattern(row: str) -> str:
    """Placeholders are any words; only a SILENCE may have clauses of its own, and a REASON anything."""
    words = {"REASON": ".+", "SILENCE": "[^()]+"}
    parts = re.split(r"\b([A-Z]+)\b", row)
    return "".join(words.get(part, "[^();]+") if number % 2 else re.escape(part) for number, part in enumerate(parts))


def settled(validators: int = 4) -> Cluster:
    cluster = Cluster(validators)
    cluster.start()
    assert cluster.run_until(lambda: cluster.agrees(1))
    cluster.run(10)
    return cluster


def why(cluster: Cluster, name: str) -> str | None:
    running = cluster[name].machine
    assert running is not None
    return running.status(cluster.now_ms).why_stalled


def view_of(cluster: Cluster, name: str, monkeypatch: pytest.MonkeyPatch) -> View:
    seen: list[View] = []
    with monkeypatch.context() as patch:
        patch.setattr(machine.health, "report", lambda view, now_ms: seen.append(view))
        running = cluster[name].machine
        assert running is not None
        running.status(cluster.now_ms)
    return seen[0]


def test_every_row_on_stalling_comes_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [
        *stopped(),
        *behind(),
        *unregistered(monkeypatch),
        *away(),
        *mute_alone(),
        *mute_and_others_away(),
        *disagreement(),
    ]
    assert {row_of(text, "text") for text in said} == set(rows("text"))


def stopped() -> list[str | None]:
    cluster = settled()
    running = cluster["bank-a"].machine
    assert running is not None
    running._context.halt("two blocks are certified at height 7 (a test says so)")
    return [why(cluster, "bank-a")]


def behind() -> list[str | None]:
    cluster = settled()
    cluster.kill("bank-a")
    for number in range(5):
        tx = signed(cluster.genesis, number)
        cluster.submit("regulator", tx)
        assert cluster.run_until(lambda tx=tx: cluster.has(tx))  # type: ignore[misc]
    cluster.tamper = lambda source, target, data: [] if isinstance(wire.decode(data), wire.Blocks) else [data]
    cluster.start("bank-a")
    cluster.run(100)
    return [why(cluster, "bank-a")]


def unregistered(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    cluster = Cluster()
    cluster["bank-a"].boot()
    view = replace(view_of(cluster, "bank-a", monkeypatch), kind="unregistered")
    return [health.why_stalled(view, cluster.now_ms)]


def away() -> list[str | None]:
    cluster = settled()
    cluster.kill("regulator", "enterprise-a")
    cluster.run(10_000)
    return [why(cluster, "bank-a")]


def mute_alone() -> list[str | None]:
    cluster = settled(1)
    (host,) = cluster.running()
    host.step(events.SignerChanged("its signer is away: it closed the connection"))
    return [why(cluster, host.name)]


def mute_and_others_away() -> list[str | None]:
    cluster = settled()
    cluster.kill("bank-a", "regulator")
    cluster["bank-a"].disk.journal = None
    cluster.start("bank-a")
    cluster.run(6_000)
    return [why(cluster, "bank-a")]


def disagreement() -> list[str | None]:
    """All are reachable, and votes are lost, or proposals as well."""
    said: list[str | None] = []
    for lost in ((Prepare, Commit), (Prepare, Commit, Proposal)):
        cluster = settled()
        cluster.tamper = lambda source, target, data, lost=lost: [] if is_one_of(data, lost) else [data]
        cluster.submit("bank-a", signed(cluster.genesis, 1))
        for _ in range(20):
            cluster.run(500)
            said += [text for host in cluster.running() if (text := why(cluster, host.name)) is not None]
    return said


def is_one_of(data: bytes, kinds: tuple[type, ...]) -> bool:
    frame = wire.decode(data)
    return isinstance(frame, wire.ConsensusMessage) and isinstance(frame.message, kinds)


def test_every_row_on_silence_comes_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    signer = Ed25519Signer(bytes(32))
    lost, released = SignGuard(signer, None), SignGuard(signer, None)
    released._release = 12
    cluster = settled()
    view = view_of(cluster, "bank-a", monkeypatch)
    said = [
        lost.silence(3),
        released.silence(12),
        SignGuard(signer, (STOPPED,)).silence(3),
        replace(view, standing=replace(view.standing, votes=False)).silence,
        *signers(tmp_path),
    ]
    assert released.silence(13) is view.silence is None
    assert {row_of(text, "silence") for text in said} == set(rows("silence"))


def signers(folder: Path) -> list[str | None]:
    remote = RemoteSigner(str(folder / "nobody.sock"), b"k" * 32, b"c" * 32)
    said = [remote.trouble]
    remote.connect()
    said.append(remote.trouble)
    for answer in (None, Is(b"x" * 32, b"c" * 32, "bank-a"), Is(b"k" * 32, b"x" * 32, "bank-a")):
        with pytest.raises((WrongSigner, Malformed)) as caught:
            remote._check(answer)  # type: ignore[arg-type]
        said.append(caught.value.reason)
    return said
