"""The catalogue: every text of the console, in English and Chinese. A page has a module here of its own name.

Law: nothing the console shows has its words anywhere else, and no key lacks a language (a test says so). Why a finding
was raised is said by the command line too, so those sentences are in ``coseal.client.languages``.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.console.texts import (
    actions,
    audit,
    base,
    blocks,
    currency,
    disclosure,
    dossier,
    evidence,
    exploring,
    findings,
    governance,
    lists,
    members,
    mission,
    network,
    participation,
    policies,
    processes,
    projects,
    search,
    standards,
    trade,
)

LANGUAGES: Final = {"en": "English", "zh": "中文"}

_MODULES: Final = (
    base,
    actions,
    network,
    blocks,
    policies,
    processes,
    exploring,
    findings,
    members,
    governance,
    evidence,
    audit,
    lists,
    search,
    currency,
    trade,
    dossier,
    standards,
    projects,
    mission,
    participation,
    disclosure,
)

CATALOGUE: Final[dict[str, tuple[str, str]]] = {}
for _module in _MODULES:
    _twice = CATALOGUE.keys() & _module.TEXTS.keys()
    if _twice:
        raise ValueError(f"texts defined twice: {', '.join(sorted(_twice))}")
    CATALOGUE.update(_module.TEXTS)


def text(key: str, language: str, *, otherwise: str | None = None, **values: Any) -> str:
    """Return the text of ``key``; raise ``KeyError`` for an unknown one, unless there is an ``otherwise``."""
    found = CATALOGUE.get(key)
    if found is None:
        if otherwise is None:
            raise KeyError(f"no text {key!r} in the catalogue")
        return otherwise
    pattern = found[list(LANGUAGES).index(language)]
    return pattern.format(**values) if values else pattern
