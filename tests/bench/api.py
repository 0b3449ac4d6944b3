"""`zhibo bench api`: /v1/lots against a constant handler and nginx; 5,000 live streams."""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from tests.bench.report import Figure, Report, at_least, at_most, shown

PATH = "/v1/lots"
LEAST_RATIO = 0.95
LAST_READER_MS = 150.0
READER_KB = 30.0
PAUSE_SECONDS = 0.3
START_SECONDS = 10.0


@dataclass(frozen=True)
class _Child:
    """A process that answers a line with lines."""

    process: subprocess.Popen[str]

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, order: str) -> str:
        assert self.process.stdin is not None
        print(order, file=self.process.stdin, flush=True)
        return self.read()


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench api")
    parser.add_argument("--seconds", type=float, default=1.5, help="length of one round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clients", type=int, default=5_000)
    parser.add_argument("--changes", type=int, default=40)
    chosen = parser.parse_args(arguments)
    figures, details = _requests(chosen.rounds, chosen.seconds)
    streams, told = _streams(chosen.clients, chosen.changes)
    return Report("api", [*figures, *streams], {**details, **told})


def _requests(rounds: int, seconds: float) -> tuple[list[Figure], dict[str, object]]:
    with ExitStack() as stack:
        ports = {what: int(stack.enter_context(_server(what)).read().split()[0]) for what in _WHATS}
        body = _get(ports["ours"])
        if shutil.which("nginx"):
            ports["nginx"] = stack.enter_context(_nginx(body))
        rates: dict[str, list[float]] = {what: [] for what in ports}
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            for what, port in ports.items():
                rates[what].append(_load(port, seconds))
    # What disturbs the machine disturbs a round as a whole: the ratio of each round counts.
    pairs = zip(rates["ours"], rates["constant"], strict=True)
    ratio = statistics.median(ours / constant for ours, constant in pairs)
    middle = {what: statistics.median(found) for what, found in rates.items()}
    figures = [
        at_least("/v1/lots to a constant of its size", round(ratio, 3), LEAST_RATIO, "ratio"),
        *(shown(f"{what}, requests", round(rate), "1/s") for what, rate in middle.items()),
    ]
    if "nginx" in middle:
        to_nginx = middle["ours"] / middle["nginx"]
        figures.append(shown("/v1/lots to nginx's file", round(to_nginx, 3), "ratio"))
    all_rates = {what: [round(rate) for rate in found] for what, found in rates.items()}
    return figures, {"body_bytes": len(body), "rounds": all_rates}


_WHATS = ("constant", "ours")


def _streams(clients: int, changes: int) -> tuple[list[Figure], dict[str, object]]:
    with _server("ours") as server:
        port = server.read().split()[0]
        before = int(server.ask("memory"))
        print(f"opening {clients} streams", file=sys.stderr)
        with _python("tests.bench.web_client", "listen", port, str(clients)) as readers:
            assert readers.read() == "open"
            kilobytes = (int(server.ask("memory")) - before) / clients / 1_000
            took = sorted(_publish(server, readers) for _ in range(changes))
    late = took[int(len(took) * 0.95)]
    name = f"publish to the last of {clients} readers"
    return [
        at_most(f"{name}, p95", round(late, 1), LAST_READER_MS, "ms"),
        at_most("memory a reader", round(kilobytes, 1), READER_KB, "kB"),
        shown(f"{name}, median", round(statistics.median(took), 1), "ms"),
    ], {"publish_ms": [round(one, 1) for one in took]}


def _publish(server: _Child, readers: _Child) -> float:
    """One change; milliseconds until the last reader has it."""
    assert readers.ask("next") == "armed"
    time.sleep(PAUSE_SECONDS)
    began_ns = int(server.ask("change"))
    return (int(readers.read()) - began_ns) / 1e6


def _load(port: int, seconds: float) -> float:
    with _python("tests.bench.web_client", "load", str(port), PATH, str(seconds)) as client:
        return float(client.read())


def _server(what: str) -> AbstractContextManager[_Child]:
    return _python("tests.bench.web_server", what)


@contextmanager
def _python(module: str, *arguments: str) -> Iterator[_Child]:
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(  # noqa: S603  # our own modules
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _Child(process)
        finally:
            process.terminate()


@contextmanager
def _nginx(body: bytes) -> Iterator[int]:
    """nginx with one worker that serves `body` as a file; its port."""
    with tempfile.TemporaryDirectory() as name, socket() as probe:
        folder = Path(name)
        folder.chmod(0o755)
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        probe.close()
        (folder / "v1").mkdir()
        (folder / "v1/lots").write_bytes(body)
        (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port))
        command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603
            try:
                _wait_for(port)
                yield port
            finally:
                process.terminate()


_NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            _get(port)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("nginx does not answer")


def _get(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{PATH}") as answer:
        body: bytes = answer.read()
        return body
