"""Finds destinations by words, pinyin, initials, homophones, or with a typing error.

What is clear is found; what may be meant is offered; the rest is nothing. A name is clear when
its own part agrees, not when it only shares 公园 or 医院 with another: 人民公园 is not 森林公园.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from routing.destination import Destination
from routing.spoken_name import Sound, as_heard, plain, sound_of, without_fillers, without_region

CLEAR, AHEAD = 0.77, 0.06  # of a perfect match: what is accepted, how far before the next one
WORTH_OFFERING = 0.42
MOST_OFFERED = 5
_LOOKED_AT = 24
_SAME_SOUND, _NEAR_SOUND = 0.96, 0.9
_EXACT_PINYIN, _EXACT_INITIALS = 0.97, 0.9
_LONGER, _SHORTER, _TURNED = 0.9, 0.86, 0.85  # a name and more, part of a name, letters swapped
_LEAST_INITIALS, _LEAST_PINYIN, _LEAST_HAN = 3, 4, 3
_MOST_OF_A_NAME = 0.74
_COMMON_WEIGHT = 0.35  # of a character that many names share
_COMMON_FROM = 4  # names of so many destinations
_OWN_PART = 0.6  # of the characters that are a name's own must agree
# Kinds of places: alone they name nothing.
GENERIC = frozenset(
    (
        *("医院", "公园", "广场", "中学", "小学", "学校", "大学", "政府", "银行", "车站"),
        *("站", "市场", "中心", "公司", "停车场", "法庭", "局", "镇", "街道", "馆", "酒店"),
        *("超市", "商场", "大楼", "人民", "三水", "三水区", "西南", "佛山", "附近"),
    )
)


class Match(NamedTuple):
    """A destination and how well it agrees, 0 to 1."""

    destination: Destination
    score: float


class Finding(NamedTuple):
    """The clear best, or None; and what may be meant, the likeliest first."""

    best: Destination | None
    candidates: tuple[Match, ...]


class _Key(NamedTuple):
    destination: Destination
    sound: Sound


class Gazetteer:
    """All destinations, made ready to be found. Made anew when operators edit them."""

    def __init__(self, destinations: Iterable[Destination]) -> None:
        self.destinations = tuple(destinations)
        self._keys = [
            _Key(one, sound_of(name))
            for one in self.destinations
            for name in dict.fromkeys(_names(one))
        ]
        self._exact = _index((key.sound.written, key.destination) for key in self._keys)
        for one in self.destinations:
            for name in one.english:
                self._exact[plain(name).replace(" ", "")].add(one)
        self._pinyin = _index((key.sound.pinyin, key.destination) for key in self._keys)
        self._heard = [as_heard(key.sound.pinyin) for key in self._keys]
        self._initials = _index((key.sound.initials, key.destination) for key in self._keys)
        self._letters = _index(
            ("".join(sorted(key.sound.written)), key.destination)
            for key in self._keys
            if len(key.sound.written) >= _LEAST_HAN
        )
        self._weights = _weights(self._keys)

    def find(self, words: str) -> Finding:
        """Whatever a citizen wrote or said; nothing is too strange to be asked."""
        told = plain(words)
        scores: dict[Destination, float] = {}
        for question in dict.fromkeys(_questions(told)):
            for destination, score in self._scores(question).items():
                scores[destination] = max(score, scores.get(destination, 0.0))
        ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0].destination_id))
        matches = [Match(destination, round(score, 3)) for destination, score in ranked]
        return _decided([match for match in matches if match.score >= WORTH_OFFERING])

    def _scores(self, question: str) -> Mapping[Destination, float]:
        if not question or question in GENERIC:
            return self._generic(question)
        exact = self._exact.get(question.replace(" ", ""))
        if exact:
            return dict.fromkeys(exact, 1.0)
        sound = sound_of(question)
        if not sound.is_han:
            return self._by_letters(sound.pinyin)
        scores = self._by_writing(sound)
        if len(sound.syllables) != len(sound.written):  # both scripts in one
            for destination, score in self._by_letters(sound.pinyin).items():
                scores[destination] = max(score, scores.get(destination, 0.0))
        return scores

    def _generic(self, question: str) -> Mapping[Destination, float]:
        """A kind of place: those of it may be meant, none is clear."""
        named = (one for one in self.destinations if question and question in one.name)
        return dict.fromkeys(named, WORTH_OFFERING)

    def _by_letters(self, letters: str) -> Mapping[Destination, float]:
        scores: dict[Destination, float] = defaultdict(float)
        for destination in self._pinyin.get(letters, ()):
            scores[destination] = _EXACT_PINYIN
        if len(letters) >= _LEAST_INITIALS:
            for destination in self._initials.get(letters, ()):
                scores[destination] = max(scores[destination], _EXACT_INITIALS)
        if len(letters) >= _LEAST_PINYIN:
            heard = as_heard(letters)
            for _, score, place in self._near(heard):
                destination = self._keys[place].destination
                scores[destination] = max(scores[destination], score)
        return scores

    def _by_writing(self, sound: Sound) -> dict[Destination, float]:
        scores: dict[Destination, float] = defaultdict(float)
        if len(sound.written) >= _LEAST_HAN:
            scores.update(self._by_parts(sound.written))
        for _, _, place in self._near(as_heard(sound.pinyin)):
            key = self._keys[place]
            score = self._agreement(sound, key.sound)
            scores[key.destination] = max(scores[key.destination], score)
        return scores

    def _by_parts(self, asked: str) -> Mapping[Destination, float]:
        """A name with more behind it, a name cut short, a name with its letters swapped."""
        scores: dict[Destination, float] = defaultdict(float)
        for destination in self._letters.get("".join(sorted(asked)), ()):
            scores[destination] = _TURNED
        for key in self._keys:
            written = key.sound.written
            if len(written) >= _LEAST_HAN and asked.startswith(written):
                scores[key.destination] = max(scores[key.destination], _LONGER)
            elif _is_most_of(asked, written):
                scores[key.destination] = max(scores[key.destination], _SHORTER)
        return scores

    def _near(self, heard: str) -> Sequence[tuple[str, float, int]]:
        """Keys whose pinyin is near, with how near, 0 to 1, and their place."""
        return process.extract(
            heard, self._heard, scorer=OSA.normalized_similarity, limit=_LOOKED_AT
        )

    def _agreement(self, asked: Sound, name: Sound) -> float:
        """How much of both agrees, weighted; 0 where the name's own part does not."""
        pairs = _aligned(asked, name)
        agreed = sum(likeness * self._weight(name.written[n]) for _, n, likeness in pairs)
        own = [n for n, letter in enumerate(name.written) if self._weight(letter) == 1.0]
        own_agreed = sum(likeness for _, n, likeness in pairs if n in own)
        if own and own_agreed < _OWN_PART * len(own):
            return agreed / max(self._total(name.written), 1e-9) * WORTH_OFFERING
        asked_for = {a for a, _, _ in pairs}
        strange = sum(
            self._weight(letter)
            for place, letter in enumerate(asked.written)
            if place not in asked_for
        )
        met = {n for _, n, _ in pairs}
        missing = self._total("".join(one for n, one in enumerate(name.written) if n not in met))
        if len(asked.written) - len(asked_for) <= len(name.written) - len(met):
            strange = min(strange, missing)  # one letter written for another is one error
        return agreed / (self._total(name.written) + max(strange - missing, 0.0))

    def _total(self, written: str) -> float:
        return sum(self._weight(letter) for letter in written)

    def _weight(self, letter: str) -> float:
        return self._weights.get(letter, 1.0)


def _is_most_of(asked: str, written: str) -> bool:
    """The beginning of a name, or nearly all of its characters in order."""
    if written.startswith(asked):
        return True
    rest = iter(written)
    in_order = all(letter in rest for letter in asked)
    return in_order and len(asked) >= _MOST_OF_A_NAME * len(written)


def _names(one: Destination) -> list[str]:
    """All names, each also without the district before it."""
    told = [plain(name).replace(" ", "") for name in one.names]
    return [*told, *(shorter for name in told if len(shorter := without_region(name)) > 1)]


def _index(pairs: Iterable[tuple[str, Destination]]) -> dict[str, set[Destination]]:
    found: dict[str, set[Destination]] = defaultdict(set)
    for key, destination in pairs:
        found[key].add(destination)
    return found


def _weights(keys: Sequence[_Key]) -> dict[str, float]:
    """A character that stands in the names of many places tells little."""
    places: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        for letter in key.sound.written:
            places[letter].add(key.destination.destination_id)
    return {
        letter: _COMMON_WEIGHT if len(ids) >= _COMMON_FROM else 1.0
        for letter, ids in places.items()
    }


def _questions(told: str) -> list[str]:
    """The words themselves, and what is left without fillers and without the district."""
    bare = without_fillers(told)
    once = "".join(letter for place, letter in enumerate(bare) if bare[place - 1 : place] != letter)
    return [told, bare, without_region(bare), once]


def _aligned(asked: Sound, name: Sound) -> list[tuple[int, int, float]]:
    """The best pairing of characters in order: place asked, place in the name, likeness."""
    if len(asked.syllables) != len(asked.written):
        asked = _lettered(asked)
    rows, columns = len(asked.written), len(name.written)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    likeness = [
        [
            _likeness(asked.written[a], asked.syllables[a], name.written[n], name.syllables[n])
            for n in range(columns)
        ]
        for a in range(rows)
    ]
    for a in range(rows - 1, -1, -1):
        for n in range(columns - 1, -1, -1):
            best[a][n] = max(best[a + 1][n], best[a][n + 1], likeness[a][n] + best[a + 1][n + 1])
    pairs, a, n = [], 0, 0
    while a < rows and n < columns:
        if likeness[a][n] and best[a][n] == likeness[a][n] + best[a + 1][n + 1]:
            pairs.append((a, n, likeness[a][n]))
            a, n = a + 1, n + 1
        elif best[a][n] == best[a + 1][n]:
            a += 1
        else:
            n += 1
    return pairs


def _lettered(asked: Sound) -> Sound:
    """Mixed scripts: each letter its own sound, so that both are of one length."""
    return Sound(asked.written, tuple(sound_of(letter).pinyin for letter in asked.written))


def _likeness(asked: str, sounds: str, letter: str, syllable: str) -> float:
    if asked == letter:
        return 1.0
    if sounds == syllable:
        return _SAME_SOUND
    return _NEAR_SOUND if as_heard(sounds) == as_heard(syllable) else 0.0


def _decided(matches: list[Match]) -> Finding:
    offered = tuple(matches[:MOST_OFFERED])
    if not matches or matches[0].score < CLEAR:
        return Finding(None, offered)
    if len(matches) > 1 and matches[0].score - matches[1].score < AHEAD:
        return Finding(None, offered)
    return Finding(matches[0].destination, offered)
