-- What the forecaster has learned, newest only: any process may read it, one at a time learns.
CREATE TABLE forecast_model (
    is_the_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_one),
    learned_at timestamptz NOT NULL,
    model bytea NOT NULL
);
