"""Ports: said once in the code, the same in documents and kit, and nobody takes another's."""

import re
import tomllib
from pathlib import Path

import yaml

from gateway.push_config import PushConfig
from lot_sim.config import TRUTH_PORT
from occupancy.web.config import PORT

ROOT = Path(__file__).parents[2]
PUSH = PushConfig(parks=()).port


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def scraped(job: str) -> list[int]:
    jobs = yaml.safe_load(read("deploy/prometheus/prometheus.yml"))["scrape_configs"]
    (ours,) = (one for one in jobs if one["job_name"] == job)
    return [int(target.split(":")[1]) for target in ours["static_configs"][0]["targets"]]


def test_the_push_receiver_listens_where_everybody_says_it_does() -> None:
    example = tomllib.loads(read("occupancy/join_examples/push/devices.toml"))
    (told,) = re.findall(r"(?s)`zhibo push PUSH.toml`.*?\nport = (\d+)", read("docs/drivers.md"))
    assert (example["port"], int(told), scraped("zhibo-receivers")[0]) == (PUSH, PUSH, PUSH)
    led = (
        (r"upstream zhibo_push \{\s*server 127\.0\.0\.1:(\d+);", "zhibo"),
        (r"set \$zhibo_push push:(\d+);", "compose"),
    )
    for where, proxy in led:
        (proxied,) = re.findall(where, read(f"deploy/nginx/{proxy}.conf"))
        assert int(proxied) == PUSH


def test_the_bay_receiver_is_looked_at_where_its_documents_say() -> None:
    for document in ("docs/drivers.md", "deploy/receivers.example/bays.toml"):
        (told,) = re.findall(r"\nmetrics_port = (\d+)", read(document))
        assert scraped("zhibo-receivers")[1] == int(told)


def test_web_workers_are_looked_at_and_reached_where_their_units_are_told_to_listen() -> None:
    reached = re.findall(r"server 127\.0\.0\.1:(\d+) ", read("deploy/nginx/zhibo.conf"))
    assert scraped("zhibo-web") == [int(port) for port in reached]


def test_no_two_of_ours_take_one_port() -> None:
    taken = [PUSH, int(TRUTH_PORT.default), *scraped("zhibo-web"), scraped("zhibo-receivers")[1]]
    assert len(set(taken)) == len(taken)
    assert int(PORT.default) in taken
