"""Every list that a contract describes, over a chain on which it all happened and over the oddest that is accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coseal.contracts.credit.formula import EXAMPLE
from coseal.contracts.kernel.lists import List, Order
from coseal.contracts.registry import LISTS
from coseal.contracts.rows.tables import CORE
from coseal.ledger.state import State
from coseal.node.index import lists
from coseal.node.index.index import Index
from tests.node.http.test_odd_rows import odd
from tests.node.http.world import World
from tests.support.certification import Certified, clearing
from tests.support.chain import Chain
from tests.support.currency import DAY_MS, payment
from tests.support.disclosure import OWNER, Custody
from tests.support.genesis import make_genesis
from tests.support.missions import Missions
from tests.support.panelled import Panelled
from tests.support.participation import Consulted
from tests.support.participation import entry as comment_entry
from tests.support.standards import compete
from tests.support.supervised import Story
from tests.support.trade import trading

SORTED = [(listed, order) for listed in LISTS.values() for order in listed.orders]


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Index, State]]]:
    """Return indexes with the states behind them: of two stories, trade, a panel, a vault, a mission, and odd rows."""
    story = Story(Chain(make_genesis(name="lists")))
    story.tell()
    compete(story.chain)
    projects = Certified(story.chain)
    projects.apply()
    projects.argue(clearing())
    commented(Consulted(story.chain))
    indexes = []
    for chain in (story.chain, traded(), certified(), sealed(), pursued()):
        folder = tmp_path_factory.mktemp(f"index-{len(indexes)}")
        index = Index(folder / "index.sqlite", chain.genesis.chain_id, reading(chain))
        index.start(len(chain.blocks))
        assert index.wait(len(chain.blocks), 20)
        indexes.append((index, chain.executor.state))
    world = World(tmp_path_factory.mktemp("odd"))
    asyncio.run(odd(world))
    yield [*indexes, (world.index, world.chain.executor.state)]
    for index, _ in indexes:
        index.stop()
    world.close()


def certified() -> Chain:
    """Return a chain with a panel that certified a project."""
    milestone = {"object": ["works", "site", "S1"], "event": "built", "members": ["city"]}
    scene = Panelled().admitted(tranches=[{"amount": 1, "funder": "enterprise-b", "milestone": milestone}]).reviewed()
    scene.decided("certified")
    scene.ok("enterprise-b", "pledge", project="clearing", tranche=1)
    return scene.chain


def sealed() -> Chain:
    """Return a chain with a vault into which a batch is sealed, an audience, a request, and a reviewed emergency."""
    custody = Custody()
    custody.armed()
    custody.define()
    custody.ok(OWNER, "process.record", **custody.batch())
    custody.ok(OWNER, "define_audience", vault="loans", audience="readers", members=["city"])
    custody.approved()
    custody.release("public-a")
    custody.ok("regulator", "emergency", **custody.asking("r2", reason="It cannot wait"))
    for member in ("enterprise-a", "institute-a"):
        custody.ok(member, "review", by="regulator", request="r2", verdict="unjustified", reason="It could")
    return custody.chain


def pursued() -> Chain:
    """Return a chain with a mission that is served, reported, evaluated, and was overdue."""
    scene = Missions()
    scene.publish()
    scene.ok("regulator", "link", mission="m", policy="p", goal="use", role="funding")
    scene.ok("bank-a", "join", mission="m", goals=["use"], part="Opens wallets")
    scene.report()
    scene.wait(366 * DAY_MS)
    assert scene.evaluate().ok
    return scene.chain


def commented(scene: Consulted) -> None:
    """Have comments recorded, one of them withheld, and one put into a theme that is answered."""
    scene.receive([comment_entry(1), comment_entry(2, reason="abuse")])
    scene.do("theme", titles=["Duties"])
    scene.do("assign", assignments=[["public-a", 1, 1]])
    scene.do("answer", theme=1, outcome="noted", reason="It is for another law")


def traded() -> Chain:
    """Return a chain with movements, a pending transfer, a class, a formula, lines that match, and receivables."""
    trade = trading()
    limits = dict.fromkeys(("single_max", "day_max", "year_max", "balance_max"))
    trade.decide("currency_class", id="small", limits={**limits, "day_max": 1_000}, holders=["uscc"])
    trade.decide("credit_formula", formula={**EXAMPLE})
    reserved = {**payment("bank-a/ea", "bank-b/eb", 100), "expires_ms": trade.chain.now_ms + DAY_MS, "release": {}}
    trade.ok("enterprise-a", "pend", **reserved)
    trade.finance(trade.owed())
    trade.finance(trade.owed(), kind="pledge")
    name = trade.owed(nettable=True)
    trade.ok("city", "trade.open_run", closes_ms=trade.chain.now_ms + DAY_MS)
    trade.ok("enterprise-b", "trade.enter", run="N1", receivables=[name])
    return trade.chain


def reading(chain: Chain) -> Callable[[int], bytes | None]:
    return lambda height: chain.blocks[height - 1].encode() if 1 <= height <= len(chain.blocks) else None


def read(index: Index, listed: List, *more: Any) -> lists.Page:
    page: lists.Page = asyncio.run(index.query(lists.page, listed, *more))[1]
    return page


@pytest.mark.parametrize("listed", LISTS.values(), ids=lambda listed: listed.name)
def test_a_list_reads_a_table_of_every_node_by_columns_that_it_has(listed: List) -> None:
    assert listed.table in CORE
    for order in listed.orders:
        assert set(order.by) <= set(listed.table.names)


@pytest.mark.parametrize("listed", LISTS.values(), ids=lambda listed: listed.name)
def test_people_read_titles_headings_and_filters_in_both_languages(listed: List) -> None:
    words = [listed.title, *listed.columns.values(), *(listed.heading(one.name) for one in listed.filters)]
    assert all(isinstance(one, dict) and set(one) == {"en", "zh"} and all(one.values()) for one in words)


@pytest.mark.parametrize("listed", LISTS.values(), ids=lambda listed: listed.name)
def test_entries_have_what_a_table_shows_and_stand_in_the_state_under_their_key(
    listed: List, chains: list[tuple[Index, State]]
) -> None:
    found = [(entry, state) for index, state in chains for entry in read(index, listed, {}).items]
    assert found
    for entry, state in found:
        assert "cannot_be_shown" not in entry
        shown = set(listed.columns) & entry.keys()
        assert shown
        key = listed.state_key(entry)
        assert key is None or state.get(key.encode()) is not None
    assert set(listed.columns) <= set().union(*(entry for entry, _ in found))


@pytest.mark.parametrize(("listed", "order"), SORTED, ids=lambda value: value.name or "only")
def test_pages_of_any_size_join_to_the_whole_in_every_order(
    listed: List, order: Order, chains: list[tuple[Index, State]]
) -> None:
    for index, _ in chains:
        whole = read(index, listed, {}, (), 10_000, order)
        assert whole.next is None
        for size in (1, 2, 3):
            joined: list[Any] = []
            after: tuple[str | int, ...] | None = ()
            while after is not None:
                page = read(index, listed, {}, after, size, order)
                assert len(page.items) <= size
                joined += page.items
                assert len(joined) <= len(whole.items)
                after = None if page.next is None else listed.place(order, page.next)
                assert after != ()
            assert joined == whole.items


@pytest.mark.parametrize("listed", LISTS.values(), ids=lambda listed: listed.name)
def test_a_filter_takes_from_the_whole_and_what_it_is_given_is_never_sql(
    listed: List, chains: list[tuple[Index, State]]
) -> None:
    for index, _ in chains:
        whole = read(index, listed, {}).items
        for one in listed.filters:
            values = {entry[one.name] for entry in whole if isinstance(entry.get(one.name), str)}
            for value in (*values, *one.values, "' OR 1 = 1 --", ":status", ""):
                found = read(index, listed, {one.name: value}).items
                assert [entry for entry in whole if entry in found] == found
                if not one.condition and value in values:
                    assert found == [entry for entry in whole if entry.get(one.name) == value]
    with pytest.raises(KeyError):
        listed.conditions({"no such filter": "1"})


def test_what_is_no_key_of_an_order_has_no_place() -> None:
    rules, policies = LISTS["rules"], LISTS["policies"]
    assert rules.place(rules.order(), "R1\n2") == ("R1", 2)
    for key in ("R1", "R1\n", "R1\nx", "R1\n-1", "R1\n" + "1" * 19, "R1\n²"):
        assert rules.place(rules.order(), key) is None
    assert policies.place(policies.order("newest"), "2020 a b") == ("2020", "a b")
    assert policies.place(policies.order("newest"), "a") is None
    assert policies.place(policies.order("id"), "a b") == ("a b",)
    assert policies.place(policies.order(), "") == ()
