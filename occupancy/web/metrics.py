"""What `/metrics` tells: gauges read at each scrape, nothing is counted on the way."""

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from occupancy.certificates import Certificates
from occupancy.live import Quality, Status, as_seen_at
from occupancy.reading import Reading
from occupancy.replica import ReplicaState
from occupancy.web.alarms import Alarms
from occupancy.web.events import LiveStream
from occupancy.web.showcase import Showcase


class Metrics:
    """Of one worker."""

    def __init__(
        self,
        showcase: Showcase,
        stream: LiveStream,
        alarms: Alarms,
        history: Reading,
        certificates: Certificates,
    ) -> None:
        self._showcase = showcase
        self._history = history
        self._stream = stream
        self._alarms = alarms
        self._certificates = certificates
        self._registry = CollectorRegistry()
        self._free = self._gauge("zhibo_free_spaces", "Free spaces, absent when not trusted", "lot")
        self._age = self._gauge(
            "zhibo_observation_age_seconds", "Age of the last observation", "lot"
        )
        self._offset = self._gauge(
            "zhibo_gateway_clock_offset_seconds", "Gateway clock offset", "lot"
        )
        self._fresh = self._gauge("zhibo_fresh", "1 while the lot's numbers may be shown", "lot")
        self._readers = self._gauge("zhibo_stream_readers", "Open live streams of this worker")
        self._linked = self._gauge("zhibo_redis_linked", "1 while pictures come from Redis")
        self._open = self._gauge("zhibo_open_alarms", "Open alarms", "kind", "severity")
        self._looked = self._gauge(
            "zhibo_alarms_looked_at_seconds",
            "When alarms were last looked for, Unix time; 0: nobody looks",
        )
        self._replica = self._gauge("zhibo_replica_state", "1 at the replica's state", "state")
        self._lag = self._gauge(
            "zhibo_replica_lag_seconds",
            "How far the replica is behind; NaN while it does not answer",
        )
        self._expires = self._gauge(
            "zhibo_certificate_expires_seconds",
            "Until a server's certificate ends, negative once it has; NaN while none is seen",
            *("setting", "host"),
        )
        self._fallbacks = self._gauge(
            "zhibo_replica_fallbacks",
            "Questions the replica failed and the primary answered, since the start",
        )

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(name, about, labels, registry=self._registry)

    def text(self) -> bytes:
        now_ms = self._showcase.now_ms()
        self._free.clear()
        for lot_id, picture in self._showcase.pictures.items():
            seen = as_seen_at(picture, now_ms)
            if seen.free is not None and seen.quality is not Quality.SUSPECT:
                self._free.labels(lot_id).set(seen.free)
            self._fresh.labels(lot_id).set(seen.status is not Status.NO_DATA)
            self._age.labels(lot_id).set((now_ms - picture.observed_at_ms) / 1_000)
            self._offset.labels(lot_id).set(picture.clock_offset_ms / 1_000)
        self._tell_alarms()
        self._tell_replica()
        self._tell_certificates(now_ms)
        self._readers.set(self._stream.readers)
        self._linked.set(self._showcase.link_lost_since_ms is None)
        return generate_latest(self._registry)

    def _tell_certificates(self, now_ms: int) -> None:
        for term in self._certificates.terms:
            at = self._expires.labels(term.endpoint.setting, term.endpoint.place)
            at.set(term.seconds_left(now_ms))

    def _tell_alarms(self) -> None:
        self._open.clear()
        for alarm in self._alarms.open.alarms:
            self._open.labels(alarm.key.kind.value, alarm.severity.value).inc()
        self._looked.set(self._alarms.open.at_ms / 1_000)

    def _tell_replica(self) -> None:
        standing = self._history.standing
        for state in ReplicaState:
            self._replica.labels(state.value).set(state is standing.state)
        self._lag.set(float("nan") if standing.lag_ms is None else standing.lag_ms / 1_000)
        self._fallbacks.set(self._history.fallbacks)
