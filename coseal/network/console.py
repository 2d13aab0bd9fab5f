"""The web console of a network folder, as a process beside its nodes: started, found again, stopped.

Law: the console is started, never imported; it is ours only if its id stands in the pid file and it runs with this
folder. Its socket is opened here, so the URL is certain before the console has even loaded.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from coseal.errors import CosealError
from coseal.network import ports
from coseal.network.folders import Network
from coseal.network.processes import send_signal

DEFAULT_PORT: Final = 8580
_HINT: Final = "--console-port PORT chooses another one, --no-console none"
_STOP_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.05


def start(network: Network, port: int | None = None) -> str:
    """Start a console that only reads, unless one runs; return its URL. Does not wait until it has loaded.

    With ``port`` it has that one, now and whenever it is started for this folder.
    """
    if port is not None and port != port_of(network):
        stop(network)
    running = url_of(network)
    if running is not None:
        return running
    folder = _folder(network)
    folder.mkdir(exist_ok=True)
    wanted = port or port_of(network)
    with _listening(wanted) as listening, open(folder / "console.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "coseal.console", str(network.directory.resolve()), "--fd", str(listening.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(listening.fileno(),),
            start_new_session=True,  # Ctrl-C reaches only us; we stop it with the nodes
        )
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    (folder / "console.pid").write_text(f"{process.pid}\n{url}\n")
    deadline = time.monotonic() + 1
    while process.poll() is None and url_of(network) is None and time.monotonic() < deadline:
        time.sleep(0.001)  # between fork and exec its command line is not readable yet
    process.returncode = 0  # nobody here waits for it: it ends with `stop`
    if port is not None:
        remember(network, port)
    return url


def port_of(network: Network) -> int | None:
    """Return the port that was chosen for the console of this folder, None if none was."""
    try:
        return int((_folder(network) / "port").read_text())
    except (OSError, ValueError):
        return None


def remember(network: Network, port: int) -> None:
    """Have the console of this folder get this port from now on; a folder that cannot be written forgets it."""
    with contextlib.suppress(OSError):
        _folder(network).mkdir(exist_ok=True)
        (_folder(network) / "port").write_text(f"{port}\n")


def require_free(network: Network, port: int | None) -> None:
    """Raise ``CosealError`` if the port chosen now for the console is held by something else than this console."""
    url = url_of(network)
    if port is not None and (url is None or not url.endswith(f":{port}/")):
        ports.require_free([("the console", f"127.0.0.1:{port}")], _HINT)


def url_of(network: Network) -> str | None:
    """Return the URL of the running console, None if none runs."""
    found = _read(network)
    return None if found is None else found[1]


def stop(network: Network) -> bool:
    """End the console; say whether one ran."""
    found = _read(network)
    if found is not None:
        send_signal(found[0], signal.SIGTERM)
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while _read(network) is not None:
            if time.monotonic() > deadline:
                send_signal(found[0], signal.SIGKILL)
            time.sleep(_POLL_S)
    (_folder(network) / "console.pid").unlink(missing_ok=True)
    return found is not None


def _folder(network: Network) -> Path:
    return network.directory / "console"


def _listening(wanted: int | None) -> socket.socket:
    """Return a socket listening on loopback: at the wanted port, else the usual one, or a free one if that is taken."""
    if wanted is not None:
        ports.require_free([("the console", f"127.0.0.1:{wanted}")], _HINT)
    for port in (DEFAULT_PORT, 0) if wanted is None else (wanted,):
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError:
            listening.close()
            continue
        listening.listen(128)
        return listening
    raise CosealError("no free port for the console", "use --no-console")


def _read(network: Network) -> tuple[int, str] | None:
    """Return process id and URL of the running console."""
    try:
        pid_text, url = (_folder(network) / "console.pid").read_text().split()
        pid = int(pid_text)
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return (pid, url) if str(network.directory.resolve()).encode() in words else None
