"""The compose file: its shape, and that every service's command starts that way outside a container."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from coseal.ledger.engines import COMETBFT_INSTALL
from coseal.ledger.genesis import COMETBFT_NAME, PBFT_NAME

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text()
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def expanded(text: str, **variables: str) -> str:
    """Return a text with its variables as Compose puts them in: from the environment, or with their defaults."""
    return _VARIABLE.sub(lambda match: variables.get(match[1], match[2]), text)


COMPOSE: dict[str, Any] = yaml.safe_load(expanded(TEXT))
SERVICES: dict[str, Any] = COMPOSE["services"]
OBSERVERS = sorted(name for name, service in SERVICES.items() if service.get("profiles") == ["observe"])
NODES = sorted(name for name in SERVICES if name not in ("init", "cli", *OBSERVERS))
OURS = ["init", "cli", "console", *NODES]


def test_the_four_members_of_the_default_consortium_have_a_node_each() -> None:
    assert NODES == ["bank-a", "central-bank", "enterprise-a", "regulator"]


@pytest.mark.parametrize("name", NODES)
def test_a_node_waits_for_init_is_checked_and_publishes_http_on_loopback_only(name: str) -> None:
    service = SERVICES[name]
    assert service["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    assert service["healthcheck"]["test"][0] == "CMD"
    (port,) = service["ports"]
    host, published, inside = port.split(":")
    assert (host, inside) == ("127.0.0.1", "8600")
    assert published in ("8600", "8602", "8604", "8606")


@pytest.mark.parametrize("name", NODES)
def test_a_node_writes_its_own_folder_only_and_never_sees_another_members_keys(name: str) -> None:
    volumes = SERVICES[name]["volumes"]
    assert volumes == ["network:/network:ro", f"{name}:/network/nodes/{name}"]


def test_every_port_on_the_host_is_a_variable_with_a_default_of_its_own() -> None:
    ports = [port for service in yaml.safe_load(TEXT)["services"].values() for port in service.get("ports", ())]
    assert len(ports) == 6
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{COSEAL_PORT_\w+:-[0-9]+\}:[0-9]+", port) for port in ports)
    defaults = dict(_VARIABLE.findall(TEXT))
    assert defaults.pop("COSEAL_ENGINE") == "pbft"
    assert len(set(defaults.values())) == len(defaults) == 7
    assert defaults["COSEAL_PORT_CONSOLE"] == "8580"


def test_an_engine_asked_for_is_in_the_image_and_in_the_genesis() -> None:
    init = yaml.safe_load(expanded(TEXT, COSEAL_ENGINE=COMETBFT_NAME))["services"]["init"]
    assert init["build"]["args"] == {"ENGINE": COMETBFT_NAME}
    assert f"--engine {COMETBFT_NAME}\n" in init["command"][0]
    image = (ROOT / "Dockerfile").read_text()
    assert f"AS engine-{COMETBFT_NAME}\nRUN CGO_ENABLED=0 {COMETBFT_INSTALL}\n" in image
    assert f"AS engine-{PBFT_NAME}\n" in image
    assert "\nCOPY --from=engine /go/bin/ /usr/local/bin/\n" in image


def test_one_service_builds_the_image_of_all() -> None:
    assert {SERVICES[name]["image"] for name in OURS} == {"coseal"}
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["init"]


@pytest.mark.parametrize("name", OURS)
def test_a_container_of_ours_may_write_its_volumes_only_and_hears_a_signal_from_its_first_moment(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["logging"] == {"driver": "local"}


def test_every_volume_is_declared_and_every_declared_one_used() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    files = {name for name in used if name.startswith("./")}
    assert used - files == set(COMPOSE["volumes"])
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_what_observes_starts_on_request_only_sees_no_key_and_is_published_on_loopback_only() -> None:
    assert OBSERVERS == ["console", "grafana", "prometheus"]
    for name in OBSERVERS:
        service = SERVICES[name]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        volumes = {volume.split(":")[0] for volume in service["volumes"]}
        assert not volumes & {"members", *NODES}, name
        assert all(volume.endswith(":ro") for volume in service["volumes"] if not volume.startswith("prometheus:"))


def test_prometheus_asks_every_node_and_grafana_finds_prometheus_and_the_dashboard() -> None:
    (job,) = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    assert sorted(job["static_configs"][0]["targets"]) == [f"{name}:8600" for name in NODES]
    provisioning = ROOT / "deploy/grafana/provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((provisioning / "dashboards/coseal.yml").read_text())["providers"]
    (mounted,) = [volume for volume in SERVICES["grafana"]["volumes"] if "dashboard.json" in volume]
    inside = mounted.split(":")[1]
    assert Path(inside).parent == Path(provider["options"]["path"])
    assert SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == inside


@pytest.mark.slow
@pytest.mark.cluster
def test_the_console_starts_that_way_and_serves_its_page(tmp_path: Path) -> None:
    network = tmp_path / "network"
    run_init(network)
    service = SERVICES["console"]
    words = [*service["entrypoint"], *(word.replace("/network", str(network)) for word in service["command"])]
    port = free_port()
    words[words.index("--port") + 1] = str(port)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(words, env={**os.environ, "PATH": path}, stdout=subprocess.DEVNULL)
    try:
        assert b"<html" in wait_for(f"http://127.0.0.1:{port}/", process)
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_prometheus_starts_that_way(tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not there (apt-get install prometheus)")
    moved = {"/etc/prometheus": str(ROOT / "deploy/prometheus"), "=/prometheus": f"={tmp_path}"}
    words = list(SERVICES["prometheus"]["command"])
    for inside, outside in moved.items():
        words = [word.replace(inside, outside) for word in words]
    port = free_port()
    command = [program, *words, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        wait_for(f"http://127.0.0.1:{port}/-/ready", process)
        groups = json.loads(wait_for(f"http://127.0.0.1:{port}/api/v1/rules", process))["data"]["groups"]
        assert [group["name"] for group in groups] == ["coseal"]
    finally:
        process.terminate()
        process.communicate(timeout=20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> bytes:
    """Return what ``url`` answers, once it does."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return bytes(answer.read())
        except OSError:
            assert process.poll() is None, process.stderr.read() if process.stderr else b""
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_the_image_runs_as_a_user_who_owns_the_mount_points() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "\nUSER coseal\n" in dockerfile
    assert "for node in regulator central-bank bank-a enterprise-a" in dockerfile
    assert dockerfile.index("chown -R coseal:coseal /network") < dockerfile.index("\nUSER coseal\n")


def run_init(network: Path) -> None:
    """Run the init service's own script with the container's paths moved to ``network``."""
    for name in NODES:
        (network / "nodes" / name).mkdir(parents=True, exist_ok=True)
    (network / "members").mkdir(exist_ok=True)
    (script,) = SERVICES["init"]["command"]
    script = script.replace("/tmp/coseal", f"{network}.making/coseal")
    script = re.sub(r"(?<=\s)/network(?=[/\s])", str(network), script)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    subprocess.run(
        [*SERVICES["init"]["entrypoint"], script], check=True, env=environment, timeout=60, stdout=subprocess.DEVNULL
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
@pytest.mark.cluster
def test_every_services_command_really_starts_that_way(tmp_path: Path) -> None:
    network = tmp_path / "network"
    run_init(network)
    genesis = (network / "genesis.json").read_bytes()
    run_init(network)
    assert (network / "genesis.json").read_bytes() == genesis
    for name in NODES:
        service = SERVICES[name]
        words = [*service["entrypoint"], *service["command"]]
        assert words[0] == "python"
        command = [sys.executable, *(word.replace("/network", str(network)) for word in words[1:])]
        http, link = free_port(), free_port()
        environment = {
            **os.environ,
            "COSEAL_HTTP_LISTEN": f"127.0.0.1:{http}",
            "COSEAL_LINK_LISTEN": f"127.0.0.1:{link}",
        }
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        try:
            status = wait_for_status(http, process)
            assert status["node"] == name
            assert status["height"] == 0
            assert run_healthcheck(service, http) != 0  # alone it cannot commit a block, and says so
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors.decode()[-2000:]


def wait_for_status(port: int, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/status", timeout=5) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.URLError:
            assert process.poll() is None, process.stderr.read() if process.stderr else b""
            assert time.monotonic() < deadline
            time.sleep(0.05)


def run_healthcheck(service: dict[str, Any], port: int) -> int:
    words = [word.replace(":8600", f":{port}") for word in service["healthcheck"]["test"][1:]]
    return subprocess.run([sys.executable, *words[1:]], stderr=subprocess.DEVNULL, timeout=20, check=False).returncode
