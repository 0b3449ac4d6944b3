"""What the compose file says is so, as far as it can be tried without a Docker engine."""

import asyncio
import ipaddress
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.access_list import service_line
from gateway.push_config import load_push_config
from gateway.redis_client import connect
from gateway.settings import BadSettingError
from tests.deploy.compose import COMPOSE, OURS, SERVICES, lies_here, mounts, secret_file, secrets
from tests.deploy.nginx import KIT, program
from tests.free_port import free_port
from tests.gateway.tls import certificate_files
from tests.occupancy.web.faces import served
from tests.waiting import until
from zhibo.environ import gather
from zhibo.parser import make_parser
from zhibo.settings import SETTINGS

DOCKERFILE = (KIT / "Dockerfile").read_text(encoding="utf-8")
KNOWN = {setting.name: setting for setting in SETTINGS}
PASSWORD = "a-password-of-a-test-only"  # noqa: S105
FILLING_IN = (KIT / "secrets.example/README.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_that_the_parser_takes(name: str) -> None:
    made = make_parser().parse_args(OURS[name]["command"])
    assert made.command.name == OURS[name]["command"][0]


@pytest.mark.parametrize("name", OURS)
def test_each_setting_is_one_there_is_and_takes_its_value(name: str) -> None:
    told = dict(OURS[name]["environment"])
    assert told.pop("CREDENTIALS_DIRECTORY") == "/run/secrets"
    for setting, value in told.items():
        KNOWN[setting].read({setting: re.sub(r"\$\{.*\}", "https://example.org", value)})
    assert set(secrets(name)) <= set(KNOWN)


@pytest.mark.parametrize("name", SERVICES)
def test_each_secret_has_its_file_and_a_line_how_to_fill_it(name: str) -> None:
    for secret in secrets(name).values():
        file = Path(secret_file(secret))
        assert file.parts[0] == "secrets"
        below = file.relative_to("secrets").as_posix()
        assert re.search(rf"\b{below.partition('.')[0]}\b", FILLING_IN), secret
        assert lies_here(secret_file(secret)).exists() or "." in below, secret


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_that_is_named_is_given(name: str) -> None:
    said = str(SERVICES[name].get("command", "")) + str(SERVICES[name].get("environment", ""))
    assert set(re.findall(r"/run/secrets/(\w+)", said)) <= set(secrets(name))


@pytest.mark.parametrize("name", OURS)
def test_what_a_service_writes_is_a_volume_that_its_user_owns(name: str) -> None:
    (user,) = re.findall(r"(?m)^USER (\w+)$", DOCKERFILE)
    made = re.findall(rf"install -d -o {user} -g {user} -m \d+ (\S+)", DOCKERFILE)
    written = [mount for mount in mounts(name) if not mount.is_read_only]
    assert all(mount.is_volume and mount.target in made for mount in written)
    assert OURS[name]["environment"]["ZHIBO_DATA"] in made
    assert re.findall(r"(?m)^ENV HOME=(\S+)$", DOCKERFILE) == OURS[name]["tmpfs"]


@pytest.mark.parametrize("name", [*OURS, "backup"])
def test_what_runs_our_files_is_closed_and_finds_them_where_it_is_told(name: str) -> None:
    closed = COMPOSE["x-closed"]
    assert closed["read_only"]
    assert closed["cap_drop"] == ["ALL"]
    assert {key: SERVICES[name][key] for key in closed} == closed
    said = [*SERVICES[name]["command"], *SERVICES[name]["environment"].values()]
    places = ["/run/secrets", *(mount.target for mount in mounts(name))]
    for path in (Path(word) for word in said if word.startswith("/")):
        assert any(path.is_relative_to(place) for place in places), path


def test_what_is_not_asked_for_is_not_needed() -> None:
    """A district without them starts as if they were not in the file."""
    asked_for = {name for name, one in SERVICES.items() if "profiles" in one}
    assert asked_for == {"push", "bays", "backup", "audit"}
    for name, one in SERVICES.items():
        assert not asked_for & set(one.get("depends_on", ())), name


def test_the_image_has_every_package_and_runs_our_command() -> None:
    project = (KIT.parent / "pyproject.toml").read_text(encoding="utf-8")
    (packages,) = re.findall(r"(?m)^packages = (\[.*\])$", project.partition("[tool.ruff")[0])
    copied = set(re.findall(r"(?m)^COPY (\w+) /src/\w+$", DOCKERFILE))
    assert copied == set(re.findall(r"\w+", packages))
    assert 'ENTRYPOINT ["/opt/zhibo/bin/zhibo"]' in DOCKERFILE


def test_what_is_mounted_from_here_is_here_or_is_told_to_be_made() -> None:
    """A folder that is not here Docker makes as root's, and says nothing."""
    told = (KIT.parent / "docs/deploy.md").read_text(encoding="utf-8")
    for mount in (mount for name in SERVICES for mount in mounts(name) if not mount.is_volume):
        folder = f"deploy/{Path(mount.source).as_posix()}"
        assert lies_here(mount.source).exists() or f" {folder}`" in told, mount


def test_secrets_can_be_read_by_our_users_and_by_nobody_else_on_the_machine(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    shutil.copytree(KIT / "secrets.example", folder)
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o400)
    (line,) = re.findall(r"(?m)^  (chmod .*)$", FILLING_IN)
    subprocess.run(["sh", "-ec", line.replace("deploy/secrets", str(folder))], check=True)  # noqa: S603, S607
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644), path


def test_the_proxy_is_where_web_workers_believe_it_and_nobody_is_put_there() -> None:
    (config,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    fixed = SERVICES["proxy"]["networks"]["inside"]["ipv4_address"]
    assert ipaddress.ip_address(fixed) in ipaddress.ip_network(config["subnet"])
    assert ipaddress.ip_address(fixed) not in ipaddress.ip_network(config["ip_range"])
    assert OURS["web"]["environment"]["ZHIBO_PROXIES"] == fixed


def test_the_proxy_leads_to_the_ports_on_which_ours_listen() -> None:
    proxy = (KIT / "nginx/compose.conf").read_text(encoding="utf-8")
    port = make_parser().parse_args(OURS["web"]["command"]).port
    push = load_push_config(lies_here("receivers/push.toml"))
    assert re.findall(r"server (\S+) resolve", proxy) == [f"web:{port}"]
    assert re.findall(r"set \$zhibo_push (\S+);", proxy) == [f"push:{push.port}"]
    assert push.host == OURS["web"]["environment"]["ZHIBO_HOST"]
    assert OURS["web"]["environment"]["ZHIBO_HOST"] == "0.0.0.0"  # noqa: S104
    listened = re.findall(r"listen (\d+)", proxy)
    assert {mapped.split(":")[1] for mapped in SERVICES["proxy"]["ports"]} == set(listened)


def test_whoever_is_waited_for_can_be_found_well() -> None:
    for name, one in SERVICES.items():
        for before, how in one.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[before], (name, before)
            else:
                assert SERVICES[before]["restart"] == "no", (name, before)


async def test_a_web_worker_is_well_before_any_gateway_came_and_ill_when_it_is_gone() -> None:
    kind, shell_python, flag, code = OURS["web"]["healthcheck"]["test"]
    assert (kind, shell_python, flag) == ("CMD", "/opt/zhibo/bin/python", "-c")
    assert "127.0.0.1:8080" in code
    async with served() as site:
        async with site.http.get(site.url("/readyz")) as answer:
            assert answer.status == 503
        code = code.replace("127.0.0.1:8080", f"127.0.0.1:{site.port}")
        assert await _ends(sys.executable, "-c", code) == 0
    assert await _ends(sys.executable, "-c", code) != 0


async def test_redis_takes_its_command_line_by_tls_too_and_is_found_well(tmp_path: Path) -> None:
    server, asking = program("redis-server"), program("redis-cli")
    chain, key = certificate_files(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    users = tmp_path / "users.acl"
    users.write_text(f"user default off\n{service_line('service', PASSWORD)}\n")
    plain, sealed = free_port(), free_port()
    places = {
        "/run/secrets/redis_users": str(users),
        "/run/secrets/redis_certificate": str(chain),
        "/run/secrets/redis_key": str(key),
        "6380": str(sealed),
    }
    command = [places.get(word, word) for word in SERVICES["redis"]["command"]]
    assert SERVICES["redis"]["ports"] == ["6380:6380"]
    check = SERVICES["redis"]["healthcheck"]["test"]
    assert check[0] == "CMD-SHELL"
    shell = check[1].replace("valkey-cli", f"{shlex.quote(asking)} -p {plain}")
    assert await _ends("sh", "-c", shell) != 0
    running = await asyncio.create_subprocess_exec(
        server, *command[1:], "--port", str(plain), cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        url = f"rediss://service:{PASSWORD}@localhost:{sealed}"

        async def is_well() -> bool:
            return await _ends("sh", "-c", shell) == 0

        await until(is_well)
        async with connect(f"{url}?ssl_ca_certs={chain}") as redis:
            assert await redis.ping()
    finally:
        running.terminate()
        await running.wait()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A credential that lies where everybody may look."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", folder)
        yield Path(folder) / "ZHIBO_REDIS_URL"


def test_a_secret_that_is_not_text_is_said_in_words(secret: Path) -> None:
    secret.write_bytes(b"\xff\xfe")
    with pytest.raises(BadSettingError, match=r"ZHIBO_REDIS_URL: .* is not UTF-8"):
        gather(Namespace(), joins_running=False)


def test_a_secret_that_its_owner_alone_may_read_is_said_in_words(secret: Path) -> None:
    secret.write_text("redis://cache")
    assert gather(Namespace(), joins_running=False)["ZHIBO_REDIS_URL"] == "redis://cache"
    us = os.geteuid()
    secret.chmod(0o400 if us == 0 else 0)
    os.seteuid(10_001 if us == 0 else us)
    try:
        with pytest.raises(BadSettingError, match=r"ZHIBO_REDIS_URL: .*denied; let user"):
            gather(Namespace(), joins_running=False)
    finally:
        os.seteuid(us)


async def _ends(*command: str) -> int:
    running = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    return await running.wait()
