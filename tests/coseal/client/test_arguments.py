"""Arguments from the command line."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from coseal.client import arguments
from coseal.errors import BadArguments, CosealError


def test_a_text_stays_a_text_unless_the_action_takes_json_only():
    words = ["id=t", "version=1", "title=2017", 'object_types={"o": {}}', 'event_types={"e": {}}']
    assert arguments.parse_arguments("process", "define_type", words, None) == {
        "id": "t",
        "version": 1,
        "title": "2017",
        "object_types": {"o": {}},
        "event_types": {"e": {}},
    }


def test_colon_equals_is_json_always_and_words_come_over_the_file(tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps({"id": "file", "date": "2020"}))
    words = ["id=word", "evidence:=[]", "summary=a=b"]
    args = arguments.parse_arguments("policy", "evaluate", words, tmp_path / "a.json")
    assert args == {"id": "word", "date": "2020", "evidence": [], "summary": "a=b"}


def test_what_cannot_be_right_is_left_for_the_chain_to_refuse():
    assert arguments.parse_arguments("process", "define_type", ["version=one"], None) == {"version": "one"}


def test_arguments_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b'{"id": "x"}')))
    assert arguments.parse_arguments("policy", "endorse", [], Path("-")) == {"id": "x"}


@pytest.mark.parametrize("word", ["id", "=x", ":=1", "id:={"])
def test_a_word_of_another_form_is_refused(word: str):
    with pytest.raises(CosealError):
        arguments.parse_arguments("policy", "endorse", [word], None)


@pytest.mark.parametrize("text", ["[]", '{"a": 0.5}', '{"a": 1, "a": 2}', "{", ""])
def test_a_file_that_is_no_strict_json_object_is_refused(tmp_path: Path, text: str):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CosealError):
        arguments.parse_arguments("policy", "endorse", [], tmp_path / "a.json")


def test_a_missing_or_huge_file_is_refused(tmp_path: Path):
    with pytest.raises(CosealError, match="No such file"):
        arguments.parse_arguments("policy", "endorse", [], tmp_path / "none.json")
    (tmp_path / "a.json").write_text(" " * (1 << 20) + "{}")
    with pytest.raises(CosealError, match="256 KiB"):
        arguments.parse_arguments("policy", "endorse", [], tmp_path / "a.json")


@pytest.mark.parametrize(
    ("text", "hint"),
    [("policy", "contracts: "), ("nothing.act", "choose one of "), ("policy.nothing", "it has publish")],
)
def test_an_unknown_action_is_answered_with_those_there_are(text: str, hint: str):
    with pytest.raises(CosealError) as caught:
        arguments.parse_action(text)
    assert hint in caught.value.hint


def test_a_known_action_is_split():
    assert arguments.parse_action("policy.publish") == ("policy", "publish")


def test_all_faults_are_named_at_once_and_the_first_is_that_of_the_receipt():
    args = {"id": " cn", "date_document": "2021-13", "type_document": "notice", "stage": "draft", "more": 1}
    with pytest.raises(BadArguments) as caught:
        arguments.require_valid("policy", "publish", args)
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "args.id",
        "args.date_document",
        "args.stage",
        "args.more",
        "args.title",
    ]
    assert caught.value.faults[0] == arguments.CONTRACTS["policy"].actions["publish"].arguments.check(args).detail
    assert caught.value.code == "invalid_argument"
    assert all(fault in caught.value.detail for fault in caught.value.faults)


def test_faults_inside_of_lists_and_maps_are_named_each():
    types = {"Pay": {"attributes": {"amount": {"type": "money"}, "n": {"type": "integer", "class": "secret"}}}}
    args = {"id": "t", "version": 0, "title": "T", "object_types": {"a/b": {}, "c": 1}, "event_types": types}
    with pytest.raises(BadArguments) as caught:
        arguments.require_valid("process", "define_type", args)
    assert len(caught.value.faults) == 5


def test_what_only_the_whole_shows_is_asked_once_the_parts_are_right():
    person = {"attributes": {"passport_number": "string", "surname": "string"}}
    args = {"id": "t", "version": 1, "title": "T", "object_types": {}, "event_types": {"Pay": person}}
    with pytest.raises(BadArguments) as caught:
        arguments.require_valid("process", "define_type", args)
    assert (caught.value.code, len(caught.value.faults)) == ("personal_data", 2)
    proposal = {"id": "p", "kind": "add_validator", "subject": {"node": "B", "more": 1}}
    with pytest.raises(BadArguments) as caught:
        arguments.require_valid("governance", "propose", proposal)
    assert [fault.partition(":")[0] for fault in caught.value.faults] == ["args.subject.node", "args.subject.more"]


def test_very_many_faults_are_cut_and_said_to_be():
    items = [{"id": "", "title": ""}] * 100
    with pytest.raises(BadArguments) as caught:
        arguments.require_valid("policy", "record", {"source": "s", "source_sha256": "00" * 32, "instruments": items})
    assert len(caught.value.faults) == arguments.MAX_FAULTS + 1
    assert "only the first 50" in caught.value.faults[-1]


def test_an_action_that_this_software_does_not_know_is_left_to_the_chain():
    arguments.require_valid("policy", "levitate", {"any": "thing"})
    arguments.require_valid("weather", "report", {})
