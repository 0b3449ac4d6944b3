-- What operators take out of service: a car park, a group, a level, or so many spaces.
CREATE TABLE restriction (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lot_id text NOT NULL,
    extent text NOT NULL CHECK (extent IN ('lot', 'group', 'level', 'spaces')),
    part text NOT NULL DEFAULT '',
    spaces integer NOT NULL DEFAULT 0 CHECK (spaces >= 0),
    from_at timestamptz NOT NULL,
    until_at timestamptz CHECK (until_at > from_at),
    wording text NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    ended_by text
);

CREATE INDEX restriction_in_force ON restriction (lot_id) WHERE ended_at IS NULL;

-- What a sign shows instead of its numbers, for a time.
CREATE TABLE sign_override (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sign_id text NOT NULL,
    lines text[] NOT NULL,
    from_at timestamptz NOT NULL DEFAULT now(),
    until_at timestamptz NOT NULL CHECK (until_at > from_at),
    is_test boolean NOT NULL DEFAULT false,
    reason text NOT NULL,
    made_by text NOT NULL,
    ended_at timestamptz,
    ended_by text
);

CREATE INDEX sign_override_in_force ON sign_override (sign_id) WHERE ended_at IS NULL;

-- What each sign should show and what it said it showed: one row a change.
CREATE TABLE sign_proof (
    sign_id text NOT NULL,
    at timestamptz NOT NULL,
    lot_id text NOT NULL,
    desired text[] NOT NULL,
    reported text[],
    state text NOT NULL,
    PRIMARY KEY (sign_id, at)
);

CREATE INDEX sign_proof_by_time ON sign_proof (at);
