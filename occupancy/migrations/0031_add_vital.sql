-- Vital signs of the district and of each car park: what was asked, what came out, and a seal on
-- both. A row is never changed; what is worked out otherwise later is another row.
CREATE TABLE vital (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    grain text NOT NULL,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    made_at timestamptz NOT NULL,
    query json NOT NULL,
    figures json NOT NULL,
    seal text NOT NULL
);

CREATE INDEX vital_newest ON vital (grain, subject, from_at DESC, number DESC);

CREATE FUNCTION refuse_vital_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a vital sign is never changed: what is worked out anew is another row';
END
$$;

CREATE TRIGGER vital_is_immutable
BEFORE UPDATE ON vital FOR EACH STATEMENT EXECUTE FUNCTION refuse_vital_change();

-- What the command centre was told: once each span and state of it (`up_to` is its newest row).
CREATE TABLE vital_push (
    grain text NOT NULL,
    from_at timestamptz NOT NULL,
    up_to bigint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    trouble text NOT NULL DEFAULT '',
    PRIMARY KEY (grain, from_at, up_to)
);
