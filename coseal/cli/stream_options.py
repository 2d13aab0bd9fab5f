"""The options that all streams have: from where, what of it, of whom, what is kept."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from coseal.cli.shared import DirectoryOption, GenesisOption, TokenOption, gathering

CaOption = Annotated[
    Path | None, typer.Option("--ca", metavar="FILE", help="Certificates to trust instead of the usual ones.")
]
_ASKED: Final[dict[str, tuple[Any, Any]]] = {
    "start": (
        Annotated[
            str,
            typer.Option("--from", metavar="HEIGHT|tip", help="Where a new cursor begins; tip: with what comes next."),
        ],
        "1",
    ),
    "until_tip": (
        Annotated[bool, typer.Option("--until-tip", help="End at the tip instead of following the chain.")],
        False,
    ),
    "types": (
        Annotated[
            list[str] | None,
            typer.Option("--type", metavar="PATTERN", help="Only types as 'coseal.policy.*'; again for more."),
        ],
        None,
    ),
    "process_types": (
        Annotated[
            list[str] | None,
            typer.Option("--process-type", metavar="T", help="Only what is of this process; again for more."),
        ],
        None,
    ),
    "object_types": (
        Annotated[
            list[str] | None,
            typer.Option("--object-type", metavar="T", help="Only what is about such objects; again for more."),
        ],
        None,
    ),
    "severity": (
        Annotated[
            str | None,
            typer.Option("--severity", metavar="S", help="Only findings of at least notice, warning or violation."),
        ],
        None,
    ),
    "directory": (DirectoryOption, None),
    "node": (
        Annotated[
            str | None, typer.Option("--node", metavar="NAME", help="Ask only this node.", show_default="all in turn")
        ],
        None,
    ),
    "urls": (
        Annotated[
            list[str] | None,
            typer.Option("--url", metavar="URL", help="Ask this node; again for others to go on with when one fails."),
        ],
        None,
    ),
    "genesis": (GenesisOption, None),
    "token": (TokenOption, None),
}


_KEPT: Final[dict[str, tuple[Any, Any]]] = {
    "cursor": (
        Annotated[
            Path,
            typer.Option("--cursor", metavar="FILE", help="Remembers what was acknowledged; one for each receiver."),
        ],
        inspect.Parameter.empty,
    ),
    "dead_letters": (
        Annotated[
            Path | None,
            typer.Option("--dead-letters", metavar="FILE", help="Keep here what the receiver does not take, go on."),
        ],
        None,
    ),
    "give_up_s": (
        Annotated[
            float | None,
            typer.Option("--give-up-after", metavar="S", min=0, help="End when so long nothing is acknowledged."),
        ],
        None,
    ),
    "metrics": (
        Annotated[
            str | None, typer.Option("--metrics", metavar="HOST:PORT", help="Serve figures for Prometheus here.")
        ],
        None,
    ),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What all streams are asked for: from where, what of it, of whom."""

    start: str
    until_tip: bool
    types: list[str] | None
    process_types: list[str] | None
    object_types: list[str] | None
    severity: str | None
    directory: Path | None
    node: str | None
    urls: list[str] | None
    genesis: Path | None
    token: str | None


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a stream keeps, and when it ends."""

    cursor: Path | None
    dead_letters: Path | None = None
    give_up_s: float | None = None
    metrics: str | None = None


asked = gathering("settings", _ASKED, lambda given: Settings(**given))
kept = gathering("keeping", _KEPT, lambda given: Keeping(**given))
