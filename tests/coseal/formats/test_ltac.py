"""LTAC in and out: byte for byte, and what is wrong by line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.formats import arguments, ltac
from coseal.formats.ltac import BadText
from tests.contracts.certification.arguments import BADGE, EXAMPLES

MIXED = """\
# why
- Claim Top: It holds: always {needssupport}
  - Context X: All of it (scope.md)
  # doubtful
  - Evidence E: A test {sha256=0000000000000000000000000000000000000000000000000000000000000000} (https://e.org/a)

  - Evidence: Fourth (4) test ()
  - Claim Ends in {braces}: see {a} {}
    - Link E

- Claim Other: Another
  - Strategy S: One will do {any}
    - Claim ^Top: It holds: always"""


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(BadText) as caught:
        arguments.nodes_of(ltac.read(text))
    return list(caught.value.faults)


@pytest.mark.parametrize("text", [MIXED, MIXED + "\n", "- Claim A: a"])
def test_a_text_is_written_again_byte_for_byte(text: str) -> None:
    assert str(ltac.read(text)) == text


@pytest.mark.parametrize("path", [BADGE, EXAMPLES / "clearing.ltac"], ids=["badge", "clearing"])
def test_a_case_survives_as_nodes_byte_for_byte(path: Path) -> None:
    text = path.read_bytes().decode()
    nodes, _ = arguments.nodes_of(ltac.read(text))
    assert str(arguments.document_of(nodes)) == text


def test_an_element_says_what_the_line_says() -> None:
    nodes, lines = arguments.nodes_of(ltac.read(MIXED))
    by_id = {node["id"]: node for node in nodes}
    assert by_id["Top"]["declared"] == "needsSupport"
    assert by_id["Top"]["statement"] == "It holds: always"
    assert by_id["E"] == {
        "id": "E",
        "kind": "evidence",
        "parent": "Top",
        "statement": "A test",
        "place": "https://e.org/a",
        "sha256": "00" * 32,
    }
    assert by_id["Fourth 4 test"]["statement"] == "Fourth (4) test"
    assert by_id["Ends in {braces}"]["statement"] == "see {a}"
    assert by_id["S^Top"] == {
        "id": "S^Top",
        "kind": "cite",
        "cites": "Top",
        "parent": "S",
        "statement": "It holds: always",
    }
    assert by_id["S"]["any"] is True
    assert (lines["Top"], lines["E"], lines["S"]) == (2, 5, 12)


@pytest.mark.parametrize(
    ("option", "field"),
    [
        ("{defeater}", ("kind", "defeater")),
        ("{criterion=Value}", ("criterion", "Value")),
        ("{assumed}", ("declared", "assumed")),
    ],
)
def test_options_become_fields_and_come_back(option: str, field: tuple[str, str]) -> None:
    text = f"- Claim A: a\n  - Claim B: b {option}\n"
    nodes, _ = arguments.nodes_of(ltac.read(text))
    assert nodes[1][field[0]] == field[1]
    assert str(arguments.document_of(nodes)) == text


def test_evidence_on_the_ledger_is_a_reference_with_its_parts_escaped() -> None:
    text = "- Claim A: a\n  - Evidence E: e (coseal:object/loans/loan/2024%2F7)\n"
    nodes, _ = arguments.nodes_of(ltac.read(text))
    assert nodes[1]["reference"] == ["object", "loans", "loan", "2024/7"]
    assert str(arguments.document_of(nodes)) == text
    assert faults(text.replace("%2F", "%2f"))[0][0] == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  - Claim B", "needs no statement"),
        ("  - Claim B:b", "expected `Claim ID: statement`"),
        ("  - Claim B: ", "expected"),
        (" - Claim B: b", "a level is two"),
        ("    - Claim B: b", "at most 2"),
        ("  * Claim B: b", "expected `- `"),
        ("  - Goal B: b", "expected `- `"),
        ("  - Link", "expected `Link ID`"),
        ("  - Link B: b", "expected `Link ID`"),
        ("  - Claim B: b {NeedsSupport}", "write it as `- Claim B: b {needssupport}`"),
        ("  - Claim B: b {assumed,any}", "write it as `- Claim B: b {assumed, any}`"),
        ("  - Claim B: b\r", "carriage return"),
        ("  - Claim B: b {defeated}", "computed"),
        ("  - Evidence B: b {iscounter}", "defeater"),
        ("  - Claim B: b {abstract}", "no such option"),
        ("  - Claim B: b {assumed, axiomatic}", "no such option"),
        ("  - Relation R: r", "relation"),
        ("  - Claim a/b: b", "id"),
        ("  - Strategy S: s {assumed}", "declared"),
        ("  - Evidence E: e (coseal:policy)", "reference"),
        ("  - Evidence E: e {sha256=12}", "sha256"),
        (f"  - Claim B: {'b' * ltac.MAX_LINE}", "at most 4096"),
        ("  - Claim B: b\u200b", "statement"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(line: str, said: str) -> None:
    found = faults(f"# a comment\n- Claim A: a\n{line}\n  - Claim C: c\n")
    assert [number for number, _ in found] == [3]
    assert said in found[0][1]


def test_all_faults_of_a_text_are_said_at_once_and_the_first_twelve_in_words() -> None:
    with pytest.raises(BadText) as caught:
        ltac.read("- Claim A: a\n" + "nothing\n" * 20)
    assert len(caught.value.faults) == 20
    assert "line 13:" in str(caught.value)
    assert "and 8 more" in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
def test_a_text_without_an_element_is_refused(text: str) -> None:
    assert faults(text)[0][1] == "there is no element"


WORDS = st.text(st.sampled_from("ab (){}:^=,#-"), min_size=1, max_size=12).map(str.strip).filter(bool)


@settings(max_examples=300, deadline=None)
@given(WORDS, st.sampled_from([None, ("assumed",), ("criterion=X", "assumed")]), st.sampled_from([None, "a.md"]))
def test_any_statement_can_be_written_and_is_read_again(
    statement: str, options: tuple[str, ...] | None, place: str | None
) -> None:
    braces, parentheses = ltac.closed(statement, options, place)
    line = str(ltac.Element(1, 0, "Claim", "A", False, statement, braces, parentheses))
    (element,) = ltac.read(line).elements
    assert element.statement == statement
    assert (element.options or None, element.reference or None) == (options, place)
