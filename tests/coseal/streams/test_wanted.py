"""Filters: an event passes if it has what every one asks for."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.errors import CosealError
from coseal.streams.wanted import Wanted
from tests.coseal.conftest import FakeNode
from tests.coseal.streams.conftest import events_of, ids_of


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"types": ("coseal.policy.*",)}, ["10:0", "11:0", "11:0.0", "11:0.1"]),
        ({"types": ("coseal.policy.publish", "coseal.finding.*")}, ["8:0:1", "10:0"]),
        ({"types": ("policy.*",)}, []),
        ({"process_types": ("orders",), "types": ("coseal.process.record",)}, ["8:0"]),
        ({"process_types": ("fines",)}, []),
        ({"object_types": ("party",)}, ["8:0.1", "8:0.3", "8:0.4"]),
        ({"object_types": ("party", "order"), "types": ("*.object", "coseal.finding.*")}, ["8:0.0", "8:0:1"]),
        ({"severity": "notice"}, ["8:0:1"]),
        ({"severity": "warning"}, ["8:0:1"]),
        ({"severity": "violation"}, []),
    ],
)
def test_an_event_passes_if_it_has_what_every_filter_asks_for(
    past: FakeNode, filters: dict[str, Any], wanted: list[str]
) -> None:
    assert [event.id for event in events_of(past) if Wanted(**filters)(event)] == wanted


def test_without_filters_everything_passes(past: FakeNode) -> None:
    assert [event.id for event in events_of(past) if Wanted()(event)] == ids_of(past)


def test_a_severity_that_is_none_is_refused() -> None:
    with pytest.raises(CosealError, match="choose one of notice, warning, violation"):
        Wanted(severity="grave")
