"""What a node without CometBFT's data asks of others, believes of it, and configures its CometBFT with."""

from __future__ import annotations

import asyncio
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from coseal.ledger.validators import ValidatorSet
from coseal.node.comet import files, joining
from coseal.node.comet.files import Home, Trust
from coseal.node.comet.rpc import RpcTrouble
from coseal.node.core.comet import abci
from coseal.node.core.comet.certifying import Decided
from tests.support.comet import tree
from tests.support.comet_cluster import commit_of
from tests.support.genesis import make_genesis
from tests.support.keys import validator

NAMES = ("bank-a", "central-bank", "enterprise-a", "regulator")
GENESIS = make_genesis(members=NAMES, validators=NAMES, engine="cometbft")
FIRST = commit_of(GENESIS, abci.Proposed((b"header",), 1, bytes(20)), GENESIS.validators)
TIP = replace(FIRST, height=500)
HASH = tree(FIRST.fields)


def home(folder: Path, **more: Any) -> Home:
    seeds = (bytes([1]) * 32, bytes([2]) * 32)
    place = Home(folder / "engine", folder / "cometbft", GENESIS, "bank-a", ("127.0.0.1", 7), *seeds)
    place.folder.mkdir()
    return replace(place, **{"sources": ("http://a:1", "http://b:2/"), "join_gap_blocks": 100, **more})


def prepared(
    monkeypatch: pytest.MonkeyPatch, place: Home, shown: dict[str, tuple[Decided, Decided]], height: int = 0
) -> Home:
    """Prepare a home; ``shown`` are the first and the last commit that a source shows."""

    def ask(server: str, method: str, params: dict[str, str]) -> Decided:
        assert method == "commit"
        if server not in shown:
            raise RpcTrouble("nobody is there")
        return shown[server][0 if params else 1]

    monkeypatch.setattr(joining, "_ask", ask)
    monkeypatch.setattr(joining, "decided_in", lambda answer: answer)
    return asyncio.run(joining.prepared(place, height))


def test_a_long_chain_is_joined_by_a_snapshot_from_the_sources_that_show_its_certified_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = "http://a:1/v1/engine", "http://b:2/v1/engine"
    place = home(tmp_path)
    found = prepared(monkeypatch, place, {a: (FIRST, TIP), b: (FIRST, replace(TIP, height=499))})
    assert found.trust == Trust(HASH, (a, b))
    assert files.kept_trust(place) == found.trust
    files.write(found)
    settings = tomllib.loads((place.folder / "config" / "config.toml").read_text())["statesync"]
    assert (settings["enable"], settings["trust_height"], settings["trust_hash"]) == (True, 1, HASH.hex())
    assert settings["rpc_servers"] == f"{a},{b}"
    guard = json.loads((place.folder / "data" / "priv_validator_state.json").read_text())
    assert guard == {"height": "502", "round": 2**31 - 1, "step": 3}  # nothing is signed up to there

    (place.folder / "data" / "state.db").mkdir()  # CometBFT has begun: what was found holds from now on
    assert prepared(monkeypatch, place, {}).trust == found.trust
    files.keep_trust(place)
    assert prepared(monkeypatch, place, {}).trust is None


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (replace(FIRST, precommits=FIRST.precommits[:2]), "2 precommits of height 1 verify, a quorum is 3"),
        (replace(FIRST, fields=(b"other", *FIRST.fields[1:])), "0 precommits"),
        (replace(FIRST, fields=FIRST.fields[1:]), "a header of 13 fields"),
        (replace(FIRST, height=2), "height 2 as the first"),
        (
            commit_of(
                GENESIS,
                abci.Proposed((b"header",), 1, bytes(20)),
                ValidatorSet(
                    0, tuple(replace(seat, key=validator("liar").public_key) for seat in GENESIS.validators.validators)
                ),
            ),
            "0 precommits",
        ),
    ],
)
def test_a_beginning_that_the_genesis_validators_did_not_sign_is_not_believed(
    first: Decided, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    b = "http://b:2/v1/engine"
    with capture_logs() as lines:
        found = prepared(monkeypatch, home(tmp_path), {"http://a:1/v1/engine": (first, TIP), b: (FIRST, TIP)})
    assert found.trust == Trust(HASH, (b,))
    files.write(found)
    settings = tomllib.loads((found.folder / "config" / "config.toml").read_text())["statesync"]
    assert settings["rpc_servers"] == f"{b},{b}"  # CometBFT wants two
    assert any(reason in str(line) for line in lines)


def test_a_short_chain_is_followed_by_its_blocks_and_a_lost_guard_still_keeps_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = (FIRST, replace(TIP, height=99))
    found = prepared(monkeypatch, home(tmp_path), {"http://a:1/v1/engine": short})
    assert (found.trust, found.signs_above) == (None, 101)
    files.write(found)
    assert "statesync" not in tomllib.loads((found.folder / "config" / "config.toml").read_text())


def test_nobody_to_ask_is_a_chain_that_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = prepared(monkeypatch, home(tmp_path), {})
    assert (found.trust, found.signs_above) == (None, 0)
    files.write(found)
    guard = json.loads((found.folder / "data" / "priv_validator_state.json").read_text())
    assert guard == {"height": "0", "round": 0, "step": 0}


def test_a_snapshot_is_for_long_chains_and_for_who_lost_cometbfts_data() -> None:
    assert joining.wants_snapshot(0, 100, 100)
    assert not joining.wants_snapshot(0, 99, 100)
    assert not joining.wants_snapshot(0, 10**9, 0)
    assert joining.wants_snapshot(7, 8, 0)
