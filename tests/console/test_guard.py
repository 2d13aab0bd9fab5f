"""The door: who may read, who may send, who may act."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from coseal.console.guard import BrowserSession, refusal

OURS = {"host": "127.0.0.1:8580", "origin": "http://127.0.0.1:8580", "sec-fetch-site": "same-origin"}


@pytest.mark.parametrize("host", ["127.0.0.1:8580", "localhost:9", "[::1]:8580", "localhost"])
def test_this_machines_names_may_read(host):
    assert refusal("GET", Headers({"host": host})) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8580", "10.0.0.7:8580", "", "[::2]:8580", "evil@127.0.0.1.x"]
)
def test_another_name_is_refused_so_that_rebinding_a_name_gains_nothing(host):
    assert refusal("GET", Headers({"host": host})) is not None


def test_another_site_may_link_to_us_but_not_read_us():
    from_elsewhere = {"host": "localhost:8580", "sec-fetch-site": "cross-site"}
    assert refusal("GET", Headers({**from_elsewhere, "sec-fetch-mode": "navigate"})) is None
    assert refusal("GET", Headers({**from_elsewhere, "sec-fetch-mode": "cors"})) is not None
    assert refusal("GET", Headers({**from_elsewhere, "sec-fetch-mode": "no-cors"})) is not None


def test_only_our_own_page_may_send():
    assert refusal("POST", Headers(OURS)) is None
    for change in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9"},
        {"sec-fetch-site": "cross-site"},
    ):
        assert refusal("POST", Headers({**OURS, **change})) is not None
    assert refusal("POST", Headers({"host": OURS["host"]})) is not None
    assert refusal("DELETE", Headers(OURS)) is not None


def test_a_message_after_an_act_cannot_be_made_up():
    session = BrowserSession(8580)
    said = session.say("done", ok=True)
    assert session.said(said) == ("done", True)
    assert session.said("done") is None
    for number in range(100):
        session.say(str(number), ok=False)
    assert session.said(said) is None


def test_only_the_right_ticket_sets_a_cookie_that_scripts_and_sites_cannot_use():
    session = BrowserSession(8580)
    assert "set-cookie" not in session.enter("wrong").headers
    cookie = session.enter(session.ticket).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert not session.fits("wrong")
    assert session.fits(session.csrf)
