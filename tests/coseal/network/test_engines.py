"""Founding a network whose blocks another engine orders, and what has to be on the machine for it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from coseal.doctor.line import Rating
from coseal.doctor.machine import engine
from coseal.errors import CosealError
from coseal.ledger.engines import COMETBFT_BUILD
from coseal.ledger.errors import Malformed
from coseal.network import ceremony
from coseal.network.consortium import default_consortium, parse_consortium
from coseal.network.engines import engine_trouble, require_engine

FILE = """
name = "wide"
engine = "cometbft"
[[members]]
id = "regulator"
name = "Regulator"
role = "government"
level = "central"
"""


def test_a_consortium_says_its_engine_and_a_founding_plan_keeps_it() -> None:
    found = parse_consortium(tomllib.loads(FILE))
    assert found.engine == "cometbft"
    assert default_consortium(4).engine == "pbft"
    assert default_consortium(4).with_engine("cometbft").engine == "cometbft"
    assert ceremony.decode_plan(ceremony.encode_plan(found, 1)).consortium.engine == "cometbft"
    assert b"engine" not in ceremony.encode_plan(default_consortium(4), 1)
    with pytest.raises(Malformed, match="engine: expected one of pbft, cometbft"):
        parse_consortium(tomllib.loads(FILE.replace("cometbft", "raft")))
    with pytest.raises(CosealError, match="no engine raft"):
        default_consortium(4).with_engine("raft")


def test_what_is_missing_for_cometbft_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    require_engine("pbft")
    with pytest.raises(CosealError, match=r"CometBFT v0\.38\.25 is not on the PATH") as caught:
        require_engine("cometbft")
    assert "go install github.com/cometbft/cometbft/cmd/cometbft@v0.38.25" in str(caught.value.hint)
    program = tmp_path / "cometbft"
    program.write_bytes(b"another program")
    program.chmod(0o755)
    assert "is not CometBFT v0.38.25 as released" in str(engine_trouble("cometbft"))
    assert [line.verdict for line in engine("a", "cometbft", None)] == [Rating.bad]
    assert [line.verdict for line in engine("a", "cometbft", tmp_path / "none")] == [Rating.bad]
    program.write_bytes(COMETBFT_BUILD)
    require_engine("cometbft")
    assert [line.verdict for line in engine("a", "cometbft", program)] == [Rating.ok]
    assert engine("a", "pbft", None) == []
