"""A hub between network namespaces that holds every packet up: a wide area on one machine, without the kernel's netem.

    python -m bench.delay ONE_WAY_MS NAMESPACE ...

Each namespace gets a TUN device ``wan0`` with the address 10.77.0.1, 10.77.0.2, ..; the namespace it is started in
gets 10.77.0.254, which is near to all: packets from and to it are not held up. TCP runs over it as over any line, so
that slow start and windows meet the delay; nothing is lost, and only the machine bounds the rate. Needs root.

Law: what the hub itself takes is small beside the delay. So it runs before every other process (``SCHED_RR``), waits
by the microsecond, and lets the kernel hand over what TCP sends in one go, up to 64 KiB, as one packet (``TSO``).

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
from collections.abc import Iterator

NETWORK, NEAR = "10.77.0", 254
# linux/if_tun.h
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x400454CA, 0x0001, 0x1000, 0x4000
_TUNSETOFFLOAD, _TUN_F_CSUM, _TUN_F_TSO4 = 0x400454D0, 0x01, 0x02
_CLONE_NEWNET = 0x40000000
_OFFLOAD_BYTES = 10
"""struct virtio_net_hdr, which leads every packet: how to cut it up; it goes on as it came."""
_PACKET_BYTES = _OFFLOAD_BYTES + 65_536
_AT_ONCE = 256
_QUEUE_PACKETS = 20_000
_LIBC = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> int:
    """Run the command line."""
    one_way_s, names = float(arguments[0]) / 1000, arguments[1:]
    with contextlib.suppress(PermissionError):  # root of a container may not; on a quiet machine it does as well
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    devices = {place + 1: _device(name, place + 1) for place, name in enumerate(names)}
    devices[NEAR] = _device(None, NEAR)
    print("ready", flush=True)
    _pass_on(devices, one_way_s)
    return 0


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Let this thread make its sockets and devices in a network namespace; what is made stays there."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(f"/run/netns/{namespace}")
        try:
            yield
        finally:
            _enter(f"/proc/self/fd/{here}")
    finally:
        os.close(here)


def _enter(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if _LIBC.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns", path)
    finally:
        os.close(descriptor)


def _device(namespace: str | None, host: int) -> int:
    """Make the TUN device of a namespace (None: this one), with its address, and return its descriptor."""
    name = "wan0" if namespace is not None else f"wan{os.getpid() % 100_000}"
    with inside(namespace) if namespace is not None else contextlib.nullcontext():
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        flags = _IFF_TUN | _IFF_NO_PI | _IFF_VNET_HDR
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
        fcntl.ioctl(device, _TUNSETOFFLOAD, _TUN_F_CSUM | _TUN_F_TSO4)
        for words in (
            ["address", "add", f"{NETWORK}.{host}/24", "dev", name],
            ["link", "set", name, "txqueuelen", str(_QUEUE_PACKETS), "up"],
        ):
            subprocess.run(["ip", *words], check=True, timeout=10)
    return device


def _pass_on(devices: dict[int, int], one_way_s: float) -> None:
    """Carry packets until standard input ends; all delays are equal, so a queue is enough."""
    sources, end = list(devices.values()), sys.stdin.fileno()
    held: deque[tuple[float, int, bytes]] = deque()
    while True:
        wait_s = max(0.0, held[0][0] - time.monotonic()) if held else None
        ready, _, _ = select.select([*sources, end], [], [], wait_s)
        if end in ready:
            return
        for source in ready:
            due = time.monotonic() + one_way_s
            for packet in _packets(source):
                sender, receiver = packet[_OFFLOAD_BYTES + 15], packet[_OFFLOAD_BYTES + 19]
                if receiver not in devices:
                    continue
                if NEAR in (sender, receiver):
                    _deliver(devices[receiver], packet)
                else:
                    held.append((due, devices[receiver], packet))
        while held and held[0][0] <= time.monotonic():
            _, device, packet = held.popleft()
            _deliver(device, packet)


def _deliver(device: int, packet: bytes) -> None:
    with contextlib.suppress(OSError):  # its queue is full or it is down: the packet is lost, as packets are
        os.write(device, packet)


def _packets(device: int) -> Iterator[bytes]:
    """Yield the IPv4 packets that are waiting, a few at a time."""
    with contextlib.suppress(BlockingIOError):
        for _ in range(_AT_ONCE):
            packet = os.read(device, _PACKET_BYTES)
            if packet[_OFFLOAD_BYTES] >> 4 == 4:
                yield packet


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
