from routing.plain_list import plain_list
from routing.reason import Code
from tests.routing.drivers import a_candidate, a_question

NEAR = a_candidate("near", walk=2.0, chance=0.1, promised=9.0)
FAR = a_candidate("far", walk=9.0, chance=1.0)


def test_the_nearest_stands_first_however_full_it_will_be() -> None:
    shown = plain_list(a_question(), [FAR, NEAR])
    assert [option.candidate.lot_id for option in shown.options] == ["near", "far"]
    assert shown.verdict.zh == "按步行远近排列，最近的是near"
    assert (shown.is_plain, shown.regret_minutes) == (True, 0.0)


def test_no_word_of_chances_promises_or_other_drivers() -> None:
    (first, _) = plain_list(a_question(), [FAR, NEAR]).options
    codes = {reason.code for reason in (*first.reasons, *first.notes)}
    assert codes <= {Code.DRIVE, Code.WALK, Code.FEE, Code.LIMITS, Code.LIMITS_ROUGHLY}
    assert {Code.DRIVE, Code.WALK, Code.FEE} <= codes


def test_what_cannot_be_used_is_left_out_with_why_and_what_is_silent_says_so() -> None:
    closed = a_candidate("closed", walk=1.0, is_closed=True)
    silent = a_candidate("silent", walk=3.0, is_stale=True, fee_fen=0)
    shown = plain_list(a_question(), [closed, silent, NEAR])
    assert [option.candidate.lot_id for option in shown.options] == ["near", "silent"]
    assert Code.NO_DATA in {note.code for note in shown.options[1].notes}
    assert [left.candidate.lot_id for left in shown.left_out] == ["closed"]
    nothing = plain_list(a_question(), [closed])
    assert (nothing.verdict.code, nothing.options) == (Code.NOTHING, ())
