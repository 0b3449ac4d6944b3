"""The files of deploy/ are what the programs they are for accept, and name what there is."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.access_list import RECEIVER
from tests.deploy.nginx import NGINX, Ports, program, write_proxy
from tests.gateway.tls import certificate_files
from zhibo.parser import COMMANDS
from zhibo.settings import SETTINGS

ROOT = Path(__file__).parents[2]
KIT = ROOT / "deploy"
UNITS = sorted([*KIT.glob("systemd/*.service"), *KIT.glob("systemd/*.timer")])
METRIC = re.compile(r"\bzhibo_[a-z_]+")


def run(*command: str, **environ: str) -> str:
    done = subprocess.run(  # noqa: S603 -- our own files
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},  # noqa: TID251
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    verify = program("systemd-analyze")
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        (tmp_path / unit.name).write_text(
            re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text)
        )
    said = run(verify, "verify", *(str(tmp_path / unit.name) for unit in UNITS))
    assert "nknown" not in said


def test_every_service_runs_a_command_there_is_without_rights_it_does_not_need() -> None:
    known = {command.name for command in COMMANDS}
    for unit in KIT.glob("systemd/*.service"):
        text = unit.read_text(encoding="utf-8")
        (command,) = re.findall(r"(?m)^ExecStart=(.*)$", text)
        if "backup.sh" not in command:
            assert command.split()[1] in known, unit.name
        for rule in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n"):
            assert rule in text, (unit.name, rule)
        assert "PASSWORD" not in text


def test_receivers_come_to_redis_as_users_of_their_own() -> None:
    for name in ("push", "bays"):
        text = (KIT / f"systemd/zhibo-{name}.service").read_text(encoding="utf-8")
        (own,) = re.findall(r"LoadCredential=ZHIBO_REDIS_URL:(\S+)", text)
        assert own == f"/etc/zhibo/secrets/{RECEIVER.format(name=name)}/ZHIBO_REDIS_URL"


def test_settings_of_the_kit_are_settings_there_are() -> None:
    known = {setting.name for setting in SETTINGS} | {"ZHIBO_BACKUP_KEEP_DAYS"}
    for file in (*KIT.glob("systemd/*"), KIT / "compose.yaml"):
        named = set(re.findall(r"\bZHIBO_[A-Z_]+", file.read_text(encoding="utf-8")))
        assert named <= known, (file.name, named - known)


@pytest.mark.parametrize("name", ["zhibo.conf", "compose.conf"])
def test_nginx_takes_the_proxy(name: str, tmp_path: Path) -> None:
    nginx = program(NGINX)
    certificate_files(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    main = write_proxy(name, tmp_path, Ports())
    run(nginx, "-t", "-p", str(tmp_path), "-c", str(main))


def test_prometheus_takes_the_rules_and_they_fire_when_they_should() -> None:
    promtool = program("promtool")
    run(promtool, "check", "config", str(KIT / "prometheus/prometheus.yml"))
    run(promtool, "test", "rules", str(KIT / "prometheus/zhibo.rules.test.yml"))


def test_rules_and_dashboard_name_only_metrics_there_are() -> None:
    code = "".join(
        file.read_text(encoding="utf-8")
        for package in ("gateway", "occupancy")
        for file in (ROOT / package).rglob("*.py")
    )
    rules = yaml.safe_load((KIT / "prometheus/zhibo.rules.yml").read_text(encoding="utf-8"))
    board = json.loads((KIT / "grafana/zhibo.json").read_text(encoding="utf-8"))
    said = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    said += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    for name in {name for words in said for name in METRIC.findall(words)}:
        assert f'"{name.removesuffix("_total")}"' in code, name


def test_compose_is_of_its_schema_and_runs_commands_there_are() -> None:
    file = KIT / "compose.yaml"
    run(program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(file))
    services = yaml.safe_load(file.read_text(encoding="utf-8"))["services"]
    known = {command.name for command in COMMANDS}
    ours = {name: one["command"][0] for name, one in services.items() if one["image"] == "zhibo"}
    assert ours.keys() >= {"migrate", "recorder", "web", "press", "study"}
    assert set(ours.values()) <= known
