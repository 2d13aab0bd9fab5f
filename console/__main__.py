"""The console's process: ``python -m coseal.console DIR`` or ``python -m coseal.console --url URL --genesis FILE``.

Law: it listens on this machine's loopback address only, and prints one line with where.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from coseal.console.live import LookUp
    from coseal.ledger.genesis import Genesis

DEFAULT_PORT: Final = 8580


def main() -> int:
    """Run the console until it is ended; return the exit code."""
    arguments = _arguments()
    from coseal.errors import CosealError

    try:
        listening = _listen(arguments)
        return _serve(arguments, listening)
    except CosealError as error:
        print(f"console: {error.detail}", *([error.hint] if error.hint else []), sep="\n", file=sys.stderr)
        return error.exit_code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m coseal.console", description="The web console of a Coseal network."
    )
    parser.add_argument("directory", nargs="?", type=Path, default=Path("coseal-net"), help="the network's folder")
    parser.add_argument("--url", action="append", default=[], help="ask the node at this URL; may be repeated")
    parser.add_argument("--genesis", type=Path, help="the trusted genesis (default: the folder's)")
    parser.add_argument("--as", dest="sender", metavar="MEMBER[/USER]", help="sign as this operator")
    parser.add_argument("--key", type=Path, help="that operator's key (default: the folder's)")
    parser.add_argument("--port", type=int, help=f"port on loopback (default: {DEFAULT_PORT}, or a free one)")
    parser.add_argument("--fd", type=int, help="a listening socket, inherited")
    return parser.parse_args()


def _listen(arguments: argparse.Namespace) -> socket.socket:
    """Return the listening socket: an inherited one, or one on loopback at the port asked for."""
    from coseal.errors import CosealError

    if arguments.fd is not None:
        return socket.socket(fileno=arguments.fd)
    try:
        return listen(arguments.port)
    except OSError as error:
        raise CosealError(
            f"cannot listen on port {arguments.port}: {error.strerror}", "choose another --port"
        ) from None


def listen(port: int | None) -> socket.socket:
    """Return a socket listening on loopback: at ``port``, or at the usual port, or else at a free one."""
    for wanted in (port,) if port is not None else (DEFAULT_PORT, 0):
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", wanted))
        except OSError:
            listening.close()
            if wanted == port or wanted == 0:
                raise
            continue
        listening.listen(128)
        return listening
    raise OSError("no port")


def _serve(arguments: argparse.Namespace, listening: socket.socket) -> int:
    import uvicorn

    from coseal.console.app import application
    from coseal.console.console import Console
    from coseal.console.nodes import Address
    from coseal.console.signing import Operator
    from coseal.errors import CosealError
    from coseal.network.access import Access

    access = Access(
        arguments.directory, url=next(iter(arguments.url), None), genesis=arguments.genesis, key=arguments.key
    )
    genesis = access.load_genesis()
    named = tuple(Address(url.split("//")[-1].rstrip("/"), url.rstrip("/")) for url in arguments.url)
    look_up = None if named else _of_folder(arguments.directory, genesis)
    addresses = named if look_up is None else look_up()
    if not addresses:
        raise CosealError("no node to ask", "give a network's folder, or --url")
    operator = None
    if arguments.sender is not None:
        sender, signer = access.identity(arguments.sender, genesis)
        operator = Operator(genesis, sender, signer)
    port = listening.getsockname()[1]
    console = Console(
        genesis, addresses, port=port, operator=operator, token=os.environ.get("COSEAL_TOKEN"), look_up=look_up
    )
    url = f"http://127.0.0.1:{port}/"
    print(f"console     {url}enter?ticket={console.session.ticket}" if operator else f"console     {url}", flush=True)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    config = uvicorn.Config(
        application(console),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=16_384,
    )
    uvicorn.Server(config).run(sockets=[listening])
    return 0


def _of_folder(directory: Path, genesis: Genesis) -> LookUp:
    """Return how to look up the nodes of a network's folder, which `coseal node add` may change while we run."""
    from coseal.console.nodes import Address
    from coseal.errors import CosealError
    from coseal.network import folders
    from coseal.network.processes import token_for

    def read() -> tuple[Address, ...]:
        return tuple(Address(node.name, node.url, token_for(node)) for node in folders.load(directory).nodes)

    known, changed_ns = read(), 0

    def look_up() -> tuple[Address, ...]:
        nonlocal known, changed_ns
        with contextlib.suppress(OSError, CosealError):  # while it is being replaced, or after the folder is gone
            now_ns = (directory / "network.toml").stat().st_mtime_ns
            if now_ns != changed_ns:
                known, changed_ns = read(), now_ns
        return known

    return look_up


if __name__ == "__main__":
    sys.exit(main())
