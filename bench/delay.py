"""A hub between network namespaces that holds every packet up: a wide area on one machine, without the kernel's netem.

    python -m bench.delay ONE_WAY_MS NAMESPACE ...

Each namespace gets a TUN device ``wan0`` with the address 10.77.0.1, 10.77.0.2, ..; the namespace it is started in
gets 10.77.0.254, which is near to all: packets from and to it are not held up. TCP runs over it as over any line, so
that slow start and windows meet the delay; nothing is lost, and only the machine bounds the rate. Needs root.

It says ``ready``, and ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque

NETWORK, NEAR = "10.77.0", 254
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
_PACKET_BYTES = 65_536
_LIBC = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> int:
    """Run the command line."""
    one_way_s, names = float(arguments[0]) / 1000, arguments[1:]
    devices = {place + 1: _device(name, place + 1) for place, name in enumerate(names)}
    devices[NEAR] = _device(None, NEAR)
    print("ready", flush=True)
    _pass_on(devices, one_way_s)
    return 0


def _device(namespace: str | None, host: int) -> int:
    """Make the TUN device of a namespace (None: this one), with its address, and return its descriptor."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    inside = [] if namespace is None else ["-n", namespace]
    name = "wan0" if namespace is not None else f"wan{os.getpid() % 100_000}"
    try:
        if namespace is not None:
            _enter(f"/run/netns/{namespace}")
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    finally:
        _enter(f"/proc/self/fd/{here}")
        os.close(here)
    for words in (["addr", "add", f"{NETWORK}.{host}/24", "dev", name], ["link", "set", name, "up"]):
        subprocess.run(["ip", *inside, *words], check=True, timeout=10)
    return device


def _enter(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if _LIBC.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns", path)
    finally:
        os.close(descriptor)


def _pass_on(devices: dict[int, int], one_way_s: float) -> None:
    """Carry packets until standard input ends; all delays are equal, so a queue is enough."""
    poll = select.epoll()
    for descriptor in (*devices.values(), sys.stdin.fileno()):
        poll.register(descriptor, select.EPOLLIN | select.EPOLLHUP)
    held: deque[tuple[float, int, bytes]] = deque()
    while True:
        wait = max(0.0, held[0][0] - time.monotonic()) if held else -1
        for ready, _ in poll.poll(wait):
            if ready == sys.stdin.fileno():
                return
            for packet in _packets(ready):
                source, target = packet[15], packet[19]
                if target not in devices:
                    continue
                if NEAR in (source, target):
                    _deliver(devices[target], packet)
                else:
                    held.append((time.monotonic() + one_way_s, devices[target], packet))
        while held and held[0][0] <= time.monotonic():
            _, device, packet = held.popleft()
            _deliver(device, packet)


def _deliver(device: int, packet: bytes) -> None:
    with contextlib.suppress(OSError):  # its queue is full or it is down: the packet is lost, as packets are
        os.write(device, packet)


def _packets(device: int) -> list[bytes]:
    """Return the IPv4 packets that are waiting, a few at a time."""
    found: list[bytes] = []
    try:
        while len(found) < 64:
            packet = os.read(device, _PACKET_BYTES)
            if len(packet) >= 20 and packet[0] >> 4 == 4:
                found.append(packet)
    except BlockingIOError:
        pass
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
