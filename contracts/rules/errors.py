"""What the author of a rule is told when it cannot be accepted.

Law: a refusal names the place (a JSON path, and in a text the character) and the reason.
"""

from __future__ import annotations


def quoted(text: str) -> str:
    """Return a text in quotes, cut to 64 characters; ``repr`` would ask a table of Unicode properties."""
    return f"'{text[:64]}'"


class RuleError(Exception):
    """A rule is refused.

    ``path`` leads from the rule to the part that is wrong (``.schema.properties.amount``), ``position`` is the
    character in that text, from 0, or None if the part is no text, ``reason`` says what is wrong and what to do.
    """

    def __init__(self, path: str, position: int | None, reason: str) -> None:
        super().__init__(path, position, reason)
        self.path, self.position, self.reason = path, position, reason

    def __str__(self) -> str:
        place = self.path if self.position is None else f"{self.path} at character {self.position}"
        return f"{place.strip(' ')}: {self.reason}"
