-- Congestion reports. A version is never changed and never taken away: a correction is the next one.
CREATE TABLE report_version (
    report_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first_day date NOT NULL,
    last_day date NOT NULL,
    lots text[] NOT NULL DEFAULT '{}', -- sorted; none: every car park
    version integer NOT NULL,
    document text NOT NULL, -- report.json, letter by letter: what is hashed
    sha256 bytea NOT NULL,
    sources jsonb NOT NULL, -- sums of the history it was made from: tells what was corrected since
    note text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (first_day, last_day, lots, version),
    CHECK (sha256 = sha256(convert_to(document, 'UTF8')))
);

-- What was made together with a version: its PDF, its 15-minute figures.
CREATE TABLE report_file (
    report_id bigint NOT NULL REFERENCES report_version,
    name text NOT NULL,
    content bytea NOT NULL,
    sha256 bytea NOT NULL,
    PRIMARY KEY (report_id, name),
    CHECK (sha256 = sha256(content))
);

CREATE TABLE report_publication (
    report_id bigint PRIMARY KEY REFERENCES report_version,
    published_by text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL
);

CREATE FUNCTION refuse_report_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a report is never changed: a correction is a new version';
END
$$;

CREATE TRIGGER report_version_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON report_version
FOR EACH STATEMENT EXECUTE FUNCTION refuse_report_change();
CREATE TRIGGER report_file_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON report_file
FOR EACH STATEMENT EXECUTE FUNCTION refuse_report_change();
CREATE TRIGGER report_publication_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON report_publication
FOR EACH STATEMENT EXECUTE FUNCTION refuse_report_change();

-- Reports that somebody waits for; one that is worked on again after its worker died begins anew.
CREATE TABLE report_job (
    job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first_day date NOT NULL,
    last_day date NOT NULL,
    lots text[] NOT NULL DEFAULT '{}',
    note text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    progress real NOT NULL DEFAULT 0,
    stage text NOT NULL DEFAULT '',
    trouble text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    held_until timestamptz,
    report_id bigint REFERENCES report_version
);

CREATE UNIQUE INDEX report_job_open ON report_job (first_day, last_day, lots)
WHERE state IN ('waiting', 'running');
