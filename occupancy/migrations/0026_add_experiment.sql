-- Experiments with guidance: planned once, with every block's arm; started, stopped, never edited.
CREATE TABLE experiment (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    metric text NOT NULL,
    block_minutes integer NOT NULL CHECK (block_minutes IN (120, 1440)),
    from_at timestamptz NOT NULL,
    seed text NOT NULL,
    arms text NOT NULL CHECK (arms ~ '^[01]+$'),
    kinds text NOT NULL CHECK (kinds ~ '^[wr]+$' AND length(kinds) = length(arms)),
    held_out_percent integer NOT NULL CHECK (held_out_percent BETWEEN 0 AND 50),
    detectable double precision,
    reason text NOT NULL,
    planned_by text NOT NULL,
    planned_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    started_by text,
    stopped_at timestamptz,
    stopped_by text,
    stop_reason text
);

INSERT INTO revision (thing) VALUES ('experiments');

CREATE TRIGGER experiment_is_news
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON experiment
FOR EACH STATEMENT EXECUTE FUNCTION count_revision('experiments');

-- What was drawn stays drawn: an arm that is chosen afterwards proves nothing.
CREATE FUNCTION refuse_experiment_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.metric, NEW.block_minutes, NEW.from_at, NEW.seed, NEW.arms, NEW.kinds,
        NEW.held_out_percent, NEW.detectable)
       IS DISTINCT FROM
       (OLD.metric, OLD.block_minutes, OLD.from_at, OLD.seed, OLD.arms, OLD.kinds,
        OLD.held_out_percent, OLD.detectable) THEN
        RAISE EXCEPTION 'the plan of an experiment cannot be changed';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER experiment_plan_is_immutable
BEFORE UPDATE ON experiment
FOR EACH ROW EXECUTE FUNCTION refuse_experiment_change();
