-- Guided trips: what a driver was shown and what came of it. No name, no plate, no destination;
-- kept for thirty days. Written again whenever a trip comes further.
CREATE TABLE trip (
    trip_id text PRIMARY KEY,
    lot_id text NOT NULL,
    shown_lots text[] NOT NULL,
    shown_at timestamptz NOT NULL,
    arrives_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    chance double precision NOT NULL,
    promised double precision NOT NULL,
    regret_minutes double precision NOT NULL,
    stage text NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE INDEX trip_by_time ON trip USING btree (shown_at);
