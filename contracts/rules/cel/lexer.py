"""The tokens of CEL-S/1.

Law: a token is what the CEL specification says it is; what CEL-S/1 leaves out (doubles, unsigned integers, bytes)
is refused by name and place; only ASCII classes of characters are asked.

docs/spec/rules.md, rules G1 to G4.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from coseal.contracts.rules.errors import RuleError, quoted

MAX_SOURCE_CHARACTERS: Final = 4_096

_DIGITS: Final = frozenset("0123456789")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_OCTAL: Final = frozenset("01234567")
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_WORD: Final = _LETTERS | _DIGITS  # G2
_SPACE: Final = frozenset(" \t\n\f\r")  # G1
_STRING_STARTS: Final = frozenset("'\"rRbB")
_PAIRS: Final = ("&&", "||", "==", "!=", "<=", ">=")
_SINGLES: Final = frozenset("()[]{}.,:?!<>+-*/%")
_ESCAPES: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    **{mark: mark for mark in "\\?\"'`"},
}
_CODE_DIGITS: Final = {"x": 2, "X": 2, "u": 4, "U": 8}  # G4


class Token(NamedTuple):
    """``kind`` is integer, string, name, a mark such as ``&&``, or end; ``text`` is the string's value."""

    kind: str
    text: str
    position: int


def tokens(source: str, path: str = "") -> list[Token]:
    """Return the tokens of a source, the last of kind ``end``; raises RuleError."""
    if len(source) > MAX_SOURCE_CHARACTERS:  # G1
        raise RuleError(path, MAX_SOURCE_CHARACTERS, f"an expression has at most {MAX_SOURCE_CHARACTERS} characters")
    return _Lexer(source, path).run()


class _Lexer:
    def __init__(self, source: str, path: str) -> None:
        self.source, self.path, self.at = source, path, 0

    def run(self) -> list[Token]:
        found = []
        while True:
            self.skip_space()
            token = self.next_token()
            found.append(token)
            if token.kind == "end":
                return found

    def error(self, position: int, reason: str) -> RuleError:
        return RuleError(self.path, position, reason)

    def peek(self, ahead: int = 0) -> str:
        return self.source[self.at + ahead : self.at + ahead + 1]

    def skip_space(self) -> None:
        while True:
            character = self.peek()
            if character in _SPACE:
                self.at += 1
            elif character == "/" and self.peek(1) == "/":
                end = self.source.find("\n", self.at)
                self.at = len(self.source) if end < 0 else end
            else:
                return

    def next_token(self) -> Token:
        start, character = self.at, self.peek()
        if not character:
            return Token("end", "", start)
        prefix = self.string_prefix() if character in _STRING_STARTS else None
        if prefix is not None:
            return self.string(prefix)
        if character in _LETTERS:
            return Token("name", self.run_of(_WORD), start)
        if character in _DIGITS or (character == "." and self.peek(1) in _DIGITS):
            return self.number()
        for mark in (self.source[start : start + 2], character):
            if mark in _PAIRS or mark in _SINGLES:
                self.at += len(mark)
                return Token(mark, mark, start)
        raise self.error(start, f"unexpected character {quoted(character)}")

    def run_of(self, characters: frozenset[str]) -> str:
        start = self.at
        while self.peek() in characters:
            self.at += 1
        return self.source[start : self.at]

    def number(self) -> Token:
        """G3: an integer, decimal or after 0x; doubles and unsigned integers are refused by name."""
        start = self.at
        if self.peek() == "0" and self.peek(1) in ("x", "X"):
            self.at += 2
            digits = self.run_of(_HEX)
            if not digits:
                raise self.error(start, "expected hexadecimal digits after 0x")
            text = "0x" + digits
        else:
            text = self.run_of(_DIGITS)
            fraction = self.peek() == "." and self.peek(1) in _DIGITS
            exponent = self.peek() in ("e", "E")
            if fraction or exponent:
                raise self.error(start, "no doubles here: use an integer, or decimal(text, scale)")
        if self.peek() in ("u", "U"):
            raise self.error(start, "no unsigned integers here: leave out the u")
        if self.peek() in _LETTERS:
            raise self.error(start, "a number and a name run into each other")
        return Token("integer", text, start)

    def string_prefix(self) -> str | None:
        """Return what stands before the quote of the string that begins here, or None if none does."""
        for length in range(3):
            if self.peek(length) in ("'", '"'):
                prefix = self.source[self.at : self.at + length]
                known = set("rRbB").issuperset(prefix) and len(prefix) == len({c in "rR" for c in prefix})
                return prefix if known else None
            if self.peek(length) not in ("r", "R", "b", "B"):
                return None
        return None

    def string(self, prefix: str) -> Token:
        """G4: what stands between the quotes, escapes resolved; bytes are refused by name (G3)."""
        start = self.at
        if "b" in prefix or "B" in prefix:
            raise self.error(start, "no bytes here: use a string")
        self.at += len(prefix)
        quote = self.peek()
        if self.source.startswith(quote * 3, self.at):
            quote *= 3
        self.at += len(quote)
        value = []
        while not self.source.startswith(quote, self.at):
            character = self.peek()
            if not character or (character in ("\n", "\r") and len(quote) == 1):
                raise self.error(start, f"the string is not closed; expected {quote}")
            if character == "\\" and not prefix:
                value.append(self.escape())
            else:
                value.append(character)
                self.at += 1
        self.at += len(quote)
        return Token("string", "".join(value), start)

    def escape(self) -> str:
        start = self.at
        letter = self.peek(1)
        self.at += 2
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter in _CODE_DIGITS:
            code = self.code(start, self.at, _CODE_DIGITS[letter], 16)
        elif letter in ("0", "1", "2", "3"):
            code = self.code(start, self.at - 1, 3, 8)
        else:
            raise self.error(start, "unknown escape; see docs/spec/rules.md")
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise self.error(start, "the escape names no Unicode character")
        return chr(code)

    def code(self, start: int, begin: int, length: int, base: int) -> int:
        digits = self.source[begin : begin + length]
        if len(digits) != length or not (_HEX if base == 16 else _OCTAL).issuperset(digits):
            raise self.error(start, f"the escape needs {length} digits")
        self.at = begin + length
        return number_of(digits, base)


def number_of(digits: str, base: int = 10) -> int:
    """Return the number that ASCII digits spell, known to be digits of the base."""
    value = 0
    for digit in digits:
        code = ord(digit)
        value = value * base + (code - 48 if code < 58 else (code | 32) - 87)
    return value
