"""The documents are true where a machine can tell: links, commands, versions, and what the repository may not say."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from coseal.cli import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for pattern in ("*.md", "contracts/**/*.md", "docs/**/*.md", "examples/**/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
    if ".venv" not in path.parts
)

COMMANDS: Any = typer.main.get_command(app)
MODULES_OF_ALL = {"__init__", "actions", "announced", "described", "lists", "rows", "state", "tables"}
"""What every contract has, or may have, under the same name: ARCHITECTURE.md."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_resolves(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target


def test_every_page_stands_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in PAGES if page.is_relative_to(ROOT / "docs")}
    missing = {page for page in pages if not page.startswith("decisions/") and f" {page}\n" not in navigation}
    assert not missing, "add them to nav in mkdocs.yml"


def commands(group: object, words: tuple[str, ...] = ()) -> Iterator[str]:
    for name, command in sorted(getattr(group, "commands", {}).items()):
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name))


def test_every_command_stands_in_the_reference_of_the_command_line() -> None:
    reference = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    verbs = re.sub(r"\\\|", "|", reference)
    missing = []
    for command in commands(COMMANDS):
        group, _, verb = command.rpartition(" ")
        pattern = rf"\b{group} (\S*\|)?{verb}\b" if group else rf"`{verb}\b"
        if not re.search(pattern, verbs):
            missing.append(command)
    assert not missing


def shown_commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command of ours that a page shows, in a line of its own or within a text."""
    text = page.read_text(encoding="utf-8").replace("\\|", "|")
    text = re.sub(r"\\\n\s*", " ", text)
    for line in re.findall(r"^\s*(?:\$ )?coseal ([^\n]+)", text, re.MULTILINE) + re.findall(
        r"`coseal ([^`\n]+)`", text
    ):
        yield re.split(r"\s+(?:[#|>;]|&&|2>).*", line)[0].split()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_takes_the_options_it_is_shown_with(page: Path) -> None:
    for words in shown_commands(page):
        command = COMMANDS
        rest = list(words)
        while hasattr(command, "commands") and rest and re.fullmatch(r"[a-z][a-z-]*(\|[a-z-]+)*", rest[0]):
            names = rest.pop(0).split("|")
            assert set(names) <= set(command.list_commands(None)), f"coseal {' '.join(words)}"
            command = command.get_command(None, names[0])
        taken = {name for item in command.params for name in (*item.opts, *item.secondary_opts)} | {"--help", "-h"}
        options = {name for word in rest for name in re.findall(r"^\[?(--[a-z][a-z0-9-]*)", word)}
        assert hasattr(command, "commands") or options <= taken, f"coseal {' '.join(words)}"


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= targets, page


@pytest.mark.parametrize("readme", sorted(ROOT.glob("contracts/*/README.md")), ids=lambda path: path.parent.name)
def test_the_page_of_a_contract_names_its_modules(readme: Path) -> None:
    text = readme.read_text("utf-8")
    modules = sorted(path.name for path in readme.parent.glob("*.py") if path.stem not in MODULES_OF_ALL)
    assert [name for name in modules if f"contracts/{readme.parent.name}/{name}" not in text] == []


def test_the_newest_version_in_the_changelog_is_the_projects() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    versions = re.findall(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == version


def test_every_runtime_dependency_has_its_reason() -> None:
    reasons = (ROOT / "docs" / "decisions" / "0009-dependencies.md").read_text()
    for requirement in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]:
        name = re.split(r"[^a-z0-9-]", requirement)[0]
        assert re.search(rf"\b{name}\b", reasons, re.IGNORECASE), name


def test_decisions_are_numbered_without_gap_and_fit_a_page() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert len(page.read_text(encoding="utf-8").split()) < 900, page


def test_nothing_is_committed_that_is_generated() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    for name in listed.stdout.splitlines():
        assert not re.search(r"(^|/)(__pycache__|\.venv|node_modules|coseal-net)/|\.(pyc|sqlite|mdb|pem)$", name), name
