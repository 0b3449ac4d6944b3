"""What a stranger sends is read or refused; `python -m tests.wechat.fuzz` does it for longer."""

from hypothesis import given

from tests.wechat import hostile


@given(hostile.bodies)
def test_any_body_is_read_or_refused(body: bytes) -> None:
    hostile.read_a_body(body)


@given(hostile.sealed_texts)
def test_any_seal_is_opened_or_refused(sealed: str) -> None:
    hostile.open_a_seal(sealed)


@given(hostile.queries)
def test_any_query_passes_or_is_refused(pairs: list[tuple[str, str]]) -> None:
    hostile.check_a_query(pairs)


@given(hostile.spoken)
def test_any_words_are_understood_as_something(words: str) -> None:
    hostile.talk(words)
