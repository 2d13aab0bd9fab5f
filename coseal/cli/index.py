"""Commands about SQL on the user's own machine: index sync, rebuild, status, schema; and sql.

Law: what is asked of an index was verified when it was filled; asking cannot change it.
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coseal.cli.as_of import ago
from coseal.cli.shared import DirectoryArgument, GenesisOption, JsonOption, TokenOption, folder, in_folder, print_json
from coseal.errors import EXIT_BAD, EXIT_OK, EXIT_UNKNOWN, CosealError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coseal.audit.sources import Source
    from coseal.ledger.genesis import Genesis
    from coseal.sql.store import Answer, Store
    from coseal.sql.sync import Synced

_DEFAULT = "sqlite:///coseal-index.sqlite"

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--db", metavar="DB", envvar="COSEAL_DB", help="The index: sqlite:///FILE, or postgresql://USER@HOST/NAME."
    ),
]
UrlsOption = Annotated[
    list[str] | None,
    typer.Option("--url", metavar="URL", help="A running node; several are compared. Instead of DIR's block files."),
]
ReplayOption = Annotated[
    bool, typer.Option("--replay", help="Compute every outcome again as well, from the genesis on.")
]
LastOption = Annotated[
    int | None, typer.Option("--to", min=1, metavar="H", help="Last height.", show_default="the highest tip")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="Your own SQL index of the chain, verified as it fills.")
    group.command("sync")(sync)
    group.command("rebuild")(rebuild)
    group.command("status")(status)
    group.command("schema")(schema)
    app.add_typer(group, name="index")
    app.command("sql")(sql)


@in_folder
def sync(
    directory: DirectoryArgument = None,
    database: DatabaseOption = _DEFAULT,
    url: UrlsOption = None,
    genesis: GenesisOption = None,
    last: LastOption = None,
    replay: ReplayOption = False,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the blocks that your index lacks into it, each verified first: headers, certificates, Merkle roots.

    DIR is a network's or node's folder, a folder of block files, or an archive of blocks. Ended at any moment, it goes
    on where it was.

    Examples:

      coseal index sync

      coseal index sync --url https://node.example:8600 --genesis genesis.json --db postgresql://auditor@localhost/chain
    """
    _fill(database, directory, url, genesis, token, last=last, replay=replay, from_empty=False, as_json=as_json)


@in_folder
def rebuild(
    directory: DirectoryArgument = None,
    database: DatabaseOption = _DEFAULT,
    url: UrlsOption = None,
    genesis: GenesisOption = None,
    last: LastOption = None,
    replay: ReplayOption = False,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Empty your index and fill it from the chain again: after an update of the schema, or when in doubt.

    Examples:

      coseal index rebuild --replay
    """
    _fill(database, directory, url, genesis, token, last=last, replay=replay, from_empty=True, as_json=as_json)


@in_folder
def status(
    directory: DirectoryArgument = None,
    database: DatabaseOption = _DEFAULT,
    url: UrlsOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how far your index goes, and how far behind the chain that is.

    Examples:

      coseal index status

      coseal index status --url http://127.0.0.1:8600 --json
    """
    from coseal.contracts.rows.tables import VERSION
    from coseal.sql.store import open_store
    from coseal.sql.sync import highest_tip

    store = open_store(database, create=False)
    try:
        found = store.standing()
    finally:
        store.close()
    if found is None:
        raise CosealError(f"there is no index in {store.name}", "`coseal index sync` makes one")
    tip = highest_tip(_sources(directory, url, token, must=False))
    age_s = max(0, int(time.time()) - found.time_ms // 1_000)
    shown = {
        "database": store.name,
        "chain_id": found.chain_id.hex(),
        "schema": found.version,
        "current": found.version == VERSION,
        "height": found.height,
        "hash": found.hash.hex(),
        "time_ms": found.time_ms,
        "replayed": found.replayed,
        "tip": tip,
        "lag": None if tip is None else max(0, tip - found.height),
        "age_s": age_s,
    }
    if as_json:
        print_json(shown)
        return
    typer.secho(f"{store.name}: height {found.height}, {_lag(tip, found.height)}", fg="green" if tip else "yellow")
    typer.echo(f"  chain     {found.chain_id.hex()}")
    typer.echo(f"  block     {found.hash.hex()}, {ago(age_s)} ago")
    typer.echo(f"  verified  certificates and roots to {found.height}, replay to {found.replayed}")
    note = "" if shown["current"] else f"; this software has {VERSION}: `coseal index rebuild`"
    typer.echo(f"  schema    version {found.version}{note}")


def schema(
    table: Annotated[str | None, typer.Argument(metavar="TABLE", help="One of them.", show_default="all")] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print it as docs/sql.md has it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the tables and views of an index, with every column in words.

    Examples:

      coseal index schema findings
    """
    from coseal.sql.describe import described, markdown

    if as_markdown:
        typer.echo(markdown())
        return
    tables = [one for one in described() if table in (None, one["name"])]
    if not tables:
        raise CosealError(f"there is no table {table}", "`coseal index schema` lists them")
    if as_json:
        print_json(tables)
        return
    for one in tables:
        typer.secho(one["name"], bold=True, nl=False)
        typer.echo(f"  {one['says']}")
        width = max(len(column["name"]) for column in one["columns"])
        for column in one["columns"]:
            typer.echo(f"    {column['name']:<{width}}  {column['type']:<7}  {column['says']}")


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT; - reads it from standard input.")],
    database: DatabaseOption = _DEFAULT,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000_000, help="The most rows to print.")] = 1_000,
    timeout: Annotated[float, typer.Option("--timeout", min=0.001, max=86_400, help="Seconds.")] = 30.0,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask your index in SQL. Nothing can be changed by it; `coseal index schema` lists what there is.

    Examples:

      coseal sql "SELECT year, count(*) FROM policies GROUP BY year ORDER BY year"

      coseal sql --csv "SELECT rule, status, count(*) AS findings FROM findings GROUP BY rule, status" > findings.csv
    """
    from coseal.sql.store import ask

    if as_csv and as_json:
        raise CosealError("--csv and --json exclude each other")
    text = sys.stdin.read() if query == "-" else query
    answer = ask(database, text, limit=limit, timeout_s=timeout)
    if as_json:
        rows = [[_value(value) for value in row] for row in answer.rows]
        print_json({"height": answer.height, "columns": answer.columns, "rows": rows, "more": answer.more})
        return
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows([_plain(value) for value in row] for row in answer.rows)
    else:
        _print(answer)
    if answer.more:
        typer.echo(f"there are more than {limit} rows: --limit N", err=True)


def _fill(
    database: str,
    directory: Path | None,
    urls: list[str] | None,
    genesis: Path | None,
    token: str | None,
    *,
    last: int | None,
    replay: bool,
    from_empty: bool,
    as_json: bool,
) -> None:
    from coseal.cli.audit import genesis_of
    from coseal.client.genesis import read_genesis
    from coseal.sql.store import open_store
    from coseal.sql.sync import highest_tip

    trusted = read_genesis(genesis) if genesis is not None else genesis_of(folder(directory))
    sources = _sources(directory, urls, token)
    store = open_store(database)
    try:
        if from_empty:
            if highest_tip(sources) is None:
                raise Unreachable("no source answers, so the index stays as it is", "start a node, or give --url")
            store.empty(trusted)
        synced = _with_bar(store, sources, trusted, last=last, replay=replay, quiet=as_json)
    finally:
        store.close()
    if as_json:
        print_json({"database": store.name, **synced.to_json()})
    else:
        _tell(store.name, synced, trusted)
    verdict = "ok" if synced.report is None else synced.report.verdict.value
    raise typer.Exit({"ok": EXIT_OK, "bad": EXIT_BAD, "unknown": EXIT_UNKNOWN}[verdict])


def _sources(directory: Path | None, urls: list[str] | None, token: str | None, *, must: bool = True) -> list[Source]:
    from coseal.audit.sources import UrlSource, sources_in

    try:
        if urls:
            return [UrlSource(url, token=token) for url in urls]
    except ValueError as error:
        raise CosealError(str(error)) from None
    path = folder(directory)
    if path.exists():
        return [*sources_in(path)]
    if must:
        raise CosealError(f"{path}: no such folder", "give a network's or node's folder, an archive, or --url")
    return []


def _with_bar(
    store: Store, sources: Sequence[Source], genesis: Genesis, *, last: int | None, replay: bool, quiet: bool
) -> Synced:
    """Fill an index under a progress bar on stderr, if a person is looking."""
    from coseal.sql.sync import sync as fill

    if quiet or not sys.stderr.isatty():
        return fill(store, sources, genesis, last=last, replay=replay)
    from coseal.cli.shared import progress_bar

    with progress_bar() as bar:
        task = bar.add_task("blocks", total=None)
        return fill(
            store,
            sources,
            genesis,
            last=last,
            replay=replay,
            progress=lambda height, goal: bar.update(task, completed=height, total=goal),
        )


def _tell(name: str, synced: Synced, genesis: Genesis) -> None:
    from coseal.cli.audit import print_report

    before, after = synced.before, synced.after
    good = synced.report is None or synced.report.verdict.value == "ok"
    typer.secho(
        f"{name}: height {after.height} (+{after.height - before.height}), {_lag(synced.tip, after.height)}",
        fg="green" if good else "yellow",
    )
    for left in synced.left_out:
        what = f"block {left.height}, transaction {left.position}, {left.name}"
        cause = f"the rows of contract {left.contract}, {left.error}" if left.contract else "a fault in this software"
        typer.secho(f"  left out because of {cause}: {what}; see the table left_out", fg="yellow")
    if synced.report is not None and not good:
        print_report(synced.report, genesis)


def _lag(tip: int | None, height: int) -> str:
    if tip is None:
        return "no source to compare with answers"
    return "up to date" if tip <= height else f"{tip - height} blocks behind"


def _print(answer: Answer) -> None:
    from coseal.cli.shared import plain_table

    table = plain_table(*answer.columns)
    for row in answer.rows:
        table.add_row(*(_plain(value) for value in row))
    table.print()
    count = f"{len(answer.rows)} row{'' if len(answer.rows) == 1 else 's'}"
    typer.echo(f"{count} at height {answer.height}", err=True)


def _value(value: Any) -> Any:
    """Return a value as JSON holds it: numbers and texts as they are, anything else as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None  # JSON has no infinity
    return _plain(value)


def _plain(value: Any) -> str:
    """Return a value as text; bytes in hexadecimal, null as nothing."""
    if value is None:
        return ""
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
