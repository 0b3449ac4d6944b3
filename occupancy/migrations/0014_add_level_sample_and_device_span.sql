-- Once a minute, what history does not tell: the cars of each level (a machine spans several, so
-- its cars do not say on which), from the ground up; null where the machines were silent.
CREATE TABLE level_sample (
    lot_id text NOT NULL,
    at timestamptz NOT NULL,
    occupied smallint[] NOT NULL,
    free smallint[] NOT NULL,
    PRIMARY KEY (lot_id, at)
);

CREATE INDEX level_sample_by_time ON level_sample (at);

-- How each field device answered, one row a span; between spans nobody looked.
CREATE TABLE device_span (
    lot_id text NOT NULL,
    device_id text NOT NULL,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL CHECK (until_at >= from_at),
    state text NOT NULL,
    note text NOT NULL DEFAULT '',
    PRIMARY KEY (lot_id, device_id, from_at)
);

CREATE INDEX device_span_by_time ON device_span (until_at);
