"""One running network with a console, and a browser to look at its pages with.

A test of a page is three lines:

    @pytest.mark.browser
    def test_the_page_can_be_read_by_everybody(look):
        look("/policies")

``look`` opens a path in English and Chinese, wide and narrow, light and dark, keeps screenshots in
``build/screenshots``, and fails for anything in the browser's console, sideways scrolling, or a finding of axe.
``visit`` opens a path and returns Playwright's page for more.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from coseal.client import keys
from coseal.client.blocking import Client
from tests.cluster.network import Cluster
from tests.console import sample

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


@dataclass
class Running:
    """A network with sample data, and its console, which may sign as the regulator for who has the ticket."""

    cluster: Cluster
    url: str
    ticket: str
    process: subprocess.Popen[str]
    sample: dict[str, Any] = field(default_factory=dict)

    def client(self, member: str) -> Client:
        """Return a client of a member's node that signs as its admin."""
        signer = keys.read_signer(self.cluster.net.key_path(f"{member}/admin"))
        return Client(self.cluster.entry(member).url, self.cluster.genesis, signer=signer, sender=f"{member}/admin")

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Return status and text of a page, without a browser."""
        request = urllib.request.Request(f"{self.url}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


def start_console(directory: Path, *words: str) -> tuple[subprocess.Popen[str], str, str]:
    """Start a console at a free port; return its process, base URL and ticket (empty if it only reads)."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COSEAL_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "coseal.console", str(directory), "--port", "0", *words],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    link = process.stdout.readline().split()[-1]
    base, _, rest = link.partition("/enter?ticket=")
    return process, base.rstrip("/"), rest


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The network and console that all page tests of a worker share."""
    cluster = Cluster.make(tmp_path_factory.mktemp("console"))
    process = None
    try:
        cluster.start()
        cluster.wait_height(1)
        process, url, ticket = start_console(cluster.net.directory, "--as", "regulator")
        network = Running(cluster, url, ticket, process)
        network.sample = sample.fill(network.client)
        yield network
    finally:
        if process is not None:
            process.terminate()
            process.wait(10)
            assert process.stdout is not None
            process.stdout.close()
        cluster.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright; the tests are skipped where either is missing.

    It ends with its file: as long as it is there, its event loop runs in this thread, and ``asyncio.run`` fails.
    """
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here: pip install -e '.[browser]'")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--renderer-process-limit=1"]
        )
        yield chromium
        chromium.close()


Visit = Callable[..., Any]


@dataclass
class Visitors:
    """Browsers of different people, each made once: by language, width, colours, and whether it may act.

    Each has one tab that stays: a process of Chromium for each page would take more time than all that is asked of it,
    and with this one the others share theirs.
    """

    running: Running
    browser: Any
    tabs: dict[tuple[str, int, bool, bool], Any] = field(default_factory=dict)

    def tab(self, language: str, width: int, dark: bool, acts: bool) -> Any:
        """Return the tab that stays; its ``context`` is the browser."""
        key = (language, width, dark, acts)
        if key not in self.tabs:
            context = self.browser.new_context(
                viewport={"width": width, "height": 900},
                locale={"en": "en-GB", "zh": "zh-CN"}[language],
                color_scheme="dark" if dark else "light",
            )
            self.tabs[key] = context.new_page()
            if acts:
                self.tabs[key].goto(f"{self.running.url}/enter?ticket={self.running.ticket}")
        return self.tabs[key]


@pytest.fixture(scope="module")
def visitors(running: Running, browser: Any) -> Iterator[Visitors]:
    """The browsers of a test file."""
    made = Visitors(running, browser)
    yield made
    for tab in made.tabs.values():
        tab.context.close()


@pytest.fixture
def visit(running: Running, visitors: Visitors) -> Iterator[Visit]:
    """Return ``visit(path, language="en", width=1280, dark=False, acts=False, stay=False)``: an open page.

    It is a new tab, or with ``stay`` the visitor's own, which shows it until the next such visit. At the end the test
    fails if any visited page wrote an error or a warning to the browser's console; a page may be told to expect some:
    ``page.expected.append("503")``. Cookies a test sets are gone for the next one.
    """
    complaints: list[str] = []
    used: list[tuple[Any, bool]] = []
    staying: list[Any] = []
    with contextlib.ExitStack() as opened:

        def note(page: Any, text: str) -> None:
            if not any(part in text for part in page.expected):
                complaints.append(f"{page.url}: {text}")

        def listen(page: Any) -> None:
            listeners = {
                "console": lambda said: note(page, said.text) if said.type in ("error", "warning") else None,
                "pageerror": lambda error: note(page, str(error)),
            }
            for event, listener in listeners.items():
                page.on(event, listener)
                opened.callback(page.remove_listener, event, listener)

        def visit(
            path: str,
            *,
            language: str = "en",
            width: int = 1280,
            dark: bool = False,
            acts: bool = False,
            stay: bool = False,
        ) -> Any:
            tab = visitors.tab(language, width, dark, acts)
            used.append((tab.context, acts))
            page = tab if stay else tab.context.new_page()
            if not stay:
                opened.callback(page.close)
                listen(page)
            elif tab not in staying:
                staying.append(tab)
                listen(tab)
                opened.callback(tab.goto, "about:blank")
            page.expected = []
            page.goto(running.url + path)
            page.wait_for_selector("html[data-connected]")
            return page

        yield visit
    for context, acts in used:
        if not acts:
            context.clear_cookies()
    assert not complaints, "\n".join(complaints)


VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    # what differs of the visitor, and what of axe is asked: all where the page is narrow, contrast again in the dark
    "en": ({}, None),
    "zh-narrow": ({"language": "zh", "width": 390}, {}),
    "dark": ({"width": 1024, "dark": True}, {"runOnly": ["color-contrast"]}),
}


@pytest.fixture
def look(visit: Visit) -> Callable[..., None]:
    """Return ``look(path, acts=False, name="")``, which checks a page as everybody meets it; see the module.

    ``name`` names its screenshots where the path has no name to keep.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[browser]'").Axe()

    def look(path: str, *, acts: bool = False, name: str = "") -> None:
        for variant, (who, asked) in VARIANTS.items():
            page = visit(path, acts=acts, stay=True, **who)
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            shot = f"{name or path.strip('/').replace('/', '-').replace('?', '-') or 'home'}.{variant}.png"
            page.screenshot(path=SCREENSHOTS / shot, full_page=True)
            assert page.evaluate("document.documentElement.lang") == who.get("language", "en")
            assert page.locator("h1").count() == 1, f"{path}: one heading of the first level"
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, f"{path} ({variant}) scrolls sideways by {over} px"
            if asked is None:
                continue
            violations = axe.run(page, options=asked).response["violations"]
            told = [f"{v['id']}: {v['help']}: {[node['html'][:160] for node in v['nodes'][:3]]}" for v in violations]
            assert not told, f"{path} ({variant}):\n" + "\n".join(told)

    return look
