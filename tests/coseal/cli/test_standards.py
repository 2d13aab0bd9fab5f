"""`coseal standards`: what it prints is what is proven, and the actions of the contract are commands beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from coseal.contracts.registry import CONTRACTS
from coseal.contracts.standards.status import opens_ms, period_of
from coseal.ledger.render import time_text
from coseal.network.access import Access
from tests.support.standards import LOANS, competing


@pytest.fixture(autouse=True)
def asked(node: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A chain of the commands, on which two standards compete."""

    @contextmanager
    def client(access: Access) -> Iterator[Any]:
        with node.client("regulator") as found:
            yield found

    monkeypatch.setattr(Access, "client", client)
    monkeypatch.setenv("COSEAL_LANGUAGE", "en")
    scene = competing(node.chain)
    scene.propose("s", "loans", title={"en": "Loans", "zh": "贷款"})
    scene.propose("t", "credits")
    for member, _ in LOANS[:2]:
        scene.ok(member, "adopt", standard="s", version=1)
    return scene


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["standards", *words])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_before_a_review_that_is_said_with_the_time_of_the_next(asked: Any) -> None:
    said = run("show", "s", "--as", "enterprise-a/admin")
    assert "s 1: Loans" in said
    closes = time_text(opens_ms(period_of(asked.chain.executor.time_ms) + 1))[:19]
    assert f"not reviewed yet; the period closes at {closes}Z" in said
    assert "may now      adopt, try" in said
    assert "member is    not on it" in said


def test_a_standard_is_shown_with_what_it_lacks_to_be_de_facto(asked: Any) -> None:
    asked.close()
    asked.periods(*LOANS)
    said = run("show", "s")
    rows = [" ".join(line.split()) for line in said.splitlines()]
    assert "not met mean of the constituencies' shares, more than 1/2 1/2" in rows
    assert "not met constituencies with a share of more than 1/3, at least 2 1" in rows
    assert "not met members that use it, at least 3 2" in rows
    assert "bank 2 2 2" in rows
    assert "enterprise 1 0 0" in rows
    assert "lending: 2 standards, 3 active members, 30 items" in run("domain", "lending")
    asked.ok("enterprise-a", "adopt", standard="s", version=1)
    asked.periods(*LOANS)
    assert "status       de_facto" in run("show", "s")
    assert "lending: 1 standard, 3 active members" in run("domain", "lending"), "the other one has lapsed"


def test_a_kind_that_is_not_measured_says_so(asked: Any) -> None:
    asked.propose("f", "", "city")
    assert "its use is not measured, so it is never de facto" in run("show", "f")


def test_adopters_are_listed_with_how_long(asked: Any) -> None:
    asked.ok("bank-a", "end_adoption", standard="s", version=1, reason="Enough")
    said = run("adopters", "s")
    assert "2 in all, proven to be all" in said
    listed = json.loads(run("adopters", "s", "--json"))
    assert [(one["member"], one["until_ms"] is None) for one in listed] == [("bank-a", False), ("central-bank", True)]


def test_what_is_not_there_ends_the_command(asked: Any) -> None:
    run("show", "nothing", code=1)
    run("show", "s", "--version", "3", code=1)


def test_every_action_of_the_contract_is_a_command_beside_these() -> None:
    said = run("--help")
    names = [name.replace("_", "-") for name in CONTRACTS["standards"].actions]
    assert [name for name in ("list", "show", "adopters", "domain", *names) if f"│ {name} " not in said] == []
    for name in ("adopt", "list"):
        assert "--standard" in run(name, "--help")
