-- Facts of the car parks: from lots.toml at the first start, edited by operators afterwards.
CREATE TABLE lot (
    lot_id text PRIMARY KEY,
    facts jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- One row an observation. observed_at is the device's time with the gateway's clock offset taken
-- out; gateway_at is what the gateway's clock said. No unique key: the watermark's locked row lets
-- every position in once, and a key over (lot, time) would double time and size.
CREATE TABLE observation (
    lot_id text NOT NULL,
    epoch bigint NOT NULL,
    sequence bigint NOT NULL,
    observed_at timestamptz NOT NULL,
    gateway_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    occupied integer,
    free integer,
    usable integer NOT NULL,
    out_of_service integer NOT NULL,
    entries_total bigint NOT NULL,
    exits_total bigint NOT NULL,
    lane_totals bigint[] NOT NULL,
    group_occupied smallint[] NOT NULL,
    basis text NOT NULL,
    doubts text[] NOT NULL
) PARTITION BY RANGE (observed_at);

CREATE INDEX observation_by_lot ON observation USING btree (lot_id, observed_at);

-- How far each car park's history is written: the one lock that gives order and once-only.
CREATE TABLE watermark (
    lot_id text PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 0,
    sequence bigint NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL DEFAULT now()
);

-- The outboxes a car park has had. A second one that speaks while the first still does is refused.
CREATE TABLE gateway_epoch (
    lot_id text NOT NULL,
    epoch bigint NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lot_id, epoch)
);

-- Who records a car park now: saves double work, decides nothing.
CREATE TABLE lease (
    lot_id text PRIMARY KEY,
    holder text NOT NULL,
    until timestamptz NOT NULL
);
