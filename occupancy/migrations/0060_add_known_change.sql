-- Changes that planners named, so that before and after are compared: chosen before the result is
-- seen, withdrawn with a reason, never edited.
CREATE TABLE known_change (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    lot_id text,
    place text NOT NULL,
    since date NOT NULL,
    metric text NOT NULL,
    before_days integer NOT NULL CHECK (before_days > 0),
    after_days integer NOT NULL CHECK (after_days > 0),
    detectable double precision,
    reason text NOT NULL,
    noted_by text NOT NULL,
    noted_at timestamptz NOT NULL,
    withdrawn_by text,
    withdrawn_at timestamptz,
    withdraw_reason text
);

CREATE FUNCTION refuse_known_change_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.withdrawn_at IS NOT NULL
       OR (NEW.number, NEW.name, NEW.kind, NEW.lot_id, NEW.place, NEW.since, NEW.metric,
           NEW.before_days, NEW.after_days, NEW.detectable, NEW.reason, NEW.noted_by, NEW.noted_at)
       IS DISTINCT FROM
          (OLD.number, OLD.name, OLD.kind, OLD.lot_id, OLD.place, OLD.since, OLD.metric,
           OLD.before_days, OLD.after_days, OLD.detectable, OLD.reason, OLD.noted_by, OLD.noted_at)
    THEN
        RAISE EXCEPTION 'a change that was named is withdrawn, never edited';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER known_change_is_immutable
BEFORE UPDATE OR DELETE ON known_change
FOR EACH ROW EXECUTE FUNCTION refuse_known_change_edit();
