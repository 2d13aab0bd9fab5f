"""Delivery: everything wanted arrives, in order and verified, whatever fails on the way; the cursor tells the truth."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from coseal.client.asynchronous import AsyncClient
from coseal.errors import BadAnswer, CosealError, FalseAnswer, Unreachable, WrongChain
from coseal.ledger.block import CommittedBlock
from coseal.streams import delivery
from coseal.streams.cursor import Cursor, Position
from coseal.streams.delivery import Away, Delivery, NotTaken
from coseal.streams.outgoing import Outgoing
from coseal.streams.wanted import Wanted
from tests.coseal.conftest import FakeNode
from tests.coseal.streams.conftest import Hosts, ids_of, pay, record
from tests.support.genesis import make_genesis

URLS = ["http://a.test", "http://b.test"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coseal.client.stream._PAUSE_S", 0)
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(delivery, "_NOTHING_S", 0.001)


class Inbox:
    """A receiver in memory; ``trouble`` may raise before a delivery is taken."""

    name = "inbox"
    batch_bytes = 1_000_000

    def __init__(self, batch_events: int = 1) -> None:
        self.batch_events = batch_events
        self.ids: list[str] = []
        self.sizes: list[int] = []
        self.trouble: Callable[[list[str]], None] = lambda ids: None

    async def deliver(self, events: Sequence[Outgoing]) -> None:
        await asyncio.sleep(0)
        ids = [event.id for event in events]
        self.trouble(ids)
        self.ids += ids
        self.sizes.append(len(ids))

    async def close(self) -> None:
        pass


class Run:
    """One run of a delivery from ``hosts`` to ``inbox``; what was told is kept."""

    def __init__(self, hosts: Hosts, inbox: Inbox, path: Path, urls: Sequence[str] = URLS, **options: Any) -> None:
        self.hosts, self.inbox, self.path, self.urls = hosts, inbox, path, list(urls)
        self.wanted, self.genesis = options.pop("wanted", Wanted()), options.pop("genesis", hosts.node.genesis)
        self.options = {"follow": False} | options
        self.told: list[tuple[str, dict[str, Any]]] = []

    def go(self, while_running: Callable[[Delivery], Any] | None = None) -> dict[str, Any]:
        """Run it to the end, or until ``while_running`` returned; return the figures."""
        return asyncio.run(self._go(while_running))

    async def _go(self, while_running: Callable[[Delivery], Any] | None) -> dict[str, Any]:
        chain_id = self.genesis.chain_id.hex()
        client = AsyncClient(self.urls, self.genesis, transport=self.hosts)
        with closing(Cursor(self.path, chain_id=chain_id, to=self.inbox.name)) as cursor:
            async with client:
                made = Delivery(client, self.inbox, self.wanted, self._report, cursor=cursor, **self.options)
                if while_running is None:
                    await made.run()
                else:
                    await self._meanwhile(made, while_running)
                return made.figures.document()

    @staticmethod
    async def _meanwhile(made: Delivery, act: Callable[[Delivery], Any]) -> None:
        task = asyncio.ensure_future(made.run())
        try:
            await asyncio.wait_for(act(made), 30)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _report(self, what: str, facts: dict[str, Any]) -> None:
        json.dumps(facts)
        self.told.append((what, facts))

    def facts(self, what: str) -> list[dict[str, Any]]:
        return [facts for name, facts in self.told if name == what]

    def cursor(self) -> dict[str, Any]:
        return json.loads(self.path.read_text())


@pytest.fixture
def hosts(chain: FakeNode) -> Hosts:
    return Hosts(chain)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cursor"


@pytest.mark.parametrize("batch", [1, 4, 1_000])
def test_everything_arrives_in_order_and_the_cursor_stands_behind_it(hosts: Hosts, path: Path, batch: int) -> None:
    run = Run(hosts, Inbox(batch), path)
    figures = run.go()
    assert run.inbox.ids == ids_of(hosts.node)
    assert max(run.inbox.sizes) <= batch
    tip = hosts.node.blocks[-1].block
    assert (figures["sent"], figures["left_out"], figures["height"]) == (len(run.inbox.ids), 0, tip.header.height)
    assert run.cursor() | {"height": tip.header.height + 1, "parent": tip.hash.hex(), "after": None} == run.cursor()
    again = Run(hosts, Inbox(), path)
    assert again.go()["sent"] == 0
    assert again.inbox.ids == []


def test_batches_are_bounded_in_bytes_too(hosts: Hosts, path: Path) -> None:
    inbox = Inbox(1_000)
    inbox.batch_bytes = 3_000
    run = Run(hosts, inbox, path)
    run.go()
    assert inbox.ids == ids_of(hosts.node)
    assert len(inbox.sizes) > 3


def test_what_is_not_wanted_is_counted_and_passed(hosts: Hosts, path: Path) -> None:
    run = Run(hosts, Inbox(3), path, wanted=Wanted(types=("coseal.policy.*",)))
    figures = run.go()
    assert run.inbox.ids == ["10:0", "11:0", "11:0.0", "11:0.1"]
    assert figures["left_out"] == len(ids_of(hosts.node)) - 4
    assert run.cursor()["height"] == 13


@pytest.mark.parametrize("batch", [1, 3])
def test_wherever_it_breaks_off_the_next_run_goes_on_there(hosts: Hosts, path: Path, batch: int) -> None:
    whole = ids_of(hosts.node)
    for place in whole:
        path.unlink(missing_ok=True)
        inbox = Inbox(batch)

        def break_off(ids: list[str], place: str = place) -> None:
            if place in ids:
                raise CosealError("the machine is gone")

        inbox.trouble = break_off
        with pytest.raises(CosealError, match="gone"):
            Run(hosts, inbox, path).go()
        assert inbox.ids == whole[: len(inbox.ids)]
        inbox.trouble = lambda ids: None
        Run(hosts, inbox, path).go()
        assert inbox.ids == whole


def test_a_receiver_that_is_away_gets_the_same_again_and_nothing_else_before(hosts: Hosts, path: Path) -> None:
    inbox, tried = Inbox(), []

    def away(ids: list[str]) -> None:
        tried.append(ids[0])
        if tried.count(ids[0]) < 5:
            raise Away("it answered 503")

    inbox.trouble = away
    run = Run(hosts, inbox, path)
    figures = run.go()
    whole = ids_of(hosts.node)
    assert inbox.ids == whole
    assert tried == [place for place in whole for _ in range(5)]
    assert figures["attempts_failed"] == 4 * len(whole)
    assert [facts["event"] for facts in run.facts("receiver_back")] == whole


def test_pauses_grow_to_a_bound_and_the_receiver_may_ask_for_longer(
    hosts: Hosts, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.5)
    answers = [Away("down")] * 10 + [Away("later", 120.0), Away("much later", 1e9)]
    inbox = Inbox(1_000)
    real = asyncio.sleep

    def away(_: list[str]) -> None:
        monkeypatch.setattr(delivery.asyncio, "sleep", sleep if answers else real)
        if answers:
            raise answers.pop(0)

    inbox.trouble = away
    run = Run(hosts, inbox, path)
    run.go()
    pauses = [pause for pause in slept if pause > 0]
    for number, pause in enumerate(pauses[:10]):
        whole = min(0.5 * 2**number, 30.0)
        assert whole / 2 <= pause <= whole
    assert pauses[10:12] == [120.0, 3_600.0]
    assert inbox.ids == ids_of(hosts.node)


def test_it_gives_up_when_told_to_and_loses_nothing_by_that(hosts: Hosts, path: Path) -> None:
    inbox = Inbox()

    def away(ids: list[str]) -> None:
        if ids == ["8:0.1"]:
            raise Away("it answered 503")

    inbox.trouble = away
    with pytest.raises(Unreachable, match=r"inbox has acknowledged nothing for 0 s: it answered 503") as gave_up:
        Run(hosts, inbox, path, give_up_s=0).go()
    assert gave_up.value.exit_code == 2
    inbox.trouble = lambda ids: None
    Run(hosts, inbox, path).go()
    assert inbox.ids == ids_of(hosts.node)


@pytest.mark.parametrize("batch", [1, 1_000])
def test_what_is_not_taken_ends_the_stream_before_it(hosts: Hosts, path: Path, batch: int) -> None:
    run = Run(hosts, Inbox(batch), path)
    run.inbox.trouble = no_findings
    with pytest.raises(BadAnswer, match=r"inbox does not take event 8:0:1 \(coseal.finding.raised\): too sad") as ended:
        run.go()
    assert "--dead-letters FILE" in ended.value.hint
    whole = ids_of(hosts.node)
    assert run.inbox.ids == whole[: whole.index("8:0:1")]
    run.inbox.trouble = lambda ids: None
    Run(hosts, run.inbox, path).go()
    assert list(dict.fromkeys(run.inbox.ids)) == whole


def no_findings(ids: list[str]) -> None:
    if "8:0:1" in ids:
        raise NotTaken("too sad")


@pytest.mark.parametrize("batch", [1, 7, 1_000])
def test_with_dead_letters_it_is_kept_told_and_counted_and_the_rest_arrives(
    hosts: Hosts, path: Path, tmp_path: Path, batch: int
) -> None:
    letters = tmp_path / "dead.jsonl"
    run = Run(hosts, Inbox(batch), path, dead_letters=letters)
    run.inbox.trouble = no_findings
    figures = run.go()
    assert run.inbox.ids == [place for place in ids_of(hosts.node) if place != "8:0:1"]
    (letter,) = [json.loads(line) for line in letters.read_text().splitlines()]
    assert (letter["to"], letter["why"], letter["event"]["id"]) == ("inbox", "too sad", "8:0:1")
    assert letter["event"]["data"]["rule"] == "R-POSITIVE"
    assert figures["dead_letters"] == 1
    assert run.facts("dead_letter") == [{"event": "8:0:1", "type": "coseal.finding.raised", "detail": "too sad"}]


def test_a_receiver_that_takes_nothing_at_all_is_the_wrong_one(
    hosts: Hosts, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_DEAD_IN_A_ROW", 3)
    letters = tmp_path / "dead.jsonl"
    run = Run(hosts, Inbox(), path, dead_letters=letters)

    def nothing(_: list[str]) -> None:
        raise NotTaken("who are you?")

    run.inbox.trouble = nothing
    with pytest.raises(BadAnswer, match="is it the right receiver"):
        run.go()
    assert len(letters.read_text().splitlines()) == 3
    assert run.cursor()["after"] is None
    assert run.cursor()["height"] == 5


def test_bad_events_among_good_ones_end_nothing(
    hosts: Hosts, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_DEAD_IN_A_ROW", 1)
    bad = set(ids_of(hosts.node)[::2])
    run = Run(hosts, Inbox(), path, dead_letters=tmp_path / "dead.jsonl")

    def some(ids: list[str]) -> None:
        if bad & set(ids):
            raise NotTaken("odd")

    run.inbox.trouble = some
    assert run.go()["dead_letters"] == len(bad)


def test_dead_letters_that_cannot_be_kept_are_not_passed_over(hosts: Hosts, path: Path, tmp_path: Path) -> None:
    run = Run(hosts, Inbox(), path, dead_letters=tmp_path / "nowhere" / "dead.jsonl")
    run.inbox.trouble = no_findings
    with pytest.raises(CosealError, match="No such file"):
        run.go()
    assert run.cursor()["after"] == "8:0.4"


def test_another_node_goes_on_where_one_fails(hosts: Hosts, path: Path) -> None:
    run = Run(hosts, Inbox(), path)

    def fail(ids: list[str]) -> None:
        if ids == ["5:0"]:
            hosts.down.add("a.test")
            hosts.asked.clear()

    run.inbox.trouble = fail
    record(hosts.node, 6, [pay("e3", 1)])
    run.go()
    assert run.inbox.ids == ids_of(hosts.node)
    hosts.down = {"b.test"}
    record(hosts.node, 7, [pay("e4", 1)])
    Run(hosts, run.inbox, path).go()
    assert run.inbox.ids == ids_of(hosts.node)


def test_without_any_node_it_waits_and_says_so(hosts: Hosts, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_EVERY_S", 0.01)
    hosts.down |= {"a.test", "b.test"}
    run = Run(hosts, Inbox(), path, follow=True)

    async def until_all(_: Delivery) -> None:
        while not run.facts("no_node"):
            await asyncio.sleep(0.01)
        hosts.down.clear()
        while run.inbox.ids != ids_of(hosts.node):
            await asyncio.sleep(0.01)

    run.go(until_all)
    assert "cannot be reached" in run.facts("no_node")[0]["detail"]
    hosts.down |= {"a.test", "b.test"}
    with pytest.raises(Unreachable):
        Run(hosts, Inbox(), path).go()


def test_it_follows_what_comes_and_a_signal_leaves_the_cursor_right(hosts: Hosts, path: Path) -> None:
    run = Run(hosts, Inbox(), path, follow=True)

    async def grow(_: Delivery) -> None:
        for number in range(6, 9):
            while run.inbox.ids != ids_of(hosts.node):
                await asyncio.sleep(0.01)
            await asyncio.to_thread(record, hosts.node, number, [pay(f"e{number}", 1)])
        while run.inbox.ids != ids_of(hosts.node):
            await asyncio.sleep(0.01)

    run.go(grow)
    again = Run(hosts, run.inbox, path)
    again.go()
    assert run.inbox.ids == ids_of(hosts.node)


def test_from_the_tip_only_what_comes_next_is_sent_also_after_a_restart(hosts: Hosts, path: Path) -> None:
    first = Run(hosts, Inbox(), path, start=None)
    first.go()
    assert first.inbox.ids == []
    record(hosts.node, 6, [pay("e6", 1)])
    Run(hosts, first.inbox, path, start=None).go()
    assert first.inbox.ids == ["13:0", "13:0.0"]


def test_from_a_height_what_is_below_is_not_sent(hosts: Hosts, path: Path) -> None:
    run = Run(hosts, Inbox(), path, start=11)
    run.go()
    assert run.inbox.ids == ["11:0", "11:0.0", "11:0.1", "12:0"]


def test_where_all_nodes_pruned_the_next_block_it_ends_and_another_node_mends_it(hosts: Hosts, path: Path) -> None:
    hosts.kept_from = {"a.test": 5, "b.test": 3}
    run = Run(hosts, Inbox(), path)
    with pytest.raises(BadAnswer, match="no node asked keeps block 1, the next to send") as ended:
        run.go()
    assert "the cursor stays" in ended.value.hint
    assert run.cursor()["height"] == 1
    Run(hosts, run.inbox, path, [*URLS, "http://c.test"]).go()
    assert run.inbox.ids == ids_of(hosts.node)


def test_nothing_leaves_that_no_quorum_certified(hosts: Hosts, path: Path) -> None:
    raw = hosts.node.blocks[7].encode()
    certificate = CommittedBlock.decode(raw).certificate.encode()
    hosts.forged[8] = raw.replace(certificate, certificate[:-1] + bytes([certificate[-1] ^ 1]))
    run = Run(hosts, Inbox(), path)
    with pytest.raises(FalseAnswer, match="signature"):
        run.go()
    whole = ids_of(hosts.node)
    assert run.inbox.ids == whole[: whole.index("8:0")]


def test_a_chain_whose_block_before_is_another_is_not_the_cursors(hosts: Hosts, path: Path) -> None:
    with closing(Cursor(path, chain_id=hosts.node.genesis.chain_id.hex(), to="inbox")) as cursor:
        cursor.write(Position(5, "ab" * 32))
    run = Run(hosts, Inbox(), path)
    with pytest.raises(FalseAnswer, match="another block than the next, 5"):
        run.go()
    assert run.inbox.ids == []


def test_a_place_that_a_block_does_not_have_gives_the_whole_block_again(hosts: Hosts, path: Path) -> None:
    with closing(Cursor(path, chain_id=hosts.node.genesis.chain_id.hex(), to="inbox")) as cursor:
        cursor.write(Position(11, None, "11:9"))
    run = Run(hosts, Inbox(), path)
    run.go()
    assert run.inbox.ids == ["11:0", "11:0.0", "11:0.1", "12:0"]


def test_a_node_of_another_chain_is_told_at_once(hosts: Hosts, path: Path) -> None:
    run = Run(hosts, Inbox(), path, genesis=make_genesis("other"))
    with pytest.raises(WrongChain, match="is of chain"):
        run.go()
    assert run.inbox.ids == []
    assert not path.exists()
