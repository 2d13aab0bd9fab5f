"""Fault injection: a wrong clock or a slow disk on purpose, for tests of real networks.

Law: without it the node takes the same path, with faults of zero; no decision asks whether there are any.
"""

from __future__ import annotations

import time
from typing import Final

from pydantic import BaseModel, ConfigDict, Field


class FaultInjection(BaseModel):
    """The table ``[fault_injection]`` of ``node.toml``; all zero in production.

    ``clock_offset_ms`` is added to the wall clock wherever the node reads it; ``write_delay_ms`` is how much longer
    each write of journal and block log takes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clock_offset_ms: int = Field(default=0, ge=-3_600_000, le=3_600_000)
    write_delay_ms: int = Field(default=0, ge=0, le=60_000)

    def now_ms(self) -> int:
        """Return the node's wall clock, ms since the epoch."""
        return time.time_ns() // 1_000_000 + self.clock_offset_ms

    def delay_write(self) -> None:
        """Wait as a slow disk would; called in the storage thread, and a process killed meanwhile wrote nothing."""
        if self.write_delay_ms:
            time.sleep(self.write_delay_ms / 1000)


NO_FAULTS: Final = FaultInjection()
