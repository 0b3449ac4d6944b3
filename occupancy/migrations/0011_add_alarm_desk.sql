-- What people do about an alarm besides acknowledging it.
ALTER TABLE alarm
    ADD COLUMN assigned_to text,
    ADD COLUMN snoozed_until timestamptz,
    ADD COLUMN version integer NOT NULL DEFAULT 1;

CREATE INDEX alarm_waits ON alarm (alarm_id)
WHERE cleared_at IS NULL OR acknowledged_at IS NULL;

CREATE TABLE alarm_comment (
    alarm_id bigint NOT NULL REFERENCES alarm,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    words text NOT NULL,
    PRIMARY KEY (alarm_id, at)
);

ALTER TABLE alarm_rule ADD COLUMN version integer NOT NULL DEFAULT 1;

-- Planned work: alarms of these kinds (none: every one) wait for nobody meanwhile.
CREATE TABLE quiet_window (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lot_id text NOT NULL,
    kinds text[] NOT NULL DEFAULT '{}',
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL CHECK (until_at > from_at),
    reason text NOT NULL,
    made_by text NOT NULL,
    ended_at timestamptz,
    ended_by text
);

-- Somebody outside who was told of an alarm that nobody acknowledged: once a channel.
CREATE TABLE escalation (
    alarm_id bigint NOT NULL REFERENCES alarm,
    channel text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    trouble text NOT NULL DEFAULT '',
    PRIMARY KEY (alarm_id, channel)
);
