-- A rule is the town's ('') or one car park's own; severity null keeps the shipped one.
-- A car park's rule that was taken back stays as a row, so that its version never repeats.
ALTER TABLE alarm_rule
    ADD COLUMN lot_id text NOT NULL DEFAULT '',
    ADD COLUMN severity text,
    ADD COLUMN is_withdrawn boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT alarm_rule_pkey,
    ADD PRIMARY KEY (kind, lot_id);

-- Who is told outside of an alarm that nobody has acknowledged after so many minutes.
-- The first step comes from the service's settings until somebody edits it.
CREATE TABLE escalation_step (
    severity text NOT NULL,
    step integer NOT NULL CHECK (step BETWEEN 1 AND 5),
    after_minutes integer NOT NULL CHECK (after_minutes >= 0),
    by_webhook boolean NOT NULL,
    mail_to text[] NOT NULL DEFAULT '{}',
    from_settings boolean NOT NULL DEFAULT false,
    is_withdrawn boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (severity, step)
);

-- Once a step and channel.
ALTER TABLE escalation
    ADD COLUMN step integer NOT NULL DEFAULT 1,
    DROP CONSTRAINT escalation_pkey,
    ADD PRIMARY KEY (alarm_id, step, channel);
