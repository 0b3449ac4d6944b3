-- Which experiment a trip was shown in, and how its driver was treated; NULL: in none.
ALTER TABLE trip ADD COLUMN experiment bigint, ADD COLUMN arm text;

CREATE INDEX trip_by_experiment ON trip (experiment) WHERE experiment IS NOT NULL;
