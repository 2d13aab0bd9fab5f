"""A connection to a host by its name, where looking the name up never holds up the end of the process.

Law: a lookup that nobody waits for any more delays nothing. It cannot be broken off: it ends when the name server
answers or the system gives up, 10 s and more. The event loop's own lookups are waited for before the loop closes, so
that a node whose peers are gone would outlast the time a service manager leaves it. These are in daemon threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from typing import Any


async def connect(host: str, port: int, seconds: float) -> socket.socket:
    """Return a socket that is connected to the first address of ``host`` which answers within ``seconds``.

    The lookup has the system's own time limit instead, so calling again and again takes one thread. Raises
    ``OSError``: no such name, nobody listens, or ``TimeoutError``.
    """
    problem = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await _look_up(host, port):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            async with asyncio.timeout(seconds):
                await asyncio.get_running_loop().sock_connect(connection, address)
        except OSError as error:
            connection.close()
            # uvloop's text names the address; logs and those who read them know the system's.
            problem = OSError(error.errno, os.strerror(error.errno)) if error.errno else error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise problem


async def _look_up(host: str, port: int) -> list[Any]:
    """Return what ``socket.getaddrinfo`` finds for a stream."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Any] | OSError] = loop.create_future()

    def give(found: list[Any] | OSError) -> None:
        if not answer.done():
            answer.set_result(found)

    def ask() -> None:
        found: list[Any] | OSError
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            found = error
        except UnicodeError:
            found = OSError(f"{host} is no host name")
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(give, found)

    try:
        threading.Thread(target=ask, name="lookup", daemon=True).start()
    except RuntimeError as error:  # the system gives us no thread now; who dials tries again
        raise OSError(f"{host} cannot be looked up: {error}") from None
    found = await answer
    if isinstance(found, OSError):
        raise found
    return found
