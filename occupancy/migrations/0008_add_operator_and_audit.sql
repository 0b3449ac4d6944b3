-- People who may act, what they hold beside their password, and how often they failed.
CREATE TABLE operator (
    operator_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9._-]{1,31}$'),
    role text NOT NULL,
    lots text[] NOT NULL DEFAULT '{}', -- none: every car park
    password_hash text NOT NULL,
    totp_secret text,
    totp_last_step bigint NOT NULL DEFAULT 0,
    is_locked boolean NOT NULL DEFAULT false,
    generation integer NOT NULL DEFAULT 1, -- sessions of an older one are over
    version integer NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recovery_code (
    operator_id bigint NOT NULL REFERENCES operator,
    code_hash bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (operator_id, code_hash)
);

-- By account (also one that is not there) and by address; judged by this server's clock.
CREATE TABLE failed_login (
    subject text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX failed_login_by_subject ON failed_login (subject, at);

-- Who did what to which thing, why, and what it was before and after.
-- `content` is what was hashed, letter by letter; everything else is read out of it.
CREATE TABLE audit (
    number bigint PRIMARY KEY,
    content text NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    who text GENERATED ALWAYS AS ((content::jsonb) ->> 'who') STORED,
    action text GENERATED ALWAYS AS ((content::jsonb) ->> 'action') STORED,
    subject text GENERATED ALWAYS AS ((content::jsonb) ->> 'subject') STORED,
    lot_id text GENERATED ALWAYS AS ((content::jsonb) ->> 'lot_id') STORED
);

CREATE INDEX audit_by_subject ON audit (subject, number DESC);

CREATE TABLE audit_head (
    is_the_only_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_only_one),
    number bigint NOT NULL,
    hash bytea NOT NULL
);

INSERT INTO audit_head (number, hash) VALUES (0, sha256('zhibo audit'));

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is only ever added to';
END
$$;

CREATE TRIGGER audit_is_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- The one way to write: numbers without a gap, each record sealed with the one before it.
CREATE FUNCTION append_audit(entry jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head audit_head;
    words text;
    seal bytea;
BEGIN
    SELECT * INTO head FROM audit_head FOR UPDATE;
    words := (entry || jsonb_build_object(
        'number', head.number + 1,
        'at_ms', (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    ))::text;
    seal := sha256(head.hash || convert_to(words, 'UTF8'));
    INSERT INTO audit (number, content, previous, hash)
    VALUES (head.number + 1, words, head.hash, seal);
    UPDATE audit_head SET number = head.number + 1, hash = seal;
    RETURN head.number + 1;
END
$$;
