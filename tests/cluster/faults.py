"""Faults of real processes, disks, clocks and lines: each strikes when entered and is healed when left.

Law: a fault touches at most the f nodes it is given, or says in the table that no quorum is left while it lasts.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from tests.cluster.clients import Clients
from tests.cluster.network import Cluster

START_S = 90.0
SMALL_DISK_BYTES = 48 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault strikes: ``random`` draws what the fault leaves open."""

    cluster: Cluster
    clients: Clients
    random: Random


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault. ``quorum``: commits go on while it lasts; ``hold_s``: it lasts at least so long."""

    strike: Callable[[Scene, list[str]], AbstractContextManager[None]]
    quorum: bool = True
    hold_s: float = 3.0
    needs_mount: bool = False


def _answers(cluster: Cluster, names: list[str]) -> None:
    cluster.wait(lambda: all(cluster.height(name) >= 0 for name in names), f"{names} answer", START_S)


@contextmanager
def killed(scene: Scene, victims: list[str]) -> Iterator[None]:
    """kill -9, and started again at the end."""
    for name in victims:
        scene.cluster.kill(name)
    yield
    scene.cluster.start(*victims)
    _answers(scene.cluster, victims)


@contextmanager
def paused(scene: Scene, victims: list[str]) -> Iterator[None]:
    """SIGSTOP: the process is there, its sockets are open, and it does nothing."""
    for name in victims:
        scene.cluster.processes[name].send_signal(signal.SIGSTOP)
    yield
    for name in victims:
        scene.cluster.processes[name].send_signal(signal.SIGCONT)
    _answers(scene.cluster, victims)


def _pairs(ones: list[str], others: list[str]) -> list[tuple[str, str]]:
    return [(one, other) for one in ones for other in others if one != other]


@contextmanager
def _held(scene: Scene, pairs: list[tuple[str, str]]) -> Iterator[None]:
    scene.cluster.lines.hold(pairs)
    yield
    scene.cluster.lines.heal()


def cut_off(scene: Scene, victims: list[str]) -> AbstractContextManager[None]:
    """Nothing reaches the victims, nothing leaves them; nobody is told."""
    names = scene.cluster.names
    return _held(scene, _pairs(victims, names) + _pairs(names, victims))


def mute(scene: Scene, victims: list[str]) -> AbstractContextManager[None]:
    """The victims hear all and are heard by nobody."""
    return _held(scene, _pairs(victims, scene.cluster.names))


def deaf(scene: Scene, victims: list[str]) -> AbstractContextManager[None]:
    """The victims are heard and hear nothing."""
    return _held(scene, _pairs(scene.cluster.names, victims))


def split(scene: Scene, _: list[str]) -> AbstractContextManager[None]:
    """Two halves without a quorum."""
    names = scene.random.sample(scene.cluster.names, len(scene.cluster.names))
    half = len(names) // 2
    return _held(scene, _pairs(names[:half], names[half:]) + _pairs(names[half:], names[:half]))


def bridge(scene: Scene, _: list[str]) -> AbstractContextManager[None]:
    """Two halves that share one node, which sees all: views of who is there differ."""
    names = scene.random.sample(scene.cluster.names, len(scene.cluster.names))
    half = (len(names) - 1) // 2
    return _held(scene, _pairs(names[:half], names[half + 1 :]) + _pairs(names[half + 1 :], names[:half]))


@contextmanager
def broken_off(scene: Scene, victims: list[str]) -> Iterator[None]:
    """All connections of the victims are closed, and every new one."""
    scene.cluster.lines.break_off(_pairs(victims, scene.cluster.names))
    yield
    scene.cluster.lines.heal()


@contextmanager
def _again_and_again(act: Callable[[], None], every_s: float) -> Iterator[None]:
    """Do something in a thread, again and again."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(every_s):
            act()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def flapping(scene: Scene, _: list[str]) -> Iterator[None]:
    """Twice a second some third of all lines is broken, another one each time."""
    lines, pairs = scene.cluster.lines, list(itertools.combinations(scene.cluster.names, 2))
    with _again_and_again(lambda: lines.break_off(scene.random.sample(pairs, len(pairs) // 3)), 0.5):
        yield
    lines.heal()


def _crash(scene: Scene, name: str) -> None:
    """kill -9, and start again at once; one that had ended by itself is an anomaly."""
    status = scene.cluster.processes[name].poll()
    if status is not None:
        scene.clients.anomalies[f"nothing, since {name} had ended with status {status}"] += 1
    scene.cluster.kill(name)
    scene.cluster.start(name)


@contextmanager
def crash_loop(scene: Scene, victims: list[str]) -> Iterator[None]:
    """kill -9 every 1.5 s, in the middle of starting and catching up, too."""
    with _again_and_again(lambda: [_crash(scene, name) for name in victims], 1.5):
        yield
    _answers(scene.cluster, victims)


@contextmanager
def storm(scene: Scene, _: list[str]) -> Iterator[None]:
    """Every 0.7 s a node of all is killed and started, or other lines hold their bytes; more than f at a time."""
    cluster, random = scene.cluster, scene.random
    pairs = _pairs(cluster.names, cluster.names)

    def strike() -> None:
        if random.random() < 0.5:
            _crash(scene, random.choice(cluster.names))
        else:
            cluster.lines.hold(pair for pair in pairs if random.random() < 0.3)

    with _again_and_again(strike, 0.7):
        yield
    cluster.lines.heal()
    _answers(cluster, cluster.names)


@contextmanager
def slow_lines(scene: Scene, _: list[str]) -> Iterator[None]:
    """Up to 0.2 s on every line, drawn anew for every piece of a stream."""
    scene.cluster.lines.slow(0.2)
    yield
    scene.cluster.lines.heal()


@contextmanager
def all_killed(scene: Scene, _: list[str]) -> Iterator[None]:
    """kill -9 of every node within a few ms, as when the power of a hall fails."""
    with killed(scene, scene.cluster.names):
        yield


@contextmanager
def all_paused(scene: Scene, _: list[str]) -> Iterator[None]:
    """SIGSTOP of every node, as when a hypervisor stops its guests; to all of them time jumps."""
    with paused(scene, scene.cluster.names):
        yield


@contextmanager
def wiped(scene: Scene, victims: list[str]) -> Iterator[None]:
    """A new, empty disk; of the old one only configuration and keys are left. At the end the nodes vote again."""
    cluster = scene.cluster
    for name in victims:
        cluster.kill(name)
        scene.clients.lives[name] += 1
        _empty(cluster.entry(name).data)
    cluster.start(*victims)
    _answers(cluster, victims)
    yield
    for name in victims:
        cluster.wait(lambda name=name: votes(cluster, name), f"{name} votes again", START_S)


def _empty(data: Path) -> None:
    for path in data.iterdir():
        if path.name not in ("node.toml", "keys", "node.log"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def journal_lost(scene: Scene, victims: list[str]) -> Iterator[None]:
    """What the nodes have signed is lost, and nothing else."""
    cluster = scene.cluster
    for name in victims:
        cluster.kill(name)
        shutil.rmtree(cluster.entry(name).data / "journal")
    cluster.start(*victims)
    _answers(cluster, victims)
    yield
    for name in victims:
        cluster.wait(lambda name=name: votes(cluster, name), f"{name} votes again", START_S)


@contextmanager
def disk_restored(scene: Scene, victims: list[str]) -> Iterator[None]:
    """At the end the nodes are put back to what their disks were at the beginning, the journal included."""
    cluster = scene.cluster
    for name in victims:
        _image(cluster, name, f"{name}.image")
    yield
    for name in victims:
        data = cluster.entry(name).data
        cluster.kill(name)
        scene.clients.lives[name] += 1
        _empty(data)
        image = data.with_name(f"{name}.image")
        (image / "node.log").unlink()
        shutil.copytree(image, data, dirs_exist_ok=True)
        shutil.rmtree(image)
    cluster.start(*victims)
    for name in victims:
        cluster.wait(lambda name=name: _caught_up(cluster, name), f"{name} is where the others are", START_S)
        time.sleep(2)  # by now it has met what it signed after the image was made
    _clear_of_doubt(cluster, victims)


@contextmanager
def doubled(scene: Scene, victims: list[str]) -> Iterator[None]:
    """A copy of the first victim runs beside it with the same keys, as when a standby machine is started too early."""
    cluster, name = scene.cluster, victims[0]
    data = cluster.entry(name).data
    copy = _image(cluster, name, f"{name}.double")
    config, entry, (http, link) = copy / "node.toml", cluster.entry(name), cluster.spare
    config.write_text(
        config.read_text().replace(f'"{entry.http}"', f'"{http}"').replace(f'"{entry.link}"', f'"{link}"')
    )
    cluster.doubled.add(name)
    with open(data.with_name(f"{name}.double.log"), "ab") as log:
        command = [sys.executable, "-m", "coseal.node", "run", "--data", str(copy)]
        double = cluster.processes[f"{name}.double"] = subprocess.Popen(command, stdout=log, stderr=log)
    yield
    double.kill()
    cluster.processes.pop(f"{name}.double").wait(10)
    shutil.rmtree(copy)
    _clear_of_doubt(cluster, [name])


def _image(cluster: Cluster, name: str, called: str) -> Path:
    """Copy the folder of a node at one moment, as the image of a disk is."""
    data = cluster.entry(name).data
    image = data.with_name(called)
    cluster.processes[name].send_signal(signal.SIGSTOP)
    shutil.copytree(data, image)
    cluster.processes[name].send_signal(signal.SIGCONT)
    return image


def _clear_of_doubt(cluster: Cluster, names: list[str]) -> None:
    """Who signs no more, because its journal lacks a signature, says so; then do what an operator does."""
    for name in names:
        if not votes(cluster, name):
            log = cluster.entry(name).log
            cluster.wait(lambda log=log: b"journal lacks a signature" in log.read_bytes(), f"{name} says why", START_S)
            cluster.kill(name)
            shutil.rmtree(cluster.entry(name).data / "journal")
            cluster.start(name)
    _answers(cluster, names)


def _caught_up(cluster: Cluster, name: str) -> bool:
    heights = [cluster.height(other) for other in cluster.names]
    return cluster.height(name) >= sorted(heights)[len(heights) // 2]


def votes(cluster: Cluster, name: str) -> bool:
    """Say whether a node that answers may sign."""
    status = cluster.get(name, "/v1/status")
    return status is not None and status["silence"] is None


@contextmanager
def disk_full(scene: Scene, victims: list[str]) -> Iterator[None]:
    """The file system of the victims is filled up; they end with status 4, and start again when there is room."""
    cluster = scene.cluster
    for name in victims:
        _move_to_small_disk(cluster, name)
    for name in victims:
        ballast = cluster.entry(name).data / "ballast"
        with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4_096))
        process = cluster.processes.pop(name)
        status = process.wait(START_S)
        if status != 4:
            raise AssertionError(f"{name} on a full disk ended with {status}, not with 4\n{cluster.logs()}")
    yield
    for name in victims:
        (cluster.entry(name).data / "ballast").unlink()
    cluster.start(*victims)
    _answers(cluster, victims)


def _move_to_small_disk(cluster: Cluster, name: str) -> None:
    """Put the folder of a node on a small file system in memory, if it is not yet; needs root."""
    data = cluster.entry(name).data
    if data in cluster.small_disks:
        return
    cluster.stop(name)
    aside = data.with_name(f"{name}.aside")
    data.rename(aside)
    data.mkdir()
    subprocess.run(_mount(data), check=True, timeout=30)
    cluster.small_disks.append(data)
    subprocess.run(["cp", "-a", "--sparse=always", f"{aside}/.", str(data)], check=True, timeout=60)
    shutil.rmtree(aside)
    cluster.start(name)
    _answers(cluster, [name])


def _mount(folder: Path) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(folder)]


def _with_settings(**settings: str) -> Callable[[Scene, list[str]], AbstractContextManager[None]]:
    """Restart the victims with other settings, and at the end without them."""

    @contextmanager
    def strike(scene: Scene, victims: list[str]) -> Iterator[None]:
        cluster = scene.cluster
        for name in victims:
            cluster.settings[name] = settings
            cluster.kill(name)
        cluster.start(*victims)
        _answers(cluster, victims)
        yield
        for name in victims:
            del cluster.settings[name]
            cluster.kill(name)
        cluster.start(*victims)
        _answers(cluster, victims)

    return strike


FAULTS = {
    "kill": Fault(killed),
    "pause": Fault(paused, hold_s=10),
    "cut-off": Fault(cut_off, hold_s=5),
    "break-off": Fault(broken_off),
    "mute": Fault(mute, hold_s=5),
    "deaf": Fault(deaf, hold_s=5),
    "split": Fault(split, quorum=False, hold_s=6),
    "bridge": Fault(bridge, quorum=False, hold_s=6),
    "flap": Fault(flapping, quorum=False, hold_s=6),
    "slow-lines": Fault(slow_lines),
    "kill-all": Fault(all_killed, quorum=False, hold_s=0),
    "pause-all": Fault(all_paused, quorum=False, hold_s=8),
    "crash-loop": Fault(crash_loop, hold_s=8),
    "storm": Fault(storm, quorum=False, hold_s=10),
    "wipe": Fault(wiped),
    "lost-journal": Fault(journal_lost),
    "old-disk": Fault(disk_restored),
    "double": Fault(doubled, hold_s=8),
    "full-disk": Fault(disk_full, needs_mount=True),
    "clock-ahead": Fault(_with_settings(COSEAL_FAULT_INJECTION__CLOCK_OFFSET_MS="30000")),
    "clock-behind": Fault(_with_settings(COSEAL_FAULT_INJECTION__CLOCK_OFFSET_MS="-30000")),
    "slow-disk": Fault(_with_settings(COSEAL_FAULT_INJECTION__WRITE_DELAY_MS="300")),
}


def possible(name: str) -> bool:
    """Say whether this machine lets us do that."""
    return not FAULTS[name].needs_mount or _can_mount()


@cache
def _can_mount() -> bool:
    """Try it: root in a container may have no right to."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(_mount(Path(folder)), check=True, capture_output=True, timeout=30)
            subprocess.run(["umount", folder], check=True, capture_output=True, timeout=30)
        except (OSError, subprocess.CalledProcessError):
            return False
    return True
