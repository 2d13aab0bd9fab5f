"""Commands that check instead of believing: audit, verify.

Law: exit code 0 only if everything asked for holds; 1 if something is false; 2 if it could not be determined.
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.as_of import Other, other_node, other_url, up_to
from coseal.cli.shared import (
    DirectoryArgument,
    DirectoryOption,
    GenesisOption,
    JsonOption,
    MinHeightOption,
    TokenOption,
    folder,
    in_folder,
    print_facts,
    print_json,
)
from coseal.errors import EXIT_BAD, EXIT_OK, EXIT_UNKNOWN, CosealError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from coseal.audit.audit import Progress
    from coseal.audit.replay import Replay
    from coseal.audit.report import AuditReport
    from coseal.audit.sources import Source
    from coseal.audit.steps import Step
    from coseal.audit.verify import Verification
    from coseal.ledger.genesis import Genesis

    RunAudit: TypeAlias = Callable[[Progress | None], AuditReport]


class LevelName(StrEnum):
    """How deep to look; each does what those before it do."""

    headers = "headers"
    certificates = "certificates"
    merkle = "merkle"
    replay = "replay"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("audit")(audit)
    app.command("verify")(verify)


@in_folder
def audit(
    directory: DirectoryArgument = None,
    url: Annotated[
        list[str] | None,
        typer.Option(
            "--url", metavar="URL", help="A running node; several are compared. Instead of DIR's block files."
        ),
    ] = None,
    genesis: GenesisOption = None,
    level: Annotated[
        LevelName | None,
        typer.Option("--level", help="How deep.", show_default="replay; merkle if --from is above 1"),
    ] = None,
    first: Annotated[int, typer.Option("--from", min=1, metavar="H", help="First height.")] = 1,
    last: Annotated[
        int | None, typer.Option("--to", min=1, metavar="H", help="Last height.", show_default="the highest tip")
    ] = None,
    trust: Annotated[
        str | None,
        typer.Option("--trust", metavar="HEIGHT:HASH", help="A block hash you know to be right, learnt elsewhere."),
    ] = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Audit the chain without trusting any node: headers, certificates, Merkle roots, and all outcomes by replay.

    Reads every node's block files in DIR, or asks nodes by --url. Names height, reason and members of anything false,
    and says what must still be believed.

    Examples:

      coseal audit

      coseal audit --url http://127.0.0.1:8600 --url http://127.0.0.1:8602 --level certificates

      coseal audit /backup/regulator --genesis genesis.json --trust 1200:5f0c..
    """
    chosen = level or (LevelName.replay if first == 1 else LevelName.merkle)
    report, trusted = run_audit(
        directory, url, genesis, chosen, first=first, last=last, trust=trust, token=token, quiet=as_json
    )
    if as_json:
        print_json(report.to_json())
    else:
        print_report(report, trusted)
    raise typer.Exit({"ok": EXIT_OK, "bad": EXIT_BAD, "unknown": EXIT_UNKNOWN}[report.verdict.value])


def run_audit(
    directory: Path | None,
    urls: Sequence[str] | None,
    genesis: Path | None,
    level: LevelName,
    *,
    first: int,
    last: int | None,
    trust: str | None = None,
    token: str | None,
    quiet: bool,
    replay: Callable[[Genesis], Replay] | None = None,
) -> tuple[AuditReport, Genesis]:
    """Audit what a command names, under a progress bar; return the report and the genesis that was trusted.

    ``replay`` makes what computes the state, for a command that asks it more afterwards.
    """
    from coseal.audit.audit import audit, parse_pin
    from coseal.audit.report import Level
    from coseal.audit.sources import UrlSource, sources_in
    from coseal.client.genesis import read_genesis

    path = folder(directory)
    trusted = read_genesis(genesis) if genesis is not None else genesis_of(path)
    state = None if replay is None else replay(trusted)
    try:
        pin = None if trust is None else parse_pin(trust)
        if not urls and not path.exists():
            raise CosealError(f"{path}: no such folder", "give a network's or node's folder, or --url")
        sources: list[Source] = [UrlSource(one, token=token) for one in urls] if urls else [*sources_in(path)]
        report = _with_bar(
            lambda progress: audit(
                sources,
                trusted,
                Level.of(level.value),
                first=first,
                last=last,
                pin=pin,
                progress=progress,
                replay=state,
            ),
            quiet=quiet,
        )
    except ValueError as error:
        raise CosealError(str(error)) from None
    return report, trusted


def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A receipt, state proof, evidence bundle, export's manifest, ...")
    ],
    genesis: GenesisOption = None,
    directory: DirectoryOption = None,
    steps: Annotated[
        bool, typer.Option("--steps", help="Show each check, under which rule, and with which values.")
    ] = False,
    min_height: MinHeightOption = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Ask this node how high the chain is by now.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify one document offline, against the genesis alone.

    A document says what was so as of its block, not that nothing came later. A node of the network's folder, or the one
    at --url, is asked how high the chain is by now, if it answers; the verdict does not rest on that. --min-height H
    refuses, with exit code 2, a document that is of an earlier block.

    Examples:

      coseal verify receipt.json

      coseal verify receipt.json --steps

      coseal verify receipt.json --genesis genesis.json --json

      coseal verify f12.json --genesis genesis.json

      coseal verify fines.json.manifest.json

      coseal verify case.json --min-height 1200 --url https://node.example.org
    """
    from coseal.audit.verify import verify_file
    from coseal.client.genesis import read_genesis

    trusted = read_genesis(genesis) if genesis is not None else genesis_of(folder(directory))
    result = verify_file(file, trusted)
    if min_height is not None:
        result = result.as_of(min_height)
    other = None
    if result.height is not None:
        other = other_node(folder(directory), trusted) if url is None else other_url(url, trusted)
    if as_json:
        said = {} if other is None else {"chain": {"node": other.name, "height": other.height}}
        print_json({**result.to_json(), **said})
    else:
        _print_verification(result, other, steps=steps)
    raise typer.Exit(result.exit_code)


def genesis_of(path: Path) -> Genesis:
    """Return the genesis that lies in a network's folder, or beside or above a node's; raise ``CosealError``."""
    from coseal.client.genesis import read_genesis
    from coseal.network import folders

    if folders.exists(path):
        return folders.load(path).genesis()
    for folder_path in (path, *path.resolve().parents[:2]):  # a node's folder lies two below its network's
        if (folder_path / "genesis.json").is_file():
            return read_genesis(folder_path / "genesis.json")
    raise CosealError(f"no genesis in {path}", "give --genesis FILE, got from a member you trust")


def _with_bar(run: RunAudit, *, quiet: bool) -> AuditReport:
    """Run an audit under a progress bar on stderr, if a person is looking."""
    if quiet or not sys.stderr.isatty():
        return run(None)
    from coseal.cli.shared import progress_bar

    with progress_bar() as bar:
        task = bar.add_task("blocks", total=None)
        return run(lambda height, goal: bar.update(task, completed=height, total=goal))


def print_report(report: AuditReport, genesis: Genesis) -> None:
    """Print an audit's outcome for people."""
    colour = {"ok": "green", "bad": "red", "unknown": "yellow"}[report.verdict.value]
    which = f" ({report.first} to {report.last})" if report.blocks else ""
    typer.secho(
        f"{report.verdict.value}: {report.blocks} blocks{which}, {report.transactions} transactions, "
        f"level {report.level}",
        fg=colour,
    )
    typer.echo(f"  chain       {report.chain_id}")
    if report.head_hash is not None:
        typer.echo(f"  block {report.last:<5} {report.head_hash}")
        typer.echo(f"  state root  {report.state_root}")
    for source in report.sources:
        note = f" - {source.note}" if source.note else ""
        typer.echo(f"  source      {source.name}: {source.status}, agreed to height {source.agreed}{note}")
    for finding in report.findings:
        where = "" if finding.height is None else f"height {finding.height}: "
        who = f" [signed by {', '.join(finding.members)}]" if finding.members else ""
        place = f" ({finding.source})" if finding.source else ""
        typer.secho(f"  finding     {where}{finding.reason}{place}{who}", fg="red")
    _print_contradictions(report)
    _print_remaining(report.remaining_trust)


def _print_contradictions(report: AuditReport) -> None:
    """Say whose validators are proven to have contradicted themselves, if the blocks were looked into."""
    if report.contradictions is None or not report.blocks:
        return
    members: dict[str, list[str]] = {}
    for item in report.contradictions:
        members.setdefault(f"{item.member} ({item.validator})", []).append(str(item.height))
    count = f"{len(members)} member{'' if len(members) == 1 else 's'}" if members else "no member"
    typer.echo(f"  evidence    {count} proven to have contradicted {'themselves' if len(members) > 1 else 'itself'}")
    for who, heights in sorted(members.items()):
        typer.secho(f"              {who}, at height {', '.join(heights)}", fg="yellow")


def _print_verification(result: Verification, other: Other | None, *, steps: bool) -> None:
    from coseal.audit.bundle import KIND
    from coseal.audit.verify import REMAINING_TRUST
    from coseal.contracts.governance.decision_keys import KIND as DECISION

    colour = {"ok": "green", "bad": "red", "unknown": "yellow"}[result.verdict.value]
    typer.secho(f"{result.verdict.value}: {result.reason}", fg=colour)
    if result.height is not None:
        typer.echo(f"  {up_to(result.height, str(result.facts.get('time')))}")
        if other is not None:
            typer.echo(f"  {other.against(result.height)}")
    if steps or result.kind == KIND:
        print_steps(result.steps, values=steps)
    if result.kind == KIND:
        _print_case(result.facts)
        return
    if result.kind == DECISION:
        _print_decision(result.facts)
    else:
        print_facts(result.facts)
    if steps:
        _print_remaining([REMAINING_TRUST[name] for name in result.remaining])


def print_steps(steps: Sequence[Step], *, values: bool = False) -> None:
    """Print the steps of a verification, up to the one that fails; with ``values`` also the rule and what was seen."""
    colours = {"ok": "green", "bad": "red", "unknown": "yellow"}
    for number, step in enumerate(steps, 1):
        typer.secho(f"  {number:>2} {step.name:<16} {step.verdict.value:<7}", fg=colours[step.verdict.value], nl=False)
        typer.echo(f" {step.detail}")
        if values:
            typer.echo(f"      {'rule':<16} {step.rule}")
            for name, value in step.values.items():
                written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                typer.echo(f"      {name:<16} {written}")


def _print_case(facts: Mapping[str, Any]) -> None:
    """Print what an evidence bundle proves of its findings, and what it leaves to be believed."""
    from coseal.client.languages import reader_language, why

    language = reader_language()
    block = f"block {facts['height']} ({facts['time']})" if "height" in facts else ""
    for finding in facts.get("findings", ()):
        outcome = finding["outcome"] or finding["status"]
        raised = f"raised in block {finding['height']}; {outcome} at {block}"
        typer.echo(f"  {finding['id']} {finding['rule']}: {why(finding, language)} - {raised}")
        for step in finding["steps"]:
            said = step.get("question") or step.get("response") or step.get("reason") or step.get("note") or ""
            when = f"{step['time'][:16]}  block {step['height']}"
            typer.echo(f"      {when:<30} {step['step']:<13} {step['by']:<20} {said}")
    _print_remaining(facts.get("remaining_trust", ()))


def _print_decision(facts: Mapping[str, Any]) -> None:
    """Print how a ballot was decided: by which constitution, by constituency, and each vote with its reason."""
    if not facts:
        return
    constitution = facts["constitution"]
    typer.echo(f"  by constitution {constitution['version']}, {constitution['title']}, track {facts['track']}")
    for name, count in facts["constituencies"].items():
        quota = f", more than {'/'.join(map(str, count['quota']))} asked" if "quota" in count else ""
        said = ", ".join(f"{count[choice]} {choice}" for choice in ("yes", "no", "abstain"))
        typer.echo(f"  {name:<12} {said} of {count['members']}{quota}")
    for vote in facts["votes"]:
        not_counted = "" if facts["electorate"] in vote["counted_in"] else " (had no vote when it was decided)"
        turn = f"round {vote['round']}  " if facts["votes"][-1]["round"] > 1 else ""
        typer.echo(f"    {turn}{vote['member']:<20} {vote['choice']:<8} {vote['reason']}{not_counted}")


def _print_remaining(lines: Sequence[str]) -> None:
    if lines:
        typer.echo("what must still be believed:")
    for line in lines:
        typer.echo(f"  - {line}")
