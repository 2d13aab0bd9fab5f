"""Commands that run a local network: init, up, down, status, logs, node.

Law: `up` says that a network is up only after a block has committed on every node.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coseal.cli import live_view
from coseal.cli.shared import (
    Commands,
    ConsolePortOption,
    ConstitutionOption,
    ContractOption,
    DirectoryArgument,
    DirectoryOption,
    JsonOption,
    console,
    folder,
    in_folder,
    plain_table,
    print_json,
    short,
)
from coseal.errors import EXIT_BAD, CosealError

if TYPE_CHECKING:
    from subprocess import Popen

    from rich.console import RenderableType

    from coseal.ledger.genesis import Genesis
    from coseal.network.consortium import Consortium
    from coseal.network.folders import Network
    from coseal.network.processes import NodeStatus, Ready

node_app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Start, stop, kill, repair, add or remove one node of a local network, or replace its key.",
)

ValidatorsOption = Annotated[
    int | None, typer.Option("--validators", min=1, max=64, help="Validator nodes.", show_default="4")
]
ObserversOption = Annotated[int, typer.Option("--observers", min=0, max=64, help="Nodes that follow without a vote.")]
PortOption = Annotated[
    int | None, typer.Option("--base-port", min=1, max=65_535, help="First of two ports a node.", show_default="8600")
]
ConsortiumOption = Annotated[
    Path | None,
    typer.Option("--consortium", metavar="FILE.toml", help="Who founds the network, instead of the default."),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="pbft|cometbft",
        help="Who orders the blocks: Coseal's own PBFT, or CometBFT, whose binary you install.",
        show_default="pbft",
    ),
]
NodeArgument = Annotated[str, typer.Argument(metavar="NODE", help="A node's name, as `coseal status` lists it.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("up")(up)
    app.command("init")(init)
    app.command("down")(down)
    app.command("status")(status)
    app.command("logs")(logs)
    node_app.command("start")(node_start)
    node_app.command("stop")(node_stop)
    node_app.command("kill")(node_kill)
    app.add_typer(node_app, name="node")


@in_folder
def up(
    directory: DirectoryArgument = None,
    validators: ValidatorsOption = None,
    observers: ObserversOption = 0,
    base_port: PortOption = None,
    consortium: ConsortiumOption = None,
    contract: ContractOption = None,
    constitution: ConstitutionOption = None,
    engine: EngineOption = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when the network is up; end it with `down`.")
    ] = False,
    no_console: Annotated[
        bool, typer.Option("--no-console", help="Start the nodes alone, without a page to look at in a browser.")
    ] = False,
    console_port: ConsolePortOption = None,
    timeout: Annotated[float, typer.Option("--timeout", min=1, help="Give up after this many seconds.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Start a network on this machine and wait until a block has committed on every node.

    Makes DIR on the first run (genesis, members' keys, one folder a node); on later runs resumes its chain and waits
    until all nodes share one tip. In the foreground it shows the nodes until Ctrl-C, which stops them.

    Examples:

      coseal up --detach

      coseal up my-net --validators 7 --observers 1 --base-port 9000

      coseal up harbour --consortium harbour.toml

      coseal up trading --contract pledges

      coseal up trial --constitution founding

      coseal up wide --engine cometbft
    """
    from coseal.client.contracts import require_installed
    from coseal.network import console, folders, processes
    from coseal.network.engines import require_engine
    from coseal.network.ports import require_free

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # both end as Ctrl-C does: the nodes are stopped
    path = folder(directory)
    began = time.monotonic()
    fresh = not folders.exists(path)
    if fresh and console_port is not None:
        require_free([("the console", f"127.0.0.1:{console_port}")], "choose another --console-port")
    if fresh:
        founders = _founders(path, validators, consortium, engine)
        net = _make(path, founders, observers, base_port, contract or (), constitution, check_ports=True)
    else:
        net = folders.load(path)
        _refuse_changes(net, validators, observers, base_port, consortium)
        genesis = net.genesis()
        if engine not in (None, genesis.engine):
            raise CosealError(f"{genesis.engine} orders the chain of {genesis.name}", "an engine is chosen for good")
        require_engine(genesis.engine)
        _require_admitted(genesis, contract or ())
        _require_constitution(genesis, constitution)
        require_installed(genesis.name, genesis.contracts)
        console.require_free(net, console_port)
    waiting = [node for node in net.nodes if processes.pid_of(node) is None]
    processes.require_free_ports(waiting)
    started = {node.name: processes.start(node) for node in waiting}
    quiet = as_json or not sys.stderr.isatty()
    ready = processes.have_first_block if fresh else processes.share_one_tip
    try:
        statuses = _wait(net, started, ready, timeout, quiet=quiet)
    except (CosealError, KeyboardInterrupt):
        processes.stop([net.node(name) for name in started])
        raise
    elapsed_s = time.monotonic() - began
    page = None if no_console else _console(net, console_port)
    if as_json:
        print_json({**_status_document(net, statuses), "console": page})
    else:
        _say_up(net, statuses, elapsed_s, page, fresh=fresh)
    if detach:
        for process in started.values():
            process.returncode = 0  # they outlive us; nobody here will wait for them
        return
    _foreground(net, show=not as_json)


@in_folder
def init(
    directory: DirectoryArgument = None,
    validators: ValidatorsOption = None,
    observers: ObserversOption = 0,
    base_port: PortOption = None,
    consortium: ConsortiumOption = None,
    contract: ContractOption = None,
    constitution: ConstitutionOption = None,
    engine: EngineOption = None,
    by_name: Annotated[
        bool,
        typer.Option(
            "--by-name", help="For one container a node: peers reach each other by node name, all at one port."
        ),
    ] = False,
) -> None:
    """Make a network's folder (genesis, keys, configuration) without starting anything; keep one that is there.

    Example:

      coseal init /network --by-name
    """
    from coseal.network import folders

    path = folder(directory)
    if folders.exists(path):
        net = folders.load(path)
        net.genesis()
        typer.echo(f"{path} holds a network already: chain {net.chain_id}")
        return
    founders = _founders(path, validators, consortium, engine)
    net = _make(path, founders, observers, base_port, contract or (), constitution, by_name=by_name)
    typer.echo(f"{path}: {len(net.nodes)} nodes, chain {net.chain_id}")


@in_folder
def down(directory: DirectoryArgument = None, as_json: JsonOption = False) -> None:
    """Stop every node of a network, and its console; the chain stays and `coseal up` resumes it.

    Example:

      coseal down
    """
    from coseal.network import console, folders, processes

    net = folders.load(folder(directory))
    console.stop(net)
    stopped = processes.stop(net.nodes)
    if as_json:
        print_json({"stopped": stopped})
    else:
        typer.echo(f"stopped {', '.join(stopped)}" if stopped else "no node was running")


@in_folder
def status(
    directory: DirectoryArgument = None,
    as_json: JsonOption = False,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 unless every node is healthy.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Look again every second until Ctrl-C; --json: a line each.")
    ] = False,
    looks: Annotated[
        int | None, typer.Option("--looks", min=1, help="With --watch: end after this many looks.")
    ] = None,
) -> None:
    """Show how every node is: its height, round and state root, and why it is stalled if it is.

    Examples:

      coseal status

      coseal status --watch

      coseal status --json | python -m json.tool
    """
    from coseal.network import folders, processes

    net = folders.load(folder(directory))
    if watch:
        with contextlib.suppress(KeyboardInterrupt):
            live_view.show(net, as_json=as_json, looks=looks)
        if not check:
            return
    statuses = processes.status(net)
    if as_json and not watch:
        print_json(_status_document(net, statuses))
    elif not watch:
        console().print(_table(net, statuses))
    if check and not all(node.healthy for node in statuses):
        raise typer.Exit(EXIT_BAD)


def logs(
    node: NodeArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing as the node writes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 50,
    directory: DirectoryOption = None,
) -> None:
    """Print the end of a node's log.

    Example:

      coseal logs regulator --follow
    """
    from coseal.network import folders, processes

    entry = folders.load(folder(directory)).node(node)
    if not entry.log.is_file():
        raise CosealError(f"{node} has no log yet", f"start it with `coseal node start {node}`")
    typer.echo(processes.log_tail(entry, lines))
    if not follow:
        return
    with entry.log.open(errors="replace") as file:
        file.seek(0, 2)
        try:
            while True:
                text = file.readline()
                typer.echo(text, nl=False) if text else time.sleep(0.2)
        except KeyboardInterrupt:
            return


def node_start(node: NodeArgument, directory: DirectoryOption = None) -> None:
    """Start a stopped node; wait until it answers and, for up to 10 s, until it has what the others have.

    Example:

      coseal node start enterprise-a
    """
    from coseal.network import folders, processes

    net = folders.load(folder(directory))
    pid, found = processes.start_and_follow(net, net.node(node))
    typer.echo(f"{node} runs as process {pid}, at height {found.height}")


def node_stop(node: NodeArgument, directory: DirectoryOption = None) -> None:
    """Stop a node in good order (SIGTERM).

    Example:

      coseal node stop enterprise-a
    """
    from coseal.network import folders, processes

    entry = folders.load(folder(directory)).node(node)
    typer.echo(f"stopped {node}" if processes.stop([entry]) else f"{node} was not running")


def node_kill(node: NodeArgument, directory: DirectoryOption = None) -> None:
    """Kill a node at once (SIGKILL), as a crash would.

    Example:

      coseal node kill bank-a
    """
    from coseal.network import folders, processes

    pid = processes.kill(folders.load(folder(directory)).node(node))
    typer.echo(f"killed {node}, process {pid}")


def _make(
    path: Path,
    consortium: Consortium,
    observers: int,
    base_port: int | None,
    contracts: Sequence[str],
    constitution: str | None,
    *,
    by_name: bool = False,
    check_ports: bool = False,
) -> Network:
    """Make the folder; with ``check_ports`` first see that its ports are free, so that nothing is left behind."""
    from coseal.cli.constitution import RECOMMENDED, named_document
    from coseal.client.contracts import chosen, require_installed
    from coseal.network import folders, processes
    from coseal.network.engines import require_engine

    addressing = folders.Addressing(base_port or folders.DEFAULT_BASE_PORT, by_name=by_name)
    founders = consortium.with_contracts(chosen(contracts))
    require_installed(founders.name, founders.contracts)
    founders = founders.with_constitution(named_document(constitution or RECOMMENDED))
    if check_ports:
        require_engine(founders.engine)
        processes.require_free_ports(folders.planned_nodes(founders, observers, addressing), planned=True)
    return folders.create(path, founders, observers=observers, addressing=addressing)


def _require_constitution(genesis: Genesis, wanted: str | None) -> None:
    """Refuse to found a chain that is there with another constitution: a ballot amends it."""
    from coseal.cli.constitution import named_document

    if wanted is not None and named_document(wanted) != genesis.constitution:
        raise CosealError(
            f"the genesis of {genesis.name} has another constitution", "a ballot amends it: `coseal constitution amend`"
        )


def _founders(path: Path, validators: int | None, file: Path | None, engine: str | None = None) -> Consortium:
    found = _consortium(path, validators, file)
    return found if engine is None else found.with_engine(engine)


def _consortium(path: Path, validators: int | None, file: Path | None) -> Consortium:
    from coseal.ledger.genesis import is_name
    from coseal.network.consortium import default_consortium, load_consortium

    if file is None:
        name = path.resolve().name.lower()
        return default_consortium(4 if validators is None else validators, name if is_name(name) else "coseal-net")
    if validators is not None:
        raise CosealError("--validators and --consortium exclude each other", f"the seats stand in {file}")
    return load_consortium(file)


def _refuse_changes(
    net: Network, validators: int | None, observers: int, base_port: int | None, consortium: Path | None
) -> None:
    """Refuse options that ask for another network than the one there is; those that describe it do no harm."""
    kinds = [node.kind for node in net.nodes]
    changes = {
        "--validators": validators not in (None, kinds.count("validator")),
        "--observers": observers not in (0, kinds.count("observer")),
        "--base-port": base_port not in (None, int(net.nodes[0].http.rpartition(":")[2])),
        "--consortium": consortium is not None and _founders(net.directory, validators, consortium).name != net.name,
    }
    names = [name for name, changed in changes.items() if changed]
    if names:
        raise CosealError(
            f"{net.directory} holds a network already, {', '.join(names)} cannot change it", "choose another folder"
        )


def _require_admitted(genesis: Genesis, names: Sequence[str]) -> None:
    """Refuse to found a chain that is there with more contracts of others: a ballot admits them."""
    from coseal.client.contracts import chosen

    for sources in chosen(names):
        if sources not in genesis.contracts:
            hint = "a ballot admits it: `coseal governance propose add_contract`"
            raise CosealError(f"the genesis of {genesis.name} does not admit {sources.name} {sources.version}", hint)


def _wait(
    net: Network, started: dict[str, Popen[bytes]], ready: Ready, timeout: float, *, quiet: bool
) -> list[NodeStatus]:
    from coseal.network import processes

    if quiet:
        return processes.wait(net, started, ready, timeout_s=timeout)
    from rich.live import Live

    with Live(console=console(stderr=True), refresh_per_second=8, transient=True) as live:
        return processes.wait(
            net, started, ready, report=lambda statuses: live.update(_table(net, statuses)), timeout_s=timeout
        )


def _say_up(net: Network, statuses: Sequence[NodeStatus], elapsed_s: float, page: str | None, *, fresh: bool) -> None:
    url = net.nodes[0].url
    out = console()
    out.print(_table(net, statuses))
    what = "first block on all nodes" if fresh else "one tip on all nodes"
    out.print(f"[green]up[/green]: {what} after {elapsed_s:.1f} s; chain {net.chain_id}", highlight=False)
    if sum(node.kind == "validator" for node in net.nodes) < 4:
        out.print("  [yellow]fewer than 4 validators tolerate no fault: for development only[/yellow]")
    if page is not None:
        out.print(f"  look        {page}", highlight=False)
    out.print(f"  try         curl -s {url}/v1/status", highlight=False)
    out.print(f"  interface   {url}/docs", highlight=False)
    out.print(f"  stop        coseal down {net.directory}", highlight=False)


def _console(net: Network, port: int | None) -> str | None:
    """Start the console, which loads beside the nodes; one that has no port keeps no network down."""
    from coseal.network import console

    try:
        return console.start(net, port)
    except CosealError as error:
        typer.secho(f"no console: {error.detail}; {error.hint}", fg="yellow", err=True)
        return None


def _foreground(net: Network, *, show: bool) -> None:
    """Show the nodes until Ctrl-C, then stop them."""
    from coseal.network import console, processes

    try:
        if show:
            live_view.show(net, calm=True, ending="Ctrl-C stops the nodes")
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        typer.echo("stopping", err=True)
        console.stop(net)
        processes.stop(net.nodes)


def _status_document(net: Network, statuses: Sequence[NodeStatus]) -> dict[str, object]:
    return {"chain_id": net.chain_id, "nodes": [asdict(node) for node in statuses]}


def _table(net: Network, statuses: Sequence[NodeStatus]) -> RenderableType:
    from rich.text import Text

    names = ("node", "role", "kind", "pid", "height", "round", "state root", "health")
    proven = {name: count for node in statuses for name, count in (node.evidence or {}).items()}
    table = plain_table(*names, *(("evidence",) if proven else ()))
    table.set_title(f"{net.name} · chain {short(net.chain_id)}")
    for node in statuses:
        health = Text("healthy", "green") if node.healthy else Text(node.why_stalled or "not healthy", "yellow")
        numbers = ("-" if value is None else str(value) for value in (node.pid, node.height, node.round))
        count = proven.get(node.name, 0)
        against = Text(f"{count} proof{'s' if count > 1 else ''} against it" if count else "", "red")
        extra = (against,) if proven else ()
        table.add_row(node.name, node.role, node.kind, *numbers, short(node.state_root, 10), health, *extra)
    if coming := live_view.coming_rules(statuses):
        table.drawn.caption, table.drawn.caption_justify = Text(coming, "yellow"), "left"
    return table.drawn
