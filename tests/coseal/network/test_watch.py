"""The live view over nodes that answer what a test wrote: rates, events, what it waits for, and how it is drawn."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.console import Console

from coseal.cli import live_view
from coseal.network import processes
from coseal.network.folders import Network, NodeEntry
from coseal.network.watch import RECENT, Watch

NODES = (("regulator", "government"), ("bank-a", "bank"), ("observer-1", "public"))


@dataclass
class Scene:
    """Three nodes; ``blocks[i]`` are the transactions of height i + 1, as (action, sender, code)."""

    network: Network
    blocks: list[list[tuple[str, str, str]]] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    waits: str | None = None
    open_findings: int | None = 0
    now: float = 100.0

    def ask(self, node: NodeEntry, path: str, timeout_s: float = 1.0) -> dict[str, Any] | None:
        if node.name in self.down:
            return None
        url = urlsplit(path)
        if url.path == "/v1/status":
            return {
                "chain_id": self.network.chain_id,
                "node": node.name,
                "height": len(self.blocks),
                "round": 2,
                "state_root": "ab" * 32,
                "healthy": self.waits is None,
                "why_stalled": self.waits,
                "leader": "bank-a",
                "peers": [{"connected": other not in self.down} for other, _ in NODES if other != node.name],
                "mempool": {"transactions": 7},
                "evidence": {"bank-a": 2},
                "upgrade": {
                    "version": 2,
                    "height": 50,
                    "proposal": "rules",
                    "first_height": 50,
                    "having": ["bank-a", "central-bank", "enterprise-a", "regulator"],
                    "lacking": [],
                    "needed": 3,
                    "known": node.name != "observer-1",
                },
            }
        if url.path == "/v1/headers":
            given = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
            rows = self.blocks[given["from"] - 1 : given["from"] - 1 + given["limit"]]
            return {"headers": [{"header": {"tx_count": len(row)}} for row in rows]}
        if url.path == "/v1/findings/statistics":
            if self.open_findings is None:
                return None
            rows = [("open", self.open_findings), ("closed", 9)]
            return {"counts": [{"status": status, "count": count} for status, count in rows]}
        height = int(url.path.rpartition("/")[2])
        return {
            "header": {"time_ms": 1_800_000_000_000 + height},
            "transactions": [
                {
                    "contract": "policy",
                    "action": action,
                    "sender": sender,
                    "receipt": {"ok": code == "ok", "code": code},
                }
                for action, sender, code in self.blocks[height - 1]
            ],
        }

    def grow(self, *transactions: int) -> None:
        self.blocks += [[("publish", "regulator/admin", "ok")] * count for count in transactions]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    nodes = tuple(
        NodeEntry(
            name,
            name,
            role,
            "observer" if role == "public" else "validator",
            f"127.0.0.1:{port}",
            "127.0.0.1:1",
            tmp_path,
        )
        for port, (name, role) in enumerate(NODES, 1)
    )
    made = Scene(Network(tmp_path, "harbour", "cd" * 32, nodes))
    monkeypatch.setattr(processes, "ask", made.ask)
    return made


@pytest.fixture
def watch(scene: Scene) -> Watch:
    return Watch(scene.network, clock=lambda: scene.now)


def texts(happened: Any) -> list[str]:
    return [one.text for one in happened]


def drawn(scene: Scene, sight: Any, width: int = 80) -> list[str]:
    screen = Console(record=True, width=width, force_terminal=True, file=io.StringIO())
    screen.print(live_view.picture(scene.network, sight, "Ctrl-C ends this view"))
    return screen.export_text().splitlines()


def test_rates_are_means_of_what_was_committed_while_we_looked(scene: Scene, watch: Watch):
    scene.grow(5, 5)
    first = watch.look()
    assert (first.height, first.blocks_per_s, first.transactions_per_s) == (2, None, None)
    scene.grow(30, 10)
    scene.now += 4
    second = watch.look()
    assert (second.height, second.blocks_per_s, second.transactions_per_s) == (4, 0.5, 10.0)
    scene.now += 30
    watch.look()
    scene.now += 12
    assert watch.look().transactions_per_s == 0.0


def test_blocks_are_counted_page_by_page_and_after_a_long_gap_anew(scene: Scene, watch: Watch):
    scene.grow(1)
    watch.look()
    scene.grow(*[2] * 250)
    scene.now += 10
    assert watch.look().transactions_per_s == 50.0
    scene.grow(*[1] * 1_500)
    scene.now += 1
    assert watch.look().transactions_per_s is None


def test_what_was_committed_is_told_the_newest_first_and_not_all_of_it(scene: Scene, watch: Watch):
    scene.grow(0, 4)
    scene.blocks.append([("publish", "bank-a/admin", "forbidden")])
    sight = watch.look()
    assert texts(sight.happened) == [
        "block 1: no transaction",
        "block 2: 1 more transactions",
        *["block 2: policy.publish by regulator/admin"] * 3,
        "block 3: policy.publish by bank-a/admin, refused: forbidden",
    ]
    assert len(sight.recent) == RECENT
    assert sight.recent[0].text.startswith("block 3:")
    assert watch.look().happened == ()


def test_a_node_that_ends_and_comes_back_is_told_once_each(scene: Scene, watch: Watch):
    scene.grow(1)
    assert watch.look().waits == ()
    scene.down = {"bank-a"}
    sight = watch.look()
    assert texts(sight.happened) == ["bank-a: not running"]
    assert (sight.waits, sight.healthy) == ((("not running", ("bank-a",)),), 2)
    assert watch.look().happened == ()
    scene.down = set()
    assert texts(watch.look().happened) == ["bank-a: healthy again"]


def test_findings_that_were_raised_are_told_and_an_unknown_number_is_no_zero(scene: Scene, watch: Watch):
    scene.grow(1)
    watch.look()
    scene.open_findings = 3
    assert texts(watch.look().happened) == ["findings open: 0 before, now 3"]
    scene.open_findings = None
    assert watch.look().findings_open is None
    scene.open_findings = 3
    assert watch.look().happened == ()


def test_the_picture_fits_eighty_columns_by_constituency_with_what_it_waits_for(scene: Scene, watch: Watch):
    scene.grow(1, 1)
    scene.waits = "waiting for 1 more of 3 validators: bank-a and enterprise-a unreachable since 7 s"
    scene.down = {"bank-a"}
    lines = drawn(scene, watch.look())
    assert max(len(line.rstrip()) for line in lines) <= 80
    shown = " ".join(" ".join(lines).split())
    assert lines[0].startswith("harbour · chain cdcdcdcdcdcd")
    assert "height 2 blocks/s - transactions/s - pending 7 findings open 0" in shown
    assert "no block can commit regulator, observer-1: waiting for 1 more of 3 validators" in shown
    assert "bank-a: not running" in shown
    places = [shown.index(f" {role} ") for role in ("government", "bank", "public")]
    assert places == sorted(places)
    assert "bank-a - - - - no answer, 2 proofs against it" in shown
    assert "observer-1 2 2 1 7 stands still (observer)" in shown
    scene.waits, scene.down = None, set()
    shown = " ".join(" ".join(drawn(scene, watch.look())).split())
    assert "blocks commit protocol version 2 takes effect at block 50" in shown
    assert "every validator has it; observer-1 lacks it" in shown


def test_nobody_answering_is_shown_as_such(scene: Scene, watch: Watch):
    scene.down = {name for name, _ in NODES}
    sight = watch.look()
    assert (sight.height, sight.pending, sight.findings_open, sight.blocks_per_s) == (None,) * 4
    assert "height -   blocks/s -" in drawn(scene, sight)[1]
    assert live_view.line(sight).endswith("0/3 healthy; regulator, bank-a, observer-1: not running")


def test_a_pipe_gets_one_plain_line_a_look(scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: Any):
    monkeypatch.setattr(live_view, "EVERY_S", 0.0)
    scene.grow(1)
    live_view.show(scene.network, looks=3)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "\x1b" not in "".join(lines)
    assert "height 1" in lines[0]
    dumb = Console(force_terminal=True, file=io.StringIO(), _environ={"TERM": "dumb"})
    live_view.show(scene.network, looks=2, out=dumb)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_calm_lines_come_when_a_node_changes_or_after_a_while(
    scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: Any
):
    monkeypatch.setattr(live_view, "EVERY_S", 0.0)
    scene.grow(1)
    live_view.show(scene.network, looks=5, calm=True)
    assert len(capsys.readouterr().out.splitlines()) == 1
    speaker = live_view._Speaker(1_000.0)
    watch = Watch(scene.network)
    speaker.tell(watch.look())
    scene.grow(1)
    speaker.tell(watch.look())
    scene.down = {"bank-a"}
    speaker.tell(watch.look())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[1] for line in lines] == ["height 1", "height 2"]
    assert "bank-a: not running" in lines[1]


def test_json_is_one_line_a_look(scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: Any):
    monkeypatch.setattr(live_view, "EVERY_S", 0.0)
    scene.grow(1)
    live_view.show(scene.network, as_json=True, looks=2)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert [node["name"] for node in first["nodes"]] == [name for name, _ in NODES]
    assert (first["chain_id"], first["height"], first["blocks_per_s"]) == ("cd" * 32, 1, None)
    assert [one["text"] for one in first["happened"]] == ["block 1: policy.publish by regulator/admin"]
    assert second["happened"] == []


def test_in_a_terminal_the_picture_is_drawn_in_place(scene: Scene, monkeypatch: Any):
    monkeypatch.setattr(live_view, "EVERY_S", 0.0)
    scene.grow(1)
    screen = Console(width=80, height=40, force_terminal=True, file=io.StringIO(), _environ={"TERM": "xterm"})
    live_view.show(scene.network, looks=3, out=screen)
    written = screen.file.getvalue()  # type: ignore[attr-defined]
    assert written.count("harbour") >= 3
    assert "\x1b[1A" in written, "the cursor goes up, nothing scrolls away"
    assert "\x1b[2J" not in written, "the screen is not cleared"
