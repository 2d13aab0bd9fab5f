"""The pages that are made from the code: they have all of it, and say what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

import coseal
from coseal.cli import app
from coseal.contracts.registry import CONTRACTS
from docs.site import actions, commands, interface, library, numbers, offline


def headings(text: str, level: int) -> set[str]:
    """Return the headings of a page, without those in blocks of code."""
    prose = re.sub(r"(?ms)^```.*?^```", "", text)
    return set(re.findall(rf"^{'#' * level} (.+)$", prose, re.MULTILINE))


def test_every_command_has_its_usage_and_all_its_options() -> None:
    page = commands.page()
    group = typer.main.get_command(app)
    assert {"up", "node add", "findings inquire", "keys generate"} <= headings(page, 2)
    submit = page.partition("## submit\n")[2].partition("\n## ")[0]
    for option in (name for item in group.commands["submit"].params for name in item.opts if name.startswith("-")):
        assert f"`{option}" in submit
    assert "coseal submit CONTRACT.ACTION [key=value ...] [options]" in submit
    assert "[bold]" not in page


def test_every_route_of_the_document_has_an_entry() -> None:
    routes = {f"{method.upper()} {path}" for path, found in interface.document()["paths"].items() for method in found}
    assert len(routes) > 50
    assert headings(interface.page(), 3) == routes


def test_every_public_name_of_the_library_is_there_with_its_methods() -> None:
    page = library.page()
    names = (*coseal.__all__, "client.governance", "client.supervision")
    assert headings(page, 2) == {f"coseal.{name}" for name in names}
    assert {"Client.submit", "Client.record", "AsyncClient.stream", "supervision.finding"} <= headings(page, 3)
    assert "```pycon\n>>> committed = client.submit" in page


@pytest.mark.parametrize(
    ("name", "action"),
    [
        (f"{contract.name}.{name}", action)
        for contract in CONTRACTS.values()
        for name, action in contract.actions.items()
    ],
)
def test_every_argument_of_an_action_says_what_is_expected(name: str, action: actions.Action) -> None:
    entry = actions.page().partition(f"### {name}\n")[2].partition("\n##")[0]
    fields = [field.name for field in actions.fields_of(action)]
    assert set(action.example) <= set(fields)
    for field in fields:
        assert re.search(rf"^\| `{field}` \| \S", entry, re.MULTILINE), field


def test_the_rules_of_consensus_lead_to_their_lines() -> None:
    rules = {rule.number: rule for rule in numbers.every_rule()["consensus.md"]}
    assert rules["R1"].text.startswith("Propose")
    for number in ("R1", "R2", "R3", "R4", "R5", "R6", "J3"):
        assert rules[number].places
        path, _, line = rules[number].places[0].rpartition(":")
        lines = (numbers.ROOT / path).read_text("utf-8").splitlines()
        assert re.search(rf"\b{number[0]}\d", lines[int(line) - 1])


def test_what_a_site_would_fetch_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="https://cel.dev">a link</a><link rel="canonical" href="https://a.b/">')
    (tmp_path / "a.css").write_text("a { background: url(data:image/png;base64,AA) }")
    assert not list(offline.fetched(tmp_path))
    (tmp_path / "b.html").write_text('<script src="https://cdn.example/a.js"></script><img src=//cdn.example/a.png>')
    (tmp_path / "b.css").write_text("@import 'https://fonts.example/a.css';")
    assert len(list(offline.fetched(tmp_path))) == 3
