"""Random expressions of CEL-S/1 with bindings, from a seed: well-typed in the main, with ``dyn`` that does not fit."""

from __future__ import annotations

import random
import re
from typing import Any, Final

from coseal.contracts.rules.cel.values import Duration, Timestamp

VARIABLES: Final = {
    "b": "bool",
    "i": "int",
    "j": "int",
    "s": "string",
    "u": "string",
    "ts": "timestamp",
    "du": "duration",
    "li": "list(int)",
    "ls": "list(string)",
    "mi": "map(int)",
    "ms": "map(string)",
    "d": "dyn",
    "e": "dyn",
    "n": "null",
}
"""The variables of a random expression and their types."""

INTEGERS: Final = (0, 1, -1, 2, 3, 7, 10, 60, 255, -256, 2**31, 2**62, 2**63 - 1, -(2**63), -(2**63) + 1, 1_000_000_007)
TEXTS: Final = (
    "",
    "a",
    "b",
    "ab",
    "ba",
    "Ab",
    "abcab",
    "état",
    "贷款",
    "𝄞x",
    "1",
    "-42",
    "true",
    "k",
    "\n\t",
    "'\"\\",
    "Z",
)
WORDS: Final = ("a", "b", "k", "amount", "type")
TIMES: Final = (0, 1, -1, 1_234_567_890_123, -5_000_000_001, 951_782_400_000, 1_709_164_799_999, 4_102_444_800_000)
LENGTHS: Final = (0, 1, -1, 1_500, -1_500, 60_000, 3_600_000, 86_400_000, -90_061_001)
SIMPLE: Final = ("bool", "int", "string", "timestamp", "duration")
PLAIN: Final = ("bool", "int", "string", "null")
TYPES: Final = (*SIMPLE, "list(int)", "list(string)", "map(int)", "map(string)", "null")
PARTS: Final = (
    *("FullYear", "Month", "Date", "DayOfMonth", "DayOfYear", "DayOfWeek"),
    *("Hours", "Minutes", "Seconds", "Milliseconds"),
)
ORDERS: Final = ("<", "<=", ">", ">=")
ESCAPES: Final = {"\n": "\\n", "\t": "\\t", "\\": "\\\\", "'": "\\'", '"': '\\"'}


class Generator:
    """Draws expressions and bindings; the same seed draws the same."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.item: tuple[str, str] | None = None

    def bindings(self) -> dict[str, Any]:
        """Return a value for every variable."""
        found = {name: self.value(kind) for name, kind in VARIABLES.items()}
        while type(found["d"]) is dict:  # macros walk it, and not maps
            found["d"] = self.value("dyn")
        while self.random.random() < 0.8 and type(found["e"]) is not dict:
            found["e"] = self.value("record")
        return found

    def value(self, kind: str, depth: int = 0) -> Any:
        """Return a value; in ``dyn`` no times, which the oracle takes from variables of that type alone."""
        draw = self.random
        if kind == "dyn":
            kind = draw.choice(("record", "mixed", "list(int)", "map(string)", *PLAIN) if depth < 2 else PLAIN)
        if kind == "record":
            return {name: self.value("dyn", depth + 1) for name in draw.sample(WORDS, draw.randint(0, 4))}
        if kind == "mixed":
            return [self.value("dyn", depth + 1) for _ in range(draw.randint(0, 4))]
        if kind.startswith("list"):
            return [self.value(kind[5:-1]) for _ in range(draw.randint(0, 4))]
        if kind.startswith("map"):
            return {name: self.value(kind[4:-1]) for name in draw.sample(WORDS, draw.randint(0, 4))}
        return {
            "bool": lambda: draw.random() < 0.5,
            "int": lambda: draw.choice(INTEGERS) if draw.random() < 0.5 else draw.randint(-5, 20),
            "string": lambda: draw.choice(TEXTS),
            "timestamp": lambda: Timestamp(draw.choice(TIMES) + draw.choice((0, 0, draw.randint(0, 10**9)))),
            "duration": lambda: Duration(draw.choice(LENGTHS)),
            "null": lambda: None,
        }[kind]()

    def expression(self, depth: int = 4) -> str:
        """Return an expression, a condition in most cases."""
        kind = "bool" if self.random.random() < 0.7 else self.random.choice(TYPES)
        return self.of(kind, depth)

    def mutated(self, text: str) -> str:
        """Return a text with one of its pieces left out, doubled or exchanged with another."""
        draw = self.random
        pieces = re.findall(r"[A-Za-z_]+|[0-9]+|\s+|&&|\|\||[<>=!]=|.", text, flags=re.DOTALL)
        at, other = draw.randrange(len(pieces)), draw.randrange(len(pieces))
        choice = draw.randint(0, 2)
        if choice == 0:
            del pieces[at]
        elif choice == 1:
            pieces.insert(at, pieces[other])
        else:
            pieces[at], pieces[other] = pieces[other], pieces[at]
        return "".join(pieces)

    def of(self, kind: str, depth: int) -> str:
        draw = self.random
        if kind == "dyn" or draw.random() < 0.02:  # of any type, known when it runs
            return f"dyn({self.of(draw.choice(TYPES), depth - 1)})" if depth > 0 else draw.choice("de")
        if depth <= 0 or draw.random() < 0.15:
            return self.leaf(kind)
        if draw.random() < 0.1:
            condition, other = self.of("bool", depth - 1), self.of(kind, depth - 1)
            return f"({condition} ? {self.of(kind, depth - 1)} : {other})"
        if draw.random() < 0.04:
            return self.entry(kind, depth)
        return {
            "bool": self.boolean,
            "int": self.integer,
            "string": self.text,
            "timestamp": self.timestamp,
            "duration": self.duration,
        }.get(kind, lambda depth: self.container(kind, depth))(depth)

    def leaf(self, kind: str) -> str:
        draw = self.random
        names = [name for name, known in VARIABLES.items() if known == kind]
        if self.item is not None and self.item[1] in (kind, "dyn") and draw.random() < 0.6:
            return self.item[0]
        if names and draw.random() < 0.5:
            return draw.choice(names)
        if draw.random() < 0.02:
            return f"e.{draw.choice(WORDS)}"
        return self.literal(kind)

    def literal(self, kind: str) -> str:
        draw = self.random
        value = self.value(kind)
        if kind == "int" and value >= 0 and draw.random() < 0.1:
            return hex(value)
        if kind == "timestamp":
            zone = draw.choice(("Z", "+08:00", "-03:30"))
            return f"timestamp('{draw.randint(1950, 2100)}-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}T0{draw.randint(0, 9)}:30:15{draw.choice(('', '.5', '.123'))}{zone}')"  # noqa: E501
        if kind == "duration":
            return (
                f"duration('{draw.choice(('0', '1h', '90m', '-1h30m', '1.5s', '250ms', '24h', '.5h', '1h1m1s1ms'))}')"
            )
        return self.spelled(value)

    def spelled(self, value: Any) -> str:
        if type(value) is bool:
            return "true" if value else "false"
        if value is None:
            return "null"
        if type(value) is int:
            return str(value)
        if type(value) is list:
            return f"[{', '.join(map(self.spelled, value))}]"
        if type(value) is dict:
            return "{" + ", ".join(f"{self.spelled(key)}: {self.spelled(item)}" for key, item in value.items()) + "}"
        if self.random.random() < 0.1 and not set("'\"\\\n") & set(value):
            return f'r"{value}"'
        quote = self.random.choice(("'", '"', "'''", '"""'))
        return quote + "".join(ESCAPES.get(character, character) for character in value) + quote

    def boolean(self, depth: int) -> str:
        draw = self.random
        choice = draw.randint(0, 11)
        if choice < 3:
            operator = draw.choice(("&&", "||"))
            return f"({f' {operator} '.join(self.of('bool', depth - 1) for _ in range(draw.randint(2, 3)))})"
        if choice == 3:
            return f"!({self.of('bool', depth - 1)})"  # the oracle takes !!x for x, whatever x is
        if choice == 4:
            kind = draw.choice((*TYPES, "dyn"))
            return f"({self.of(kind, depth - 1)} {draw.choice(('==', '!='))} {self.of(kind, depth - 1)})"
        if choice == 5:
            return f"(d {draw.choice(('==', '!='))} {self.of(draw.choice(TYPES), depth - 1)})"
        if choice in (6, 7):
            kind = draw.choice(SIMPLE)
            return f"({self.of(kind, depth - 1)} {draw.choice(ORDERS)} {self.of(kind, depth - 1)})"
        if choice == 8:
            kind = draw.choice(("int", "string"))
            return f"({self.of(kind, depth - 1)} in {self.of(f'list({kind})', depth - 1)})"
        if choice == 9:
            if draw.random() < 0.5:
                return f"has({draw.choice(('d', 'e', 'mi', 'ms', 'd.a', 'e.k'))}.{draw.choice(WORDS)})"
            return f"({self.of('string', depth - 1)} in {draw.choice(('d', 'e', 'mi', 'ms'))})"
        if choice == 10 and self.item is None:
            return self.macro(depth)
        method = draw.choice(("startsWith", "endsWith", "contains"))
        return f"{self.of('string', depth - 1)}.{method}({self.of('string', depth - 1)})"

    def macro(self, depth: int) -> str:
        kind = self.random.choice(("int", "string", "dyn"))
        holder = "d" if kind == "dyn" else self.container(f"list({kind})", depth - 1)
        self.item = (self.random.choice(("x", "y", "i")), kind)
        name, macro = self.item[0], self.random.choice(("all", "exists", "exists_one"))
        body = self.of("bool", depth - 1)
        self.item = None
        return f"{holder}.{macro}({name}, {body})"

    def integer(self, depth: int) -> str:
        draw = self.random
        choice = draw.randint(0, 7)
        if choice < 4:
            return f"({self.of('int', depth - 1)} {draw.choice('+-*/%')} {self.of('int', depth - 1)})"
        if choice == 4:
            return f"-({self.of('int', depth - 1)})"
        if choice == 5:
            operand = self.of(draw.choice(("string", "list(int)", "list(string)", "map(int)", "dyn")), depth - 1)
            return f"size({operand})" if draw.random() < 0.5 else f"{operand}.size()"
        if choice == 6:
            return f"int({self.of(draw.choice(('int', 'string', 'timestamp')), depth - 1)})"
        if draw.random() < 0.6:
            return f"{self.of('timestamp', depth - 1)}.get{draw.choice(PARTS)}()"
        return f"{self.of('duration', depth - 1)}.get{draw.choice(PARTS[-4:])}()"

    def text(self, depth: int) -> str:
        if self.random.random() < 0.5:
            return f"({self.of('string', depth - 1)} + {self.of('string', depth - 1)})"
        return f"string({self.of(self.random.choice(SIMPLE), depth - 1)})"

    def timestamp(self, depth: int) -> str:
        time, length = self.of("timestamp", depth - 1), self.of("duration", depth - 1)
        return self.random.choice((f"({time} + {length})", f"({length} + {time})", f"({time} - {length})"))

    def duration(self, depth: int) -> str:
        draw = self.random
        if draw.random() < 0.4:
            return f"({self.of('timestamp', depth - 1)} - {self.of('timestamp', depth - 1)})"
        return f"({self.of('duration', depth - 1)} {draw.choice('+-')} {self.of('duration', depth - 1)})"

    def container(self, kind: str, depth: int) -> str:
        draw = self.random
        if kind == "null":
            return draw.choice(("null", "n"))
        item = kind[kind.index("(") + 1 : -1]
        items = [self.of(item, depth - 1) for _ in range(draw.randint(1, 3))]
        if kind.startswith("map"):
            names = draw.sample(WORDS, len(items))
            return "{" + ", ".join(f"'{name}': {value}" for name, value in zip(names, items, strict=True)) + "}"
        if draw.random() < 0.3:
            return f"({self.of(kind, depth - 1)} + {self.of(kind, depth - 1)})"
        return f"[{', '.join(items)}]"

    def entry(self, kind: str, depth: int) -> str:
        """Return something taken out of a list or map, of this type if there are such."""
        draw = self.random
        if kind not in ("int", "string"):
            return draw.choice(
                (f"d[{self.of('int', depth - 1)}]", f"e['{draw.choice(WORDS)}']", "e.a.b", f"e.{draw.choice(WORDS)}")
            )
        if draw.random() < 0.5:
            return f"{self.of(f'list({kind})', depth - 1)}[{self.of('int', depth - 1)}]"
        holder = self.of(f"map({kind})", depth - 1)
        name = draw.choice(WORDS)
        return draw.choice((f"{holder}.{name}", f"{holder}['{name}']", f"{holder}[{self.of('string', depth - 1)}]"))
