"""A share of the lies of ``make liar-console``; and consoles that were broken on purpose, each found by a lie."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from coseal.client import reads
from coseal.client.exchange import state_path
from coseal.console.light import LightClient
from coseal.console.shown import Recording
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.state import StateProof
from tests.console.lying import Case, Told, cases, told_world, wrong

COUNT = 400


@dataclass(frozen=True)
class Scene:
    """The honest node that all tests of this file share, in the one loop in which it lives."""

    runner: asyncio.Runner
    told: Told

    def effects(self, some: list[Case]) -> list[str]:
        """Return what is wrong of pages that were lied to."""

        async def tell() -> list[str]:
            return [f"{case}: {fault}" for case in some for fault in await wrong(self.told, case)]

        return self.runner.run(tell())


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with asyncio.Runner() as runner:
        world = told_world()
        yield Scene(runner, runner.run(world.__aenter__()))
        runner.run(world.__aexit__(None, None, None))


@pytest.mark.slow
def test_no_lie_changes_what_a_page_says_is_verified_or_breaks_it(scene: Scene) -> None:
    some = list(cases(scene.told, COUNT, seed=14))
    found = scene.effects(some)
    assert not found, "\n".join(found)
    assert len(some) > 0.95 * COUNT
    assert len({case.question for case in some}) > 150
    assert {"forged", "replay", "status", "bytes"} <= {case.lie.kind for case in some}


def _nothing(*args: Any, **more: Any) -> None:
    return None


def _as_given(verifier: Any, key: str, floor: int) -> Any:
    """Read a state value without a look at what its answer proves."""
    params = {"proof": "true", **reads._BARE, **reads.asking_for(floor)}
    reply = yield from verifier.ask("GET", state_path(key), params=params)
    return reads.state_proof_from_json(reads.strict_json(reply.content, "proof", depth=reads.MAX_DOCUMENT_DEPTH))


def _any_item(place: Any, item: Any) -> bool:
    return True


def _believed(document: Any, genesis: Any, **more: Any) -> Any:
    """Read a history as if it held."""
    from coseal.audit.history import ObjectHistory

    rows = [(row["source"], row["sequence"], row["item"]) for row in document["items"]]
    record = reads.state_proof_from_json(document["record"])
    return ObjectHistory(document["process_type"], document["type"], document["id"], tuple(rows), record)


@pytest.mark.parametrize(
    ("breaks", "about"),
    [
        ([(StateProof, "verify", _nothing)], "/v1/proofs"),
        ([(CertifiedValue, "verify", _nothing)], "/v1/state/"),
        ([(reads, "state", _as_given)], "/v1/state/"),
        ([(reads, "verify_certified", _nothing), (LightClient, "check", _nothing)], "/v1/blocks"),
        ([(reads, "verify_history", _believed)], "/events"),
        ([(Recording, "holds", _any_item)], "/events"),
    ],
    ids=["values together", "values", "older or other values", "blocks", "histories", "places of items"],
)
def test_a_check_that_is_left_out_is_found_by_a_lie(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, breaks: list[tuple[Any, str, Any]], about: str
) -> None:
    every = cases(scene.told, 600, seed=3, about=about)
    some = [case for case in every if case.is_alone and case.lie.kind == "forged"]
    for owner, name, broken in breaks:
        monkeypatch.setattr(owner, name, broken)
    assert any(scene.effects([case]) for case in some)
