"""The console's process against real nodes, without a browser: its door, its secrets, its answers without nodes."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.parse
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.console.conftest import Running, start_console

pytestmark = pytest.mark.cluster


def ask(running: Running, method: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers and text; header names with underscores for dashes."""
    connection = HTTPConnection(running.url.removeprefix("http://"), timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body or None, named)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read().decode()
    finally:
        connection.close()


def test_every_answer_forbids_what_is_not_ours(running: Running):
    for path in ("/", "/static/console.css", "/no/such/page", "/settings"):
        _, headers, _ = ask(running, "GET", path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
    assert ask(running, "GET", "/", Host="evil.example")[0] == 403
    assert ask(running, "GET", "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors")[0] == 403


def test_pages_run_nothing_inline_and_load_nothing_from_elsewhere(running: Running):
    for path in ("/", "/blocks", "/blocks/1", "/members", "/governance"):
        status, _, text = ask(running, "GET", path)
        assert status == 200
        assert "<script" not in text.replace('<script src="/static/', "")
        assert " style=" not in text
        assert " on" not in "".join(
            part.split(">")[0] for part in text.split("<") if part.startswith(("a ", "div ", "body "))
        )
        assert "//" not in text.replace("http://www.w3.org", "").replace("<!doctype", "").split("<body")[0]


def cookie(running: Running) -> str:
    """Return the cookie of who comes by the start link."""
    _, headers, _ = ask(running, "GET", f"/enter?ticket={running.ticket}")
    return headers["set-cookie"].split(";")[0]


def test_an_act_needs_the_cookie_the_token_and_our_own_origin(running: Running):
    path = "/governance/third-protocol"  # of this test alone: who has voted is offered no form
    with running.client("bank-a") as bank:
        later = {"id": "third-protocol", "kind": "protocol_version", "subject": {"version": 2, "height": 2_000_000}}
        bank.submit("governance", "propose", later).require_ok()
    mine = cookie(running)
    deadline = time.monotonic() + 20
    while ask(running, "GET", path, Cookie=mine)[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    page = ask(running, "GET", path, Cookie=mine)[2]
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    assert csrf
    assert 'name="csrf"' not in ask(running, "GET", path)[2]
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    body = urllib.parse.urlencode({"csrf": csrf, "choice": "no"})
    height = running.cluster.height("regulator")
    assert ask(running, "POST", path, body, **form, Cookie=mine)[0] == 403
    assert ask(running, "POST", path, body, **form, Cookie=mine, Origin="http://evil.example")[0] == 403
    for headers, sent in (({}, body), ({"Cookie": mine}, "choice=no"), ({"Cookie": mine}, "csrf=x&choice=no")):
        status, answered, _ = ask(running, "POST", path, sent, **form, **headers, Origin=running.url)
        assert status == 303
        told = ask(running, "GET", answered["location"], Cookie=mine)[2]
        assert "may not sign" in told
    assert ask(running, "POST", "/blocks", body, **form, Cookie=mine, Origin=running.url)[0] == 405
    assert ask(running, "POST", path, "x" * 70_000, **form, Cookie=mine, Origin=running.url)[0] == 413
    assert running.cluster.height("regulator") == height


def test_no_secret_reaches_a_browser_or_a_command_line(running: Running):
    secrets = running.cluster.secrets()
    mine = cookie(running)
    said = "".join(ask(running, "GET", path, Cookie=mine)[2] for path in ("/", "/members/regulator", "/governance"))
    said += Path(f"/proc/{running.process.pid}/cmdline").read_text()
    assert not [secret for secret in secrets if secret in said.encode()]


def test_what_is_not_there_is_said_in_the_readers_language(running: Running):
    status, text = running.get("/blocks/999999999", **{"Accept-Language": "zh-CN,zh;q=0.9"})
    assert status == 404
    assert '<html lang="zh"' in text
    assert running.get("/no/such/page")[0] == 404
    assert running.get("/transactions/" + "0" * 64)[0] == 404
    assert running.get("/members/nobody")[0] == 404
    assert running.get("/blocks?to=0")[0] == running.get("/blocks?to=x")[0] == 200


def test_a_browser_that_has_seen_a_page_is_not_sent_it_again(running: Running):
    _, headers, _ = ask(running, "GET", "/blocks/2")
    assert ask(running, "GET", "/blocks/2", Coseal_Seen=headers["coseal-seen"])[0] == 204


def test_a_link_back_leads_nowhere_else(running: Running):
    for back in ("//evil.example", "http://evil.example", "/\\evil.example", "javascript:1"):
        query = urllib.parse.urlencode({"language": "zh", "back": back})
        assert ask(running, "GET", f"/settings?{query}")[1]["location"] == "/"


def test_the_console_says_when_no_node_answers(running: Running, tmp_path: Path):
    genesis = running.cluster.net.genesis_path
    process, url, _ = start_console(tmp_path, "--url", "http://127.0.0.1:1", "--genesis", str(genesis))
    other = Running(running.cluster, url, "", process)
    try:
        status, text = other.get("/blocks/1")
        assert status == 503
        assert "No node answers" in text
        assert "coseal up" in text
        assert other.get("/")[0] == 200
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def test_another_node_answers_when_one_is_killed(running: Running):
    cluster = running.cluster
    cluster.kill("regulator")
    try:
        status, text = running.get("/blocks/3")
        assert status == 200
        with running.client("bank-a") as bank:
            committed = bank.submit("membership", "set_profile", {"description": "without the regulator"}).require_ok()
        deadline = time.monotonic() + 30
        path = f"/blocks/{committed.height}"
        while running.get(path)[0] != 200 or "does not answer" not in running.get("/")[1]:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        text = running.get("/")[1]
        assert "no further failure is tolerated" in text
    finally:
        cluster.start("regulator")
        cluster.wait_one_tip()


def test_the_command_becomes_the_console_and_says_what_is_missing(tmp_path: Path):
    words = [sys.executable, "-m", "coseal", "console", str(tmp_path / "none")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "no network in" in done.stderr
    assert "coseal up" in done.stderr
    assert "Traceback" not in done.stderr
