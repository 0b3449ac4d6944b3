-- The web service works as this role: everything it needs, and the audit only by its function.
-- Said anew by each `zhibo migrate`: roles belong to the server, a restored database brings none.
-- Where the owner may not make roles, whoever runs the server makes it beforehand.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zhibo_web') THEN
        CREATE ROLE zhibo_web NOLOGIN;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE WARNING 'no right to make the role zhibo_web: the web service runs without it';
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- another database of this server was faster
END
$$;

REVOKE ALL ON FUNCTION append_audit(jsonb) FROM public;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'zhibo_web') THEN
        GRANT USAGE ON SCHEMA public TO zhibo_web;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO zhibo_web;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO zhibo_web;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO zhibo_web;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO zhibo_web;
        REVOKE ALL ON audit, audit_head FROM zhibo_web;
        GRANT SELECT ON audit, audit_head TO zhibo_web;
        REVOKE UPDATE, DELETE, TRUNCATE ON tariff_version, tariff_withdrawal, correction
            FROM zhibo_web;
        REVOKE INSERT, DELETE, TRUNCATE ON revision FROM zhibo_web;
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON open_history FROM zhibo_web;
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON report_version, report_file FROM zhibo_web;
        REVOKE UPDATE, DELETE, TRUNCATE ON report_publication FROM zhibo_web;
        GRANT EXECUTE ON FUNCTION append_audit(jsonb) TO zhibo_web;
    END IF;
END
$$;
