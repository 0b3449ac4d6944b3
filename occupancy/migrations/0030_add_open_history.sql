-- A finished month of all car parks as files for anybody: made once, never changed. What is corrected
-- afterwards is another version. `content_sha256` is that of the lines before they were packed.
CREATE TABLE open_history (
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    version integer NOT NULL CHECK (version > 0),
    made_at timestamptz NOT NULL,
    note text NOT NULL,
    lines integer NOT NULL,
    content_sha256 text NOT NULL,
    csv bytea NOT NULL,
    csv_sha256 text NOT NULL,
    parquet bytea,
    parquet_sha256 text,
    PRIMARY KEY (month, version)
);

CREATE FUNCTION refuse_open_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published month never changes: publish the next version';
END
$$;

CREATE TRIGGER open_history_is_immutable
BEFORE UPDATE OR DELETE OR TRUNCATE ON open_history
FOR EACH STATEMENT EXECUTE FUNCTION refuse_open_history_change();
