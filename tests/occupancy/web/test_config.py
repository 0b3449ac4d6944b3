"""Settings of the web service: a bad one names itself."""

import pytest

from gateway.settings import BadSettingError
from occupancy.web.config import load_settings

SERVERS = {"ZHIBO_REDIS_URL": "redis://h", "ZHIBO_POSTGRES_URL": "postgresql://h/d"}


def test_the_web_service_names_the_server_it_lacks() -> None:
    assert load_settings(SERVERS).port == 8080
    with pytest.raises(BadSettingError, match="ZHIBO_POSTGRES_URL"):
        load_settings({"ZHIBO_REDIS_URL": "redis://h"})


@pytest.mark.parametrize("wrong", ["http", "0", "70000", "-1", "8080.5"])
def test_a_wrong_port_names_itself(wrong: str) -> None:
    with pytest.raises(BadSettingError, match="ZHIBO_PORT"):
        load_settings({**SERVERS, "ZHIBO_PORT": wrong})
