"""Gate systems that cost next to nothing: posts made beforehand, over bare HTTP connections.

`python -m tests.bench.push_sender PORT POSTS RECORDS CONNECTIONS` says `ready`, begins at a line on
stdin, and ends when every post was taken; an answer other than 200 is a failure.
"""

import select
import socket
import sys
from collections.abc import Iterator
from itertools import islice

import msgspec

from gateway.process import now_ms
from gateway.push_dialect import load_dialect
from gateway.push_message import sign

PARK_CODE, SECRET = "P-1", b"a secret of the bench"
REPEATED_ONE_OF = 10
DIALECT = load_dialect("common")
_TAKEN = b"HTTP/1.1 200 "
_ANSWER_BYTES = 1 << 16


def posts(count: int, records: int) -> Iterator[bytes]:
    """Whole requests. Every tenth says again what the one before it said, under another nonce."""
    for number in range(count):
        said = number - 1 if number % REPEATED_ONE_OF == REPEATED_ONE_OF - 1 else number
        passages = [
            {"recordNo": f"{said}-{n}", "direction": "in", "time": now_ms()} for n in range(records)
        ]
        body = msgspec.json.encode(
            {
                "parkCode": PARK_CODE,
                "timestamp": now_ms(),
                "nonce": f"{number}",
                "records": passages,
            }
        )
        head = (
            f"POST /push/{PARK_CODE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
            f"\r\nX-Signature: {sign(DIALECT.signature, SECRET, body, {})}"
            f"\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def send(port: int, made: list[bytes], connections: int) -> None:
    """One post at a time on each connection."""
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    by_number = {line.fileno(): line for line in lines}
    poll = select.poll()
    left = iter(made)
    for line, post in zip(lines, left, strict=False):
        line.sendall(post)
        poll.register(line, select.POLLIN)
    answers = 0
    while answers < len(made):
        for number, _ in poll.poll():
            line = by_number[number]
            _read_answer(line)
            answers += 1
            for following in islice(left, 1):
                line.sendall(following)


def _read_answer(line: socket.socket) -> None:
    """Head and body of our receiver's answers come in one piece or in two."""
    got = line.recv(_ANSWER_BYTES)
    if not got.startswith(_TAKEN):
        raise SystemExit(f"a post was not taken: {got.decode()}")
    head, _, body = got.partition(b"\r\n\r\n")
    (length,) = (
        int(field.split(b":")[1])
        for field in head.lower().split(b"\r\n")
        if field.startswith(b"content-length")
    )
    missing = length - len(body)
    while missing > 0:
        missing -= len(line.recv(missing))


def main(port: int, count: int, records: int, connections: int) -> None:
    made = list(posts(count, records))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    send(port, made, connections)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
