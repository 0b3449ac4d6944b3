"""Citizens who write at a fixed rate: `python -m tests.bench.wechat_client RATE SECONDS PORT...`.

Open loop: a message is sent when it is due, sealed as in safe mode, to one of the processes; a
part of them again, as WeChat does, to another process, at once or while the first is answered.
Prints one JSON object.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvloop

from gateway.process import now_ms
from tests.wechat.account_server import AccountServer, Heard

REPEATED = 0.3
PATIENCE_SECONDS = 10.0
PLACES = {
    "人民医院 停2小时": "去三水区人民医院，停2小时",
    "万达 便宜点": "去万达广场，停2小时，优先便宜",
    "三水广场 停90分钟 少走路": "去三水广场，停1小时30分钟，优先少走路",
    "去森林公园": "去三水森林公园，停2小时",
    "三水北站 SUV 停一天": "去三水北站，停1天，SUV",
    "西南公园附近有停车场吗": "去西南公园，停2小时",
}


@dataclass(frozen=True)
class _Message:
    """What is sent, what its answer begins with, and whether guidance must compute for it."""

    fields: dict[str, Any]
    begins: str
    is_advice: bool


@dataclass
class _Told:
    took_ms: list[float] = field(default_factory=list)
    missing: int = 0
    wrong: list[str] = field(default_factory=list)
    advised: set[str] = field(default_factory=set)
    advice_asked: int = 0
    repeated: int = 0
    identical: int = 0
    kinds: Counter[str] = field(default_factory=Counter)


def _message(chance: random.Random) -> _Message:
    def text(content: str, begins: str, *, is_advice: bool = False) -> _Message:
        return _Message({"MsgType": "text", "Content": content}, begins, is_advice)

    kind = chance.random()
    if kind < 0.7:
        content, begins = chance.choice(list(PLACES.items()))
        return text(content, begins, is_advice=True)
    if kind < 0.8:
        place = {
            "Location_X": round(23.154 + chance.uniform(-0.01, 0.01), 6),
            "Location_Y": round(112.899 + chance.uniform(-0.01, 0.01), 6),
        }
        return _Message({"MsgType": "location", **place}, "您发的位置附近", is_advice=True)
    if kind < 0.9:
        return text("2小时多少钱", "现在停2小时：")
    if kind < 0.95:
        return text("全部停车场", "现在的空位：")
    event = {"MsgType": "event", "Event": "CLICK", "EventKey": "free"}
    return _Message(event, "现在停车：", is_advice=False)


class _Citizens:
    def __init__(self, servers: list[AccountServer], told: _Told, seed: int) -> None:
        self._servers = servers
        self._told = told
        self._chance = random.Random(seed)  # noqa: S311 -- a seed, not secrecy
        self._run = f"{now_ms() % 10**9:09d}"

    async def write(self, number: int, due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        message = _message(self._chance)
        fields = {
            "ToUserName": "gh_bench",
            "FromUserName": f"oBench-{self._run}-{number}",
            "CreateTime": now_ms() // 1_000,
            **message.fields,
        }
        if message.fields["MsgType"] != "event":
            fields["MsgId"] = int(f"{self._run}{number:06d}")
        first, *others = self._chance.sample(self._servers, len(self._servers))
        again_after = self._chance.choice((0.0, 0.002, 0.01, 0.5))
        is_repeated = self._chance.random() < REPEATED
        sending = [self._send(first, fields)]
        if is_repeated:
            sending += [self._send(other, fields, again_after) for other in others]
        heard = await asyncio.gather(*sending)
        if heard[0] is not None:
            self._told.took_ms.append((heard[0][1] - due) * 1e3)
        self._judge(message, [None if one is None else one[0] for one in heard])

    async def _send(
        self, server: AccountServer, fields: dict[str, Any], after: float = 0.0
    ) -> tuple[Heard, float] | None:
        await asyncio.sleep(after)
        try:
            heard = await server.but(now_ms=now_ms()).send(fields)
        except (aiohttp.ClientError, TimeoutError):
            return None
        return heard, time.monotonic()

    def _judge(self, message: _Message, heard: list[Heard | None]) -> None:
        told, first = self._told, heard[0]
        told.kinds[message.fields["MsgType"]] += 1
        told.advice_asked += message.is_advice
        if first is None or first.status != 200 or not first.text:
            told.missing += 1
            return
        if not first.text.startswith(message.begins):
            told.wrong.append(first.text[:60])
        if message.is_advice:
            told.advised |= set(_trips(first.text))
        for again in heard[1:]:
            told.repeated += 1
            told.identical += again is not None and again.fields == first.fields


def _trips(text: str) -> list[str]:
    return [part.partition("/")[0] for part in text.split("/v1/trips/")[1:]]


async def _load(rate: float, seconds: float, ports: list[int]) -> _Told:
    told = _Told()
    patience = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=7)
    async with aiohttp.ClientSession(connector=connector, timeout=patience) as http:
        servers = [AccountServer(http, f"http://127.0.0.1:{port}/wechat") for port in ports]
        citizens = _Citizens(servers, told, seed=ports[0])
        async with asyncio.TaskGroup() as group:
            began = time.monotonic() + 0.2
            for number in range(round(rate * seconds)):
                due = began + number / rate
                group.create_task(citizens.write(number, due))
                if number % 20 == 0:
                    await asyncio.sleep(max(0.0, due - 0.3 - time.monotonic()))
    return told


def _as_json(told: _Told, encode: Callable[[object], str]) -> str:
    shown = {**vars(told), "advised": sorted(told.advised), "wrong": told.wrong[:10]}
    return encode({**shown, "wrong_count": len(told.wrong)})


if __name__ == "__main__":
    _rate, _seconds, *_ports = sys.argv[1:]
    found = uvloop.run(_load(float(_rate), float(_seconds), [int(port) for port in _ports]))
    print(_as_json(found, json.dumps))
