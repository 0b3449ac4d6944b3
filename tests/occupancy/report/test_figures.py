import pytest

from occupancy.report.document import Column, Kind
from occupancy.report.figures import write_cell, write_figure, write_number


def test_each_kind_is_written_its_way() -> None:
    assert write_figure(3.416, Kind.NUMBER, 2) == "3.42"
    assert write_figure(1_024, Kind.NUMBER, 0) == "1,024"
    assert write_figure(0.9183, Kind.SHARE, 1) == "91.8%"
    assert write_figure(1_250, Kind.FEN, 2) == "12.50"
    assert write_figure("2026-10-01", Kind.DATE, 0) == "2026-10-01"
    assert write_figure(1_793_570_400_000, Kind.MOMENT, 0) == "2026-11-02 06:00"
    assert write_cell("康乐路", Column("车场")) == "康乐路"


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_not_known_is_a_dash(kind: Kind) -> None:
    assert write_figure(None, kind, 1) == "—"


def test_a_zero_has_no_sign() -> None:
    assert write_number(-0.04, 1) == "0.0"
    assert write_number(-0.06, 1) == "-0.1"


def test_words_in_a_column_of_numbers_are_a_mistake() -> None:
    with pytest.raises(TypeError, match="no number"):
        write_figure("many", Kind.NUMBER, 0)
