"""Whatever stands in a draft's text, it is looked at and never a crash."""

import re
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from occupancy.calendar import Calendar
from occupancy.tariff_draft import Published
from occupancy.tariff_file import GALLERY, OUR_TARIFFS, read_folder
from occupancy.tariff_review import review

TEXTS = [path.read_text("utf-8") for path in (*OUR_TARIFFS.glob("*.toml"), *GALLERY.glob("*.toml"))]
PUBLISHED = Published("kangle", (read_folder(OUR_TARIFFS)["kangle"].tariff,), 1)
VALUE = re.compile(r"\d[\d\-T:]*|\"[^\"]*\"|\w+ = ")
NONSENSE = (
    *("-1", "0", "99999999999", "1e9", "nan", "true", '""', "[]", "{}", "x = ", '"\\u0000"'),
    *("24:00", '"24:00"', "1970-01-01", "2199-12-31", "9999-12-31T23:59:59"),
    *("0001-01-01T00:00:00", "2027-01-01T00:00:00Z", "\n[[waivers]]\n", "[["),
)


@settings(max_examples=400)
@given(st.randoms(use_true_random=False))
def test_a_spoiled_text_is_priced_or_its_faults_are_told(rng: Random) -> None:
    text = rng.choice(TEXTS)
    start, end = rng.choice(list(VALUE.finditer(text))).span()
    spoiled = text[:start] + rng.choice(NONSENSE) + text[end:]
    seen = review(spoiled, PUBLISHED, Calendar(), 0)
    assert seen.preview is not None or seen.examined.errors
    lines = len(spoiled.splitlines())
    assert all(1 <= one.line <= lines and one.words for one in seen.examined.remarks)
