"""The drawings in docs/figures are those of their files, can be read aloud, and stand on a page."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs.site.diagrams import FIGURES, draw
from docs.site.picture import MAX_BYTES, OUT
from tests.test_architecture import COSEAL_MAY_IMPORT

FILES = sorted(FIGURES.glob("*.toml"))
ROOT = FIGURES.parents[1]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_drawing_is_that_of_its_file(path: Path) -> None:
    drawn = draw(tomllib.loads(path.read_text("utf-8")))
    assert path.with_suffix(".svg").read_text("utf-8") == drawn, "draw it again: make diagrams"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_drawing_has_a_title_and_a_description_and_is_for_light_and_dark(path: Path) -> None:
    root = ElementTree.parse(path.with_suffix(".svg")).getroot()
    assert root.attrib["role"] == "img"
    named = [root.find(f"{SVG}{tag}[@id='{name}']") for tag, name in (("title", "title"), ("desc", "description"))]
    assert root.attrib["aria-labelledby"].split() == ["title", "description"]
    assert all(element is not None and element.text and len(element.text) > 10 for element in named)
    assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_words_of_a_drawing_leave_it(path: Path) -> None:
    root = ElementTree.parse(path.with_suffix(".svg")).getroot()
    width = float(root.attrib["width"])
    for text in root.iter(f"{SVG}text"):
        half = 3.6 * len(text.text or "")
        assert half <= float(text.attrib["x"]) <= width - half, text.text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_drawing_stands_on_a_page_with_words_for_those_who_do_not_see_it(path: Path) -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    pattern = re.compile(rf"!\[([^\]]+)\]\([^)]*figures/{path.stem}\.svg\)")
    assert any(len(found[1]) > 10 for page in pages for found in pattern.finditer(page.read_text("utf-8")))


def test_the_packages_of_coseal_are_drawn_as_they_may_import_each_other() -> None:
    arrows = tomllib.loads((FIGURES / "packages.toml").read_text("utf-8"))["arrows"]
    drawn: dict[str, set[str]] = {name: set() for name in COSEAL_MAY_IMPORT}
    for arrow in arrows:
        drawn[arrow["from"]].add(arrow["to"])

    def reached(name: str) -> set[str]:
        return drawn[name].union(*map(reached, drawn[name]))

    for name, imported in COSEAL_MAY_IMPORT.items():
        assert drawn[name] <= imported <= reached(name), name


def test_the_picture_of_the_console_is_small() -> None:
    assert OUT.read_bytes().startswith(b"\x89PNG")
    assert OUT.stat().st_size <= MAX_BYTES


def test_a_text_is_never_markup() -> None:
    box = {"at": [0, 0], "text": "a < b & c"}
    drawn = draw(
        {"kind": "graph", "title": "<t>", "description": "&", "cell": [90, 60], "box": [80, 40], "boxes": {"a": box}}
    )
    root = ElementTree.fromstring(drawn)
    assert root.findtext(f"{SVG}title") == "<t>"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["a < b & c"]
