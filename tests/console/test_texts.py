"""The catalogue: no key without both languages, no words anywhere else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from coseal.console.texts import CATALOGUE, LANGUAGES, text
from coseal.contracts.registry import CONTRACTS, KINDS

CONSOLE = Path(__file__).parents[2] / "console"
SOURCES = sorted(path for path in CONSOLE.rglob("*.py") if path.parent.name != "texts")
SHOWING = {
    "el",
    "join",
    "notice",
    "tag",
    "figure",
    "lead",
    "facts",
    "field",
    "select",
    "member_link",
    "View",
    "Done",
    "view",
}
HELD = re.compile(r"{(\w+)}")


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_text_has_every_language_with_the_same_places(key):
    texts = CATALOGUE[key]
    assert len(texts) == len(LANGUAGES)
    assert all(one.strip() == one and one for one in texts)
    assert len({frozenset(HELD.findall(one)) for one in texts}) == 1
    assert key.startswith("messages.") or re.search(r"[\u4e00-\u9fff]", texts[1]), "the second language is Chinese"


def used_keys() -> set[str]:
    """Return every string of the sources that could be a key, and the beginnings of those made of parts."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_action_and_every_kind_of_ballot_has_words():
    actions = [f"action.{contract.name}.{action}" for contract in CONTRACTS.values() for action in contract.actions]
    kinds = [f"governance.kind.{kind}" for kind in KINDS]
    assert [key for key in (*actions, *kinds) if key not in CATALOGUE] == []


def test_no_text_is_left_over():
    used = used_keys()
    made = tuple(word for word in used if re.fullmatch(r"[a-z_0-9]+(\.[a-z_0-9]+)*\.", word))
    assert not [key for key in CATALOGUE if key not in used and not key.startswith(made)]


def shown_literals(path: Path) -> list[str]:
    """Return words that a source shows without the catalogue: literal children of elements and texts of parts."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", ""))
        if not isinstance(node, ast.Call) or name not in SHOWING:
            continue
        first, last = {"el": (2, None), "field": (0, 1), "select": (0, 1)}.get(name, (0, None))
        children = node.args[first:last]
        for child in children:
            for part in ast.walk(child) if isinstance(child, ast.JoinedStr) else [child]:
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and re.search(r"\w{2}", part.value):
                    found.append(f"{path.name}:{child.lineno}: {part.value}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CONSOLE)))
def test_no_page_has_words_of_its_own(path):
    allowed = {"Coseal", "good", "wait", "bad", "accent"}
    keys = {*CATALOGUE, *allowed}
    assert not [literal for literal in shown_literals(path) if literal.split(": ", 1)[1] not in keys]


def test_an_unknown_key_is_a_fault_and_a_word_of_the_chain_may_stand_for_itself():
    with pytest.raises(KeyError):
        text("no.such.key", "en")
    assert text("no.such.key", "zh", otherwise="policy.publish") == "policy.publish"
    assert text("network.behind", "zh", count="3") == "落后 3 个区块"
