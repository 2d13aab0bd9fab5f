"""The rows with their targets, and how they are shown: for a terminal, and as Markdown for the documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from bench.figures import Figure, number


@dataclass(frozen=True, slots=True)
class Target:
    """What the figure ``name`` of a row should reach: at least ``bound``, or at most if ``least`` is false."""

    name: str
    bound: float
    least: bool = True

    def met(self, figure: Figure) -> bool:
        """Say whether the median does."""
        return figure.median >= self.bound if self.least else figure.median <= self.bound

    def __str__(self) -> str:
        """``at least 3,000 transactions/s``."""
        return f"at {'least' if self.least else 'most'} {number(self.bound)} {self.name}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: what it is, what it should reach, and which other figures are shown with it."""

    title: str
    targets: tuple[Target, ...] = ()
    more: tuple[str, ...] = ()

    def shown(self, figures: Mapping[str, Figure]) -> list[str]:
        """Return the figures with a target and those of ``more``, in words."""
        names = dict.fromkeys((*(target.name for target in self.targets), *self.more))
        return [f"{figures[name]} {name}" for name in names if name in figures]

    def verdict(self, figures: Mapping[str, Figure]) -> str:
        """Return ``met``, ``missed``, or nothing for a row without a target."""
        judged = [target.met(figures[target.name]) for target in self.targets if target.name in figures]
        return ("met" if all(judged) else "missed") if judged else ""


_CPU = "CPU ms a transaction and node"
ROWS: dict[str, Row] = {
    "start": Row("four nodes from nothing to the first block on all", (Target("s", 4, least=False),)),
    "latency": Row(
        "one client, request to certified commit",
        (Target("p50 ms", 15, least=False), Target("p99 ms", 40, least=False)),
    ),
    "transactions": Row(
        "signed transactions, one event each, 64 clients",
        (Target("transactions/s", 3_000),),
        ("transactions/s by CPU", _CPU),
    ),
    "signature bound": Row(
        "share of the rate at which nothing but signatures costs anything",
        (Target("share", 0.35),),
        ("share by CPU", "us, PyNaCl"),
    ),
    "events": Row(
        "the fines log in batches of 100, ten rules in force, 16 clients",
        (Target("events/s", 20_000),),
        ("events/s by CPU", "CPU us an event and node"),
    ),
    "plain events": Row("events in batches of 100, no rule in force, 64 clients", (), ("events/s",)),
    "payments": Row(
        "payments, one a signature, 64 clients, against the cheapest transaction",
        (Target("of any signed transaction", 0.9),),
        ("of a recorded event", "payments/s", "any transactions/s", _CPU),
    ),
    "transfers": Row(
        "transfers in signed batches of 500, 16 clients; all into one wallet against distinct ones",
        (Target("transfers/s", 4_000), Target("of distinct wallets", 0.9)),
        ("into one wallet/s",),
    ),
    "import": Row("the fines log from its file with `coseal import`, ten rules in force", (), ("events/s",)),
    "audit, headers": Row("offline audit of headers and certificates", (Target("blocks/s", 2_000),)),
    "audit, replay": Row("offline audit with replay", (Target("transactions/s", 3_000),)),
    "receipt": Row("one receipt verified offline", (Target("ms", 1, least=False),)),
    "catch-up": Row(
        "a node that was away, from when it runs until it has everything",
        (Target("times the live rate", 5),),
        (
            "times, its start included",
            "catch-up transactions/s",
            "CPU ms a transaction",
            "s to start",
            "live transactions/s",
        ),
    ),
    "leader killed": Row(
        "kill -9 of the leader under load: longest time without a block",
        (Target("gap ms", 2_500, least=False),),
        ("usual gap ms",),
    ),
    "state": Row("throughput with many objects in the state, against empty", (Target("ratio", 0.8),), ("objects",)),
    "overload": Row(
        "ten times the peak offered by one member, against the same generator at an idle port",
        (Target("share of the peak", 0.7), Target("blocks in a later round", 0, least=False)),
        (
            "times the peak offered",
            "share of the polite",
            "p99 ms of the admitted",
            "p99 ms to refuse",
            "MB a node grew",
        ),
    ),
    "memory": Row(
        "private memory of a node after so many transactions",
        (Target("MB, the largest node", 150, least=False),),
        ("transactions",),
    ),
    "signer": Row("a vote by a signer process", (), ("ms p50", "ms p50 of a sync")),
}


def measured_rows(measured: Mapping[str, Any]) -> Iterator[tuple[Row, dict[str, Figure]]]:
    """Yield the rows that were measured, with their figures as JSON has them."""
    for name, row in ROWS.items():
        if name in measured:
            figures = measured[name]["figures"]
            yield row, {name: Figure.read(figure) for name, figure in figures.items()}


def table(measured: Mapping[str, Any]) -> Table:
    """Return the rows that were measured, for a terminal."""
    result = Table(title="Coseal: medians (least to greatest); the load generator is on the same machine")
    for column in ("row", "measured", "target", ""):
        result.add_column(column)
    for row, figures in measured_rows(measured):
        targets = "\n".join(map(str, row.targets))
        result.add_row(row.title, "\n".join(row.shown(figures)), targets, row.verdict(figures))
    return result


def markdown(document: Mapping[str, Any]) -> str:
    """Return the rows of a document of results as Markdown, with what it ran on."""
    lines = [ran_on(document), "", "| | measured | runs | target | |", "|---|---|---|---|---|"]
    for row, figures in measured_rows(document["measured"]):
        shown, targets = "<br>".join(row.shown(figures)), "<br>".join(map(str, row.targets))
        runs = max(figure.runs for figure in figures.values())
        lines.append(f"| {row.title} | {shown} | {runs} | {targets} | {row.verdict(figures)} |")
    return "\n".join(lines) + "\n"


def keyed(document: Mapping[str, Any], key: str, names: Sequence[str], begin: str = "") -> str:
    """Return the measurements whose key begins so as Markdown: a line for each key, a column for each figure."""
    lines = [f"| {key} | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    for found, value in document["measured"].items():
        if found.startswith(begin):
            figures = value["figures"]
            cells = [str(Figure.read(figures[name])) if name in figures else "" for name in names]
            lines.append(f"| {_grouped(found.removeprefix(begin))} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _grouped(key: str) -> str:
    return f"{int(key):,}" if key.isdigit() else key


def ran_on(document: Mapping[str, Any]) -> str:
    """Say on what a document of results was measured."""
    about = document["about"]
    core = f", {about['core']}," if "core" in about else ""
    return (
        f"Commit `{about['commit']}`{core} on {about['processor']}, {about['cores']} cores, {about['memory']}, "
        f"{about['system']}, Python {about['python']}, PyNaCl {about['pynacl']}; load average before: "
        f"{about['load before']}. Medians, with the least and the greatest of the runs."
    )
