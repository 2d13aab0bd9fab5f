"""The whole scenario on one chain; ``tests/vectors/generate.py`` records it."""

from __future__ import annotations

from tests.vectors.recorded import (
    bounds,
    certified,
    constituted,
    consulted,
    credited,
    disclosed,
    governed,
    members,
    missioned,
    money,
    opened,
    policies,
    processes,
    standards,
    standing,
    supervised,
    trading,
)
from tests.vectors.recorded.replay import Replay, text_of
from tests.vectors.recorded.scenario import Scenario

FILE = "recorded-chain.jsonl"


def whole() -> Scenario:
    """Run the whole scenario."""
    scenario = Scenario()
    for part in (members, policies, processes):
        part.run(scenario)
    cases = supervised.run(scenario)
    governed.run(scenario)
    standing.run(scenario)
    bounds.run(scenario, cases)
    standards.run(scenario)
    money.run(scenario)
    credited.ballots(scenario)
    disclosed.run(scenario)
    opened.run(scenario)
    certified.run(scenario)
    missioned.ballots(scenario)
    constituted.run(scenario)
    months = trading.run(scenario)
    credited.run(scenario, months)
    consulted.run(scenario)
    missioned.run(scenario)
    return scenario


def recorded() -> str:
    """Return the recording as its file has it."""
    scenario = whole()
    return text_of(Replay(scenario.chain.genesis).lines(scenario.offered))
