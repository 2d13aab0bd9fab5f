"""docs/operating.md says everything there is to set and to react to."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from coseal.node.config import NodeConfig
from coseal.node.exits import Exit
from coseal.node.http.limits import Limits

TEXT = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")


def test_every_setting_is_described() -> None:
    names = [*NodeConfig.model_fields, *(field.name for field in dataclasses.fields(Limits))]
    assert [name for name in names if f"`{name}`" not in TEXT] == []


def test_every_exit_status_is_described() -> None:
    assert [status for status in Exit if f"| {int(status)} | {status.name} |" not in TEXT] == []
