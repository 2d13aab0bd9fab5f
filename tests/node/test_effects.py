"""What the shell makes of effects, in what order."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from coseal.node.core.events import EraseSidecar, KeepSidecar, LoadSidecars, SendFrame
from coseal.node.core.wire import Sidecars, Status, decode
from coseal.node.effects import Effects

NAME = bytes(32)


class Shell:
    """Notes what is done; what waits for writes is done by ``durable``."""

    def __init__(self, held: dict[bytes, bytes]) -> None:
        self.done: list[Any] = []
        self.waiting: list[Callable[[], None]] = []
        writer = SimpleNamespace(
            write=self.done.append, after=self.waiting.append, run=lambda work: (self.done.append("run"), work())
        )
        links = SimpleNamespace(send=lambda peer, payload, **how: self.done.append((peer, decode(payload), how)))
        files = SimpleNamespace(read=held.get, erase=lambda name: self.done.append(("erase", name)))
        metrics = SimpleNamespace(sent=SimpleNamespace(count=lambda message: None))
        parts = SimpleNamespace(
            writer=writer, links=links, tracer=None, metrics=metrics, storage=SimpleNamespace(sidecars=files)
        )
        process = SimpleNamespace(lost_sidecar=lambda name: self.done.append(("lost", name)))
        self.effects = Effects(parts, process)  # type: ignore[arg-type]

    def durable(self) -> list[Any]:
        """Everything written so far is on the disk: return what is done by now."""
        waiting, self.waiting = self.waiting, []
        for release in waiting:
            release()
        return self.done


def test_a_sidecar_is_erased_only_once_all_before_it_is_durable() -> None:
    shell = Shell({})
    shell.effects.perform(EraseSidecar(NAME))
    assert shell.done == []
    assert shell.durable() == ["run", ("erase", NAME)]


def test_a_sidecar_is_kept_by_the_writer_in_order() -> None:
    shell = Shell({})
    shell.effects.perform(KeepSidecar(NAME, b"sealed"))
    assert shell.done == [KeepSidecar(NAME, b"sealed")]


def test_sidecars_from_the_disk_go_one_a_frame_behind_everything_else() -> None:
    shell = Shell({NAME: b"sealed"})
    shell.effects.perform(LoadSidecars("bank-a", (NAME, b"\x01" * 32)))
    bulk = {"consensus": False, "bulk": True}
    assert shell.durable() == [
        ("bank-a", Sidecars(((NAME, b"sealed"),)), bulk),
        ("lost", b"\x01" * 32),
        ("bank-a", Sidecars(((b"\x01" * 32, None),)), bulk),
    ]


def test_those_in_memory_are_bulk_too_and_nothing_else_is() -> None:
    shell = Shell({})
    shell.effects.perform(SendFrame("bank-a", Sidecars(((NAME, b"sealed"),))))
    shell.effects.perform(SendFrame("bank-a", Status(0, NAME, None)))
    assert [how["bulk"] for _, _, how in shell.durable()] == [True, False]
