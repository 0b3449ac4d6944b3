-- When somebody last got a password, and whether another one gave it to him: then he chooses his own.
ALTER TABLE operator
    ADD COLUMN password_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN must_change boolean NOT NULL DEFAULT false;
