"""Readers in C speed, as a process of their own: `python -m tests.bench.web_client load|listen`.

load PORT PATH SECONDS     as many GETs as 32 connections bring; prints answers a second
listen PORT CLIENTS        opens so many live streams, prints `open`; at each line on stdin it
                           prints when the last of them has got a change (monotonic nanoseconds)
"""

import select
import socket
import sys
import time

from tests.bench.limits import allow_many_files

CONNECTIONS = 32
_TAKE = 1 << 18
_LOT, _BEAT = b"event: lot", b"event: heartbeat"


def load(port: int, path: str, seconds: float) -> float:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    length = _answer_length(port, request)
    readers = {s.fileno(): s for s in (_connect(port) for _ in range(CONNECTIONS))}
    waiting = dict.fromkeys(readers, length)
    poll = _watch(readers)
    for reader in readers.values():
        reader.send(request)
    answers = 0
    began = time.monotonic()
    while (took := time.monotonic() - began) < seconds:
        for number, _ in poll.poll(1):
            waiting[number] -= len(readers[number].recv(_TAKE))
            if waiting[number] <= 0:
                answers += 1
                waiting[number] = length
                readers[number].send(request)
    return answers / took


def _answer_length(port: int, request: bytes) -> int:
    with _connect(port) as probe:
        probe.send(request)
        got = probe.recv(_TAKE)
        head, _, body = got.partition(b"\r\n\r\n")
        (line,) = (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-len"))
        whole = len(head) + 4 + int(line.split(b":")[1])
        rest = whole - len(got)
        assert rest >= 0, body
        return whole


def listen(port: int, clients: int) -> None:
    readers = {s.fileno(): s for s in (_open_stream(port) for _ in range(clients))}
    poll = _watch(readers)
    _wait_for(poll, readers, _BEAT)
    print("open", flush=True)
    for _ in sys.stdin:
        print("armed", flush=True)
        print(_wait_for(poll, readers, _LOT), flush=True)


def _wait_for(poll: select.epoll, readers: dict[int, socket.socket], mark: bytes) -> int:
    """Until each reader has got the mark; when the last one had it."""
    missing = set(readers)
    while missing:
        for number, _ in poll.poll():
            if mark in readers[number].recv(_TAKE):
                missing.discard(number)
    return time.monotonic_ns()


def _open_stream(port: int) -> socket.socket:
    reader = _connect(port)
    reader.send(b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return reader


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


def _watch(readers: dict[int, socket.socket]) -> select.epoll:
    poll = select.epoll()
    for number in readers:
        poll.register(number, select.EPOLLIN)
    return poll


if __name__ == "__main__":
    allow_many_files()
    if sys.argv[1] == "load":
        print(load(int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
    else:
        listen(int(sys.argv[2]), int(sys.argv[3]))
