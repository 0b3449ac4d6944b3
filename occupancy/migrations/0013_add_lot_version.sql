-- Whoever edits the facts of a car park says which state of them he saw.
ALTER TABLE lot
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN changed_by text NOT NULL DEFAULT '';

-- Running processes that keep car parks in memory look here.
INSERT INTO revision (thing) VALUES ('lots');

CREATE TRIGGER lot_is_news
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lot
FOR EACH STATEMENT EXECUTE FUNCTION count_revision('lots');
