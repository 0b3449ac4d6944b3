import pytest

from gateway.settings import BadSettingError
from occupancy.lot import Place
from routing.config import DISTRICT, GuidanceSettings, load_settings


def test_without_an_environment_the_defaults_hold() -> None:
    assert load_settings({}) == GuidanceSettings()


def test_units_are_turned_once() -> None:
    settings = load_settings(
        {
            "ZHIBO_OVERBOOKING_PERCENT": "25",
            "ZHIBO_SAME_ANSWER_SECONDS": "90",
            "ZHIBO_GATHER_MS": "10",
        }
    )
    assert (settings.overbooking, settings.same_answer_ms) == (0.25, 90_000)
    assert settings.gather_seconds == 0.01


@pytest.mark.parametrize("raw", ["22,112,23", "a,b,c,d", "23,112,22,113", "22,113,23,112"])
def test_a_district_that_is_none_names_its_setting(raw: str) -> None:
    with pytest.raises(BadSettingError, match="ZHIBO_DISTRICT"):
        DISTRICT.read({"ZHIBO_DISTRICT": raw})


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        (Place(23.155, 112.89), True),
        (Place(22.9, 112.7), True),
        (Place(24.0, 112.89), False),
        (Place(23.155, 113.4), False),
    ],
)
def test_the_district_is_a_box(place: Place, inside: bool) -> None:  # noqa: FBT001
    assert load_settings({}).district.contains(place) == inside
