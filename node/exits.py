"""How a node process ends, as its exit status; docs/operating.md says what to do about each.

Law: a status other than 0 comes with one last log line that names the cause.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """STOPPED: asked to. BUG: a fault of this software. USAGE: configuration, keys or genesis. HALTED: the machine
    stopped for good. STORAGE: the disk or what is on it. LOCKED: another process has the folder. PORT: in use.
    RELEASE: the chain runs under rules that only a newer release, or a contract that is not installed, has.
    """

    STOPPED = 0
    BUG = 1
    USAGE = 2
    HALTED = 3
    STORAGE = 4
    LOCKED = 5
    PORT = 6
    RELEASE = 7
