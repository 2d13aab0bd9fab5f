"""The numbered rules of the specifications, with the places in the code that carry each number."""

from __future__ import annotations

import re
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docs.site.markdown import code, table

ROOT = Path(__file__).resolve().parents[2]
SPECIFICATIONS = ROOT / "docs" / "spec"
_PACKAGES = ("ledger", "consensus", "contracts", "node", "audit", "coseal", "console")
_RULE = re.compile(r"^(?:\| |- )?(?:\*\*)?([A-Z]\d+)(?:\*\*)?(?: \| |\*\* | )(.+)")
_NAMED = re.compile(r"\b([A-Z])(\d+)(?: (?:to|and) [A-Z](\d+))?\b")
_WORDS = 24
_PLACES = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """A numbered rule: its number, how it begins, and where the code names it (``path:line``)."""

    number: str
    text: str
    places: tuple[str, ...]


def page() -> str:
    """Return the rules of each specification that has any."""
    parts = []
    for name, found in every_rule().items():
        title = _texts()[name].partition("\n")[0].removeprefix("# ")
        rows = [(rule.number, rule.text, ", ".join(map(code, rule.places))) for rule in found]
        parts += [f"## [{title}](../spec/{name})\n", table(("rule", "", "in the code"), rows)]
    return "\n".join(parts)


def every_rule() -> dict[str, list[Rule]]:
    """Return the rules by the file name of their specification, those by number."""
    texts = _texts()
    begins = {name: found for name, text in texts.items() if (found := _beginnings(text))}
    times = Counter(number for found in begins.values() for number in found)
    everywhere = [path for package in _PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    result = {}
    for name, found in begins.items():
        named = list(_sources(texts[name]))
        result[name] = [
            Rule(
                number,
                found[number],
                tuple(_places(number, named) or _places(number, everywhere if times[number] == 1 else ())),
            )
            for number in sorted(found, key=lambda number: (number[0], int(number[1:])))
        ]
    return result


def _texts() -> dict[str, str]:
    """Return the specifications by their file names in the site."""
    texts = {path.name: path.read_text("utf-8") for path in sorted(SPECIFICATIONS.glob("*.md"))}
    for path in sorted((ROOT / "contracts").glob("*/README.md")):
        texts[f"contracts-{path.parent.name}.md"] = path.read_text("utf-8")
    return texts


def _beginnings(text: str) -> dict[str, str]:
    """Return how each numbered rule of a specification begins."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _RULE.match(line)
        if match and (line.startswith("| ") or "**" in line[:12]):
            found.setdefault(match[1], _plain(match[2].removesuffix(" |")))
    return found


def _sources(text: str) -> Iterator[Path]:
    """Yield the source files that a specification names: files, folders, or patterns as ``contracts/process*.py``."""
    seen: set[Path] = set()
    for name in re.findall(rf"`((?:{'|'.join(_PACKAGES)})/[\w/.*]*)`", text):
        for path in sorted(ROOT.glob(name.rstrip("/"))):
            for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
                if file.suffix == ".py" and file not in seen:
                    seen.add(file)
                    yield file


def _places(number: str, sources: Sequence[Path]) -> list[str]:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources
        for line, numbers in _numbers(path).items()
        if number in numbers
    ]
    return found[:_PLACES]


@cache
def _numbers(path: Path) -> Mapping[int, frozenset[str]]:
    """Return the rule numbers that comments and docstrings of a file name, by line; ``A1 to A9`` names nine."""
    found: dict[int, frozenset[str]] = {}
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            docstring = token.type == tokenize.STRING and token.string.startswith('"""')
            if docstring or token.type == tokenize.COMMENT:
                for offset, text in enumerate(token.string.splitlines()):
                    numbers = frozenset(number for match in _NAMED.finditer(text) for number in _range(match))
                    if numbers:
                        found[token.start[0] + offset] = numbers
    return found


def _range(match: re.Match[str]) -> Iterator[str]:
    letter, first, last = match[1], int(match[2]), int(match[3] or match[2])
    yield from (f"{letter}{number}" for number in range(first, last + 1))


def _plain(text: str) -> str:
    """Return the first words of a rule, without marks."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", "").replace("*", "")
    words = re.sub(r"(?<!\\) ?\| ", ": ", plain.lstrip("| ")).replace("\\|", "|").split()
    return " ".join(words) if len(words) <= _WORDS else " ".join(words[:_WORDS]) + " …"
