-- When reports are made by themselves and to whom they are mailed.
CREATE TABLE report_schedule (
    schedule_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('month', 'week')),
    day integer NOT NULL, -- of the month (1 to 28), of the week (1 Monday to 7)
    minute integer NOT NULL CHECK (minute BETWEEN 0 AND 1439), -- of the day, Asia/Shanghai
    lots text[] NOT NULL DEFAULT '{}',
    recipients text[] NOT NULL,
    is_on boolean NOT NULL DEFAULT true,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    edit integer NOT NULL DEFAULT 1,
    CHECK (day BETWEEN 1 AND CASE kind WHEN 'month' THEN 28 ELSE 7 END)
);

-- A period of a schedule that came due; its row is what makes it once.
CREATE TABLE report_run (
    schedule_id bigint NOT NULL REFERENCES report_schedule,
    first_day date NOT NULL,
    last_day date NOT NULL,
    due_at timestamptz NOT NULL,
    report_id bigint REFERENCES report_version,
    PRIMARY KEY (schedule_id, first_day)
);

-- One mail: a report to one address, once.
CREATE TABLE report_delivery (
    report_id bigint NOT NULL REFERENCES report_version,
    recipient text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    trouble text NOT NULL DEFAULT '',
    PRIMARY KEY (report_id, recipient)
);
