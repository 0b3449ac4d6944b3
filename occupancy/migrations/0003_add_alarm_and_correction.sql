-- What operators counted, with their reason. Never changed: undoing one is a correction, too.
CREATE TABLE correction (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lot_id text NOT NULL,
    epoch bigint NOT NULL,
    sequence bigint NOT NULL,
    cars_inside integer NOT NULL CHECK (cars_inside >= 0),
    entries_total bigint NOT NULL,
    exits_total bigint NOT NULL,
    unseen_cars integer NOT NULL,
    cars_by_counters integer,
    cars_by_machines integer,
    reason text NOT NULL CHECK (reason <> ''),
    corrected_by text NOT NULL CHECK (corrected_by <> ''),
    corrected_at timestamptz NOT NULL
);

CREATE INDEX correction_by_lot ON correction (lot_id, number DESC);

CREATE FUNCTION refuse_correction_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a correction is never changed: record another one';
END
$$;

CREATE TRIGGER correction_is_immutable
BEFORE UPDATE OR DELETE OR TRUNCATE ON correction
FOR EACH STATEMENT EXECUTE FUNCTION refuse_correction_change();

-- Counters against machines, at night or when somebody asked; `night` is the local date.
CREATE TABLE truth_check (
    lot_id text NOT NULL,
    checked_at timestamptz NOT NULL,
    night date,
    asked_by text NOT NULL,
    epoch bigint NOT NULL,
    sequence bigint NOT NULL,
    capacity integer NOT NULL,
    entries_total bigint NOT NULL,
    exits_total bigint NOT NULL,
    cars_by_counters integer,
    cars_by_machines integer,
    unseen_cars integer NOT NULL,
    drift_cars integer,
    drift_since_last_cars integer,
    PRIMARY KEY (lot_id, checked_at)
);

CREATE UNIQUE INDEX truth_check_once_a_night ON truth_check (lot_id, night);

-- One row an alarm, from its raising to its clearing; people add what they know of it.
CREATE TABLE alarm (
    alarm_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    lot_id text NOT NULL,
    subject text NOT NULL,
    severity text NOT NULL,
    words text NOT NULL,
    raised_at timestamptz NOT NULL,
    cleared_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    note text NOT NULL DEFAULT ''
);

CREATE UNIQUE INDEX alarm_is_raised_once ON alarm (kind, lot_id, subject)
WHERE cleared_at IS NULL;

CREATE INDEX alarm_by_time ON alarm (raised_at);

-- What operators set other than the rule that ships; null keeps the shipped value.
CREATE TABLE alarm_rule (
    kind text PRIMARY KEY,
    threshold double precision,
    hysteresis double precision,
    raise_after_seconds double precision,
    clear_after_seconds double precision,
    is_on boolean NOT NULL DEFAULT true,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
