-- Once, as the server's superuser, before the first `zhibo migrate`. Passwords are set afterwards
-- with \password, never here. Who may come from where stands in pg_hba.conf.example.
CREATE ROLE zhibo_owner LOGIN;              -- migrations: nobody else
CREATE ROLE zhibo_web NOLOGIN;              -- what a web worker may; its rights are said by migrate
CREATE ROLE zhibo_pages LOGIN IN ROLE zhibo_web;      -- web workers: nothing beyond it
CREATE ROLE zhibo_service LOGIN IN ROLE zhibo_owner;  -- recorders, press, studies
CREATE ROLE zhibo_replica LOGIN REPLICATION;          -- streaming to the replica for reports
CREATE ROLE zhibo_backup LOGIN CREATEDB;              -- the nightly backup: reads, and rehearses its
GRANT pg_read_all_data TO zhibo_backup;               -- restore in a database it makes; writes nowhere else
CREATE DATABASE zhibo OWNER zhibo_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE zhibo FROM PUBLIC;
GRANT CONNECT ON DATABASE zhibo TO zhibo_web, zhibo_service, zhibo_backup;
GRANT zhibo_web TO zhibo_owner;
ALTER ROLE zhibo_service SET role = 'zhibo_owner';
ALTER DATABASE zhibo SET synchronous_commit = on;
ALTER DATABASE zhibo SET timezone = 'UTC';
