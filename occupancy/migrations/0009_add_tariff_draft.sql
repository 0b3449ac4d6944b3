-- Tariff versions in the making. A text may be broken while somebody works on it.
CREATE TABLE tariff_draft (
    draft_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tariff_id text NOT NULL,
    text text NOT NULL,
    state text NOT NULL DEFAULT 'draft'
        CHECK (state IN ('draft', 'submitted', 'approved', 'discarded')),
    edit integer NOT NULL DEFAULT 1,
    authors text[] NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    version integer,
    -- The last word against one person doing both, whatever the service believes.
    CHECK (state <> 'approved' OR (version IS NOT NULL AND changed_by <> ALL (authors)))
);

CREATE INDEX tariff_draft_by_tariff ON tariff_draft (tariff_id, draft_id DESC);

CREATE FUNCTION refuse_settled_draft_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state IN ('draft', 'submitted') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an approved or discarded draft stays as it is: begin another one';
END
$$;

CREATE TRIGGER tariff_draft_is_settled_once
BEFORE UPDATE OR DELETE ON tariff_draft
FOR EACH ROW EXECUTE FUNCTION refuse_settled_draft_change();

-- A published version that was taken back before its first minute. It is never priced.
CREATE TABLE tariff_withdrawal (
    tariff_id text NOT NULL,
    version integer NOT NULL,
    withdrawn_by text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    withdrawn_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tariff_id, version)
);

CREATE FUNCTION refuse_withdrawal_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a withdrawal is never taken back: publish the next version';
END
$$;

CREATE TRIGGER tariff_withdrawal_is_immutable
BEFORE UPDATE OR DELETE OR TRUNCATE ON tariff_withdrawal
FOR EACH STATEMENT EXECUTE FUNCTION refuse_withdrawal_change();

-- How often each thing was changed: processes that keep it in memory look here first.
CREATE TABLE revision (
    thing text PRIMARY KEY,
    number bigint NOT NULL DEFAULT 0
);

INSERT INTO revision (thing) VALUES ('tariffs'), ('calendar');

CREATE FUNCTION count_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE revision SET number = number + 1 WHERE thing = TG_ARGV[0];
    RETURN NULL;
END
$$;

CREATE TRIGGER tariff_version_is_news
AFTER INSERT ON tariff_version
FOR EACH STATEMENT EXECUTE FUNCTION count_revision('tariffs');

CREATE TRIGGER tariff_withdrawal_is_news
AFTER INSERT ON tariff_withdrawal
FOR EACH STATEMENT EXECUTE FUNCTION count_revision('tariffs');

CREATE TRIGGER calendar_override_is_news
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON calendar_override
FOR EACH STATEMENT EXECUTE FUNCTION count_revision('calendar');

-- The calendar a model was learned with: after another day type it is learned again.
ALTER TABLE forecast_model ADD COLUMN calendar_revision bigint NOT NULL DEFAULT 0;
