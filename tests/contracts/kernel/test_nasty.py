"""Every action of every contract with every nasty value of every field: nothing stops, and every refusal says where.

One chain takes them all, in a real executor; its blocks then go through a node's index and HTTP interface, both
streams, a user's SQL database, exports of all formats and the pages of the console.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from coseal.audit.sources import FileSource
from coseal.console.app import application
from coseal.contracts.block_events import CANNOT_BE_SHOWN, block_events
from coseal.contracts.kernel.action import Arguments
from coseal.contracts.kernel.fields import Dependent, Field
from coseal.contracts.kernel.nasty import Trial, trials
from coseal.contracts.registry import CONTRACTS
from coseal.contracts.rules.bodies import BODIES
from coseal.contracts.rules.rule import fields_of
from coseal.formats.exporters.chain import read_process
from coseal.formats.exporters.export import FORMATS, export
from coseal.ledger.block import Receipt
from coseal.node.http.app import create_app
from coseal.node.http.context import Settings
from coseal.node.index.index import Index
from coseal.streams.outgoing import outgoing
from tests.console.test_odd_ids import console_of
from tests.coseal.sql.conftest import write
from tests.coseal.sql.test_sync import fill
from tests.node.http.world import READER, READING, World
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.prepared import AT_ONCE, BALLOTS, NEVER, Prepared
from tests.support.supervised import TYPE, rule

ACTIONS = {
    f"{contract.name}.{name}": action
    for contract in CONTRACTS.values()
    for name, action in contract.actions.items()
    if f"{contract.name}.{name}" not in NEVER
}
RULES: dict[str, dict[str, Any]] = {
    "declare": {"template": "response", "a": "Create", "b": "Decide", "within_ms": 60_000},
    "guard": {"on": ["Create"], "assert": "e.attributes.amount > 0"},
    "claim": {
        "scope": {"process_type": "terms", "object_type": "case"},
        "on": ["Create"],
        "assert": "s.rate > 0",
    },
    "shape": {"on": ["Create"], "schema": {"type": "object", "required": ["amount"]}},
    "segregation": {"a": "Create", "b": "Decide", "by": "member"},
    "related": {
        "scope": {"process_type": "pairs", "object_type": "case"},
        "on": ["Decide"],
        "over": {"type": "party", "by": "item"},
        "quantifier": "each",
        "had": "Create",
    },
    "lag": {"within_ms": 5_000},
    "gap": {},
    "periodic": {"on": ["Create"], "source": "enterprise-a/log", "every": {"days": 30}},
}
LAST = ("governance.appeal",)
"""Tried when all others were: it needs a constitution, under which ballots are open for longer."""
PAIRS = {**TYPE, "id": "pairs", "object_types": {"case": {}, "party": {}}}
TERMS = {
    **TYPE,
    "id": "terms",
    "event_types": {"Create": {"attributes": {"rate": {"type": "integer", "class": "sealed"}}}},
}
REFERENCES = frozenset(("receivable", "receivables", "run", "loan", "wallet", "from", "project", "tranche", "pending"))
"""Fields that name what has to be there."""
OUR_FAULTS = {"internal_error", "value_too_large"}
OVERVIEWS = (
    *("/", "/blocks", "/members", "/governance", "/ballots", "/evidence", "/audit", "/policies", "/policy/figures"),
    *("/policy/coordination", "/processes", "/processes/t", "/processes/t/variants", "/processes/t/cases"),
    *("/supervision", "/supervision/findings", "/supervision/rules", "/supervision/sources", "/supervision/duties"),
)
LISTS = (
    *("/v1/process-types", "/v1/sources", "/v1/objects", "/v1/policies", "/v1/policies?order=newest", "/v1/rules"),
    *("/v1/policies/statistics?by=year,area,level,issuer", "/v1/policies/sources", "/v1/policies/coissuing"),
    *("/v1/ballots", "/v1/findings", "/v1/holds", "/v1/obligations", "/v1/questions", "/v1/guidance", "/v1/members"),
    *("/v1/nodes", "/v1/evidence", "/v1/blocks", "/v1/status"),
)
PAGES_MAX = 160
BLOCKS_SHOWN = 24
LINKS = re.compile(r'href="([^"]*)"')


def tried(prepared: Prepared, name: str) -> Iterator[tuple[Trial, Receipt]]:
    """Commit every trial of an action, and the example that the others are made of first; yield what came of each."""
    at_once = AT_ONCE if name in BALLOTS else 200
    action = ACTIONS[name]
    ((sender, base),) = prepared.ready(name, 1)
    yield Trial("", base, refused=False), prepared.send([(sender, name, base)])[0]
    if name in BALLOTS:
        prepared.wait()
    ((sender, base),) = prepared.ready(name, 1)
    every = list(trials(action.arguments, base))
    refused = [trial for trial in every if trial.refused]
    calls = [(sender, name, trial.args) for trial in refused]
    yield from zip(refused, prepared.send(calls), strict=True)
    places = [place for place, trial in enumerate(every) if not trial.refused]
    for start in range(0, len(places), at_once):
        if name in BALLOTS:
            prepared.wait()
        chunk = places[start : start + at_once]
        passing, calls = [], []
        for place, (sender, base) in zip(chunk, prepared.ready(name, len(chunk)), strict=True):
            passing.append(_same(every[place], base, action.arguments.record.fields[every[place].field]))
            calls.append((sender, name, passing[-1].args))
        yield from zip(passing, prepared.send(calls), strict=True)
    if name in BALLOTS:
        prepared.wait()


def _same(trial: Trial, base: dict[str, object], field: Field) -> Trial:
    """Return a trial made of another base: the same value in the same field."""
    changed = {**base, trial.field: trial.args[trial.field]}
    if isinstance(field, Dependent):
        changed[field.on] = trial.args[field.on]
    return trial._replace(args=changed)


@pytest.fixture(scope="module")
def chain() -> tuple[Chain, dict[str, list[tuple[Trial, Receipt]]]]:
    chain = Chain(make_genesis(name="nasty", money=True))
    prepared = Prepared(chain)
    return chain, {name: list(tried(prepared, name)) for name in sorted(ACTIONS, key=LAST.__contains__)}


@pytest.mark.parametrize("name", ACTIONS)
def test_every_refused_value_is_refused_for_its_field_and_every_other_is_not(chain, name):
    for trial, receipt in chain[1][name]:
        said = f"{name} {trial.field}: {str(trial.args.get(trial.field))[:200]} -> {receipt.code} {receipt.detail}"
        assert receipt.code not in OUR_FAULTS, said
        place = f"args.{trial.field}"
        if not trial.field:
            assert receipt.ok, said
        elif trial.later:
            assert not receipt.ok, said
            assert trial.field in receipt.detail, said
        elif trial.refused:
            assert (receipt.code, receipt.detail.startswith(place)) == ("invalid_argument", True), said
        else:
            faults = ACTIONS[name].arguments.record.faults(trial.args)
            assert not [fault for fault in faults if fault.startswith(f".{trial.field}")], said


def test_a_rule_of_every_kind_is_tried():
    assert RULES.keys() == BODIES.keys()


def test_values_that_pass_are_accepted_wherever_they_name_nothing_that_has_to_be_there(chain):
    accepted = {f"{name} {trial.field}" for name, made in chain[1].items() for trial, receipt in made if receipt.ok}
    fields = {
        f"{name} {field}"
        for name, action in ACTIONS.items()
        for field in action.arguments.record.fields
        if field not in REFERENCES
    }
    assert len(accepted & fields) > 2 * len(fields) // 3


@pytest.mark.parametrize("kind", RULES)
def test_every_nasty_value_of_every_field_of_a_rule_is_refused_for_its_field(chain, kind):
    prepared = Prepared(Chain(make_genesis(name="rules")))
    prepared.send([("regulator", "process.define_type", definition) for definition in (PAIRS, TERMS)])
    base = rule("R-NEW", kind, **RULES[kind])
    record = fields_of(kind)
    optional = {name: field for name, field in record.fields.items() if name not in record.required}
    every = [Trial("", base, refused=False), *trials(Arguments(record.required, optional), base)]
    every = [trial for trial in every if trial.args.get(trial.field, "") is not None]  # null is as absent
    calls = [("bank-a", "supervision.propose_rules", {"rules": [trial.args]}) for trial in every]
    for trial, receipt in zip(every, prepared.preview(calls), strict=True):
        said = f"{trial.field}: {str(trial.args.get(trial.field))[:200]} -> {receipt.code} {receipt.detail}"
        assert receipt.code not in OUR_FAULTS, said
        if not trial.field:
            assert receipt.ok, said
        elif trial.refused:
            assert not receipt.ok, said
            assert f"rules[0].{trial.field}" in receipt.detail, said


def test_streams_sql_and_exports_take_every_block(chain, tmp_path):
    blocks = chain[0].blocks
    kinds = {event.type for block in blocks for event in outgoing(block)}
    assert "coseal.fault" not in kinds
    streamed = [event for height, block in enumerate(blocks, 1) for event in block_events(block, (height, -1, 0))]
    assert len(streamed) > len(blocks)
    assert not [event for event in streamed if CANNOT_BE_SHOWN in event.data]
    folder = write(chain[0], tmp_path / "net")
    assert fill(tmp_path / "index.sqlite", folder, chain[0]).left_out == ()
    record = read_process(FileSource(folder / "nodes" / "regulator"), chain[0].genesis, "t")
    for form in FORMATS:
        assert export(record, form, "case").data, form


@pytest.mark.slow
def test_a_node_and_a_console_show_every_list_and_page(chain, tmp_path):
    asyncio.run(shown(chain[0], tmp_path))


async def shown(chain: Chain, folder: Path) -> None:
    world = World(folder, genesis=chain.genesis)
    world.index.stop()
    world.app.close()
    world.chain = chain
    world.index = Index(folder / "whole.sqlite", chain.genesis.chain_id, world.read_block)
    world.index.start(world.height)
    world.app = create_app(world, Settings(tokens=(READER,)))
    console = console_of(world, READING)
    try:
        assert await world.index.reached(world.height, 120)
        assert (world.index.error, world.index.left_out) == (None, 0)
        async with world.client() as client:
            for path in LISTS:
                answer = await client.get(path, headers={"Authorization": f"Bearer {READING}"})
                assert answer.status_code == 200, (path, answer.text[:300])
                assert "cannot_be_shown" not in answer.text, path
        await console.nodes.poll()
        while await console.light.advance():
            pass
        pages = httpx.ASGITransport(app=application(console))
        async with httpx.AsyncClient(transport=pages, base_url="http://127.0.0.1:1", timeout=60) as browser:
            await crawl(browser, world.height)
    finally:
        await console.nodes.close()
        world.close()


async def crawl(browser: httpx.AsyncClient, height: int) -> None:
    """Open every overview, and of each kind of page that they link to those with the oddest addresses; and blocks."""
    found: dict[str, dict[str, None]] = {}
    for path in OVERVIEWS:
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        for link in LINKS.findall(answer.text):
            target = urljoin(path, html.unescape(link))
            if target.startswith("/"):
                found.setdefault("/".join(target.split("?")[0].split("/")[:3]), {})[target] = None
    by_oddness = [sorted(targets, key=lambda target: (-target.count("%"), target)) for targets in found.values()]
    chosen = [targets[place] for place in range(50) for targets in by_oddness if place < len(targets)]
    seen = {*chosen[:PAGES_MAX], *(f"/blocks/{shown}" for shown in range(1, height, height // BLOCKS_SHOWN))}
    for target in sorted(seen):
        answer = await browser.get(target)
        assert answer.status_code in (200, 303), (target, answer.text[-600:])
    assert len(seen) > PAGES_MAX // 2
