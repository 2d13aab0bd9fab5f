"""The pages about policies on chains in memory: what they show is what the state or the node says, and sealed so."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from coseal.console.nodes import Problem
from coseal.console.page import Page, View
from coseal.console.pages import policies, policy, policy_coordination, policy_figures
from coseal.console.policy_life import known_at, life, why
from coseal.contracts.kernel.overlay import CommittedReader
from coseal.contracts.policy import statistics as policy_statistics
from coseal.contracts.policy.instrument import standing
from coseal.demo import policies as shipped
from tests.audit.conftest import Chain
from tests.console.fake import FakeNetwork
from tests.console.test_members import page_of
from tests.support.genesis import make_genesis

FACTS = [
    {
        "id": "old/1",
        "title": "Rules of a city",
        "level": "municipal",
        "date_publication": "2015-03",
        "is_about": ["city"],
        "based_on": ["old/2"],
        "events": [
            {"action": "repealed", "date": "2019-06-01", "issuer": "Province"},
            {"action": "passed", "date": "2015-02-01", "issuer": "City"},
            {"action": "effective", "date": "2015-04-01"},
        ],
    },
    {"id": "old/2", "title": "Law <b>", "level": "central", "events": [{"action": "passed", "issuer": "Assembly"}]},
]


REGISTRAR = ("operate", "registrar", "submit")


def act(chain: Chain, action: str, sender: str = "regulator", **args: Any) -> bytes:
    return chain.transaction(sender=f"{sender}/admin", contract="policy", action=action, **args)


def recorded(**more: Any) -> FakeNetwork:
    """A network whose chain has the facts and Table 1, and whose node answers ``more`` (path: document) besides."""
    chain = Chain(make_genesis(capabilities=REGISTRAR))
    facts = {"source": "Facts of a test", "source_sha256": "11" * 32, "instruments": FACTS}
    chain.add([act(chain, "record", **facts), act(chain, "record", **shipped.table1())])
    network = FakeNetwork(regulator=chain)
    answers = {"/v1/policies/relations": {"up": [], "down": [], "instruments": {}, "complete": True, "height": 1}}
    answers |= {"/v1/policies": {"policies": [], "next": None, "height": 1}, **more}
    network.twists["regulator"] = lambda path, answer: answers.get(path, answer)
    asyncio.run(network.follow())
    return network


def shown(network: FakeNetwork, handler: Any, path: str, query: str = "", **parts: str) -> View:
    page = page_of(network, path, **parts)
    page.request.scope["query_string"] = query.encode()
    view: View = asyncio.run(handler(page))
    return view


def test_the_chain_of_the_tests_took_what_was_recorded():
    network = recorded()
    assert len(network.chains["regulator"].blocks) == 1
    assert asyncio.run(network.reader.state("policy/instrument/old/1")).value["status"] == "ended"


# One instrument


def test_an_instrument_is_shown_verified_with_its_life_and_what_it_breaks():
    body = shown(recorded(), policy.one, "/policies/old/1", id="old/1").body
    steps = re.findall(r'<li class="\w*"><span class="when">.*?</span><div><strong>(.*?)</strong>', body)
    assert steps == ["Passed", "Promulgated", "Into force", "Repealed"]
    assert "Municipal, but no higher approval" in body
    assert "Ended by a body that never issued" in body
    assert body.count("seal verified") >= 4
    assert body.count("seal unverified") == 1, "the relations are the index's"
    assert "no longer in force" in body


def test_what_a_title_holds_is_text():
    body = shown(recorded(), policy.one, "/policies/old/2", id="old/2").body
    assert "Law &lt;b&gt;" in body
    assert "<b>" not in body


def test_an_unknown_instrument_is_said_to_be_unknown():
    with pytest.raises(Problem, match="no/such"):
        shown(recorded(), policy.one, "/policies/no/such", id="no/such")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("date=2016-01-01", "In force since 2015-04-01"),
        ("date=2014", "It enters into force on 2015-04-01"),
        ("date=2020-02-29", "It ended on 2019-06-01"),
        ("date=2019-02-29", "That is not a date"),
        ("height=1", "It ended on 2019-06-01"),
        ("height=9999", "No node gives block 9,999"),
    ],
)
def test_whether_it_is_in_force_is_told_for_any_moment(query: str, words: str):
    assert words in shown(recorded(), policy.one, "/policies/old/1", query, id="old/1").body


def test_a_live_act_counts_from_the_block_that_holds_it():
    chain = Chain()
    notice = {"id": "n", "title": "N", "type_document": "notice", "date_document": "2023-01-01"}
    chain.add([act(chain, "publish", **notice, passed_by=["regulator", "central-bank"])])
    chain.add([act(chain, "promulgate", id="n", date_publication="2023-01-02", first_date_entry_in_force="2023-01-03")])
    chain.add([act(chain, "endorse", "central-bank", id="n")])
    chain.add([act(chain, "repeal", id="n", date_no_longer_in_force="2023-02-01")])
    network = FakeNetwork(regulator=chain)
    asyncio.run(network.follow())
    entry = asyncio.run(network.reader.state("policy/instrument/n")).value
    now = chain.executor.time_ms
    told = []
    for height in range(5):
        known = known_at(entry, height)
        verdict = None if known is None else standing(known, now)[0]
        told.append((verdict, None if known is None or verdict is None else why(known, verdict, now)[0]))
    assert told == [
        (None, None),
        ("not_yet", "policy.why.not_promulgated"),
        ("not_yet", "policy.why.awaits"),
        ("in_force", "policy.why.since"),
        ("no_longer", "policy.why.ended"),
    ]
    assert [step.action for step in life(known_at(entry, 2) or {})][-1] == "awaiting"


def test_relations_are_trees_and_a_circle_ends():
    edges = [
        {"policy": "old/1", "relation": "based_on", "target": "old/2", "depth": 1},
        {"policy": "old/2", "relation": "cites", "target": "not/here", "depth": 2},
        {"policy": "old/2", "relation": "cites", "target": "old/1", "depth": 2},
    ]
    known = {"old/2": {"title": "Law", "level": "central", "status": "passed", "year": "undated"}}
    relations = {"up": edges, "down": [], "instruments": known, "complete": True, "height": 1}
    network = recorded(**{"/v1/policies/relations": relations})
    body = shown(network, policy.one, "/policies/old/1", id="old/1").body
    tree = body[body.index('<ul class="branch">') :]
    assert tree.count('<ul class="branch">') == 2, "what old/1 names, and what that names; old/1 again is not opened"
    assert tree.index("Law") < tree.index("not/here")
    assert "not in the register" in tree


# Figures


def statistics(by: str, counts: dict[str, int]) -> dict[str, Any]:
    return {"height": 1, "policies": 12, "counts": [{by: value, "count": count} for value, count in counts.items()]}


def figures_page(query: str, lie: int = 0) -> tuple[FakeNetwork, str]:
    """The page of figures, from a node whose index says the figures of the state, each with ``lie`` added."""
    network = recorded()
    reader = CommittedReader(network.chains["regulator"].executor.state.get)
    honest = {by: policy_statistics.statistics(reader, by) for by in policy_statistics.DIMENSIONS}
    asked = {"status": {"recorded": 12}, **honest}
    transport = network.nodes

    async def ask(path: str, shape: Any, params: Any = None) -> Any:
        if path == "/v1/policies/statistics":
            by = params["by"]
            counted = statistics(by, {value: count + lie for value, count in asked[by].items()})
            return shape(counted, "statistics"), "regulator"
        if path == "/v1/policies/sources":
            sources = [{"sha256": "11" * 32, "source": "Facts of a test", "instruments": 2}]
            return shape({"height": 1, "sources": sources}, "sources"), "regulator"
        raise AssertionError(path)

    transport.ask = ask  # type: ignore[method-assign]
    return network, shown(network, policy_figures.charts, "/policy/figures", query).body


def years_of(body: str) -> dict[str, str]:
    return dict(re.findall(r'<tr><th scope="row">(\d{4})</th><td class="num">([\d,]+)</td></tr>', body))


def test_figures_are_those_of_the_register_and_what_has_no_date_is_counted():
    _, body = figures_page("")
    years = years_of(body)
    assert (years["2015"], years["2016"], years["2021"]) == ("1", "0", "7")
    assert "The whole register: 12 instruments" in body
    assert '<a href="/policies?year=undated">1</a>' in body
    assert body.count("seal verified") == 2, "events and findings, which only the state counts"


def test_each_figure_can_be_proven_and_a_false_index_is_not_believed():
    _, lied = figures_page("", lie=5)
    assert years_of(lied)["2015"] == "6", "unverified, and sealed so"
    _, body = figures_page("proof=each", lie=5)
    assert years_of(body)["2015"] == "1"
    assert "seal unverified" in body, "the sources, and the status, which the state does not count"
    assert body.count("seal verified") == 7


def test_a_source_is_counted_by_itself_under_its_own_name():
    _, body = figures_page("source=" + "11" * 32)
    assert "Facts of a test: 12 instruments" in body
    assert "proof=each" not in body, "the state has no counters of one source"


def test_the_axis_of_years_has_every_year_unless_it_would_be_too_long():
    assert policy_figures.fill_years([("2018", 1), ("2020", 2)]) == [("2018", 1), ("2019", 0), ("2020", 2)]
    assert policy_figures.fill_years([("0201", 1), ("2020", 2)]) == [("0201", 1), ("2020", 2)]
    assert policy_figures.fill_years([]) == []


def test_table_1_is_read_row_by_row_with_proofs_and_held_against_the_file():
    body = shown(recorded(), policy_figures.table_one, "/policy/table1").body
    assert body.count(">the same</span>") == 10
    assert "seal unverified" not in body
    assert years_of(body) == {"2017": "1", "2018": "1", "2019": "0", "2020": "1", "2021": "7"}


def test_a_row_of_table_1_that_the_chain_has_differently_is_pointed_out():
    chain = Chain(make_genesis(capabilities=REGISTRAR))
    changed = shipped.table1()
    changed["instruments"] = [{**row, "title": "Another"} for row in changed["instruments"][:1]]
    chain.add([act(chain, "record", **changed)])
    network = FakeNetwork(regulator=chain)
    asyncio.run(network.follow())
    body = shown(network, policy_figures.table_one, "/policy/table1").body
    assert body.count(">differs</span>") == 1
    assert body.count(">not recorded</span>") == 9
    assert "10 rows on the chain are not as the file" in body


# The register


def test_the_register_lists_what_the_node_says_and_totals_what_the_state_proves():
    item = {"id": "old/2", "title": "Law <b>", "status": "passed", "issuers": ["A", "B", "C", "D"], "level": "central"}
    answers = {
        "/v1/policies": {"height": 1, "policies": [item], "next": "abc"},
        "/v1/policies/statistics": statistics("origin", {"recorded": 12}),
        "/v1/policies/sources": {
            "height": 1,
            "sources": [{"sha256": "11" * 32, "source": "Facts of a test", "instruments": 2}],
        },
    }
    view = shown(recorded(**answers), policies.register, "/policies", "level=central")
    assert 'href="/policies/old%2F2"' in view.body
    assert "Law &lt;b&gt;" in view.body
    assert "and 1 more" in view.body
    assert "level=central&amp;cursor=abc" in view.body
    assert '<option value="2015">2015</option>' in view.body, "what can be chosen is what the state lists"
    assert '<option value="central" selected>central</option>' in view.body
    assert re.search(r'<dt>Instruments</dt><dd><span class="value ">12</span>', view.body)
    assert not view.live, "a filtered list is not built anew with every block"


# Coordination


PAIRS = {("a", "b"): 9, ("c", "d"): 7, ("b", "e"): 3, ("d", "f"): 1}


def test_groups_stand_together_and_every_body_shown_has_a_partner():
    bodies = policy_coordination.strongest(PAIRS, 5)
    assert bodies == ["a", "b", "c", "d", "e"]
    assert policy_coordination.beside(bodies, PAIRS) == ["a", "b", "e", "c", "d"]
    assert [policy_coordination.shade(count, 120) for count in (0, 1, 7, 8, 30, 61, 120)] == [0, 1, 1, 2, 3, 5, 5]


def test_the_matrix_says_each_figure_twice_and_the_pairs_once():
    rows = [{"issuers": [*pair], "count": count} for pair, count in PAIRS.items()]
    network = recorded(**{"/v1/policies/coissuing": {"height": 1, "by": "acted", "pairs": rows}})
    body = shown(network, policy_coordination.coordination, "/policy/coordination").body
    matrix = body[body.index('<table class="matrix">') : body.index("</table>")]
    assert matrix.count(">9</td>") == 2
    assert 'title="a × b: 9"' in matrix
    assert body.count("seal verified") == 0
    empty = recorded(**{"/v1/policies/coissuing": {"height": 1, "by": "passed", "pairs": []}})
    nothing = shown(empty, policy_coordination.coordination, "/policy/coordination", "by=passed").body
    assert "No two bodies share an instrument here." in nothing


def test_more_than_a_node_counts_at_once_is_said_and_narrowed_down():
    network = recorded()

    async def refuse(path: str, shape: Any, params: Any = None) -> Any:
        raise Problem(422, "too_many_rows", "more than 10000 rows", "regulator")

    network.nodes.ask = refuse  # type: ignore[method-assign]
    body = shown(network, policy_coordination.coordination, "/policy/coordination").body
    assert "choose a level" in body
    assert "level=provincial" in body


def test_every_page_has_its_words_in_chinese_too():
    network = recorded()
    page = page_of(network, "/policies/old/1", id="old/1")
    chinese = Page(page.request, page.console, "zh")
    body = asyncio.run(policy.one(chinese)).body
    assert "市级文件缺少上级批准" in body
    assert "已失效" in body
