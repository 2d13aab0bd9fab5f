"""The commands about arguments, as a user types them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from tests.contracts.certification.arguments import BADGE, EXAMPLES

CLEARING = str(EXAMPLES / "clearing.ltac")


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["certification", *words])
    assert result.exit_code == code, result.output
    return result.stdout


def refused(*words: str, code: int) -> str:
    result = CliRunner().invoke(app, ["certification", *words])
    assert result.exit_code == code, result.output
    return result.output


def said(*words: str, code: int = 0) -> Any:
    return json.loads(run("check", *words, "--json", code=code))


def test_the_shipped_argument_may_be_sealed_under_the_shipped_scheme() -> None:
    found = said(CLEARING, "--scheme", "rationality", "--kind", "public_chain")
    assert found["ok"] is True
    assert (found["nodes"], found["trees"], found["faults"], found["fallen"]) == (26, 6, [], [])
    assert found["undeveloped"] == ["Insured", "Shippers"]


def test_a_criterion_that_nothing_argues_for_is_a_fault() -> None:
    found = said(CLEARING, "--scheme", "rationality", "--kind", "consortium_chain", code=1)
    assert [(fault["code"], fault["node"]) for fault in found["faults"]] == [
        ("criterion_unaddressed", "privacy-supervision")
    ]


def test_one_refuted_leaf_fells_the_claims_above_it_and_the_argument_is_not_consistent() -> None:
    found = said(CLEARING, "--refute", "Default-Test", code=1)
    assert found["fallen"] == ["Credit-System", "Disappears"]
    assert "fallen      2: Credit-System, Disappears" in run("check", CLEARING, "--refute", "Default-Test", code=1)


def test_the_badges_case_names_its_three_undeveloped_leaves() -> None:
    shown = run("check", str(BADGE), "--no-files")
    assert "undeveloped 3: AssetsIdentified, ThreatsIdentified, MostDataPublic" in shown
    assert "open        8: Security," in shown


def test_evidence_counts_by_its_file_and_one_that_was_changed_is_found(tmp_path: Path) -> None:
    path, digest = tmp_path / "a.ltac", sha256(b"1").hexdigest()
    path.write_text(f"- Claim A: a\n  - Evidence E: e {{sha256={digest}}} (e.csv)\n  - Evidence F: f (f.csv)\n")
    (tmp_path / "e.csv").write_bytes(b"1")
    faults = said(str(path), code=1)["faults"]
    assert [(fault["line"], fault["node"], fault["code"]) for fault in faults] == [(3, "F", "evidence_without_digest")]
    (tmp_path / "f.csv").write_bytes(b"2")
    assert said(str(path))["ok"] is True
    (tmp_path / "e.csv").write_bytes(b"2")
    faults = said(str(path), code=1)["faults"]
    assert [(fault["node"], fault["code"]) for fault in faults] == [("E", "digest_differs")]


def test_a_text_that_is_none_ends_with_1_and_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "bad.ltac"
    path.write_text("- Claim A: a\n- Goal B: b\n")
    faults = said(str(path), code=1)["faults"]
    assert [(fault["line"], fault["code"]) for fault in faults] == [(2, "malformed")]
    assert "line 2: " in refused("check", str(path), code=1)


def test_what_cannot_be_read_and_what_is_no_leaf_ends_with_2(tmp_path: Path) -> None:
    for words in ([str(tmp_path / "none.ltac")], [CLEARING, "--refute", "Framework"]):
        assert refused("check", *words, code=2)


def test_a_case_goes_to_json_and_back_without_loss(tmp_path: Path) -> None:
    there, back = str(tmp_path / "case.json"), tmp_path / "case.ltac"
    run("convert", str(BADGE), "--out", there)
    run("convert", there, "--out", str(back))
    assert back.read_bytes() == BADGE.read_bytes()
    assert said(there, "--no-files")["nodes"] == 233


@pytest.mark.parametrize(
    ("nodes", "wrong"),
    [
        ([], "expected a list of nodes"),
        ([{"id": "a", "kind": "claim"}], "[0].statement: missing"),
        ([{"id": "a", "kind": "claim", "statement": "a"}], "undeveloped"),
    ],
)
def test_nodes_that_are_none_or_have_faults_are_not_converted(tmp_path: Path, nodes: Any, wrong: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(nodes))
    assert wrong in refused("convert", str(path), "--out", str(tmp_path / "a.ltac"), code=1)


def test_nodes_of_which_a_text_would_make_others_are_not_converted(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    claims = [{"id": name, "kind": "claim", "statement": name, "declared": "assumed"} for name in "ab"]
    path.write_text(json.dumps([*claims, {"id": "x", "kind": "cite", "parent": "a", "cites": "b"}]))
    shown = refused("convert", str(path), "--out", str(tmp_path / "a.ltac"), code=1)
    assert "b: LTAC would make another node" in shown
    assert not (tmp_path / "a.ltac").exists()
