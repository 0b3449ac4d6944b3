-- What happened in each window of 1, 15 and 60 minutes. Integrals in whole milliseconds, so that
-- a window made again is the same to the last digit, and longer windows are sums of shorter ones.
-- A window in which nothing was told has no row. Starts are UTC; Asia/Shanghai lies whole hours off.
CREATE TABLE rollup_1 (
    lot_id text NOT NULL,
    start timestamptz NOT NULL,
    told_ms bigint NOT NULL,
    fresh_ms bigint NOT NULL,
    suspect_ms bigint NOT NULL,
    full_ms bigint NOT NULL,
    occupied_ms bigint NOT NULL,
    free_ms bigint NOT NULL,
    usable_ms bigint NOT NULL,
    occupied_most integer,
    entries bigint NOT NULL,
    exits bigint NOT NULL,
    entries_late bigint NOT NULL,
    exits_late bigint NOT NULL,
    PRIMARY KEY (lot_id, start)
) PARTITION BY RANGE (start);

CREATE TABLE rollup_15 (LIKE rollup_1 INCLUDING ALL) PARTITION BY RANGE (start);

CREATE TABLE rollup_60 (LIKE rollup_1 INCLUDING ALL) PARTITION BY RANGE (start);

-- Spans of history that were written since they were last rolled up: added with the rows themselves.
CREATE TABLE rollup_due (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lot_id text NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL
);

-- What was recorded before there were rollups is due as well.
INSERT INTO rollup_due (lot_id, first_at, last_at)
SELECT w.lot_id, o.first_at, o.last_at FROM watermark w CROSS JOIN LATERAL (
    SELECT min(observed_at) AS first_at, max(observed_at) AS last_at
    FROM observation WHERE lot_id = w.lot_id
) AS o WHERE o.first_at IS NOT NULL;
