"""`coseal list`: a command for every list of every contract, with its filters, and what it prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from coseal.cli import app
from coseal.contracts.registry import LISTS
from coseal.network.access import Access

ENTRY = {
    "id": "Q1",
    "topic": "[red]late\x1b[2J",
    "member": "bank-a",
    "status": "open",
    "deadline_ms": 1_700_000_000_000,
}


class FakeClient:
    """Answers any list with two entries, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def pages(self, path: str, name: str, **filters: Any) -> Iterator[dict[str, Any]]:
        self.asked.append((path, name, {name: value for name, value in filters.items() if value is not None}))
        yield from [ENTRY, {"id": "Q2", "cannot_be_shown": "KeyError: 'topic'"}]

    def get(self, path: str, **filters: Any) -> dict[str, Any]:
        (listed,) = [one for one in LISTS.values() if one.path == path]
        return {listed.entries: list(self.pages(path, listed.entries, **filters))}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    fake = FakeClient()

    @contextmanager
    def open_client(access: Access) -> Iterator[FakeClient]:
        yield fake

    monkeypatch.setattr(Access, "client", open_client)
    monkeypatch.setenv("COSEAL_LANGUAGE", "en")
    return fake


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["list", *words])
    assert result.exit_code == code, result.output
    return result.output


def command_of(name: str) -> Any:
    group: Any = get_command(app)
    return group.get_command(None, "list").get_command(None, name)


def test_every_list_of_every_contract_has_its_command_and_no_other_has_one() -> None:
    group: Any = get_command(app)
    assert group.get_command(None, "list").list_commands(None) == sorted(LISTS)
    assert command_of("no such list") is None


@pytest.mark.parametrize("listed", LISTS.values(), ids=lambda listed: listed.name)
def test_a_command_has_an_option_for_every_filter_and_says_what_it_is(listed: Any) -> None:
    options = {option.name: option for option in command_of(listed.name).params}
    assert len(options) == len(command_of(listed.name).params), "a filter is called as an option of all commands"
    for one in listed.filters:
        assert options[one.name].opts == ["--" + one.name.replace("_", "-")]
        assert options[one.name].help
    assert ("order" in options) == (len(listed.orders) > 1)


def test_the_shell_completes_lists_and_the_values_of_filters() -> None:
    typed = {"_COSEAL_COMPLETE": "complete_bash", "COMP_CWORD": "2", "COMP_WORDS": "coseal list fi"}
    assert CliRunner().invoke(app, [], env=typed, prog_name="coseal").output.split() == ["findings"]
    typed |= {"COMP_CWORD": "4", "COMP_WORDS": "coseal list findings --awaits "}
    assert CliRunner().invoke(app, [], env=typed, prog_name="coseal").output.split() == ["supervisor", "subject"]


@pytest.mark.parametrize("name", sorted(LISTS))
def test_every_list_is_printed_for_people_and_for_programs(client: FakeClient, name: str) -> None:
    listed = LISTS[name]
    shown = run(name)
    for heading in listed.columns.values():
        assert heading["en"] in shown
    assert "2, as the node's index has them" in shown
    assert json.loads(run(name, "--json"))[0] == ENTRY
    assert [asked[:2] for asked in client.asked] == [(listed.path, listed.entries)] * 2


def test_what_is_recorded_is_printed_as_it_is_and_moments_as_times(client: FakeClient) -> None:
    shown = run("questions")
    assert r"[red]late\x1b[2J" in shown
    assert "2023-11-14 22:13" in shown
    assert "KeyError: 'topic'" in shown


def test_filters_order_and_limit_go_to_the_node(client: FakeClient) -> None:
    run("findings", "--object-type", "case", "--overdue", "true", "--order", "newest", "--limit", "7")
    ((_, _, filters),) = client.asked
    assert filters == {"object_type": "case", "overdue": "true", "order": "newest", "limit": 7}
    run("findings", "--colour", "red", code=2)
    assert len(json.loads(run("process-types", "--limit", "1", "--json"))) == 1


def test_headings_are_in_the_language_of_who_reads(client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSEAL_LANGUAGE", "zh")
    assert LISTS["questions"].columns["topic"]["zh"] in run("questions")
