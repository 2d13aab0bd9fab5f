"""What may go wrong for a user, and the exit code it means.

Law: every error a user can cause is one of these, says what to do about it, and is printed without a traceback.

    CosealError    2   could not tell: wrong usage, nothing there, a node that does not answer
    └── BadAnswer  1   the answer is bad: a refused transaction, a broken proof, a file with findings
"""

from __future__ import annotations

from typing import Final

EXIT_OK: Final = 0
EXIT_BAD: Final = 1
EXIT_UNKNOWN: Final = 2


class CosealError(Exception):
    """Base: ``detail`` says what is wrong, ``hint`` what to do; the command exits with ``exit_code``."""

    exit_code = EXIT_UNKNOWN

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(f"{detail} ({hint})" if hint else detail)
        self.detail = detail
        self.hint = hint


class BadAnswer(CosealError):
    """The question was answered, and the answer is bad."""

    exit_code = EXIT_BAD


class Unreachable(CosealError):
    """A node did not answer."""


class Refused(BadAnswer):
    """A node or the chain refused a request; ``code`` is its typed code."""

    def __init__(self, code: str, detail: str, hint: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code, hint)
        self.code = code
