-- Places people want to go to: from destinations.toml at the first start, edited by operators.
CREATE TABLE destination (
    destination_id text PRIMARY KEY,
    facts jsonb NOT NULL,
    changed_by text NOT NULL DEFAULT 'first start',
    changed_at timestamptz NOT NULL DEFAULT now()
);
