-- Car parks as the construction plan knows them, from the first idea to the first car:
-- from sites.toml at the first start, edited by planners afterwards.
CREATE TABLE site (
    site_id text PRIMARY KEY CHECK (site_id ~ '^[a-z][a-z0-9_-]{1,30}$'),
    facts jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL DEFAULT 'first start',
    changed_at timestamptz NOT NULL DEFAULT now()
);
