import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from routing.forecast_eval import Evaluation, evaluate_files
from routing.series_file import BadSeriesError
from routing.series_grid import Sighting
from tests.routing.series import sightings, write

TRAINING, TEST = 21, 9
ROOT = Path(__file__).parents[2]


def silent(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    folder = tmp_path_factory.mktemp("series")
    new = Sighting("new", 100.0, 5.0, next(sightings(1, 1, TRAINING)).at)
    return evaluate_files(
        write(folder / "a.csv", sightings(3, TRAINING)),
        write(folder / "b.csv", [*sightings(3, TEST, TRAINING, seed=2), new]),
        silent,
    )


def test_every_pair_of_moments_is_a_case(evaluation: Evaluation) -> None:
    assert [one.cases for one in evaluation.horizons] == [3 * 9 * n for n in (17, 16, 14)]
    assert evaluation.week_ahead.cases == 3 * 9 * 18
    assert evaluation.test_days == TEST


def test_what_is_learned_beats_saying_as_now(evaluation: Evaluation) -> None:
    for one in evaluation.horizons:
        assert one.mae < one.mae_persistence / 2
        assert one.brier_above_090 <= one.brier_above_090_persistence


def test_intervals_hold_about_what_they_say(evaluation: Evaluation) -> None:
    for one in evaluation.horizons:
        assert 0.7 < one.interval_80_coverage < 0.9


def test_lots_are_listed_and_unknown_ones_left_out_with_the_reason(evaluation: Evaluation) -> None:
    assert [one.lot for one in evaluation.lots] == ["lot0", "lot1", "lot2"]
    assert {one.training_days for one in evaluation.lots} == {TRAINING}
    assert [(one.lot, one.why) for one in evaluation.left_out] == [
        ("new", "not in the training file")
    ]


def test_without_enough_training_days_it_says_so(tmp_path: Path) -> None:
    train = write(tmp_path / "a.csv", sightings(2, 13))
    test = write(tmp_path / "b.csv", sightings(2, 2, 13))
    with pytest.raises(BadSeriesError, match="none of its 2 lots has 14 days"):
        evaluate_files(train, test, silent)


def test_the_command_names_file_and_line_and_exits_with_2(tmp_path: Path) -> None:
    good = write(tmp_path / "a.csv", sightings(1, 2))
    bad = tmp_path / "b.csv"
    bad.write_text(good.read_text(encoding="utf-8") + "x,1,many,2016-11-01 08:00\n")
    command = [
        sys.executable,
        "-m",
        "zhibo",
        "forecast-eval",
        "--train",
        str(good),
        "--test",
        str(bad),
    ]
    ended = subprocess.run(  # noqa: S603  # our own command
        command, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert f"{bad}:38: Occupancy='many' is not a number" in ended.stderr


def test_the_result_is_json(evaluation: Evaluation) -> None:
    assert json.loads(msgspec.json.encode(evaluation))["horizons"][0]["minutes"] == 30
