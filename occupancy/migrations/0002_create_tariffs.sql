-- Tariff versions: from the TOML files at the first start, published by operators afterwards.
-- A published version never changes: whoever was quoted by it can be shown it years later.
CREATE TABLE tariff_version (
    tariff_id text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    tariff jsonb NOT NULL,
    published_by text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tariff_id, version)
);

CREATE FUNCTION refuse_tariff_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published tariff version never changes: publish the next version';
END
$$;

CREATE TRIGGER tariff_version_is_immutable
BEFORE UPDATE OR DELETE OR TRUNCATE ON tariff_version
FOR EACH STATEMENT EXECUTE FUNCTION refuse_tariff_change();

-- What the operator knows of a date better than the published calendar does.
CREATE TABLE calendar_override (
    day date PRIMARY KEY,
    day_type text NOT NULL,
    reason text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
