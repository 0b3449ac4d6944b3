import subprocess
import sys
from pathlib import Path

SPEAKING = """
import structlog
from gateway.process import configure_logging
configure_logging("speaker")
for number in range(2_000):
    structlog.get_logger().info("a line", number=number)
print("alive")
"""


def speak(stderr: int) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-c", SPEAKING]
    return subprocess.run(command, stderr=stderr, stdout=subprocess.PIPE, check=True)  # noqa: S603


def test_a_full_disk_under_the_log_ends_no_process() -> None:
    with Path("/dev/full").open("w") as full:
        assert speak(full.fileno()).stdout == b"alive\n"


def test_each_line_of_the_log_is_one_object() -> None:
    said = speak(subprocess.PIPE)
    assert said.stderr.count(b'"event": "a line"') == 2_000
    assert said.stderr.count(b"\n") == 2_000
