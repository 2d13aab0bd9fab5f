"""Sentences that nodes say, in the reader's language.

Law: a sentence whose form is not known is shown as the node said it; nothing is guessed.
"""

from __future__ import annotations

import re
from typing import Final

from coseal.console.page import Page

_FORMS: Final = (
    (re.compile(r"^waiting for (?P<lacking>\d+) more of (?P<quorum>\d+) validators: (?P<who>.*)$"), "messages.waiting"),
    (re.compile(r"^catching up: at height (?P<height>\d+) of (?P<target>\d+)$"), "messages.catching_up"),
    (re.compile(r"^a transaction has been waiting for (?P<seconds>\d+) s: (?P<rest>.*)$"), "messages.pending"),
    (re.compile(r"^stopped: (?P<reason>.*)$"), "messages.stopped"),
    (re.compile(r"^(?P<who>.*) unreachable since (?P<seconds>\d+) s$"), "messages.unreachable"),
    (re.compile(r"^(?P<who>.*) and (?P<last>\S+)$"), "messages.and"),
)
_PARTS: Final = ("who",)


def translated(page: Page, sentence: str) -> str:
    """Return a node's sentence in the reader's language."""
    for form, key in _FORMS:
        found = form.match(sentence)
        if found is not None:
            values = found.groupdict()
            inner = {name: translated(page, values[name]) for name in _PARTS if name in values}
            return page.t(key, **{**values, **inner})
    return sentence
