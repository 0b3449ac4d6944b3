-- What citizens say is wrong with a car park, for the operator to see beside it. Nobody's name.
CREATE TABLE citizen_report (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lot_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('full', 'wrong_number', 'wrong_price', 'navigation', 'other')),
    words text NOT NULL DEFAULT '' CHECK (length(words) <= 500),
    free_shown integer,
    quality_shown text,
    reported_at timestamptz NOT NULL
);
CREATE INDEX citizen_report_by_lot ON citizen_report (lot_id, reported_at DESC);
