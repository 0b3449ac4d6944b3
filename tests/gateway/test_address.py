"""No address is told with its password, wherever it is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.address import HIDDEN, address, hide_passwords, without_password
from gateway.doctor import Finding
from gateway.redis_client import connect
from gateway.settings import BadSettingError, Setting, whole_number
from zhibo.settings import SETTINGS

SECRET = "sesame-open"  # noqa: S105 -- a test's own
ADDRESSES = {
    "ZHIBO_REDIS_URL": f"redis://service:{SECRET}@127.0.0.1:1",
    "ZHIBO_POSTGRES_URL": f"postgresql://zhibo:{SECRET}@127.0.0.1:1/zhibo",
    "ZHIBO_POSTGRES_REPLICA_URL": f"postgresql://zhibo@127.0.0.1:1/zhibo?password={SECRET}",
    "ZHIBO_MQTT_URL": f"mqtts://bays:{SECRET}@127.0.0.1:1",
    "ZHIBO_SMTP_URL": f"smtp://mail:{SECRET}@127.0.0.1:1",
    "ZHIBO_ALARM_WEBHOOK": f"https://127.0.0.1:1/hook?access_token={SECRET}",
}
AWAY = {"ZHIBO_MODBUS_PORT_OFFSET": "30000"}  # where no device answers
ODD = st.text(alphabet="abc@:/?#[]% ", max_size=8)


def test_an_address_keeps_all_but_its_password() -> None:
    assert without_password("redis://cache:6379/0") == "redis://cache:6379/0"
    assert without_password("smtp://me:pw@mail:587") == f"smtp://me:{HIDDEN}@mail:587"
    assert without_password("https://h/x?key=pw&a=1") == f"https://h/x?key={HIDDEN}&a=1"
    assert without_password("redis+sentinel://:pw@a:1,b:2/s") == (
        f"redis+sentinel://:{HIDDEN}@a:1,b:2/s"
    )
    assert without_password("host=db password=pw") == f"host=db password={HIDDEN}"
    assert without_password("http://[bad") == "http://[bad"
    assert without_password("plain") == "plain"


@given(ODD, ODD, ODD)
def test_whatever_stands_around_it_a_password_is_never_told(
    user: str, before: str, after: str
) -> None:
    whole = f"https://{user}:{before}{SECRET}{after}@host/"
    assert SECRET not in without_password(whole)


def test_an_address_in_a_sentence_is_told_without_its_password() -> None:
    words = f"no answer of {ADDRESSES['ZHIBO_REDIS_URL']}, nor of redis://b:6379: stop"
    assert hide_passwords(words) == (
        f"no answer of redis://service:{HIDDEN}@127.0.0.1:1, nor of redis://b:6379: stop"
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (f"redis://:{SECRET}/x@cache:6379", "behind the host"),
        (f"postgresql://zhibo:12/{SECRET}@db/zhibo", "behind the host"),
        (f"postgresql://zhibo:12#{SECRET}@db/zhibo", "behind the host"),
        (f"redis://[{SECRET}", "no address"),
        (f"redis+cluster://a:1,b:{SECRET}", "port"),
        ("redis://cache:70000", "port"),
    ],
)
def test_an_address_that_is_misread_is_refused_without_a_word_of_it(raw: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        address(raw)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "raw",
    [
        *ADDRESSES.values(),
        "",
        "unix:///run/redis@1.sock?db=1",
        "redis+sentinel://a:1,b:2/service",
        "rediss://:p%2F%40@[::1]:6379/0",
        "postgresql://zhibo@/zhibo?host=/run",
        "postgresql://a:1,b/zhibo",
    ],
)
def test_an_address_as_it_should_be_is_taken(raw: str) -> None:
    assert address(raw) == raw


@pytest.mark.parametrize("form", ["redis://:{}/x@cache", "redis+cluster://:{}/@a", "ftp://a:{}@b"])
def test_redis_refuses_an_address_without_its_password(form: str) -> None:
    with pytest.raises(BadSettingError) as refused:
        connect(form.format(SECRET))
    assert SECRET not in str(refused.value)


def test_a_setting_that_took_an_address_by_mistake_does_not_tell_its_password() -> None:
    setting = Setting("ZHIBO_X", "1", lambda raw: whole_number(raw, least=0, most=9), "x")
    with pytest.raises(BadSettingError) as refused:
        setting.read({"ZHIBO_X": ADDRESSES["ZHIBO_REDIS_URL"]})
    assert SECRET not in str(refused.value)


def test_a_finding_does_not_tell_what_a_server_repeats() -> None:
    line = Finding("Redis", f"cannot reach {ADDRESSES['ZHIBO_REDIS_URL']}", "start it").line()
    assert SECRET not in line


def zhibo(*command: str, folder: Path, **environ: str) -> str:
    done = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-m", "zhibo", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=folder,
        env={**os.environ, "ZHIBO_LOG_LEVEL": "debug", **AWAY, **environ},  # noqa: TID251
    )
    assert done.returncode, done.stdout  # nothing of all that is there
    return done.stdout + done.stderr


def test_the_doctor_tells_every_address_and_no_password(tmp_path: Path) -> None:
    said = zhibo("doctor", folder=tmp_path, **ADDRESSES)
    assert "service:" in said
    assert SECRET not in said


@pytest.mark.parametrize("command", [("migrate",), ("destinations", "list")])
def test_commands_that_find_no_server_tell_no_password(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    said = zhibo(*command, folder=tmp_path, **ADDRESSES)
    assert f"ZHIBO_POSTGRES_URL=postgresql://zhibo:{HIDDEN}@127.0.0.1:1/zhibo" in said
    assert SECRET not in said


@pytest.mark.parametrize("setting", [one for one in SETTINGS if one.parse is address])
def test_a_password_that_breaks_its_address_is_refused_and_not_told(setting: Setting[str]) -> None:
    with pytest.raises(BadSettingError, match=setting.name) as refused:
        setting.read({setting.name: f"redis://service:{SECRET}/#@127.0.0.1:1"})
    assert SECRET not in str(refused.value)


def test_what_is_logged_shows_no_password() -> None:
    script = (
        "import structlog, gateway.process as p; p.configure_logging('t');"
        f"log = structlog.get_logger(); url = {ADDRESSES['ZHIBO_REDIS_URL']!r}\n"
        "log.warning('lost ' + url, reason=url)\n"
        "try: raise OSError(url)\n"
        "except OSError: log.exception('gone')\n"
    )
    done = subprocess.run(  # noqa: S603 -- our own
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stderr.count("127.0.0.1:1") == 3
    assert SECRET not in done.stderr
