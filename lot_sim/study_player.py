"""A study from the JSON of those who ask for it to the JSON of its outcome, seed by seed."""

import msgspec

from lot_sim.scenario import Scenario
from lot_sim.study import Pair, play, require_possible, sum_up
from lot_sim.study_fit import fit
from lot_sim.study_spec import BadStudyError, Spec, StudyDestination


class StudyPlayer:
    """Raises BadStudyError where the facts cannot be played.

    Facts without destinations get those of the believed town, and `spec` has them: it is all that
    is needed to play the same study again.
    """

    def __init__(self, facts: str, believed: Scenario) -> None:
        try:
            asked = msgspec.json.decode(facts, type=Spec)
        except msgspec.ValidationError as reason:
            raise BadStudyError(f"the study's facts: {reason}") from None
        self._spec = _with_destinations(asked, believed)
        require_possible(self._spec)
        self._fitted = fit(self._spec, believed)
        self._pairs: list[Pair] = []

    @property
    def spec(self) -> str:
        return msgspec.json.encode(self._spec).decode()

    @property
    def is_done(self) -> bool:
        return len(self._pairs) >= self._spec.seeds

    @property
    def seeds_done(self) -> int:
        return len(self._pairs)

    def play_next(self) -> None:
        """One more seed, without and with the change."""
        self._pairs.append(play(self._spec, self._fitted, len(self._pairs) + 1))

    def outcome(self) -> str:
        """Of the seeds played so far."""
        return msgspec.json.encode(sum_up(self._spec, self._fitted, self._pairs)).decode()


def _with_destinations(spec: Spec, believed: Scenario) -> Spec:
    if spec.destinations:
        return spec
    places = tuple(
        StudyDestination(one.destination_id, one.kind, one.latitude, one.longitude)
        for one in believed.destinations
    )
    return msgspec.structs.replace(spec, destinations=places)
