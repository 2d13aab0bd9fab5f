"""Commands about constitutions as documents: check one, explain a track, simulate votes; and those that are shipped.

Law: what these say is what the ledger's own rule of decision says, for it is the same module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coseal.cli.shared import Commands, GenesisOption, JsonOption, plain_table, print_json, progress_bar
from coseal.errors import EXIT_BAD, EXIT_OK, CosealError

if TYPE_CHECKING:
    from coseal.client.constitution import Powers, Simulated
    from coseal.contracts.governance.document import Constitution
    from coseal.contracts.governance.resolution import Quota, Track
    from coseal.contracts.governance.safety import Breach

constitution_app = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Check and try a constitution: who decides what, by which votes."
)

DocumentFile = Annotated[Path, typer.Argument(metavar="FILE.json", help="A constitution.")]
KindArgument = Annotated[str, typer.Argument(metavar="KIND", help="A kind of proposal, e.g. add_member.")]
JoiningOption = Annotated[
    str | None, typer.Option("--joining", metavar="CONSTITUENCY", help="Of add_member: whose member the newcomer is.")
]


RECOMMENDED: Final = "recommended"
FOUNDING: Final = "founding"
_SHIPPED: Final = (RECOMMENDED, "consent")


def named_document(name: str) -> dict[str, Any] | None:
    """Return the document that a name or file says by which to found a network; None for the founding constitution."""
    from coseal.client.constitution import read_document
    from coseal.demo.examples import example

    if name == FOUNDING:
        return None
    return read_document(example(f"constitution/{name}.json") if name in _SHIPPED else Path(name))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    constitution_app.command("check")(check)
    constitution_app.command("explain")(explain)
    constitution_app.command("simulate")(simulate)
    app.add_typer(constitution_app, name="constitution")


def check(file: DocumentFile, genesis: GenesisOption = None, as_json: JsonOption = False) -> None:
    """Check that nobody can decide or stop anything alone, that everything ends, and that there is no way around.

    Without --genesis, for every consortium of up to 4 members in each of 5 constituencies; with it, for its members.
    Names the property that is broken (K1 to K5), the track, and the voting that shows it. Exit code 1 if one is.

    Examples:

      coseal constitution check examples/constitution/recommended.json

      coseal constitution check mine.json --genesis coseal-net/genesis.json --json
    """
    from coseal.client import constitution
    from coseal.client.genesis import read_genesis

    document = constitution.read_constitution(file)
    given = None
    if genesis is not None:
        trusted = read_genesis(genesis)
        given = {
            name: constitution.sizes(constitution.electors(document, trusted, track))
            for name, track in document.tracks.items()
        }
    with progress_bar() as bar:
        task = bar.add_task("consortia", total=None)
        found = constitution.check(document, given, lambda done, total: bar.update(task, completed=done, total=total))
    looked = 1 if given is not None else len(constitution.consortia())
    if as_json:
        print_json({"ok": not found, "title": document.title, "consortia": looked, "breaches": _breaches(found)})
    else:
        for breach in found:
            typer.secho(str(breach), fg="red")
        kinds = f"{len(document.tracks)} tracks, {len(document.kinds)} kinds named"
        whom = "for the members of the genesis" if given is not None else f"for {looked:,} consortia"
        said = f"{len(found)} broken" if found else "K1 to K5 hold"
        typer.echo(f"{document.title}: {kinds}; {said} {whom}")
    raise typer.Exit(EXIT_BAD if found else EXIT_OK)


def _breaches(found: Sequence[Breach]) -> list[dict[str, str]]:
    return [breach._asdict() for breach in found]


def explain(
    file: DocumentFile,
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="A kind of proposal; without it all tracks.")
    ] = None,
    genesis: GenesisOption = None,
    joining: JoiningOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say by what rule a kind of proposal is decided, and with --genesis who can pass it and who can stop it.

    Coalitions are the least numbers of members by constituency; all others do not vote.

    Examples:

      coseal constitution explain examples/constitution/recommended.json

      coseal constitution explain examples/constitution/recommended.json add_member --genesis coseal-net/genesis.json
    """
    from coseal.client import constitution
    from coseal.client.genesis import read_genesis

    document = constitution.read_constitution(file)
    if kind is None:
        _explain_all(document, as_json=as_json)
        return
    track = document.track_of(kind)
    joins = _joining(track, joining)
    members = None if genesis is None else constitution.electors(document, read_genesis(genesis), track)
    powers = None if members is None else constitution.powers(track, constitution.sizes(members), joins)
    if as_json:
        more = {} if powers is None else {name: list(getattr(powers, name)) for name in powers.__slots__}
        print_json({"kind": kind, **_track_json(track), **more})
        return
    typer.echo(f"{kind} is decided on track {track.name}:")
    for line in _lines(track):
        typer.echo(f"  {line}")
    if powers is not None:
        _print_powers(powers)
    elif members is not None:
        typer.echo("too many members to name the coalitions")


def _explain_all(document: Constitution, *, as_json: bool) -> None:
    if as_json:
        tracks = {name: _track_json(track) for name, track in document.tracks.items()}
        more = {} if document.de_facto is None else {"de_facto": dict(document.de_facto)}
        print_json({"title": document.title, "tracks": tracks, "kinds": dict(document.kinds), **more})
    else:
        print_tracks(document)


def print_tracks(document: Constitution) -> None:
    """Print the tracks of a constitution as a table."""
    table = plain_table("track", "who votes", "of all", "constituencies", "heard", "override", "effect", "kinds")
    for name, track in document.tracks.items():
        kinds = ", ".join(kind for kind, where in document.kinds.items() if where == name)
        table.add_row(name, track.electorate, _share(track.total), *_columns(track), kinds or "all others")
    table.print()
    if document.de_facto is not None:
        said = ", ".join(f"{name} {_figure(value)}" for name, value in document.de_facto.items())
        typer.echo(f"a standard becomes de facto by: {said}")


def _figure(value: int | list[int]) -> str:
    return f"{value[0]}/{value[1]}" if isinstance(value, list) else str(value)


def _columns(track: Track) -> tuple[str, str, str, str]:
    from coseal.contracts.kernel.wording import duration_text

    classes = f"{track.at_least} of {len(track.classes)}" if track.classes else ""
    if track.own:
        classes += ", and the newcomer's"
    heard = duration_text(track.not_before_ms) if track.not_before_ms else ""
    override = f"after {duration_text(track.override.after_ms)}" if track.override is not None else ""
    return classes, heard, override, f"after {duration_text(track.delay_ms)}" if track.delay_ms else "at once"


def _share(quota: Quota) -> str:
    return f"more than {quota.numerator}/{quota.denominator}"


def _lines(track: Track) -> list[str]:
    """Return a track in sentences."""
    from coseal.contracts.kernel.wording import duration_text

    who = "the members that run a validator" if track.electorate == "validators" else "all members that are present"
    lines = [f"vote: {who}, one vote each", f"passes with yes of {_share(track.total)} of them"]
    if track.classes:
        wanted = ", ".join(f"{name} ({_share(quota)})" for name, quota in track.classes.items())
        lines.append(f"and in {track.at_least} of these constituencies: {wanted}")
    if track.own:
        lines.append("and with a majority of the constituency that the new member joins")
    if track.veto:
        lines.append(f"a majority of no in {' or '.join(track.veto)} stops it")
    if track.not_before_ms:
        lines.append(f"is heard for {duration_text(track.not_before_ms)} before it can pass")
    if track.override is not None:
        after = duration_text(track.override.after_ms)
        lines.append(f"from {after} on one constituency is overridden: all others have a majority,")
        lines.append(f"together more than 2/3 of their votes and {_share(track.override.floor)} of all")
    least, default, most = (duration_text(ms) for ms in track.opening)
    lines.append(f"open for {default}, or from {least} to {most} as its proposer says")
    lines.append(f"takes effect {duration_text(track.delay_ms)} later" if track.delay_ms else "takes effect at once")
    if track.reasons:
        lines.append(f"a reason has to be given by: {', '.join(track.reasons)}")
    return lines


def _print_powers(powers: Powers) -> None:
    for title, coalitions in (
        ("who can pass it", powers.passing),
        ("who can pass it by the override", powers.overriding),
        ("who can stop it", powers.stopping),
    ):
        typer.echo(f"{title}:")
        for each in coalitions or ({},):
            typer.echo(f"  {' + '.join(f'{count} {name}' for name, count in each.items()) or 'nobody'}")


def simulate(
    file: DocumentFile,
    kind: KindArgument,
    genesis: Annotated[Path, typer.Option("--genesis", metavar="FILE", help="Whose members vote.")],
    yes: Annotated[str, typer.Option("--yes", metavar="MEMBERS", help="Who says yes, e.g. bank-a,regulator.")] = "",
    no: Annotated[str, typer.Option("--no", metavar="MEMBERS", help="Who says no.")] = "",
    abstain: Annotated[
        str, typer.Option("--abstain", metavar="MEMBERS", help="Who abstains; all others do not vote.")
    ] = "",
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="How long it has been open, e.g. 10d.", show_default="0s")
    ] = None,
    joining: JoiningOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what votes on a proposal come to, by the ledger's own rule: open, passed, rejected or expired.

    Examples:

      coseal constitution simulate mine.json protocol_version --genesis genesis.json --yes bank-a,regulator --at 10d
    """
    from coseal.client import constitution
    from coseal.client.genesis import read_genesis
    from coseal.client.supervision import duration_ms

    document = constitution.read_constitution(file)
    track = document.track_of(kind)
    members = constitution.electors(document, read_genesis(genesis), track)
    votes = _votes(yes=yes, no=no, abstain=abstain)
    found = constitution.simulate(track, members, votes, duration_ms(at) if at else 0, _joining(track, joining))
    if as_json:
        print_json(_simulated_json(kind, found))
    else:
        _print_simulated(kind, at, found)


def _votes(**given: str) -> dict[str, str]:
    votes: dict[str, str] = {}
    for choice, names in given.items():
        for name in filter(None, (part.strip() for part in names.split(","))):
            if votes.setdefault(name, choice) != choice:
                raise CosealError(f"{name} is given twice", "a member has one vote")
    return votes


def _joining(track: Track, joining: str | None) -> str | None:
    from coseal.contracts.governance.resolution import CONSTITUENCIES

    if joining is None:
        return None
    if not track.own or joining not in CONSTITUENCIES:
        raise CosealError(f"--joining {joining}", f"for add_member: one of {', '.join(CONSTITUENCIES)}")
    return joining


def _print_simulated(kind: str, at: str | None, found: Simulated) -> None:
    table = plain_table("constituency", "members", "yes", "no", "abstain", "not voted")
    for name, count in found.tally.items():
        table.add_row(name, *(str(number) for number in (*count, count.silent)))
    table.print()
    against = found.outcome.overridden
    over = f", {against} is overridden" if against else ""
    typer.echo(f"{kind} on track {found.track.name} {f'after {at}' if at else 'at once'}: {found.outcome.status}{over}")
    if found.outcome.status == "open":
        typer.echo(_why_open(found))


def _why_open(found: Simulated) -> str:
    if not found.holds:
        return "the votes do not suffice yet"
    return "the votes suffice; a veto is still possible" if found.may_veto else "the votes suffice; it is being heard"


def _simulated_json(kind: str, found: Simulated) -> dict[str, Any]:
    return {
        "kind": kind,
        "track": found.track.name,
        "status": found.outcome.status,
        "overridden": found.outcome.overridden,
        "holds": found.holds,
        "may_veto": found.may_veto,
        "possible": found.possible,
        "tally": {name: {**count._asdict(), "silent": count.silent} for name, count in found.tally.items()},
    }


def _track_json(track: Track) -> Mapping[str, Any]:
    override = track.override
    return {
        "track": track.name,
        "electorate": track.electorate,
        "total": list(track.total),
        "classes": {name: list(quota) for name, quota in track.classes.items()},
        "at_least": track.at_least,
        "own": track.own,
        "override": None if override is None else {"after_ms": override.after_ms, "floor": list(override.floor)},
        "veto": list(track.veto),
        "open_ms": list(track.opening),
        "not_before_ms": track.not_before_ms,
        "delay_ms": track.delay_ms,
        "reason": list(track.reasons),
    }
