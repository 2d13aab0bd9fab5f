"""A command for each action, made from its fields."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from coseal.cli import app, verbs
from coseal.cli.governance import ProposalKind
from coseal.client.actions import actions
from coseal.client.arguments import parse_arguments, require_valid
from coseal.contracts.kernel.fields import Later, Many, Parts
from coseal.contracts.registry import KINDS

RUNNER = CliRunner()
OWN = {f"governance.{name}" for name in ("propose", "vote", "withdraw", "appeal", "leave", "stay")}
OWN |= {"disclosure.request", "disclosure.release"}
"""Actions whose contract has commands written by hand under its name."""
ACTIONS = {name: action for name, action in actions().items() if name not in OWN}


def options_of(name: str) -> list[str]:
    """Return the options of an action's command that say its example."""
    fields = actions()[name].arguments.record.fields
    found = []
    for key, value in actions()[name].example.items():
        spelling = "--" + key.replace("_", "-")
        spelling = f"--args.{key}" if key in ("key", "node", "url") else spelling
        field = fields[key]
        plain = isinstance(field, Many) and not isinstance(field.item, Parts) and key != "items"
        for each in value if plain else [value]:
            said = isinstance(each, str) and not isinstance(field, Later)
            found += [spelling, each if said else json.dumps(each)]
    return found


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(verbs, "submit", lambda **given: calls.append(given))
    return calls


@pytest.mark.parametrize("name", ACTIONS)
def test_the_example_of_every_action_can_be_written_as_options(name: str, submitted: list[dict[str, Any]]) -> None:
    contract, _, action = name.partition(".")
    done = RUNNER.invoke(app, [contract, action.replace("_", "-"), *options_of(name), "--as", "bank-a", "--dry-run"])
    assert done.exit_code == 0, done.output
    (call,) = submitted
    assert (call["action"], call["sender"], call["dry_run"]) == (name, "bank-a", True)
    args = parse_arguments(contract, action, call["words"], None)
    assert args == dict(ACTIONS[name].example)
    require_valid(contract, action, args)


@pytest.mark.parametrize("name", ACTIONS)
def test_the_help_of_every_action_says_what_each_field_has_to_be(name: str) -> None:
    contract, _, action = name.partition(".")
    done = RUNNER.invoke(app, [contract, action.replace("_", "-"), "--help"], env={"COLUMNS": "300"})
    assert done.exit_code == 0
    assert ACTIONS[name].title in done.output
    for key in ACTIONS[name].arguments.record.fields:
        assert key.replace("_", "-") in done.output or f"args.{key}" in done.output


def test_a_choice_is_checked_before_anything_is_sent_and_completed(submitted: list[dict[str, Any]]) -> None:
    done = RUNNER.invoke(app, ["process", "attest", "--item", "00" * 32, "--verdict", "maybe", "--as", "bank-a"])
    assert (done.exit_code, submitted) == (2, [])
    assert "confirm" in done.output
    environment = {
        "_COSEAL_COMPLETE": "complete_bash",
        "COMP_WORDS": "coseal process attest --verdict ",
        "COMP_CWORD": "4",
    }
    completed = RUNNER.invoke(app, [], env=environment, prog_name="coseal")
    assert {"confirm", "dispute"} <= set(completed.output.split())


def test_a_translated_text_and_a_text_that_looks_like_a_number_stay_what_they_are(
    submitted: list[dict[str, Any]],
) -> None:
    options = ["--id", "s", "--process-type", "t", "--mode", "live", "--title", '{"en": "S"}', "--zone-minutes", "-60"]
    assert RUNNER.invoke(app, ["process", "register-source", *options, "--as", "bank-a"]).exit_code == 0
    assert parse_arguments("process", "register_source", submitted[0]["words"], None) == {
        "id": "s",
        "process_type": "t",
        "mode": "live",
        "title": {"en": "S"},
        "zone_minutes": -60,
    }
    evaluation = ["--id", "2017", "--date", "2017", "--verdict", "met", "--summary", "true"]
    assert RUNNER.invoke(app, ["policy", "evaluate", *evaluation, "--as", "bank-a"]).exit_code == 0
    assert parse_arguments("policy", "evaluate", submitted[1]["words"], None)["summary"] == "true"


def test_the_first_help_names_no_contract_and_the_names_are_completed() -> None:
    command = get_command(app)
    assert set(verbs.names()) <= set(command.list_commands(None))  # type: ignore[arg-type, attr-defined]
    assert "│ supervision " not in RUNNER.invoke(app, ["--help"]).output


def test_every_kind_of_proposal_can_be_proposed() -> None:
    assert {kind.value for kind in ProposalKind} == set(KINDS)
