"""The commands about constitutions, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from tests.support.genesis import make_genesis

RECOMMENDED = Path(__file__).parents[3] / "examples" / "constitution" / "recommended.json"


@pytest.fixture
def genesis(tmp_path: Path) -> str:
    path = tmp_path / "genesis.json"
    path.write_bytes(make_genesis().raw)
    return str(path)


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["constitution", *words])
    assert result.exit_code == code, result.output
    return result.stdout


def told(*words: str, code: int = 0) -> Any:
    return json.loads(run(*words, "--json", code=code))


def test_the_recommended_document_is_good_for_the_members_of_a_genesis(genesis: str) -> None:
    assert "K1 to K5 hold for the members of the genesis" in run("check", str(RECOMMENDED), "--genesis", genesis)


def test_a_document_in_which_all_must_agree_ends_with_1_and_names_k3(tmp_path: Path, genesis: str) -> None:
    document = json.loads(RECOMMENDED.read_text())
    document["tracks"]["rules"]["pass"] = {"total": [999, 1000]}
    del document["tracks"]["rules"]["override"]
    path = tmp_path / "all.json"
    path.write_text(json.dumps(document))
    shown = run("check", str(path), "--genesis", genesis, code=1)
    assert "K3, track rules: government does not vote, all others say yes: it does not pass" in shown
    breaches = told("check", str(path), "--genesis", genesis, code=1)["breaches"]
    assert {breach["property"] for breach in breaches} == {"K3", "K5"}


@pytest.mark.parametrize(("text", "said"), [("{", "line 1 column 2"), ("[]", "expected"), ('{"title": "x"}', "tracks")])
def test_a_file_that_is_no_document_is_refused_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    result = CliRunner().invoke(app, ["constitution", "check", str(path)])
    assert result.exit_code != 0
    assert said in str(result.exception) + result.output


def test_who_can_pass_and_who_can_stop_is_named_in_least_numbers(genesis: str) -> None:
    shown = told("explain", str(RECOMMENDED), "protocol_version", "--genesis", genesis)
    assert (shown["track"], shown["at_least"], shown["total"]) == ("protocol", 5, [2, 3])
    assert shown["passing"] == [{"government": 1, "bank": 2, "enterprise": 1}]
    assert {"bank": 2} not in shown["stopping"]  # it is overridden
    text = run("explain", str(RECOMMENDED), "add_member")
    assert "a majority of the constituency that the new member joins" in text
    assert "emergency" in run("explain", str(RECOMMENDED))


def test_votes_come_to_what_the_rule_says(genesis: str) -> None:
    words = ("simulate", str(RECOMMENDED), "protocol_version", "--genesis", genesis)
    three = ("--yes", "bank-a,central-bank,enterprise-a", "--no", "regulator")
    assert told(*words, *three)["status"] == "open"
    overridden = told(*words, *three, "--at", "14d")
    assert (overridden["status"], overridden["overridden"]) == ("passed", "government")
    assert "government is overridden" in run(*words, *three, "--at", "14d")
    assert told(*words, "--no", "bank-a,regulator")["status"] == "rejected"
    assert "the votes do not suffice yet" in run(*words, "--yes", "bank-a")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--yes", "nobody"), "nobody has no vote"),
        (("--yes", "bank-a", "--no", "bank-a"), "bank-a is given twice"),
        (("--joining", "bank"), "--joining bank"),
        (("--at", "soon"), "expected a time"),
    ],
)
def test_what_makes_no_sense_is_refused(genesis: str, more: tuple[str, ...], said: str) -> None:
    words = ("constitution", "simulate", str(RECOMMENDED), "protocol_version", "--genesis", genesis)
    result = CliRunner().invoke(app, [*words, *more])
    assert result.exit_code != 0
    assert said in str(result.exception) + result.output


def test_a_network_is_founded_with_a_shipped_document_or_another_or_none(tmp_path: Path) -> None:
    def founded(*words: str, code: int = 0) -> Any:
        folder = tmp_path / f"net{len(list(tmp_path.iterdir()))}"
        result = CliRunner().invoke(app, ["init", str(folder), "--validators", "1", *words])
        assert result.exit_code == code, result.output
        return None if code else json.loads((folder / "genesis.json").read_text()).get("constitution")

    assert founded() == json.loads(RECOMMENDED.read_text())
    assert founded("--constitution", "consent") == json.loads(RECOMMENDED.with_name("consent.json").read_text())
    assert founded("--constitution", str(RECOMMENDED)) == json.loads(RECOMMENDED.read_text())
    assert founded("--constitution", "founding") is None
    founded("--constitution", "nosuch", code=2)


def test_a_document_that_does_not_suit_the_members_founds_nothing(tmp_path: Path) -> None:
    document = json.loads(RECOMMENDED.read_text())
    document["tracks"]["rules"]["pass"] = {"total": [1, 5]}
    (tmp_path / "mine.json").write_text(json.dumps(document))
    words = ["init", str(tmp_path / "net"), "--constitution", str(tmp_path / "mine.json")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "the constitution does not suit these members: K2, track rules: government says yes" in result.output
    assert not (tmp_path / "net").exists()
