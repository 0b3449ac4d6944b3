-- What planners tried out: asked once, played by whoever has time, kept with all it was made of.
CREATE TABLE study (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    wish jsonb NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    -- who plays it, and when he last said so: after a minute of silence another takes it up
    holder text,
    heard_at timestamptz,
    seeds_done integer NOT NULL DEFAULT 0,
    spec text,
    outcome text,
    outcome_sha256 text,
    trouble text,
    ended_at timestamptz,
    withdrawn_by text
);

CREATE INDEX study_open ON study (number) WHERE ended_at IS NULL;
