"""The commands that send what is committed to other systems: stream nats, webhook, print.

Law: what is sent was verified here; where a stream ends, its cursor says up to where it was acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coseal.cli.shared import JsonOption, folder
from coseal.cli.stream_options import CaOption, Keeping, Settings, asked, kept
from coseal.errors import EXIT_BAD, CosealError

if TYPE_CHECKING:
    from coseal.ledger.genesis import Genesis
    from coseal.streams.delivery import Delivery, Receiver, Report
    from coseal.streams.outgoing import Outgoing
    from coseal.streams.signature import Secret


class Sending(StrEnum):
    """The modes of CloudEvents' HTTP binding."""

    structured = "structured"
    binary = "binary"
    batch = "batch"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Send what is committed to other systems as CloudEvents, at least once, in order, verified before.",
    )
    group.command("nats")(stream_nats)
    group.command("webhook")(stream_webhook)
    group.command("print")(stream_print)
    app.add_typer(group, name="stream")


@asked
@kept
def stream_nats(
    settings: Settings,
    keeping: Keeping,
    server: Annotated[
        str, typer.Argument(metavar="URL", help="nats://HOST:PORT or tls://HOST:PORT.", envvar="COSEAL_NATS_URL")
    ],
    stream: Annotated[str, typer.Option("--stream", metavar="NAME", help="The JetStream stream.")] = "COSEAL",
    subject: Annotated[str, typer.Option("--subject", metavar="WORD", help="What subjects begin with.")] = "coseal",
    create: Annotated[bool, typer.Option("--create", help="Make the stream if it is absent.")] = False,
    credentials: Annotated[
        Path | None, typer.Option("--creds", metavar="FILE", help="Credentials, as nsc writes them.")
    ] = None,
    ca: CaOption = None,
    window: Annotated[int, typer.Option("--window", min=1, max=4_096, help="Messages on their way at once.")] = 256,
    timeout_s: Annotated[float, typer.Option("--timeout", metavar="S", min=1, help="For an acknowledgement.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Publish what is committed to a stream of NATS JetStream.

    Each event is a message under SUBJECT.CONTRACT.ACTION, acknowledged when the stream has stored it; its Nats-Msg-Id
    makes JetStream drop what it has already.

    Examples:

      coseal stream nats nats://127.0.0.1:4222 --create --cursor nats.cursor

      coseal stream nats tls://mq.example:4222 --creds ledger.creds --cursor f.cursor --type 'coseal.finding.*'
    """
    from coseal.streams.jetstream import JetStream, Options

    options = Options(stream, subject, create, window, timeout_s, credentials, ca)
    run(settings, keeping, lambda report: JetStream(server, options, report), _reporter(as_json=as_json))


@asked
@kept
def stream_webhook(
    settings: Settings,
    keeping: Keeping,
    target: Annotated[str, typer.Argument(metavar="URL", help="Where to post.", envvar="COSEAL_WEBHOOK_URL")],
    mode: Annotated[Sending, typer.Option("--mode", help="How events travel.")] = Sending.structured,
    batch: Annotated[int, typer.Option("--batch", min=1, max=10_000, help="Events in a request of mode batch.")] = 100,
    secret: Annotated[
        Path | None,
        typer.Option(
            "--secret-file", metavar="FILE", help="Sign with this secret.", envvar="COSEAL_WEBHOOK_SECRET_FILE"
        ),
    ] = None,
    secret_id: Annotated[
        str, typer.Option("--secret-id", metavar="TEXT", help="The id of the secret, sent to the receiver.")
    ] = "coseal",
    bearer: Annotated[
        Path | None,
        typer.Option("--bearer-file", metavar="FILE", help="Send this token.", envvar="COSEAL_WEBHOOK_BEARER_FILE"),
    ] = None,
    timeout_s: Annotated[float, typer.Option("--timeout", metavar="S", min=0.1, help="For a request.")] = 30.0,
    ca: CaOption = None,
    allow_http: Annotated[bool, typer.Option("--allow-http", help="Send in the clear to another machine.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Post what is committed to a webhook, as CloudEvents' HTTP binding says.

    A 2xx status acknowledges. Anything else is tried again with growing pauses, in order, for as long as it takes;
    what the receiver will never take (400, 409, 413, 422, 431) ends the stream, or goes to --dead-letters.

    Examples:

      coseal stream webhook https://erp.example/hook --cursor erp.cursor --secret-file erp.secret

      coseal stream webhook http://127.0.0.1:9000/ --cursor f.cursor --type 'coseal.finding.*' --severity violation
    """
    from coseal.streams.webhook import Mode, Options, Webhook

    options = Options(Mode(mode.value), batch, timeout_s, _secret(secret, secret_id), _bearer(bearer), allow_http, ca)
    run(settings, keeping, lambda report: Webhook(target, options), _reporter(as_json=as_json))


@asked
def stream_print(
    settings: Settings,
    cursor: Annotated[
        Path | None, typer.Option("--cursor", metavar="FILE", help="Go on after what was printed before.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print what is committed, an event a line; with --json as CloudEvents.

    Examples:

      coseal stream print --until-tip --type 'coseal.policy.*'

      coseal stream print --from tip --json | jq .data
    """
    run(settings, Keeping(cursor), lambda report: Printer(as_json=as_json), _complaints)


class Printer:
    """A receiver that is the standard output: acknowledged when it is written."""

    name = "standard output"
    batch_events = 100
    batch_bytes = 1_048_576

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    async def deliver(self, events: Sequence[Outgoing]) -> None:
        """Print events."""
        for event in events:
            sys.stdout.write((event.structured.decode() if self._as_json else _line(event)) + "\n")
        sys.stdout.flush()

    async def close(self) -> None:
        """Nothing to let go of."""


def _line(event: Outgoing) -> str:
    attributes = event.attributes
    more = [attributes[name] for name in ("subject", "eventtype", "severity") if name in attributes]
    return "  ".join([attributes["recordedtime"], f"{event.id:12}", f"{event.type:28}", *more])


def run(settings: Settings, keeping: Keeping, receiver_of: Callable[[Report], Receiver], report: Report) -> None:
    """Stream until the end or a signal; exit with 1 if there were dead letters."""
    if asyncio.run(_run(settings, keeping, receiver_of, report)):
        raise typer.Exit(EXIT_BAD)


async def _run(settings: Settings, keeping: Keeping, receiver_of: Callable[[Report], Receiver], report: Report) -> bool:
    from coseal.client.asynchronous import AsyncClient
    from coseal.streams.cursor import Cursor
    from coseal.streams.delivery import Delivery
    from coseal.streams.wanted import Wanted

    types, process_types, object_types = (
        tuple(given or ()) for given in (settings.types, settings.process_types, settings.object_types)
    )
    wanted = Wanted(types, process_types, object_types, settings.severity)
    start = _height(settings.start)
    urls, genesis = _nodes(settings)
    async with contextlib.AsyncExitStack() as held:
        receiver = receiver_of(report)
        held.push_async_callback(receiver.close)
        client = await held.enter_async_context(AsyncClient(urls, genesis, token=settings.token))
        cursor = None
        if keeping.cursor is not None:
            cursor = Cursor(keeping.cursor, chain_id=genesis.chain_id.hex(), to=receiver.name)
            held.callback(cursor.close)
        delivery = Delivery(
            client,
            receiver,
            wanted,
            report,
            cursor=cursor,
            start=start,
            follow=not settings.until_tip,
            dead_letters=keeping.dead_letters,
            give_up_s=keeping.give_up_s,
        )
        if keeping.metrics is not None:
            from coseal.streams.metrics import serve

            serve(delivery.figures, keeping.metrics)
        await _until_signal(delivery)
        report("ended", delivery.figures.document())
        return delivery.figures.dead_letters > 0


async def _until_signal(delivery: Delivery) -> None:
    """Deliver; a SIGTERM or SIGINT ends it in good order, the cursor written."""
    task = asyncio.ensure_future(delivery.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _nodes(settings: Settings) -> tuple[list[str], Genesis]:
    """Return the nodes to ask, all of the folder unless given, and the trusted genesis."""
    from coseal.network.access import Access

    first = settings.urls[0] if settings.urls else None
    access = Access(folder(settings.directory), settings.node, first, settings.genesis, None, settings.token)
    genesis = access.load_genesis()
    if settings.urls:
        return settings.urls, genesis
    network = access.network()
    nodes = network.nodes if settings.node is None else [network.node(settings.node)]
    return [node.url for node in nodes], genesis


def _height(text: str) -> int | None:
    if text == "tip":
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**63):
        raise CosealError(f"--from {text}: expected a height from 1 on, or tip")
    return int(text)


def _secret(file: Path | None, identity: str) -> Secret | None:
    """Return the secret of a file: its text without outer spaces."""
    if file is None:
        return None
    from coseal.streams.signature import MIN_SECRET_BYTES, Secret

    value = _text_of(file).encode()
    if len(value) < MIN_SECRET_BYTES:
        hint = f"make one of {MIN_SECRET_BYTES} bytes or more: openssl rand -hex 32"
        raise CosealError(f"{file}: the secret has {len(value)} bytes", hint)
    if not (identity.isascii() and identity.isprintable() and not set('"\\') & set(identity)):
        raise CosealError("--secret-id: expected printable ASCII without quotes and backslashes")
    return Secret(identity, value)


def _bearer(file: Path | None) -> str | None:
    text = None if file is None else _text_of(file)
    if text is not None and not (text and text.isascii() and text.isprintable() and " " not in text):
        raise CosealError(f"{file}: a bearer token is one word of printable ASCII")
    return text


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CosealError(f"{file}: {getattr(error, 'strerror', None) or 'is no text'}") from None


# What is reported

_LOUD: Final = frozenset(("no_node", "receiver_away", "dead_letter", "warning"))


def _reporter(*, as_json: bool) -> Report:
    """Return what tells on the standard output what happens: a JSON document a line, or a sentence."""

    def report(what: str, facts: dict[str, Any]) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if as_json:
            from coseal.ledger.strict_json import json_line

            typer.echo(json_line({"at": now, "what": what, **facts}))
        else:
            typer.secho(f"{now}  {_sentence(what, facts)}", fg="yellow" if what in _LOUD else None)
        sys.stdout.flush()

    return report


def _complaints(what: str, facts: dict[str, Any]) -> None:
    """Report on the standard error output what is wrong, nothing else."""
    if what in _LOUD:
        typer.secho(f"coseal: {_sentence(what, facts)}", fg="yellow", err=True)


def _sentence(what: str, facts: dict[str, Any]) -> str:
    if what == "started":
        return f"from block {facts['from']} to {facts['to']}"
    if what in ("sent", "ended"):
        dead = f", {facts['dead_letters']} dead letters" if facts["dead_letters"] else ""
        ended = "ended, " if what == "ended" else ""
        return f"{ended}up to block {facts['height']}: {facts['sent']} sent, {facts['left_out']} left out{dead}"
    if what == "receiver_away":
        return f"not acknowledged: {facts['detail']}; event {facts['event']} again in {facts['again_in_s']:.1f} s"
    if what == "receiver_back":
        return f"acknowledged again, after {facts['away_s']:.0f} s"
    if what == "dead_letter":
        return f"event {facts['event']} ({facts['type']}) was not taken and is in the dead letters: {facts['detail']}"
    return str(facts["detail"])
