"""What the pages on a process as a whole take over HTTP: those of the console, and what they ask a node.

The events of ``bench.exploring`` are imported as a file, each of a case and of one of 2,000 clients, under a rule that
some cases break, on a network of one node. A page is asked for 21 times, one after the other, with a new
block before every seventh.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from os import getloadavg
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from bench.machine import about
from bench.network import Network, end_in_order, running_network

MOST_MS: Final = 150.0
"""How long a page may take at the median."""
RUNS: Final = 21
_FRESH: Final = 7
_WARMING: Final = 10
_HEAD: Final = "".join(f"{name:>10}" for name in ("first", "p50", "p95", "CPU first", "CPU p50"))
_CLIENTS: Final = 2_000
_IMPORT_S: Final = 1_800
_Cases = Callable[[], Iterable[tuple[int, list[tuple[int, int]]]]]
_API: Final = "/v1/process-types/t"
_FLOW: Final = f"before={quote('activity 7')}&after={quote('activity 9')}"
_NODE: Final = {
    "map": f"{_API}/map?type=case",
    "map of the other type": f"{_API}/map?type=client",
    "map, an activity": f"{_API}/map?type=case&activity={quote('activity 12')}",
    "map, a flow": f"{_API}/map?type=case&{_FLOW}",
    "variants": f"{_API}/variants?type=case&limit=25",
    "cases": f"{_API}/cases?type=case&limit=25",
    "cases, longest": f"{_API}/cases?type=case&limit=25&order=longest",
    "histogram": f"{_API}/times?type=case",
    "dotted chart": f"{_API}/dots?type=case&limit=120",
    "case": "/v1/objects/c6000/events?process_type=t&type=case",
    "findings": "/v1/findings?limit=25&order=newest",
    "findings, counts": "/v1/findings/statistics",
    "findings, figures": "/v1/findings/figures",
    "search": "/v1/objects?id=c6000",
}
_PAGES: Final = "/processes/t"
_CONSOLE: Final = {
    "processes": "/processes",
    "map": f"{_PAGES}?type=case",
    "map, several types": f"{_PAGES}?type=*",
    "map, a flow": f"{_PAGES}?type=case&{_FLOW}",
    "variants": f"{_PAGES}/variants?type=case",
    "cases": f"{_PAGES}/cases?type=case",
    "cases, longest": f"{_PAGES}/cases?type=case&order=longest",
    "cases, an activity": f"{_PAGES}/cases?type=case&activity={quote('activity 12')}",
    "histogram and dots": f"{_PAGES}/times?type=case",
    "case": f"{_PAGES}/cases/case/c6000",
    "board": "/supervision",
    "findings": "/supervision/findings",
    "findings, figures": "/supervision/figures",
    "search": "/search?q=c6000",
}


def log(cases: _Cases) -> dict[str, Any]:
    """Return the events as an OCEL 2.0 document."""
    events, kinds, clients = list[dict[str, Any]](), set[str](), set[str]()
    for case, steps in cases():
        client = f"p{case * 7_919 % _CLIENTS}"
        clients.add(client)
        for activity, ms in steps:
            kind = f"activity {activity}"
            kinds.add(kind)
            time_text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            related = [{"objectId": f"c{case}", "qualifier": ""}, {"objectId": client, "qualifier": ""}]
            number = f"e{len(events) + 1}"
            one = {"id": number, "type": kind, "time": time_text, "attributes": [], "relationships": related}
            events.append(one)
    objects = [{"id": f"c{case}", "type": "case", "attributes": []} for case, _ in cases()]
    objects += [{"id": client, "type": "client", "attributes": []} for client in sorted(clients)]
    return {
        "objectTypes": [{"name": name, "attributes": []} for name in ("case", "client")],
        "eventTypes": [{"name": name, "attributes": []} for name in sorted(kinds)],
        "objects": objects,
        "events": events,
    }


RULE: Final = {
    "id": "R-ORDER",
    "version": 1,
    "legal_basis": ["external: bench"],
    "kind": "declare",
    "scope": {"process_type": "t", "object_type": "case"},
    "template": "precedence",
    "a": "activity 9",
    "b": "activity 11",
}


def prepare(network: Network, cases: _Cases, folder: Path) -> float:
    """Adopt the rule, record the events, and return how many seconds it took to record them."""
    document, rules, named = folder / "log.jsonocel", folder / "rules.json", folder / "map.toml"
    document.write_text(json.dumps(log(cases)))
    rules.write_text(json.dumps([RULE]))
    named.write_text('process_type = "t"\nsource = "log"\nmode = "historical"\n')
    arguments = ("import", str(document), "--map", str(named), "--as", "regulator")
    network.coseal(*arguments, "--define-only", timeout_s=_IMPORT_S)
    network.coseal("rules", "propose", str(rules), "--as", "regulator")
    network.coseal("rules", "adopt", "B1")
    began = time.perf_counter()
    network.coseal(*arguments, timeout_s=_IMPORT_S)
    took = time.perf_counter() - began
    height = network.status(network.urls[0])["height"]
    get(network.urls[0], f"/v1/findings?limit=1&min_height={height}")
    return took


@contextmanager
def console(network: Network) -> Iterator[tuple[str, int]]:
    """Run a console of the network, and give its address and process once it has followed the chain."""
    command = [sys.executable, "-m", "coseal.console", str(network.directory), "--port", "0"]
    with subprocess.Popen(command, cwd=network.code, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base = process.stdout.readline().split()[-1].rstrip("/")
            for _ in range(_WARMING):
                get(base, "/")
                time.sleep(0.5)
            yield base, process.pid
        finally:
            process.terminate()


def get(base: str, path: str) -> float:
    """Ask for a page whole, and return how many ms it took; a search may lead on, what is refused is raised."""
    address = urlsplit(base)
    began = time.perf_counter()
    connection = HTTPConnection(address.hostname or "", address.port, timeout=120)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    took = 1_000 * (time.perf_counter() - began)
    if answer.status not in (200, 303):
        raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
    return took


def times(network: Network, base: str, pages: Mapping[str, str], pids: Sequence[int]) -> dict[str, dict[str, float]]:
    """Return of each page, in ms, how long it took at first, then the median and 95th percentile; of CPU time likewise.

    At first nothing that answers it is kept: that is what it takes after more was recorded. CPU time is of ``pids``.
    """
    found = {}
    for name, path in pages.items():
        took, used = list[float](), list[float]()
        for run in range(RUNS):
            if run % _FRESH == 0:
                _new_block(network)
            before = cpu_ms(pids)
            took.append(get(base, path))
            used.append(cpu_ms(pids) - before)
        later, used_later = sorted(took[1:]), sorted(used[1:])
        places = {"first": took[0], "p50": later[len(later) // 2], "p95": later[len(later) * 19 // 20 - 1]}
        places |= {"cpu_first": used[0], "cpu_p50": used_later[len(later) // 2]}
        found[name] = {place: round(ms, 1) for place, ms in places.items()}
        print(f"{name:24}" + "".join(f"{ms:10.1f}" for ms in places.values()), flush=True)
    return found


def cpu_ms(pids: Sequence[int]) -> float:
    """Return the CPU time that processes have used, all of their threads, in ms."""
    used_ns = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            used_ns += int((thread / "schedstat").read_text().split()[0])
    return used_ns / 1e6


def _new_block(network: Network) -> None:
    """Have a transaction about something else make a block."""
    words = (f"id=bench/{time.time_ns()}", "title=A", "type_document=notice", "date_document=2026-01-05")
    network.coseal("submit", "policy.publish", *words, 'passed_by:=["regulator"]', "--as", "regulator")


def measure(cases: _Cases, base_port: int, out: Path) -> int:
    """Print and write how long each page takes; 1 if one takes too long at the median."""
    end_in_order()
    with running_network(validators=1, base_port=base_port) as network, tempfile.TemporaryDirectory() as folder:
        took_s = prepare(network, cases, Path(folder))
        print(f"recorded in {took_s:.0f} s\n{'ms':24}{_HEAD}\nof a node", flush=True)
        node_pid, before = network.pids()["regulator"], getloadavg()[0]
        figures = {"node": times(network, network.urls[0], _NODE, [node_pid])}
        print("of a console, with the node")
        with console(network) as (base, console_pid):
            figures["console"] = times(network, base, _CONSOLE, [node_pid, console_pid])
    load = [round(one, 1) for one in (before, getloadavg()[0])]
    print(f"load average {load[0]} to {load[1]}")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(
        json.dumps({"about": about(), "load": load, "recorded_s": round(took_s), **figures}, indent=1) + "\n"
    )
    return int(any(page["p50"] > MOST_MS for found in figures.values() for page in found.values()))
